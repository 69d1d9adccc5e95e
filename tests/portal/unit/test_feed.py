"""Output by its offset: each byte once and unchanged, although answers get lost."""

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
    var got = [];
    var told = {gaps: [], inputs: [], states: [], problems: []};
    var feed = new ns.Feed({calls: calls, timers: page.timers,
        onOutput: function (bytes) { got = got.concat(Array.prototype.slice.call(bytes)); },
        onGap: function (dropped) { told.gaps.push(dropped); },
        onInput: function (items) { told.inputs.push(items); },
        onState: function (answer) { told.states.push(answer.state); },
        onProblem: function (problem) { told.problems.push(problem && problem.advice().title); }});
    function reads() { return page.http.calls.length; }
"""


def run(page: Page, script: str, **given: Any) -> Any:
    return page.run(START + script, **given)


def test_every_byte_arrives_unchanged(page: Page) -> None:
    said = run(
        page,
        """
        var all = [];
        for (var i = 0; i < 256; i++) { all.push(i); }
        it.print(all);
        feed.start('s-1', 0, null);
        page.timers.advance(1000);
        return {got: got, cursor: feed.cursor};
        """,
    )

    assert said == {"got": list(range(256)), "cursor": 256}


def test_a_character_cut_between_two_reads_is_not_touched(page: Page) -> None:
    said = run(
        page,
        """
        feed.start('s-1', 0, null);
        it.print([0xE2, 0x9D]);
        page.timers.advance(100);
        it.print([0xAF, 0x1B, 0x5B, 0x33]);
        feed.look();
        page.timers.advance(100);
        return got;
        """,
    )

    assert bytes(said) == "❯".encode() + b"\x1b[3"


def test_one_read_is_under_way_at_most(page: Page) -> None:
    said = run(
        page,
        """
        feed.start('s-1', 0, null);
        for (var i = 0; i < 20; i++) { feed.look(); }
        var first = reads();
        page.timers.advance(1000);
        return [first, reads()];
        """,
    )

    assert said == [1, 2]


def test_a_flood_comes_without_waiting_for_news(page: Page) -> None:
    said = run(
        page,
        """
        var large = [];
        for (var i = 0; i < 200000; i++) { large.push(i % 251); }
        page.http.serve = function (call) {
            var from = Number(/cursor=(\\d+)/.exec(call.path)[1]);
            var to = Math.min(from + 20000, large.length);
            return {data: require('bytes').encoded(large.slice(from, to)), cursor: from, nextCursor: to,
                dropped: 0, state: 'running', outputSeq: 1};
        };
        feed.start('s-1', 0, null);
        page.timers.advance(2000);
        return {same: JSON.stringify(got) === JSON.stringify(large), reads: reads()};
        """,
    )

    assert said == {"same": True, "reads": 11}


def test_a_read_that_got_lost_is_repeated_from_the_same_offset(page: Page) -> None:
    said = run(
        page,
        """
        it.print('hello');
        it.plan = [2, 1, 5];
        feed.start('s-1', 0, null);
        page.timers.advance(10000);
        return {got: got, reads: reads(), problems: told.problems};
        """,
    )

    assert bytes(said["got"]) == b"hello"
    assert said["reads"] == 4
    assert said["problems"] == ["The instance cannot be reached", "Not available now", None]


def test_reads_that_fail_become_rare(page: Page) -> None:
    said = run(
        page,
        "page.http.serve = function () { return {status: -1}; };"
        "feed.start('s-1', 0, null); page.timers.advance(60000); return reads();",
    )

    assert 6 <= said <= 11


def test_looks_do_not_break_what_the_instance_asks_to_wait(page: Page) -> None:
    said = run(
        page,
        """
        page.http.serve = function () { return {status: 429, headers: {'Retry-After': '20'}}; };
        feed.start('s-1', 0, null);
        for (var i = 0; i < 190; i++) { page.timers.advance(100); feed.look(); }
        return reads();
        """,
    )

    assert said == 1


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_read_that_is_refused_is_told_and_not_repeated(page: Page, status: int) -> None:
    said = run(
        page,
        """
        page.http.serve = function () { return page.http.problem(given.status, 'Refused'); };
        feed.start('s-1', 0, null);
        page.timers.advance(60000);
        return {reads: reads(), problems: told.problems.length};
        """,
        status=status,
    )

    assert said == {"reads": 1, "problems": 1}


def test_bytes_that_are_gone_are_told_before_what_follows(page: Page) -> None:
    said = run(
        page,
        """
        it.print('0123456789');
        it.kept = 4;
        feed.start('s-1', 1, null);
        page.timers.advance(1000);
        return {got: got, gaps: told.gaps, cursor: feed.cursor};
        """,
    )

    assert said == {"got": list(b"456789"), "gaps": [3], "cursor": 10}


@pytest.mark.parametrize(
    "answer",
    [
        {"data": "aGk=", "cursor": 5, "nextCursor": 7, "dropped": 0},
        {"data": "aGk=", "cursor": 0, "nextCursor": 3, "dropped": 0},
        {"data": "aG", "cursor": 0, "nextCursor": 1, "dropped": 0},
        {"data": "aGk=", "cursor": 0, "nextCursor": 2, "dropped": 1},
    ],
    ids=["elsewhere", "too-far", "damaged", "a-gap-that-is-none"],
)
def test_an_answer_that_does_not_fit_is_not_painted(page: Page, answer: dict[str, Any]) -> None:
    said = run(
        page,
        """
        page.http.serve = function () { return given.answer; };
        feed.start('s-1', 0, null);
        page.timers.advance(1000);
        return {got: got, cursor: feed.cursor, problems: told.problems.length > 0};
        """,
        answer=answer,
    )

    assert said == {"got": [], "cursor": 0, "problems": True}


def test_an_answer_after_the_end_belongs_to_nobody(page: Page) -> None:
    said = run(
        page,
        """
        it.print('old');
        feed.start('s-1', 0, null);
        feed.stop();
        page.timers.advance(1000);
        var stopped = got.length;
        feed.start('s-1', 0, null);
        feed.start('s-1', 2, null);
        page.timers.advance(1000);
        return {stopped: stopped, got: got, states: told.states.length, left: page.timers.planned()};
        """,
    )

    assert said == {"stopped": 0, "got": list(b"d"), "states": 1, "left": 0}


def test_who_starts_anew_in_a_gap_gets_nothing_of_the_old(page: Page) -> None:
    said = run(
        page,
        """
        it.print('0123456789');
        it.kept = 4;
        var states = 0;
        var other = new ns.Feed({calls: calls, timers: page.timers,
            onGap: function () { other.start('s-1', 8, null); },
            onOutput: function (bytes) { got = got.concat(Array.prototype.slice.call(bytes)); },
            onState: function () { states += 1; }});
        other.start('s-1', 0, null);
        page.timers.advance(1000);
        return {got: got, states: states};
        """,
    )

    assert said == {"got": list(b"89"), "states": 1}


def test_settled_inputs_of_this_tab_are_asked_for(page: Page) -> None:
    said = run(
        page,
        """
        var items = [{seq: 8, request: 'r', state: 'done'}];
        page.http.serve = function () {
            return {data: '', cursor: 0, nextCursor: 0, dropped: 0, state: 'running', outputSeq: 3, input: items};
        };
        var other = new ns.Feed({calls: calls, timers: page.timers, after: function () { return 7; },
            onInput: function (list) { told.inputs.push(list); }});
        other.start('s-1', 0, 'tab');
        page.timers.advance(1000);
        return {path: page.http.calls[0].path, inputs: told.inputs};
        """,
    )

    assert said["path"] == "/sessions/s-1/output?cursor=0&max_bytes=262144&stream=tab&after=7"
    assert said["inputs"] == [[{"seq": 8, "request": "r", "state": "done"}]]


@settings(max_examples=25)
@any_(
    plan=st.lists(st.integers(0, 6), max_size=30),
    pieces=st.lists(st.binary(min_size=1, max_size=20), min_size=1, max_size=10),
)
def test_output_survives_whatever_happens_to_the_reads(
    page: Page, plan: list[int], pieces: list[bytes]
) -> None:
    said = run(
        page,
        """
        it.plan = given.plan;
        feed.start('s-1', 0, null);
        given.pieces.forEach(function (piece) {
            it.print(piece);
            feed.look();
            page.timers.advance(333);
        });
        page.timers.advance(300000);
        feed.look();
        page.timers.advance(60000);
        return got;
        """,
        plan=plan,
        pieces=[list(piece) for piece in pieces],
    )

    assert bytes(said) == b"".join(pieces)


def test_a_read_that_hangs_is_made_anew_when_it_is_hurried(page: Page) -> None:
    said = run(
        page,
        """
        it.print('x');
        var serve = page.http.serve;
        page.http.serve = function () { return {hangs: true}; };
        feed.start('s-1', 0, null);
        page.timers.advance(3000);
        page.http.serve = serve;
        feed.hurry();
        page.timers.advance(200);
        return {reads: reads(), cursor: feed.cursor};
        """,
    )

    assert said == {"reads": 2, "cursor": 1}
