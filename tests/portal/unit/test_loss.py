"""What is typed while something fails: kept, typed once, or told to be lost."""

from __future__ import annotations

import pytest

from tests.portal.unit.conftest import Page
from tests.portal.unit.keyed import run, typed


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
        ["Another tab writes", "Some typing was lost"],
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

    assert said == {"told": ["The session has ended", "Some typing was lost"], "posts": 1}


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


def test_what_waits_when_another_tab_takes_over_is_told_as_lost(page: Page) -> None:
    said = run(
        page,
        """
        keyboard.type('a');
        keyboard.type('b');
        keyboard.disable();
        page.timers.advance(5000);
        return {told: told.filter(Boolean), program: it.program()};
        """,
    )

    assert said["told"] == ["Some typing was lost"]
    assert typed(said["program"]) == "a"


def test_who_has_nothing_waiting_loses_nothing(page: Page) -> None:
    assert run(page, "keyboard.type('a'); keyboard.disable(); return told;") == []


def test_a_paste_that_was_cut_is_closed_before_the_next_key(page: Page) -> None:
    said = run(
        page,
        """
        keyboard.type('\\u001b[200~' + given.text + '\\u001b[201~');
        keyboard.disable();
        page.timers.advance(2000);
        keyboard.enable();
        keyboard.type('x');
        page.timers.advance(2000);
        return it.program();
        """,
        text="y" * 9000,
    )

    assert typed(said) == "\x1b[200~" + "y" * (8192 - 6) + "\x1b[201~x"


def test_a_paste_whose_end_was_lost_is_closed_before_the_next_key(page: Page) -> None:
    said = run(
        page,
        """
        keyboard.type('\\u001b[200~' + given.text + '\\u001b[201~');
        page.timers.advance(120);
        keyboard.settled([{seq: 2, request: 'r-2', state: 'failed', problem: {status: 409, title: 'Out of order'}}]);
        keyboard.type('x');
        page.timers.advance(2000);
        return require('bytes').decoded(posts().slice(-1)[0].body.command);
        """,
        text="y" * 9000,
    )

    assert typed(said) == "\x1b[201~x"


def test_a_key_that_could_not_be_sent_for_three_seconds_is_told(page: Page) -> None:
    said = run(
        page,
        """
        var serve = page.http.serve;
        page.http.serve = function (call) { return call.method === 'POST' ? {hangs: true} : serve(call); };
        keyboard.type('abc');
        page.timers.advance(2900);
        var early = told.filter(Boolean).length;
        page.timers.advance(200);
        var late = {told: told.slice(-1)[0], held: keyboard.held()};
        page.http.serve = serve;
        calls.hurry();
        page.timers.advance(100);
        return {early: early, late: late, then: told.slice(-1)[0], held: keyboard.held(), program: it.rows};
        """,
    )

    assert said["early"] == 0
    assert said["late"] == {"told": "What you type is not sent yet", "held": 3}
    assert said | {"early": 0, "late": 0} == {"early": 0, "late": 0, "then": None, "held": 0, "program": 1}


def test_who_is_signed_out_is_not_asked_what_became_of_his_keys(page: Page) -> None:
    said = run(
        page,
        """
        it._settle = (function (settle) {
            return function () { if (it.signedIn) { settle.apply(it, arguments); } };
        }(it._settle));
        feed.stop();
        news.stop();
        keyboard.type('a');
        page.timers.advance(200);
        it.signedIn = false;
        var before = page.http.calls.length;
        page.timers.advance(600000);
        var more = page.http.calls.length - before;
        it.signedIn = true;
        it.requests['r-1'].state = 'done';
        keyboard.retry();
        page.timers.advance(200);
        return {more: more, busy: keyboard.busy(), told: told};
        """,
    )

    assert said == {"more": 1, "busy": False, "told": ["You are signed out", None]}


def test_a_silent_mid_server_is_told_after_ten_seconds(page: Page) -> None:
    said = run(
        page,
        """
        it._settle = function () {};
        keyboard.type('a');
        page.timers.advance(9000);
        var early = told.length;
        page.timers.advance(2000);
        return {early: early, told: told};
        """,
    )

    assert said == {"early": 0, "told": ["No answer has come yet"]}
