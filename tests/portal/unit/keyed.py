"""A page with a keyboard, for tests of what is typed."""

from __future__ import annotations

from typing import Any

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
