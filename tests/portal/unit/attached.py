"""A page with one session, for tests of what a tab does with it."""

from __future__ import annotations

from typing import Any

from tests.portal.unit.conftest import Page

START = """
    var it = page.instance;
    var screen = page.screen;
    var beacons = [];
    var seen = [];
    var looked = true;
    function tab(at) {
        return new ns.Attachment({screen: at, timers: page.timers, promises: page.promises, watch: it.watch.bind(it),
            attended: function () { return looked; },
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
