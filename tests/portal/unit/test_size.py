"""The size of a program: what a tab wants, sent once it rests."""

from __future__ import annotations

from typing import Any

from tests.portal.unit.conftest import Page

START = """
    var changed = [];
    var may = true;
    var size = new ns.Size({timers: page.timers, may: function () { return may; },
        calls: new ns.Calls({http: page.http, promises: page.promises, timers: page.timers}),
        onChanged: function (columns, rows) { changed.push(columns + 'x' + rows); }});
    function sent() {
        return page.http.calls.filter(function (call) { return call.method === 'POST'; }).map(function (call) {
            return call.body.columns + 'x' + call.body.rows;
        });
    }
    size.open('/sessions/s-1');
"""


def run(page: Page, script: str) -> Any:
    return page.run(START + script)


def test_only_the_last_wish_is_sent(page: Page) -> None:
    said = run(
        page,
        """
        for (var i = 0; i < 10; i++) { size.want(80 + i, 24); page.timers.advance(100); }
        page.timers.advance(3000);
        return {sent: sent(), changed: changed};
        """,
    )

    assert said == {"sent": ["89x24"], "changed": ["89x24"]}


def test_a_read_that_left_before_tells_an_old_size(page: Page) -> None:
    said = run(
        page,
        """
        var left = page.timers.now();
        size.want(90, 30);
        page.timers.advance(3000);
        size.told(80, 24, left);
        size.want(80, 24);
        page.timers.advance(3000);
        return sent();
        """,
    )

    assert said == ["90x30", "80x24"]


def test_a_call_that_failed_is_made_again(page: Page) -> None:
    said = run(
        page,
        """
        page.instance.mid = 'down';
        size.want(90, 30);
        page.timers.advance(3000);
        page.instance.mid = 'up';
        page.timers.advance(10000);
        return {sent: sent(), changed: changed};
        """,
    )

    assert said == {"sent": ["90x30", "90x30"], "changed": ["90x30"]}


def test_a_size_is_sent_once_it_may(page: Page) -> None:
    said = run(
        page,
        """
        may = false;
        size.want(90, 30);
        page.timers.advance(60000);
        var before = sent().length;
        may = true;
        size.send();
        page.timers.advance(3000);
        size.send();
        return {before: before, sent: sent()};
        """,
    )

    assert said == {"before": 0, "sent": ["90x30"]}


def test_who_has_no_say_any_more_insists_on_nothing(page: Page) -> None:
    said = run(
        page,
        """
        size.want(90, 30);
        size.forget();
        page.timers.advance(60000);
        size.told(10, 10, page.timers.now());
        size.stop();
        size.want(70, 20);
        page.timers.advance(60000);
        return sent();
        """,
    )

    assert said == []


def test_who_left_asks_no_more_what_became_of_it(page: Page) -> None:
    said = run(
        page,
        """
        page.instance._settle = function () {};
        size.want(90, 30);
        page.timers.advance(5000);
        size.stop();
        var before = page.http.calls.length;
        page.timers.advance(600000);
        return {before: before > 5, more: page.http.calls.length - before, left: page.timers.planned()};
        """,
    )

    assert said == {"before": True, "more": 0, "left": 0}
