"""Output that a command's answer carries to the reader of a pump, so that the pump does not repeat it."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

#: How long a command under way keeps the pump from answering a second time.
_HOLD_S = 2.5
#: A quick answer carries at most so much of what came before it, too: the answers before may come later, or never.
_AGAIN_BYTES = 4096


@dataclass(frozen=True)
class _Awaited:
    """A command whose answer is awaited: its session, where it began, and until when it holds the pump.

    One whose answer comes with the first bytes holds those too.
    """

    session_id: UUID
    begin: int
    until: float
    quick: bool

    def holds(self, session_id: UUID, told: int, now: float) -> bool:
        """Tell whether what comes behind `told` will be in its answer, all of it, and in time."""
        covers = self.begin <= told if self.quick else self.begin < told
        return session_id == self.session_id and covers and now < self.until


@dataclass
class Carriage:
    """What the answers of waiting commands carry, or will in a moment. Times are of the monotonic clock."""

    _awaited: dict[object, _Awaited] = field(default_factory=dict)
    _ranges: dict[UUID, tuple[int, int]] = field(default_factory=dict)
    _cursors: Mapping[UUID, int] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, session_id: UUID, offset: int, now: float, *, quick: bool = False) -> object:
        """Await a command's answer that carries output behind `offset`; return what `end` takes."""
        ticket = object()
        with self._lock:
            self._awaited[ticket] = _Awaited(session_id, offset, now + _HOLD_S, quick)
        return ticket

    def end(self, ticket: object) -> None:
        """Await that answer no longer."""
        with self._lock:
            self._awaited.pop(ticket, None)

    def carried(self, session_id: UUID, begin: int, end: int) -> None:
        """Note that an answer carries these bytes; those of answers that touch are one range."""
        with self._lock:
            first, last = self._ranges.get(session_id, (begin, end))
            touching = begin <= last and end >= first
            self._ranges[session_id] = (min(first, begin), max(last, end)) if touching else (begin, end)

    def has(self, session_id: UUID, cursor: int, end: int, now: float) -> bool:
        """Tell whether the reader gets the bytes from `cursor` to `end` by a command's answer.

        The first bytes after a command began are not held back, but for one with a quick answer: only the pump
        is fast enough for them.
        """
        with self._lock:
            first, last = self._ranges.get(session_id, (0, -1))
            # What the last answers carried the reader has too, though its cursor is of an older call.
            told = last if first <= cursor < last else cursor
            had = first <= cursor and end <= last
            return had or any(item.holds(session_id, told, now) for item in self._awaited.values())

    def held_s(self, now: float) -> float:
        """Return seconds until the next hold ends by itself; for ever without one."""
        with self._lock:
            return min(
                (item.until - now for item in self._awaited.values() if item.until > now), default=60.0
            )

    def keep(self, cursors: Mapping[UUID, int]) -> None:
        """Note how far the reader has got; forget what was carried of sessions it no longer watches."""
        with self._lock:
            self._cursors = dict(cursors)
            self._ranges = {key: span for key, span in self._ranges.items() if key in cursors}

    def since(self, session_id: UUID, offset: int) -> int:
        """Return where a quick answer with output behind `offset` begins, so that its reader has no gap before it."""
        with self._lock:
            return min(offset, max(self._cursors.get(session_id, offset), offset - _AGAIN_BYTES))
