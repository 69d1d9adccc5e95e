"""Of all the tabs with a session one types, and nothing that is typed goes astray when that changes."""

from __future__ import annotations

from itertools import pairwise

from tests.portal.unit.attached import run
from tests.portal.unit.conftest import Page

#: Who displaced another tab does not know whether that was in the middle of a paste.
CLOSED = b"\x1b[201~"

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
    assert bytes(said["typed"]) == CLOSED + b"yes"
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

    assert bytes(said["typed"]) == CLOSED + b"yes"
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
    assert bytes(said["typed"]) == CLOSED + b"mine"


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


def test_a_page_that_goes_away_before_its_claim_is_answered_frees_the_session(page: Page) -> None:
    said = run(page, "attachment.open(it.row()); attachment.hide(); return beacons;")

    assert [beacon["release"] for beacon in said] == [True]


def test_a_reader_that_goes_away_frees_nothing(page: Page) -> None:
    assert run(page, "it.session.writer = 'another'; open(); attachment.hide(); return beacons;") == []


def test_another_session_in_the_same_terminal_gets_what_is_typed_then(page: Page) -> None:
    said = run(
        page,
        """
        it.print('one');
        open();
        var tabs = [it.session.writer];
        attachment.leave();
        open();
        tabs.push(it.session.writer);
        screen.type('x');
        page.timers.advance(1000);
        return {typed: it.program(), different: tabs[0] !== tabs[1], pictures: screen.pictures.length};
        """,
    )

    assert said == {"typed": list(b"x"), "different": True, "pictures": 2}


# --- when it changes hands ----------------------------------------------------------------------------------


def test_who_is_displaced_while_he_types_is_told_what_was_lost(page: Page) -> None:
    said = run(
        page,
        """
        open();
        it.session.writer = 'another';
        screen.type('world');
        page.timers.advance(3000);
        return {typed: it.program(), told: told().title, writer: attachment.view.writer};
        """,
    )

    assert said == {"typed": [], "told": "Some typing was lost", "writer": False}


def test_a_session_that_is_opened_again_keeps_its_tab_and_what_was_typed(page: Page) -> None:
    said = run(
        page,
        """
        open();
        screen.type('a');
        page.timers.advance(1000);
        it.mid = 'down';
        screen.type('b');
        page.timers.advance(1000);
        var tab = it.session.writer;
        it.mid = 'up';
        attachment.open(it.row());
        screen.type('c');
        page.timers.advance(100);
        screen.type('d');
        page.timers.advance(3000);
        var seqs = posts('commands').map(function (call) { return call.body.seq; });
        return {typed: it.program(), same: tab === it.session.writer, writer: attachment.view.writer, told: told(),
            released: posts('viewers').filter(function (call) { return call.body.release; }).length, seqs: seqs};
        """,
    )

    assert bytes(said["typed"]) == b"abcd"
    assert (said["same"], said["writer"], said["told"], said["released"]) == (True, True, None, 0)
    assert said["seqs"] == sorted(said["seqs"])


def test_a_claim_waits_for_the_release_before_it(page: Page) -> None:
    said = run(
        page,
        """
        open();
        var serve = it.serve.bind(it);
        page.http.serve = function (call) {
            var answer = serve(call);
            return call.body && call.body.release ? {status: 200, data: {result: answer}, after: 400} : answer;
        };
        attachment.leave();
        attachment.open(it.row());
        screen.type('x');
        page.timers.advance(300);
        var early = posts('viewers').slice(-1)[0].body.release;
        page.timers.advance(2000);
        return {early: early, typed: it.program(), writer: attachment.view.writer};
        """,
    )

    assert said == {"early": True, "typed": list(b"x"), "writer": True}


def test_a_release_that_hangs_is_not_waited_for_long(page: Page) -> None:
    said = run(
        page,
        """
        open();
        var serve = it.serve.bind(it);
        page.http.serve = function (call) {
            return call.body && call.body.release ? {hangs: true} : serve(call);
        };
        attachment.leave();
        attachment.open(it.row());
        page.timers.advance(3100);
        return posts('viewers').slice(-1)[0].body;
        """,
    )

    assert list(said) == ["tab"]


