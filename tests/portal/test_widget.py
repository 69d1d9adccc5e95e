"""The terminal's client script alone: what a portal may do to it at any moment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

APP = Path(__file__).resolve().parents[2] / "servicenow-app"
CLASSES = ("Problem", "Calls", "Label", "Lobby", "Bookmark", "Memory", "Page", "Attachment")
#: The controller as a portal makes it: `begin` is what it wants done once it is painted.
MAKE = """() => {
    const scope = {$on: (name, fn) => { scope[name] = fn; }, $applyAsync: () => {}};
    const element = document.createElement('div');
    const timeout = (fn) => { window.begin = fn; return 7; };
    timeout.cancel = (handle) => { window.cancelled = handle; };
    window.Terminal = window.FitAddon = function () {};
    window.controller = {data: {sessions: [], mids: [], keyed: [], problem: null}};
    window.scope = scope;
    api.controller.call(window.controller, scope, null, {when: Promise.resolve}, window, timeout, [element],
        {search: () => ({})}, null);
}"""


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """Return a page with the classes and the client script in it, not yet run."""
    context = browser.new_context()
    context.route("**/*", lambda route: route.fulfill(content_type="text/html", body="<!doctype html>"))
    page = context.new_page()
    page.goto("http://127.0.0.1/")
    page.evaluate("() => { window.api = {}; }")
    for name in CLASSES:
        page.add_script_tag(path=APP / "ui-scripts" / f"{name}.js")
    page.add_script_tag(path=APP / "widgets" / "claude-terminal" / "client.js")
    yield page
    context.close()


def test_a_page_that_is_left_before_it_is_painted_ends_quietly(page: Page) -> None:
    page.evaluate(MAKE)
    left: dict[str, Any] = page.evaluate("""() => {
        try { scope.$destroy(); } catch (error) { return {thrown: String(error)}; }
        return {cancelled: window.cancelled};
    }""")

    assert left == {"cancelled": 7}
