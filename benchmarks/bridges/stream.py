"""One terminal's output as it arrives where it is wanted: when each numbered thing shows, and that none is missing.

Pure: what comes and when is told by the caller. Nothing may be missing, double or out of order: the pieces have to
join, and the numbers of the scripted program's answers have to count up by one.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field

#: What is typed or printed with a number: a command in the composer, the answer to it, a key.
_TOKEN = re.compile(rb"(mark-|print-|tick-|done-|~)(\d{5})")
_LONGEST = len("print-00000")
COMMANDS = frozenset({b"mark-", b"print-", b"tick-"})


@dataclass
class Event:
    """Something that happens once."""

    at: float | None = None
    _happened: threading.Event = field(default_factory=threading.Event)

    def happen(self, at: float) -> None:
        """Note when it happened, if it is for the first time."""
        if self.at is None:
            self.at = at
            self._happened.set()

    def wait(self, seconds: float) -> bool:
        """Wait for it; tell whether it happened in time."""
        return self._happened.wait(seconds)


class Stream:
    """One session's output. `strict` for the scripted program: an interface that repaints shows a number often."""

    def __init__(self, name: str, *, strict: bool) -> None:
        """Begin before the first byte."""
        self.name = name
        self.faults: list[str] = []
        self.strict = strict
        self.end: int | None = None
        self._rest = b""
        self._awaited: dict[bytes, Event] = {}
        self._last: dict[bytes, int] = {}
        self._lock = threading.Lock()

    def expect(self, token: str) -> Event:
        """Return what happens when `token` shows; say it before it can."""
        event = Event()
        with self._lock:
            self._awaited[token.encode()] = event
        return event

    def take(self, start: int, dropped: int, data: bytes, now: float) -> None:
        """Take a piece that begins at `start`, behind `dropped` bytes that are gone."""
        with self._lock:
            self._join(start, dropped, len(data))
            text = self._rest + data
            behind = 0
            for found in _TOKEN.finditer(text):
                behind = found.end()
                self._found(found[1], int(found[2]), found[0], now)
            self._rest = text[max(behind, len(text) - _LONGEST + 1) :]

    def missing(self) -> list[str]:
        """Return what was expected and never came."""
        with self._lock:
            return sorted(token.decode() for token in self._awaited)

    def answered(self) -> int:
        """Return the number of the last answer."""
        with self._lock:
            return self._last.get(b"done-", 0)

    def _join(self, start: int, dropped: int, length: int) -> None:
        if self.end is not None and start != self.end:
            self.faults.append(f"{self.name}: a piece begins at {start}, the one before ended at {self.end}")
        if dropped:
            self.faults.append(f"{self.name}: {dropped} bytes were dropped at {start}")
        self.end = start + dropped + length

    def _found(self, kind: bytes, number: int, token: bytes, now: float) -> None:
        event = self._awaited.pop(token, None)
        if event is not None:
            event.happen(now)
        if self.strict or event is not None:
            self._count(kind, number)

    def _count(self, kind: bytes, number: int) -> None:
        group = b"command" if kind in COMMANDS else kind
        last = self._last.get(group, 0)
        # A command shows twice: while it is typed, and above its answer.
        if number != last + 1 and not (kind in COMMANDS and number == last):
            self.faults.append(f"{self.name}: {kind.decode()}{number:05d} came after number {last}")
        self._last[group] = number
