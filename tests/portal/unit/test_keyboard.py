"""What is typed: in order, each byte once, in few calls, whatever happens on the way."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given as any_
from hypothesis import settings
from hypothesis import strategies as st

from tests.portal.unit.conftest import Page
from tests.portal.unit.keyed import run, typed


def test_a_key_is_sent_as_raw_bytes_with_its_number(page: Page) -> None:
    said = run(page, "keyboard.type('\\r'); page.timers.advance(1000); return posts()[0];")

    assert (said["method"], said["path"]) == ("POST", "/sessions/s-1/commands")
    assert {name: value for name, value in said["body"].items() if name != "key"} == {
        "command": "DQ==",
        "mode": "raw",
        "stream": "tab",
        "seq": 1,
    }


@pytest.mark.parametrize(
    "text", ["a", "é", "❯", "😀", "\x00\x01\x1b[A\x7f", "a😀é❯", "\x1b[200~x\ny\x1b[201~"], ids=range(7)
)
def test_text_is_sent_in_utf8(page: Page, text: str) -> None:
    assert (
        typed(
            run(page, "keyboard.type(given.text); page.timers.advance(1000); return it.program();", text=text)
        )
        == text
    )


def test_a_hundred_keys_within_a_second_are_few_calls(page: Page) -> None:
    said = run(
        page,
        """
        for (var i = 0; i < 100; i++) {
            keyboard.type(String.fromCharCode(33 + i % 90));
            page.timers.advance(10);
        }
        page.timers.advance(5000);
        return {program: it.program(), rows: it.rows, busy: keyboard.busy(), latency: keyboard.latency};
        """,
    )

    assert typed(said["program"]) == "".join(chr(33 + i % 90) for i in range(100))
    assert said["rows"] <= 8
    assert not said["busy"]
    assert 300 <= said["latency"] <= 600


def test_the_first_key_leaves_at_once(page: Page) -> None:
    assert run(page, "keyboard.type('a'); return [posts().length, sent];") == [1, 1]


def test_at_most_two_batches_are_under_way(page: Page) -> None:
    said = run(
        page,
        """
        var most = 0;
        it.delays = [2, 2, 2, 2, 2, 2, 2, 2];
        for (var i = 0; i < 100; i++) {
            keyboard.type('x');
            page.timers.advance(30);
            most = Math.max(most, posts().length - Object.keys(it.requests).filter(function (id) {
                return it.requests[id].state !== 'queued';
            }).length);
        }
        return most;
        """,
    )

    assert said == 2


def test_a_batch_leaves_only_when_the_one_before_was_taken(page: Page) -> None:
    said = run(
        page,
        """
        it.plan = [0, 1, 1, 1, 1, 1]; // the feed's read, then calls that get lost
        keyboard.type('a');
        keyboard.type('b');
        page.timers.advance(700);
        var early = seqs();
        page.timers.advance(20000);
        return {early: early, program: it.program(), all: seqs()};
        """,
    )

    assert set(said["early"]) == {1}
    assert typed(said["program"]) == "ab"


def test_a_large_paste_is_cut_into_pieces_in_order(page: Page) -> None:
    text = "\x1b[200~" + "".join(f"{i:04d} zażółć 😀\n" for i in range(600)) + "\x1b[201~"
    said = run(
        page,
        """
        keyboard.type(given.text);
        page.timers.advance(10000);
        return {program: it.program(), sizes: posts().map(function (call) { return call.body.command.length; })};
        """,
        text=text,
    )

    assert len(text.encode()) > 10_000
    assert typed(said["program"]) == text
    assert max(said["sizes"]) <= 8192 * 4 / 3 + 4
    assert len(said["sizes"]) == 2


@pytest.mark.parametrize("lead", range(5))
def test_no_character_is_cut(page: Page, lead: int) -> None:
    said = run(
        page,
        """
        keyboard.type(given.text);
        page.timers.advance(20000);
        return posts().map(function (call) { return require('bytes').decoded(call.body.command); });
        """,
        text="x" * lead + "😀" * 5000,
    )

    assert "".join(typed(piece) for piece in said) == "x" * lead + "😀" * 5000


def test_half_a_character_waits_for_its_other_half(page: Page) -> None:
    said = run(
        page,
        """
        keyboard.type('\\uD83D');
        page.timers.advance(1000);
        var before = posts().length;
        keyboard.type('\\uDE00');
        page.timers.advance(1000);
        return {before: before, program: it.program()};
        """,
    )

    assert said["before"] == 0
    assert typed(said["program"]) == "😀"


@pytest.mark.parametrize("script", ["'a\\uDE00b'", "'a\\uD83Db'", "'\\uD83D\\uD83D\\uDE00'", "'\\uDE00'"])
def test_half_a_character_alone_is_marked(page: Page, script: str) -> None:
    said = run(page, f"keyboard.type({script}); page.timers.advance(1000); return it.program();")

    assert "\ufffd" in typed(said)
    assert len(typed(said).replace("a", "").replace("b", "").replace("😀", "")) == 1


KEYS = """
    it.plan = given.plan;
    it.delays = given.delays;
    it.pushes = given.pushes;
    given.keys.forEach(function (key) {
        keyboard.type(key.text);
        page.timers.advance(key.pause);
    });
    page.timers.advance(400000);
    feed.look();
    page.timers.advance(400000);
    return {program: it.program(), busy: keyboard.busy(), told: told.filter(Boolean), last: told.slice(-1)[0],
        after: keyboard.after(), seqs: seqs()};
