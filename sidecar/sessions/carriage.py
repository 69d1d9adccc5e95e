"""Output that a command's answer carries to the reader of a pump, so that the pump does not repeat it."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

#: How long a command under way keeps the pump from answering a second time.
_HOLD_S = 2.5


@dataclass(frozen=True)
class _Awaited:
    """A command whose answer is awaited: its session, the offset it began at, and until when it holds the pump."""

    session_id: UUID
    begin: int
    until: float


@dataclass
class Carriage:
    """What the answers of waiting commands carry, or will in a moment. Times are of the monotonic clock."""

    _awaited: dict[object, _Awaited] = field(default_factory=dict)
    _ranges: dict[UUID, tuple[int, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, session_id: UUID, offset: int, now: float) -> object:
        """Await a command's answer that carries output behind `offset`; return what `end` takes."""
        ticket = object()
        with self._lock:
            self._awaited[ticket] = _Awaited(session_id, offset, now + _HOLD_S)
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

        The first bytes after a command began are not held back: only the pump is fast enough for them.
        """
        with self._lock:
            first, last = self._ranges.get(session_id, (0, -1))
            if first <= cursor and end <= last:
                return True
            return any(
                item.session_id == session_id and item.begin < cursor and now < item.until
                for item in self._awaited.values()
            )

    def held_s(self, now: float) -> float:
        """Return seconds until the next hold ends by itself; for ever without one."""
        with self._lock:
            return min(
                (item.until - now for item in self._awaited.values() if item.until > now), default=60.0
            )

    def keep(self, watched: Collection[UUID]) -> None:
        """Forget what was carried of sessions that are no longer watched."""
        with self._lock:
            self._ranges = {key: span for key, span in self._ranges.items() if key in watched}
