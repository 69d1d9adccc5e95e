"""Somebody in front of a terminal on the portal: what they do with keys and mouse, and what is painted for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page

from tests.fixtures.browser import Visitor
from tests.servicenow.terminal import Terminal

#: xterm's own names in the page.
KEYS, ROWS = ".xterm-helper-textarea", ".xterm-rows > div"

_LINES = f"""() => Array.from(document.querySelectorAll('{ROWS}'), function (row) {{
    return row.textContent.replace(/\\u00a0/g, ' ').trimEnd();
}})"""
_HAS_TEXT = f"""(text) => Array.from(document.querySelectorAll('{ROWS}'), function (row) {{
    return row.textContent.replace(/\\u00a0/g, ' ').trimEnd();
}}).join('\\n').includes(text)"""
#: One entry for each character, with what Chromium computes for it.
_CELLS = f"""(row) => Array.from(document.querySelectorAll('{ROWS}')[row].querySelectorAll('span')).flatMap(
    function (span) {{
        const style = getComputedStyle(span);
        return Array.from(span.textContent.replace(/\\u00a0/g, ' '), (character) => ({{
            character,
            color: style.color,
            background: style.backgroundColor,
            weight: style.fontWeight,
            slant: style.fontStyle,
            line: style.textDecorationLine
        }}));
    }}
)"""
#: Before anything of the page runs: note what the app gives its terminal to write, and what that answers by itself.
NOTE_WRITES = """
window.notedWrites = [];
Object.defineProperty(window, 'Terminal', {
    configurable: true,
    get() { return this.notedTerminal; },
    set(Terminal) {
        const write = Terminal.prototype.write;
        Terminal.prototype.write = function (data, ...rest) {
            window.notedWrites.push(typeof data === 'string' ? 'text' : Array.from(data));
            return write.call(this, data, ...rest);
        };
        this.notedTerminal = Terminal;
    }
});
"""


@dataclass
class Seat:
    """One window with one session's terminal in it, and the session as tests see it from its other end."""

    visitor: Visitor
    terminal: Terminal

    @property
    def page(self) -> Page:
        """Return the page."""
        return self.visitor.page

    # -- what is seen ----------------------------------------------------------------------------------

    @property
    def lines(self) -> list[str]:
        """Return the painted rows as text."""
        found: list[str] = self.page.evaluate(_LINES)
        return found

    def row(self, text: str) -> int:
        """Return the number of the last painted row that has `text` in it."""
        return max(number for number, line in enumerate(self.lines) if text in line)

    def cells(self, text: str) -> list[dict[str, Any]]:
        """Return the cells of the row with `text` in it: character, colours, weight."""
        found: list[dict[str, Any]] = self.page.evaluate(_CELLS, self.row(text))
        return found

    def await_text(self, text: str) -> None:
        """Wait until `text` is painted."""
        self.page.wait_for_function(_HAS_TEXT, arg=text)

    def await_no_text(self, text: str) -> None:
        """Wait until `text` is painted no more."""
        self.page.wait_for_function(f"(text) => !({_HAS_TEXT})(text)", arg=text)

    def written(self) -> bytes:
        """Return the bytes the app gave its terminal to write; a painted screen is text, and left out."""
        pieces: list[list[int] | str] = self.page.evaluate("() => window.notedWrites")
        return b"".join(bytes(piece) for piece in pieces if not isinstance(piece, str))

    def button(self, name: str) -> Locator:
        """Return the button with that name, as a screen reader tells it."""
        return self.page.get_by_role("button", name=name, exact=True)

    # -- what is done ----------------------------------------------------------------------------------

    def open(self) -> None:
        """Open the session, and wait until its program's prompt is painted and keys go to it."""
        self.visitor.visit("claude_terminal", session=self.terminal.session)
        self.await_text("❯")
        self.focus()

    def focus(self) -> None:
        """Let keys go to the terminal."""
        self.page.locator(KEYS).focus()

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def type(self, text: str, pause_ms: float = 0) -> None:
        """Type a text; a line end is Enter."""
        self.page.keyboard.type(text, delay=pause_ms)

    def say(self, text: str) -> None:
        """Type a text and submit it once it is painted: many keys that come at once are a paste for the CLI."""
        self.type(text)
        self.await_text(text[-20:])
        self.press("Enter")

    def paste(self, text: str) -> None:
        """Put a text on the clipboard and paste it with the keyboard."""
        self.page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
        self.focus()
        self.press("Control+v")
