"""What is typed: in order, each byte once, in few calls, whatever happens on the way."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given as any_
from hypothesis import settings
from hypothesis import strategies as st

from tests.portal.unit.conftest import Page

START = """
    var it = page.instance;
    var calls = new ns.Calls({http: page.http, promises: page.promises, timers: page.timers});
    var told = [];
    var sent = 0;
    var keyboard = new ns.Keyboard({calls: calls, timers: page.timers,
        onProblem: function (problem) { told.push(problem && problem.advice().title); },
        onSent: function () { sent += 1; }});
    var feed = new ns.Feed({calls: calls, timers: page.timers, onInput: keyboard.settled.bind(keyboard),
        after: keyboard.after.bind(keyboard)});
    var news = new ns.News({timers: page.timers, watch: it.watch.bind(it)});
    var pushed = news.follow('a1', function () { feed.look(); });
    function open(early) {
        keyboard.open('s-1', 'tab', early);
        feed.start('s-1', 0, 'tab');
    }
    function posts() {
        return page.http.calls.filter(function (call) { return /commands$/.test(call.path); });
    }
    function seqs() {
        return posts().map(function (call) { return call.body.seq; });
    }
    open(false);
"""


def run(page: Page, script: str, **given: Any) -> Any:
    return page.run(START + script, **given)


def typed(said: Any) -> str:
    return bytes(said).decode()


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


def test_a_call_whose_answer_got_lost_is_repeated_as_the_same(page: Page) -> None:
    said = run(
        page,
        """
        it.plan = [0, 2];
        keyboard.type('a');
        page.timers.advance(5000);
        return {program: it.program(), rows: it.rows, seqs: seqs(), keys: posts().map(function (call) {
            return call.body.key;
        })};
        """,
    )

    assert typed(said["program"]) == "a"
    assert (said["rows"], said["seqs"]) == (1, [1, 1])
    assert len(set(said["keys"])) == 1


def test_what_failed_is_made_anew_with_the_same_number(page: Page) -> None:
    said = run(
        page,
        """
        it.sidecar = 'down';
        keyboard.type('a');
        page.timers.advance(320);
        it.sidecar = 'up';
        page.timers.advance(5000);
        return {program: it.program(), rows: it.rows, seqs: seqs(), busy: keyboard.busy(), keys: posts()[0].body.key ===
            posts()[1].body.key};
        """,
    )

    assert typed(said["program"]) == "a"
    assert said | {"program": 0} == {"program": 0, "rows": 2, "seqs": [1, 1], "busy": False, "keys": False}


def test_typing_goes_on_after_the_mid_server_was_down(page: Page) -> None:
    said = run(
        page,
        """
        it.mid = 'down';
        keyboard.type('abc');
        page.timers.advance(60000);
        keyboard.type('def');
        var rows = it.rows;
        it.mid = 'up';
        page.timers.advance(20000);
        return {rows: rows, program: it.program(), told: told};
        """,
    )

    assert said["rows"] == 0
    assert typed(said["program"]) == "abcdef"
    assert said["told"][0] == "The MID Server is down"
    assert said["told"][-1] is None


def test_it_tries_at_once_when_the_way_is_open_again(page: Page) -> None:
    said = run(
        page,
        """
        it.mid = 'down';
        keyboard.type('abc');
        page.timers.advance(60100);
        it.mid = 'up';
        keyboard.retry();
        page.timers.advance(600);
        return it.program();
        """,
    )

    assert typed(said) == "abc"


def test_only_four_kilobytes_are_held_and_what_is_lost_is_told(page: Page) -> None:
    said = run(
        page,
        """
        it.mid = 'down';
        keyboard.type('a');
        page.timers.advance(1000);
        for (var i = 0; i < 50; i++) { keyboard.type(given.text); }
        it.mid = 'up';
        page.timers.advance(30000);
        return {program: it.program(), told: told.filter(function (t) { return t === 'Some typing was lost'; }).length};
        """,
        text="x" * 100,
    )

    assert typed(said["program"]) == "a" + "x" * 4000
    assert said["told"] == 1


def test_a_paste_that_is_too_large_is_refused_as_a_whole(page: Page) -> None:
    said = run(
        page,
        """
        keyboard.type(new Array(1048577 + 1).join('x'));
        keyboard.type('y');
        page.timers.advance(2000);
        return {program: it.program(), told: told};
        """,
    )

    assert typed(said["program"]) == "y"
    assert said["told"][0] == "Some typing was lost"


def test_what_another_tab_took_over_is_not_typed(page: Page) -> None:
    said = run(
        page,
        """
        it.session.writer = 'another';
        keyboard.type('abc');
        page.timers.advance(1000);
        keyboard.type('def');
        page.timers.advance(60000);
        return {program: it.program(), told: told, enabled: keyboard.enabled, posts: posts().length,
            busy: keyboard.busy(), left: page.timers.planned()};
        """,
    )

    assert said["program"] == []
    assert (said["told"], said["enabled"], said["posts"], said["busy"]) == (
        ["Another tab writes"],
        False,
        1,
        False,
    )


def test_an_ended_session_takes_nothing(page: Page) -> None:
    said = run(
        page,
        """
        it.session.state = 'terminated';
        keyboard.type('abc');
        page.timers.advance(60000);
        return {told: told, posts: posts().length};
        """,
    )

    assert said == {"told": ["The session has ended"], "posts": 1}


def test_a_reader_is_told_once(page: Page) -> None:
    said = run(
        page,
        """
        keyboard.disable();
        for (var i = 0; i < 5; i++) { keyboard.type('x'); }
        keyboard.enable();
        keyboard.type('y');
        keyboard.disable();
        keyboard.type('z');
        page.timers.advance(2000);
        return {told: told.filter(Boolean), program: it.program()};
        """,
    )

    assert said["told"] == ["You are reading along"] * 2
    assert typed(said["program"]) == "y"


def test_who_is_signed_out_loses_nothing(page: Page) -> None:
    said = run(
        page,
        """
        keyboard.type('a');
        page.timers.advance(1000);
        it.signedIn = false;
        keyboard.type('b');
        page.timers.advance(600000);
        var posted = posts().length;
        it.signedIn = true;
        keyboard.retry();
        page.timers.advance(10000);
        return {posted: posted, program: it.program(), told: told.filter(Boolean)};
        """,
    )

    assert said["posted"] == 2
    assert typed(said["program"]) == "ab"
    assert said["told"] == ["You are signed out"]


def test_news_that_got_lost_is_asked_for(page: Page) -> None:
    said = run(
        page,
        """
        feed.stop();
        keyboard.type('a');
        page.timers.advance(4000);
        var before = keyboard.busy();
        page.timers.advance(2000);
        return {before: before, after: keyboard.busy(), asked: page.http.calls.slice(-1)[0].path};
        """,
    )

    assert said == {"before": True, "after": False, "asked": "/requests/r-1"}


def test_a_queue_that_does_not_move_is_told(page: Page) -> None:
    said = run(
        page,
        """
        page.http.serve = function (call) {
            return call.method === 'POST' ? {request: 'r-1'} : {state: 'queued',
                problem: {title: 'No answer yet', status: 504, detail: 'It waits.'}};
        };
        feed.stop();
        keyboard.type('a');
        page.timers.advance(100000);
        return {told: told, busy: keyboard.busy(), asked: page.http.calls.length};
        """,
    )

    assert set(said["told"]) == {"The queue does not move"}
    assert said["busy"]
    assert said["asked"] <= 9


def test_a_place_that_was_given_up_is_told_as_a_loss(page: Page) -> None:
    said = run(
        page,
        """
        keyboard.type('a');
        page.timers.advance(60);
        keyboard.settled([{seq: 1, request: 'r-1', state: 'failed', problem: {status: 409, title: 'Out of order'}}]);
        keyboard.type('b');
        page.timers.advance(2000);
        return {told: told.filter(Boolean), seqs: seqs(), enabled: keyboard.enabled};
        """,
    )

    assert said == {"told": ["Some typing was lost"], "seqs": [1, 2], "enabled": True}


def test_what_was_overtaken_is_not_typed_in_the_wrong_place(page: Page) -> None:
    said = run(
        page,
        """
        keyboard.type('a');
        page.timers.advance(60);
        keyboard.type('b');
        page.timers.advance(60);
        keyboard.settled([{seq: 2, request: 'r-2', state: 'done'}]);
        keyboard.settled([{seq: 1, request: 'r-1', state: 'failed', problem: {status: 503, title: 'Unavailable'}}]);
        page.timers.advance(2000);
        return {told: told.filter(Boolean), seqs: seqs(), busy: keyboard.busy()};
        """,
    )

    assert said == {"told": ["Some typing was lost"], "seqs": [1, 2], "busy": False}


@pytest.mark.parametrize(("cut_off", "attempts"), [(True, 1), (False, 2)])
def test_what_may_have_been_typed_before_a_crash_is_not_typed_twice(
    page: Page, cut_off: bool, attempts: int
) -> None:
    said = run(
        page,
        """
        keyboard.type('a');
        page.timers.advance(60);
        if (given.cut_off) { keyboard.interrupted(); }
        keyboard.settled([{seq: 1, request: 'r-1', state: 'failed', problem: {status: 504, title: 'No answer'}}]);
        page.timers.advance(2000);
        return {told: told.filter(Boolean), posts: posts().length, busy: keyboard.busy()};
        """,
        cut_off=cut_off,
    )

    assert said["posts"] == attempts
    assert said["told"] == (["It is not known whether that arrived"] if cut_off else [])
    assert not said["busy"]


def test_news_of_an_earlier_attempt_changes_nothing(page: Page) -> None:
    said = run(
        page,
        """
        var failed = [{seq: 1, request: 'r-1', state: 'failed', problem: {status: 503, title: 'Unavailable'}}];
        keyboard.type('a');
        page.timers.advance(60);
        keyboard.settled(failed);
        page.timers.advance(10);
        keyboard.settled(failed);
        page.timers.advance(100);
        keyboard.settled(failed);
        keyboard.settled([{seq: 1, request: 'r-99', state: 'failed', problem: {status: 503, title: 'Unavailable'}}]);
        page.timers.advance(2000);
        return {posts: posts().length, told: told.filter(Boolean), busy: keyboard.busy()};
        """,
    )

    assert said == {"posts": 2, "told": [], "busy": False}


def test_the_late_answer_of_an_earlier_attempt_changes_nothing(page: Page) -> None:
    said = run(
        page,
        """
        it.plan = [0, 6]; // the read, then a call whose answer comes late
        it.delays = [0, 3];
        keyboard.type('a');
        page.timers.advance(60);
        keyboard.settled([{seq: 1, request: 'r-1', state: 'failed', problem: {status: 503, title: 'Unavailable'}}]);
        page.timers.advance(5000);
        return {keys: posts().length, busy: keyboard.busy()};
        """,
    )

    assert said == {"keys": 2, "busy": False}


def test_after_a_failure_batches_go_one_by_one(page: Page) -> None:
    said = run(
        page,
        """
        it.sidecar = 'down';
        keyboard.type('a');
        page.timers.advance(450);
        keyboard.type('b');
        it.sidecar = 'up';
        page.timers.advance(200);
        var early = seqs();
        page.timers.advance(3000);
        return {early: early, all: seqs(), program: it.program()};
        """,
    )

    assert said["early"] == [1, 1]
    assert said["all"] == [1, 1, 2]
    assert typed(said["program"]) == "ab"


def test_what_is_typed_early_leaves_when_it_may(page: Page) -> None:
    said = run(
        page,
        """
        open(true);
        keyboard.type('ab');
        page.timers.advance(5000);
        var before = posts().length;
        keyboard.enable();
        page.timers.advance(1000);
        return {before: before, program: it.program()};
        """,
    )

    assert said["before"] == 0
    assert typed(said["program"]) == "ab"


def test_a_closed_keyboard_does_nothing_more(page: Page) -> None:
    said = run(
        page,
        """
        keyboard.type('a');
        keyboard.close();
        keyboard.type('b');
        feed.stop();
        news.stop();
        page.timers.advance(60000);
        return {posts: posts().length, left: page.timers.planned(), told: told.length};
        """,
    )

    assert said == {"posts": 1, "left": 0, "told": 1}


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