def test_what_is_typed_while_the_tab_before_lets_go_is_kept(page: Page) -> None:
    """A page that is reloaded says so while the new one already asks."""
    said = run(
        page,
        """
        it.session.writer = 'before';
        attachment.open(it.row());
        page.timers.advance(300);
        screen.type('kept');
        it.change({writer: null});
        page.timers.advance(2000);
        return {typed: it.program(), writer: attachment.view.writer, seen: seen};
        """,
    )

    assert bytes(said["typed"]) == CLOSED + b"kept"
    assert said["writer"]
    assert said["seen"] == [None]


def test_a_take_over_whose_answer_got_lost_is_not_repeated(page: Page) -> None:
    said = run(
        page,
        """
        it.session.writer = 'another';
        open();
        it.plan = [2];
        attachment.take();
        page.timers.advance(30);
        it.session.writer = 'third'; // has taken it over in between
        page.timers.advance(5000);
        return {writer: it.session.writer, view: attachment.view.writer, takes: posts('viewers').filter(function (call) {
            return call.body.take;
        }).length};
        """,
    )

    assert said == {"writer": "third", "view": False, "takes": 1}


def test_a_take_over_that_got_through_without_an_answer_counts(page: Page) -> None:
    said = run(
        page,
        """
        it.session.writer = 'another';
        open();
        it.plan = [2];
        attachment.take();
        screen.type('mine');
        page.timers.advance(3000);
        return {typed: it.program(), told: told()};
        """,
    )

    assert bytes(said["typed"]) == CLOSED + b"mine"
    assert said["told"] is None


def test_a_tab_that_nobody_looks_at_becomes_no_writer_by_itself(page: Page) -> None:
    said = run(
        page,
        """
        it.session.writer = 'another';
        open();
        looked = false;
        it.change({writer: null});
        page.timers.advance(120000);
        var before = {writer: it.session.writer, resizes: posts('resize').length};
        looked = true;
        attachment.wake();
        page.timers.advance(1000);
        return {before: before, writer: attachment.view.writer};
        """,
    )

    assert said == {"before": {"writer": None, "resizes": 0}, "writer": True}


def test_a_writer_that_nobody_looks_at_stays_the_writer(page: Page) -> None:
    said = run(
        page,
        """
        open();
        looked = false;
        page.timers.advance(300000);
        return {writer: attachment.view.writer, claims: posts('viewers').every(function (call) {
            return call.body.tab === it.session.writer;
        })};
        """,
    )

    assert said == {"writer": True, "claims": True}


# --- a tab that is forgotten --------------------------------------------------------------------------------


def test_a_forgotten_tab_rests(page: Page) -> None:
    said = run(
        page,
        """
        open();
        looked = false;
        attachment.doze();
        page.timers.advance(590000);
        var before = it.session.writer === null;
        page.timers.advance(20000);
        var calls = page.http.calls.length;
        page.timers.advance(86400000);
        return {before: before, writer: it.session.writer, more: page.http.calls.length - calls,
            left: page.timers.planned()};
        """,
    )

    assert said == {"before": False, "writer": None, "more": 0, "left": 0}


def test_a_tab_that_rested_is_painted_anew_and_typed_into(page: Page) -> None:
    said = run(
        page,
        """
        it.print('before');
        open();
        looked = false;
        attachment.doze();
        page.timers.advance(700000);
        it.print('meanwhile');
        page.timers.advance(60000);
        var during = text();
        looked = true;
        attachment.wake();
        screen.type('x');
        page.timers.advance(2000);
        it.print('after');
        page.timers.advance(500);
        return {during: during, ansi: screen.pictures.slice(-1)[0].ansi, text: text(), typed: it.program(),
            writer: attachment.view.writer, told: told()};
        """,
    )

    assert said == {
        "during": "",
        "ansi": "PICTURE of 15",
        "text": "after",
        "typed": list(b"x"),
        "writer": True,
        "told": None,
    }


def test_who_comes_back_in_time_finds_all_as_it_was(page: Page) -> None:
    said = run(
        page,
        """
        open();
        attachment.doze();
        page.timers.advance(500000);
        attachment.wake();
        page.timers.advance(700000);
        return {writer: attachment.view.writer, pictures: screen.pictures.length};
        """,
    )

    assert said == {"writer": True, "pictures": 1}


def test_a_tab_does_not_rest_while_keys_are_on_their_way(page: Page) -> None:
    said = run(
        page,
        """
        open();
        it.mid = 'down';
        screen.type('kept');
        attachment.doze();
        page.timers.advance(700000);
        it.mid = 'up';
        page.timers.advance(60000);
        return it.program();
        """,
    )

    assert bytes(said) == b"kept"
