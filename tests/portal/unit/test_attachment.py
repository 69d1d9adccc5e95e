"""One session in one tab: painted, followed, typed into, and kept through outages."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given as any_
from hypothesis import settings
from hypothesis import strategies as st

from tests.portal.unit.conftest import Page

START = """
    var it = page.instance;
    var screen = page.screen;
    var beacons = [];
    var seen = [];
    function tab(at) {
        return new ns.Attachment({screen: at, timers: page.timers, promises: page.promises, watch: it.watch.bind(it),
            calls: new ns.Calls({http: page.http, promises: page.promises, timers: page.timers,
                send: function (path, body) { beacons.push(body); }}),
            onChange: function (view) {
                var title = view.problem ? view.problem.advice().title : null;
                if (title !== seen[seen.length - 1]) { seen.push(title); }
            }});
    }
    var attachment = tab(screen);
    function posts(op) {
        return page.http.calls.filter(function (call) { return call.path === '/sessions/s-1/' + op; });
    }
    function told() { return attachment.view.problem ? attachment.view.problem.advice() : null; }
    function open(how) {
        attachment.open(it.row(), how);
        page.timers.advance(1500);
    }
    function text() { return String.fromCharCode.apply(null, screen.bytes); }
"""


def run(page: Page, script: str, **given: Any) -> Any:
    return page.run(START + script, **given)


# --- opening ------------------------------------------------------------------------------------------------


def test_a_session_is_painted_and_its_output_follows(page: Page) -> None:
    said = run(
        page,
        """
        it.print('before');
        open();
        it.print('after');
        page.timers.advance(200);
        return {pictures: screen.pictures, text: text(), view: attachment.view};
        """,
    )

    assert said["pictures"] == [
        {"ansi": "PICTURE of 6", "columns": 120, "rows": 40, "cut": False, "history": list(b"before")}
    ]
    assert said["text"] == "after"
    view = said["view"]
    assert (view["state"], view["writer"], view["mode"], view["problem"], view["mid"]) == (
        "running",
        True,
        "push",
        None,
        "mid-a",
    )


def test_the_history_ends_where_the_picture_begins(page: Page) -> None:
    said = run(
        page,
        """
        it.print('0123456789');
        it.screen = {ansi: 'X', columns: 120, rows: 40, offset: 6};
        open();
        return {history: screen.pictures[0].history, text: text()};
        """,
    )

    assert said == {"history": list(b"012345"), "text": "6789"}


def test_only_the_end_of_a_long_output_can_be_scrolled_back_to(page: Page) -> None:
    said = run(
        page,
        """
        var many = [];
        for (var i = 0; i < 250000; i++) { many.push(65); }
        it.print(many);
        open();
        return {length: screen.pictures[0].history.length, cut: screen.pictures[0].cut};
        """,
    )

    assert said == {"length": 200000, "cut": True}


def test_the_screen_does_not_wait_long_for_the_history(page: Page) -> None:
    said = run(
        page,
        """
        it.print('before');
        page.http.serve = function (call) {
            return /output/.test(call.path) && !/stream/.test(call.path) ? {hangs: true} : it.serve(call);
        };
        attachment.open(it.row());
        page.timers.advance(1000);
        return {pictures: screen.pictures.length, painted: attachment.view.painted};
        """,
    )

    assert said == {"pictures": 1, "painted": True}


def test_a_session_that_starts_has_no_screen_to_ask_for(page: Page) -> None:
    said = run(
        page,
        """
        it.session.state = 'starting';
        open();
        screen.type('early');
        it.print('welcome');
        page.timers.advance(1000);
        var before = {screens: posts('screen').length, typed: it.program().length, resizes: posts('resize').length};
        it.change({state: 'running'});
        page.timers.advance(2000);
        return {before: before, text: text(), typed: it.program(), resizes: posts('resize').length};
        """,
    )

    assert said["before"] == {"screens": 0, "typed": 0, "resizes": 0}
    assert said["text"] == "welcome"
    assert bytes(said["typed"]) == b"early"
    assert said["resizes"] == 1


def test_what_is_typed_before_the_claim_is_answered_is_sent_after_it(page: Page) -> None:
    said = run(
        page,
        """
        attachment.open(it.row());
        screen.type('a');
        page.timers.advance(2000);
        var first = posts('viewers')[0].at < posts('commands')[0].at;
        return {first: first, typed: it.program(), tab: posts('commands')[0].body.stream === it.session.writer};
        """,
    )

    assert said["first"]
    assert said["tab"]
    assert bytes(said["typed"]) == b"a"


@pytest.mark.parametrize("state", ["terminated", "failed"])
def test_an_ended_session_can_be_read(page: Page, state: str) -> None:
    said = run(
        page,
        """
        it.print('last words');
        it.session.state = given.state;
        open();
        screen.type('x');
        page.timers.advance(120000);
        return {history: screen.pictures[0].history, told: told(), posts: page.http.calls.filter(function (call) {
            return call.method === 'POST';
        }).length, left: page.timers.planned()};
        """,
        state=state,
    )

    assert bytes(said["history"]) == b"last words"
    assert said["told"]["action"] == "new"
    assert (said["posts"], said["left"]) == (0, 0)


def test_a_session_that_ends_meanwhile_shows_its_last_words(page: Page) -> None:
    said = run(
        page,
        """
        open();
        it.change({state: 'terminated', writer: null});
        page.timers.advance(1000);
        it.pushes = false;
        it.print('bye');
        page.timers.advance(60000);
        return {text: text(), told: told().title, writer: attachment.view.writer, left: page.timers.planned()};
        """,
    )

    assert said == {"text": "bye", "told": "The session has ended", "writer": False, "left": 0}


# --- who types ----------------------------------------------------------------------------------------------


def test_a_second_tab_reads_until_it_takes_over(page: Page) -> None:
    said = run(
        page,
        """
        open();
        var second = require('screen').make();
        var other = tab(second);
        other.open(it.row());
        page.timers.advance(1500);
        second.type('no');
        var before = {first: attachment.view.writer, second: other.view.writer, fixed: second.fixed};
        other.take();
        page.timers.advance(1500);
        screen.type('lost');
        second.type('yes');
        page.timers.advance(1500);
        return {before: before, first: attachment.view.writer, second: other.view.writer, typed: it.program(),
            fixed: [screen.fixed, second.fixed], told: told().title};
        """,
    )

    assert said["before"] == {"first": True, "second": False, "fixed": "100x30"}
    assert (said["first"], said["second"]) == (False, True)
    assert bytes(said["typed"]) == b"yes"
    assert said["fixed"] == ["100x30", None]
    assert said["told"] == "You are reading along"


def test_what_is_typed_right_after_taking_over_is_not_lost(page: Page) -> None:
    said = run(
        page,
        """
        it.session.writer = 'another';
        open();
        screen.type('no');
        attachment.take();
        screen.type('yes');
        page.timers.advance(1500);
        return {typed: it.program(), told: told()};
        """,
    )

    assert bytes(said["typed"]) == b"yes"
    assert said["told"] is None


def test_a_session_can_be_taken_over_as_it_is_opened(page: Page) -> None:
    said = run(
        page,
        """
        it.session.writer = 'another';
        open({take: true});
        return {writer: attachment.view.writer, body: posts('viewers')[0].body.take};
        """,
    )

    assert said == {"writer": True, "body": True}


def test_the_claim_is_renewed_in_time(page: Page) -> None:
    said = run(
        page,
        "open(); page.timers.advance(300000); return posts('viewers').map(function (call) { return call.at; });",
    )

    pauses = [after - before for before, after in pairwise(said)]
    assert len(pauses) >= 9
    assert max(pauses) <= 31000


def test_who_left_without_a_word_is_followed_by_the_next(page: Page) -> None:
    said = run(
        page,
        """
        it.session.writer = 'another';
        open();
        var before = attachment.view.writer;
        it.change({writer: null});
        page.timers.advance(1000);
        screen.type('mine');
        page.timers.advance(1000);
        return {before: before, after: attachment.view.writer, typed: it.program()};
        """,
    )

    assert (said["before"], said["after"]) == (False, True)
    assert bytes(said["typed"]) == b"mine"


def test_a_read_that_left_before_the_claim_does_not_undo_it(page: Page) -> None:
    said = run(
        page,
        """
        it.session.writer = 'another';
        open();
        var changes = [];
        page.http.serve = function (call) {
            var answer = it.serve(call);
            return /output/.test(call.path) ? {status: 200, data: {result: answer}, after: 400} : answer;
        };
        it.print('x');
        page.timers.advance(60);
        attachment.take();
        page.timers.advance(100);
        var at_once = attachment.view.writer;
        for (var i = 0; i < 30; i++) {
            page.timers.advance(30);
            changes.push(attachment.view.writer);
        }
        return {at_once: at_once, always: changes.every(Boolean)};
        """,
    )

    assert said == {"at_once": True, "always": True}


def test_leaving_frees_the_session(page: Page) -> None:
    said = run(
        page,
        """
        open();
        attachment.leave();
        screen.type('x');
        page.timers.advance(120000);
        return {writer: it.session.writer, typed: it.program().length, left: page.timers.planned(),
            release: posts('viewers').slice(-1)[0].body.release};
        """,
    )

    assert said == {"writer": None, "typed": 0, "left": 0, "release": True}


def test_a_page_that_goes_away_frees_the_session(page: Page) -> None:
    said = run(page, "open(); attachment.hide(); return beacons;")

    assert [beacon["release"] for beacon in said] == [True]
    assert len(said[0]["tab"]) == 32


def test_a_reader_that_goes_away_frees_nothing(page: Page) -> None:
    assert run(page, "it.session.writer = 'another'; open(); attachment.hide(); return beacons;") == []


def test_another_session_in_the_same_terminal_gets_what_is_typed_then(page: Page) -> None:
    said = run(
        page,
        """
        it.print('one');
        open();
        var tabs = [it.session.writer];
        open();
        tabs.push(it.session.writer);
        screen.type('x');
        page.timers.advance(1000);
        return {typed: it.program(), different: tabs[0] !== tabs[1], pictures: screen.pictures.length};
        """,
    )

    assert said == {"typed": list(b"x"), "different": True, "pictures": 2}


# --- its size -----------------------------------------------------------------------------------------------


def test_the_program_gets_the_size_of_the_box(page: Page) -> None:
    said = run(
        page, "open(); return {sizes: posts('resize').map(function (c) { return c.body; }), it: it.session};"
    )

    assert len(said["sizes"]) == 1
    assert (said["it"]["columns"], said["it"]["rows"]) == (100, 30)


def test_a_window_that_is_drawn_larger_is_one_resize(page: Page) -> None:
    said = run(
        page,
        """
        open();
        for (var i = 0; i < 20; i++) {
            screen.stretch(100 + i, 30);
            page.timers.advance(50);
        }
        page.timers.advance(2000);
        return {resizes: posts('resize').length, columns: it.session.columns};
        """,
    )

    assert said == {"resizes": 2, "columns": 119}


def test_a_size_that_is_right_already_is_not_sent(page: Page) -> None:
    said = run(page, "screen.box = {columns: 120, rows: 40}; open(); return posts('resize').length;")

    assert said == 0


def test_a_reader_has_the_writers_size(page: Page) -> None:
    said = run(
        page,
        """
        it.session.writer = 'another';
        open();
        screen.stretch(50, 20);
        it.change({columns: 90, rows: 25});
        page.timers.advance(2000);
        return {resizes: posts('resize').length, fixed: screen.fixed};
        """,
    )

    assert said == {"resizes": 0, "fixed": "90x25"}


def test_a_resize_that_failed_is_made_when_the_way_is_open(page: Page) -> None:
    said = run(
        page,
        """
        open();
        it.mid = 'down';
        it.change({reachable: false, problem: 'The MID Server mid-a is down.'});
        page.timers.advance(1000);
        screen.stretch(70, 20);
        page.timers.advance(10000);
        it.mid = 'up';
        it.change({reachable: true, problem: null});
        page.timers.advance(2000);
        return [it.session.columns, it.session.rows];
        """,
    )

    assert said == [70, 20]


def test_sizes_do_not_overtake_each_other(page: Page) -> None:
    said = run(
        page,
        """
        open();
        it.delays = [3, 1, 1];
        screen.stretch(70, 20);
        page.timers.advance(250);
        screen.stretch(75, 22);
        page.timers.advance(10000);
        return [it.session.columns, it.session.rows];
        """,
    )

    assert said == [75, 22]


def test_who_types_gets_his_size_back_from_a_late_wish_of_another_tab(page: Page) -> None:
    said = run(
        page,
        """
        open();
        page.timers.advance(10000);
        it.change({columns: 61, rows: 17});
        page.timers.advance(20000);
        return {size: [it.session.columns, it.session.rows], resizes: posts('resize').length};
        """,
    )

    assert said == {"size": [100, 30], "resizes": 2}


def test_what_is_typed_right_after_taking_over_is_sent(page: Page) -> None:
    said = run(
        page,
        """
        it.session.writer = 'another';
        open();
        attachment.take();
        screen.type('mine');
        page.timers.advance(2000);
        return it.program();
        """,
    )

    assert bytes(said) == b"mine"


# --- outages ------------------------------------------------------------------------------------------------


def test_it_stays_attached_while_the_mid_server_is_down(page: Page) -> None:
    said = run(
        page,
        """
        open();
        it.mid = 'down';
        it.change({reachable: false, problem: 'The MID Server mid-a is down.'});
        page.timers.advance(1000);
        screen.type('kept');
        page.timers.advance(5000);
        var during = {told: told(), held: attachment.view.held, reachable: attachment.view.reachable};
        it.mid = 'up';
        it.change({reachable: true, problem: null});
        page.timers.advance(2000);
        it.print('on');
        page.timers.advance(1000);
        return {during: during, told: told(), held: attachment.view.held, typed: it.program(), text: text()};
        """,
    )

    assert said["during"]["told"]["title"] == "The MID Server is down"
    assert "mid-a" in said["during"]["told"]["text"]
    assert "kept" in said["during"]["told"]["text"]
    assert (said["during"]["held"], said["during"]["reachable"]) == (4, False)
    assert (said["told"], said["held"], said["text"]) == (None, 0, "on")
    assert bytes(said["typed"]) == b"kept"


def test_typing_goes_on_at_once_when_the_way_is_open(page: Page) -> None:
    said = run(
        page,
        """
        open();
        it.mid = 'down';
        it.change({reachable: false, problem: 'The MID Server mid-a is down.'});
        page.timers.advance(1000);
        screen.type('kept');
        page.timers.advance(61000);
        it.mid = 'up';
        it.change({reachable: true, problem: null});
        page.timers.advance(600);
        return it.program();
        """,
    )

    assert bytes(said) == b"kept"


def test_what_may_have_been_typed_before_a_crash_is_not_typed_again(page: Page) -> None:
    said = run(
        page,
        """
        open();
        it.delays = [3];
        screen.type('a');
        page.timers.advance(100);
        it.change({state: 'interrupted'});
        page.timers.advance(200);
        var request = it.requests['r-' + it.rows];
        request.state = 'failed';
        request.problem = {status: 504, title: 'No answer', detail: 'It is not known.'};
        it.change({});
        page.timers.advance(200);
        return {told: told().title, posts: posts('commands').length};
        """,
    )

    assert said == {"told": "It is not known whether that arrived", "posts": 1}


def test_a_sidecar_that_was_killed_is_told_and_typing_goes_on(page: Page) -> None:
    said = run(
        page,
        """
        open();
        it.sidecar = 'down';
        screen.type('a');
        page.timers.advance(10000);
        var during = told();
        it.sidecar = 'up';
        it.restartSidecar();
        page.timers.advance(30000);
        return {during: during.title, told: told(), typed: it.program()};
        """,
    )

    assert said["during"] == "The sidecar does not answer"
    assert said["told"] is None
    assert bytes(said["typed"]) == b"a"


def test_a_session_opened_while_the_mid_server_is_down_is_painted_later(page: Page) -> None:
    said = run(
        page,
        """
        it.print('stored');
        it.mid = 'down';
        it.session.reachable = false;
        it.session.problem = 'The MID Server mid-a is down.';
        open();
        var during = {history: screen.pictures[0].history, ansi: screen.pictures[0].ansi, told: told().title};
        it.mid = 'up';
        it.change({reachable: true, problem: null});
        page.timers.advance(3000);
        return {during: during, last: screen.pictures.slice(-1)[0].ansi, told: told()};
        """,
    )

    assert said["during"] == {"history": list(b"stored"), "ansi": "", "told": "The MID Server is down"}
    assert (said["last"], said["told"]) == ("PICTURE of 6", None)


def test_a_picture_that_failed_is_tried_again(page: Page) -> None:
    said = run(
        page,
        """
        it.print('stored');
        it.sidecar = 'down';
        open();
        it.sidecar = 'up';
        page.timers.advance(30000);
        return {first: screen.pictures[0].ansi, last: screen.pictures.slice(-1)[0].ansi, told: told()};
        """,
    )

    assert said == {"first": "", "last": "PICTURE of 6", "told": None}


def test_after_a_gap_it_is_painted_anew(page: Page) -> None:
    said = run(
        page,
        """
        it.print('0123456789');
        open();
        it.kept = 14;
        it.print('abcdefgh');
        page.timers.advance(3000);
        return {pictures: screen.pictures.length, text: text()};
        """,
    )

    assert said == {"pictures": 2, "text": ""}


def test_who_is_signed_out_is_told_and_asked_for_no_password(page: Page) -> None:
    said = run(
        page,
        """
        open();
        it.signedIn = false;
        it.print('x');
        page.timers.advance(1000);
        var before = page.http.calls.length;
        for (var i = 0; i < 60; i++) { it.print('x'); page.timers.advance(10000); }
        var more = page.http.calls.length - before;
        var during = told();
        it.signedIn = true;
        attachment.wake();
        page.timers.advance(2000);
        return {more: more, during: during, told: told(), text: text().length};
        """,
    )

    assert said["more"] <= 1
    assert said["during"]["action"] == "signin"
    assert said["told"] is None
    assert said["text"] == 61


def test_a_session_of_somebody_else_is_gone(page: Page) -> None:
    said = run(
        page,
        """
        var row = it.row();
        row.sessionId = 'another';
        attachment.open(row);
        page.timers.advance(120000);
        return {told: told().title, calls: page.http.calls.length, left: page.timers.planned()};
        """,
    )

    assert said["told"] == "This session is gone"
    assert said["left"] == 0
    assert said["calls"] <= 6


def test_one_lost_answer_is_not_worth_a_word(page: Page) -> None:
    said = run(
        page,
        """
        open();
        it.plan = [1];
        it.print('x');
        page.timers.advance(5000);
        return {seen: seen, text: text()};
        """,
    )

    assert said == {"seen": [None], "text": "x"}


def test_an_instance_that_is_away_for_long_is_told_and_found_again(page: Page) -> None:
    said = run(
        page,
        """
        open();
        var serve = page.http.serve;
        page.http.serve = function () { return {status: -1}; };
        it.print('x');
        screen.type('typed');
        page.timers.advance(60000);
        var during = told();
        page.http.serve = serve;
        page.timers.advance(30000);
        return {during: during.title, told: told(), text: text(), typed: it.program()};
        """,
    )

    assert said["during"] == "The instance cannot be reached"
    assert (said["told"], said["text"]) == (None, "x")
    assert bytes(said["typed"]) == b"typed"


def test_a_computer_that_slept_for_an_hour_goes_on(page: Page) -> None:
    said = run(
        page,
        """
        open();
        it.pushes = false;
        page.timers.sleep(3600000);
        it.session.writer = 'another';
        it.print('meanwhile');
        attachment.wake();
        page.timers.advance(1000);
        return {text: text(), writer: attachment.view.writer};
        """,
    )

    assert said == {"text": "meanwhile", "writer": False}


def test_news_renew_the_claim_while_the_timers_of_a_hidden_page_are_late(page: Page) -> None:
    said = run(
        page,
        """
        open();
        var before = posts('viewers').length;
        page.timers.sleep(45000);
        it._tell(99);
        return posts('viewers').length - before;
        """,
    )

    assert said == 1


def test_many_reads_that_show_nobody_typing_are_one_claim(page: Page) -> None:
    said = run(
        page,
        """
        it.session.writer = 'another';
        open();
        var before = posts('viewers').length;
        page.http.serve = function (call) {
            return /viewers/.test(call.path) ? {hangs: true} : it.serve(call);
        };
        it.session.writer = null;
        for (var i = 0; i < 20; i++) { it.print('x'); page.timers.advance(200); }
        return posts('viewers').length - before;
        """,
    )

    assert said == 1


def test_late_timers_of_a_hidden_page_do_not_lose_the_claim(page: Page) -> None:
    said = run(
        page,
        """
        open();
        var before = posts('viewers').length;
        page.timers.sleep(45000);
        it.print('x');
        page.timers.advance(100);
        return posts('viewers').length - before;
        """,
    )

    assert said == 1


def test_without_the_push_channel_it_takes_a_little_longer(page: Page) -> None:
    said = run(
        page,
        """
        it.pushes = false;
        open();
        page.timers.advance(30000);
        screen.type('a');
        page.timers.advance(1000);
        it.print('echo');
        page.timers.advance(1600);
        return {text: text(), mode: attachment.view.mode, latency: attachment.view.latency};
        """,
    )

    assert (said["text"], said["mode"]) == ("echo", "polling")
    assert said["latency"] <= 1200


def test_a_loss_is_told_long_enough_to_be_seen(page: Page) -> None:
    said = run(
        page,
        """
        open();
        it.mid = 'down';
        screen.type('a');
        page.timers.advance(1000);
        screen.type(given.large);
        it.mid = 'up';
        page.timers.advance(5000);
        screen.type('b');
        page.timers.advance(2000);
        var soon = told();
        page.timers.advance(10000);
        return {soon: soon, later: told(), typed: it.program()};
        """,
        large="x" * 5000,
    )

    assert said["soon"]["title"] == "Some typing was lost"
    assert said["later"] is None
    assert bytes(said["typed"]) == b"ab"


def test_a_short_outage_that_nobody_told_of_leaves_the_right_size(page: Page) -> None:
    said = run(
        page,
        """
        it.pushes = false;
        open();
        it.mid = 'down';
        screen.stretch(70, 20);
        page.timers.advance(2000);
        it.mid = 'up';
        page.timers.advance(20000);
        return {size: [it.session.columns, it.session.rows], told: told()};
        """,
    )

    assert said == {"size": [70, 20], "told": None}


@settings(max_examples=25)
@any_(
    plan=st.lists(st.integers(0, 6), max_size=40),
    delays=st.lists(st.integers(0, 3), max_size=10),
    pushes=st.booleans(),
    steps=st.lists(
        st.tuples(st.sampled_from(["type", "print", "mid", "stretch", "wait"]), st.integers(0, 900)),
        max_size=25,
    ),
)
def test_whatever_happens_all_is_well_in_the_end(
    page: Page, plan: list[int], delays: list[int], pushes: bool, steps: list[tuple[str, int]]
) -> None:
    said = run(
        page,
        """
        var typed = '';
        var down = false;
        it.plan = given.plan;
        it.delays = given.delays;
        it.pushes = given.pushes;
        it.print('begin');
        attachment.open(it.row());
        given.steps.forEach(function (step, i) {
            if (step[0] === 'type') {
                typed += i;
                screen.type(String(i));
            } else if (step[0] === 'print') {
                it.print('out' + i);
            } else if (step[0] === 'stretch') {
                screen.stretch(60 + i, 20 + i);
            } else if (step[0] === 'mid') {
                down = !down;
                it.mid = down ? 'down' : 'up';
                it.change({reachable: !down, problem: down ? 'The MID Server mid-a is down.' : null});
            }
            page.timers.advance(step[1]);
        });
        it.mid = 'up';
        it.change({reachable: true, problem: null});
        page.timers.advance(200000);
        var picture = screen.pictures[screen.pictures.length - 1];
        return {typed: it.program(), wanted: typed, told: told(), writer: attachment.view.writer,
            output: screen.bytes, printed: it.output, ansi: picture.ansi,
            size: [it.session.columns, it.session.rows], box: [screen.columns, screen.rows]};
        """,
        plan=plan,
        delays=delays,
        pushes=pushes,
        steps=steps,
    )

    assert bytes(said["typed"]).decode() == said["wanted"]
    assert said["told"] is None
    assert said["writer"]
    begin = int(said["ansi"].removeprefix("PICTURE of "))
    assert bytes(said["output"]) == bytes(said["printed"][begin:])
    assert said["size"] == said["box"]
