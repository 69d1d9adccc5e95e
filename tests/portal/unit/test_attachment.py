"""One session in one tab: painted, followed, and its size."""

from __future__ import annotations

import pytest

from tests.portal.unit.attached import run
from tests.portal.unit.conftest import Page

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
