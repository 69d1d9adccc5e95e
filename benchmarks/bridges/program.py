#!/usr/bin/python3 -I
"""A scripted program in the CLI's place for terminals behind a bridge: a composer, numbered answers, no delays.

One file, standard library only. What is typed or pasted shows in the composer as it comes; Enter submits it: `mark-N`
is answered with `done-N`, `print-N` with 200 KB of the pattern and then `done-N`. Anything else is answered with itself.
"""

from __future__ import annotations

import os
import re
import sys
import tty

VERSION = "2.1.329 (Claude Code)"
#: What the sidecar takes for the composer, and for a question that was sent.
COMPOSER, SENT = "❯\u00a0", "❯ "
LONG = 200_000
_LINE = 80
_CLEAR = "\r\x1b[2K"
_PASTE = re.compile(r"\x1b\[20[01]~")
_COMMAND = re.compile(r"(mark|print)-(\d{5})")


def pattern(number: int) -> str:
    """Return the 200 KB that belong to a number: every line says where it stands."""
    lines = (f"{number:05d} {start:06d} ".ljust(_LINE - 2, ".") + "\r\n" for start in range(0, LONG, _LINE))
    return "".join(lines)[:LONG]


def answer(text: str) -> str:
    """Return what a submitted text is answered with."""
    found = _COMMAND.fullmatch(text.strip())
    if found is None:
        return f"● {text}"
    long = pattern(int(found[2])) if found[1] == "print" else ""
    return f"{long}● done-{found[2]}"


class Composer:
    """The last row of the screen."""

    def __init__(self) -> None:
        """Begin empty."""
        self._text = ""

    def take(self, typed: str) -> str:
        """Take what came in; return what shows."""
        return "".join(self._key(part) for part in re.split(r"([\r\x15])", _PASTE.sub("", typed)))

    def _key(self, part: str) -> str:
        if part == "\r":
            text, self._text = self._text, ""
            return f"{_CLEAR}{SENT}{text}\r\n{answer(text)}\r\n{COMPOSER}"
        if part == "\x15":
            self._text = ""
            return f"{_CLEAR}{COMPOSER}"
        self._text += part
        return part


def main() -> None:
    """Be the program."""
    if "--version" in sys.argv:
        print(VERSION)
        return
    tty.setraw(0)
    composer = Composer()
    _write(COMPOSER)
    while data := os.read(0, 65536):
        _write(composer.take(data.decode(errors="replace")))


def _write(text: str) -> None:
    view = memoryview(text.encode())
    while view:
        view = view[os.write(1, view) :]


if __name__ == "__main__":
    main()