"""
TEXTS = st.lists(
    st.fixed_dictionaries(
        {
            "text": st.text(st.sampled_from("ab\x1b\ré❯😀"), min_size=1, max_size=6),
            "pause": st.integers(0, 700),
        }
    ),
    min_size=1,
    max_size=25,
)
PLAN = st.lists(st.integers(0, 6), max_size=40)
DELAYS = st.lists(st.integers(0, 3), max_size=20)


@settings(max_examples=60)
@any_(plan=PLAN, delays=DELAYS, keys=TEXTS, pushes=st.booleans())
def test_the_program_gets_exactly_what_was_typed(
    page: Page, plan: list[int], delays: list[int], keys: list[dict[str, Any]], pushes: bool
) -> None:
    said = run(page, KEYS, plan=plan, delays=delays, keys=keys, pushes=pushes)

    assert typed(said["program"]) == "".join(key["text"] for key in keys)
    assert not said["busy"]
    assert said["last"] is None
    assert said["after"] == max(said["seqs"])


@settings(max_examples=60)
@any_(
    plan=PLAN,
    delays=DELAYS,
    keys=TEXTS,
    pushes=st.booleans(),
    outages=st.lists(st.tuples(st.integers(50, 3000), st.sampled_from(["mid", "sidecar"])), max_size=4),
)
def test_after_outages_only_what_was_told_is_missing(
    page: Page,
    plan: list[int],
    delays: list[int],
    keys: list[dict[str, Any]],
    pushes: bool,
    outages: list[tuple[int, str]],
) -> None:
    said = run(
        page,
        """
        var at = 0;
        given.outages.forEach(function (outage) {
            at += outage[0];
            page.timers.after(at, function () { it[outage[1]] = it[outage[1]] === 'up' ? 'down' : 'up'; });
        });
        page.timers.after(100000, function () { it.mid = it.sidecar = 'up'; });
        """
        + KEYS,
        plan=plan,
        delays=delays,
        keys=keys,
        pushes=pushes,
        outages=outages,
    )
    whole = "".join(key["text"] for key in keys)

    assert not said["busy"]
    if "Some typing was lost" in said["told"]:
        remaining = iter(whole)
        assert all(character in remaining for character in typed(said["program"])), "the order has changed"
    else:
        assert typed(said["program"]) == whole
