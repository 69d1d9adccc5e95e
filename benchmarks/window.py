"""A window of a real browser with one terminal in it: the portal's, or a bare xterm on the sidecar's own address."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, Route

from benchmarks.client import USER, Address
from emulator.servicenow import Instance

_HERE = Path(__file__).resolve().parent
_XTERM = _HERE.parent / "node_modules" / "@xterm" / "xterm"
_PAINTED, _BARE = _HERE / "painted.js", _HERE / "terminal.js"
_KEYS = ".xterm-helper-textarea"
_SIZE = {"width": 1280, "height": 800}
_PATIENCE_MS = 60_000.0
#: About what fits into the window, so that both have as much to paint.
_COLUMNS, _ROWS = 140, 40


@dataclass(frozen=True)
class Window:
    """A page with a terminal; times are milliseconds in the page's own clock."""

    page: Page

    def focus(self) -> None:
        """Let keys go to the terminal."""
        self.page.locator(_KEYS).focus()

    def await_text(self, text: str) -> None:
        """Wait until `text` is painted."""
        self.page.wait_for_function("(text) => window.painted.text().indexOf(text) >= 0", arg=text)

    def type(self, text: str) -> None:
        """Type a text and wait until it is painted."""
        self.page.keyboard.type(text)
        self.await_text(text)

    def press(self, key: str, wanted: str | None = None) -> float:
        """Press a key; return the time until `wanted`, or anything new, was painted."""
        self.page.evaluate("(wanted) => window.painted.afterKey(wanted)", wanted)
        return self._pressed(key)

    def press_for(self, key: str, count: int) -> float:
        """Press a key; return the time until so many bytes of output were painted."""
        self.page.evaluate("(count) => window.painted.afterBytes(count)", count)
        return self._pressed(key)

    def block_push(self) -> None:
        """Let no more calls of the push channel leave this window, as a proxy between it and the instance may do."""
        session = self.page.context.new_cdp_session(self.page)
        session.send("Network.enable")
        session.send("Network.setBlockedURLs", {"urls": ["*/amb*"]})
        self.page.reload()

    def reload(self, wanted: str) -> float:
        """Load the page anew; return the time from its beginning until `wanted` was painted."""
        self.page.reload(wait_until="commit")
        took: float = self.page.evaluate("(wanted) => window.painted.sinceLoad(wanted)", wanted)
        self.focus()
        return took

    def _pressed(self, key: str) -> float:
        self.page.keyboard.press(key)
        took: float = self.page.evaluate("() => window.painted.took")
        return took


@contextmanager
def portal(browser: Browser, instance: Instance, session: str, prompt: str) -> Iterator[Window]:
    """Sign in as a user and open a session on the portal; give the window once its prompt is painted."""
    with _page(browser) as page:
        page.goto(f"{instance.url}/claude?id=claude_terminal&session={session}")
        page.locator("input[name=user_name]").fill(instance.user)
        page.locator("input[name=user_password]").fill(instance.password)
        page.locator("[type=submit]").click()
        yield _ready(page, prompt)


@contextmanager
def bare(browser: Browser, address: Address, session: str, prompt: str) -> Iterator[Window]:
    """Open a session on a page with nothing but xterm, at the sidecar's own address; give the window."""
    origin = f"http://127.0.0.1:{address.port}"
    with _page(browser) as page:
        page.route(f"{origin}/bare", _answer(_document(address, session)))
        page.goto(f"{origin}/bare")
        yield _ready(page, prompt)


@contextmanager
def _page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=_SIZE)  # type: ignore[arg-type]  # a TypedDict of the same two
    context.set_default_timeout(_PATIENCE_MS)
    context.add_init_script(path=_PAINTED)
    try:
        yield context.new_page()
    finally:
        context.close()


def _ready(page: Page, prompt: str) -> Window:
    window = Window(page)
    page.wait_for_load_state()
    window.await_text(prompt)
    window.focus()
    return window


def _document(address: Address, session: str) -> str:
    headers = {
        "Authorization": f"Bearer {address.token}",
        "X-User-ID": USER,
        "Content-Type": "application/json",
    }
    setup = json.dumps({"session": session, "headers": headers, "columns": _COLUMNS, "rows": _ROWS})
    scripts = [_XTERM / "lib" / "xterm.js", _BARE]
    inner = "".join(f"<script>{path.read_text()}</script>" for path in scripts)
    style = f"<style>{(_XTERM / 'css' / 'xterm.css').read_text()}</style>"
    return f"<!doctype html><meta charset=utf-8>{style}<body>{inner}<script>bareTerminal({setup})</script>"


def _answer(document: str) -> Callable[[Route], None]:
    return lambda route: route.fulfill(body=document, content_type="text/html")
