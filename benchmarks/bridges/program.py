#!/usr/bin/python3 -I
"""A scripted program in the CLI's place for terminals behind a bridge: a composer, numbered answers, no delays.

One file, standard library only. What is typed or pasted shows in the composer as it comes; Enter submits it: `mark-N`
is answered with `done-N`, `print-N` with 200 KB of the pattern and then `done-N`, `tick-N` with 1 KB twice a second for
a minute before it. Anything else is answered with itself.
"""

from __future__ import annotations

import os
import random
import re
import sys
import time
import tty
from collections.abc import Iterator

VERSION = "2.1.329 (Claude Code)"
#: What the sidecar takes for the composer, and for a question that was sent.
COMPOSER, SENT = "❯\u00a0", "❯ "
LONG = 200_000
_LINE = 80
_CLEAR = "\r\x1b[2K"
_PASTE = re.compile(r"\x1b\[20[01]~")
_COMMAND = re.compile(r"(mark|print|tick)-(\d{5})")
#: Two records a second for a minute.
_RECORDS, _PERIOD_S = 120, 0.5
_RECORD = "." * 998 + "\r\n"


def pattern(number: int) -> str:
    """Return the 200 KB that belong to a number: every line says where it stands."""
    lines = (f"{number:05d} {start:06d} ".ljust(_LINE - 2, ".") + "\r\n" for start in range(0, LONG, _LINE))
    return "".join(lines)[:LONG]


def answer(text: str) -> Iterator[str]:
    """Give what a submitted text is answered with, as it is printed."""
    found = _COMMAND.fullmatch(text.strip())
    if found is None:
        yield f"● {text}"
        return
    if found[1] == "print":
        yield pattern(int(found[2]))
    if found[1] == "tick":
        time.sleep(random.uniform(0, _PERIOD_S))  # at a phase of its own
        for _ in range(_RECORDS):
            yield _RECORD
            time.sleep(_PERIOD_S)
    yield f"● done-{found[2]}"


class Composer:
    """The last row of the screen."""

    def __init__(self) -> None:
        """Begin empty."""
        self._text = ""

    def take(self, typed: str) -> Iterator[str]:
        """Take what came in; give what shows."""
        for part in re.split(r"([\r\x15])", _PASTE.sub("", typed)):
            yield from self._key(part)

    def _key(self, part: str) -> Iterator[str]:
        if part == "\r":
            text, self._text = self._text, ""
            yield f"{_CLEAR}{SENT}{text}\r\n"
            yield from answer(text)
            yield f"\r\n{COMPOSER}"
        elif part == "\x15":
            self._text = ""
            yield f"{_CLEAR}{COMPOSER}"
        elif part:
            self._text += part
            yield part


def main() -> None:
    """Be the program."""
    if "--version" in sys.argv:
        print(VERSION)
        return
    tty.setraw(0)
    composer = Composer()
    _write(COMPOSER)
    while data := os.read(0, 65536):
        for shown in composer.take(data.decode(errors="replace")):
            _write(shown)


def _write(text: str) -> None:
    view = memoryview(text.encode())
    while view:
        view = view[os.write(1, view) :]


if __name__ == "__main__":
    main()
