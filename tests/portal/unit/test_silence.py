"""Nothing comes back, or nothing that means anything: it is said soon, and nothing stands still."""

from __future__ import annotations

from tests.portal.unit.attached import run
from tests.portal.unit.conftest import Page


def test_a_404_of_a_proxy_does_not_end_a_session(page: Page) -> None:
    said = run(
        page,
        """
        open();
        var serve = page.http.serve;
        page.http.serve = function () {
            return {status: 404, data: {error: {message: 'Requested URI does not represent any resource'}}};
        };
        it.print('x');
        screen.type('abc');
        page.timers.advance(20000);
        var during = told();
        page.http.serve = serve;
        page.timers.advance(60000);
        return {during: during.title, told: told(), text: text(), typed: it.program()};
        """,
    )

    assert said["during"] == "Not available now"
    assert (said["told"], said["text"]) == (None, "x")
    assert bytes(said["typed"]) == b"abc"


def test_a_dead_network_is_told_within_seconds(page: Page) -> None:
    said = run(
        page,
        """
        open();
        page.http.serve = function () { return {hangs: true}; };
        screen.type('abc');
        page.timers.advance(3100);
        return {told: told(), held: attachment.view.held};
        """,
    )

    assert said["told"]["title"] == "What you type is not sent yet"
    assert "kept" in said["told"]["text"]
    assert said["held"] == 3


def test_a_network_that_is_back_is_used_at_once(page: Page) -> None:
    said = run(
        page,
        """
        open();
        var serve = page.http.serve;
        page.http.serve = function () { return {hangs: true}; };
        screen.type('a');
        page.timers.advance(4000);
        page.http.serve = serve;
        attachment.wake();
        screen.type('b');
        page.timers.advance(1200);
        return {typed: it.program(), told: told()};
        """,
    )

    assert bytes(said["typed"]) == b"ab"
    assert said["told"] is None


def test_a_channel_that_died_without_a_word_costs_a_second_or_two(page: Page) -> None:
    said = run(
        page,
        """
        open();
        screen.type('a');
        page.timers.advance(1000);
        it.pushes = false;
        page.timers.advance(4000);
        screen.type('b');
        page.timers.advance(400);
        it.print('echo');
        page.timers.advance(1300);
        var soon = text();
        page.timers.advance(2500);
        return {soon: soon, mode: attachment.view.mode};
        """,
    )

    assert said == {"soon": "echo", "mode": "polling"}


def test_a_loss_is_seen_although_the_tab_is_looked_at_anew(page: Page) -> None:
    said = run(
        page,
        """
        open();
        it.mid = 'down';
        screen.type('a');
        page.timers.advance(1000);
        screen.type(given.large);
        it.mid = 'up';
        attachment.wake();
        page.timers.advance(2000);
        var after = told().title;
        page.timers.advance(10000);
        return {after: after, later: told()};
        """,
        large="x" * 5000,
    )

    assert said == {"after": "Some typing was lost", "later": None}


def test_what_happens_is_followed_while_the_screen_is_awaited(page: Page) -> None:
    said = run(
        page,
        """
        it.print('stored');
        var arrive = it._arrive;
        it._arrive = function (op) { if (op !== 'screen') { arrive.apply(it, arguments); } };
        attachment.open(it.row());
        page.timers.advance(1000);
        it.change({activity: 'busy'});
        it.print(' more');
        page.timers.advance(500);
        var before = {activity: attachment.view.activity, painted: attachment.view.painted, text: text()};
        it.change({reachable: false, problem: 'The MID Server mid-a is down.'});
        page.timers.advance(1000);
        return {before: before, told: told().title};
        """,
    )

    assert said == {
        "before": {"activity": "busy", "painted": False, "text": ""},
        "told": "The MID Server is down",
    }


def test_output_that_came_while_the_screen_was_awaited_is_painted_once(page: Page) -> None:
    said = run(
        page,
        """
        it.print('stored');
        it.delays = [3];
        attachment.open(it.row());
        page.timers.advance(1200);
        it.print(' more');
        page.timers.advance(3000);
        it.print(' last');
        page.timers.advance(3000);
        var from = Number(screen.pictures.slice(-1)[0].ansi.replace('PICTURE of ', ''));
        return {shown: text(), wanted: 'stored more last'.substring(from), from: from};
        """,
    )

    assert said["shown"] == said["wanted"]
    assert said["from"] > 0


def test_a_silent_mid_server_is_told_while_the_screen_is_awaited(page: Page) -> None:
    said = run(
        page,
        """
        it._settle = function () {};
        attachment.open(it.row());
        page.timers.advance(13000);
        return told().title;
        """,
    )

    assert said == "No answer has come yet"
