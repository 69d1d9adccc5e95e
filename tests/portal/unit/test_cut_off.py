"""One session in one tab is kept through outages."""

from __future__ import annotations

from hypothesis import given as any_
from hypothesis import settings
from hypothesis import strategies as st

from tests.portal.unit.attached import run
from tests.portal.unit.conftest import Page

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
