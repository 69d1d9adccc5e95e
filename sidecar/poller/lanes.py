"""Rows in work: those of one order one after the other, different ones side by side."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import takewhile

from sidecar.clock import Clock
from sidecar.poller.instance import Row
from sidecar.poller.lease import Leases

log = logging.getLogger(__name__)

#: Does a row; returns whether the next of its order may follow.
Work = Callable[[Row], bool]


class Lanes:
    """A lane for each order, and threads that go from lane to lane. Threads are started when they are needed."""

    def __init__(self, work: Work, workers: int, clock: Clock) -> None:
        """Start nothing yet."""
        self._work = work
        self._clock = clock
        self._most = 2 * workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="row")
        self._changed = threading.Condition()
        self._leases = Leases()
        #: Rows by lane, the first one in work.
        self._lanes: dict[str, deque[Row]] = {}

    @property
    def room(self) -> int:
        """Return how many more rows may be taken: enough to keep every thread at work, and no more."""
        return max(0, self._most - len(self.held()))

    def held(self) -> list[Row]:
        """Return every row that is in work or waits for it."""
        with self._changed:
            return [row for lane in self._lanes.values() for row in lane]

    def take(self, rows: Iterable[Row], until: float) -> None:
        """Take rows whose leases last until then."""
        for row in rows:
            if self._queued(row, until):
                self._pool.submit(self._next, row.order or row.id)

    def _queued(self, row: Row, until: float) -> bool:
        """Put a row at the end of its lane; return whether the lane has to be begun with it.

        One that is here already is not put in twice: the instance gives again what it thinks we have not heard of.
        """
        with self._changed:
            self._leases.give(row, until)
            lane = self._lanes.setdefault(row.order or row.id, deque())
            if row in lane:
                return False
            lane.append(row)
            return len(lane) == 1

    def keep(self, rows: Iterable[Row], lost: frozenset[str], until: float) -> None:
        """Renew the leases of these rows, but not of those that somebody else has; those are not begun any more."""
        with self._changed:
            self._leases.renew((row for row in rows if row.id not in lost), until)
            for lane in self._lanes.values():
                self._cut_locked(lane, lost)

    def wait(self, seconds: float) -> bool:
        """Wait until nothing is held, but no longer; return whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._lanes, seconds)

    def close(self) -> None:
        """End the threads once they have done what they have."""
        self._pool.shutdown()

    def _cut_locked(self, lane: deque[Row], lost: frozenset[str]) -> None:
        """Let go what waits in a lane from the first row on that is lost; the one in work is not waiting."""
        waiting = list(lane)[1:]
        kept = list(takewhile(lambda row: row.id not in lost, waiting))
        for row in waiting[len(kept) :]:
            lane.remove(row)
            self._leases.forget(row)

    def _next(self, key: str) -> None:
        """Do the first row of a lane, and queue the lane again for its next: others have had their turn by then."""
        with self._changed:
            row = self._lanes[key][0]
            ours = self._leases.holds(row, self._clock.monotonic())
        if not ours:
            log.warning(
                "the lease of a row ran out before its turn; it goes back to the queue", extra=_told(row)
            )
        if self._ended(key, row, ours and self._worked(row)):
            self._pool.submit(self._next, key)

    def _worked(self, row: Row) -> bool:
        try:
            return self._work(row)
        except Exception:
            # A row must not stop the others of its lane for ever; the lease gives this one back.
            log.exception("a row failed", extra=_told(row))
            return False

    def _ended(self, key: str, row: Row, on: bool) -> bool:
        """Take the row off its lane; return whether there is a next one.

        What waits behind a row that is not ours any more is let go: whoever has that row has to come first.
        """
        with self._changed:
            lane = self._lanes[key]
            for gone in [row] if on else list(lane):
                lane.popleft()
                self._leases.forget(gone)
            if not lane:
                del self._lanes[key]
                self._changed.notify_all()
            return bool(lane)


def _told(row: Row) -> dict[str, object]:
    return {"row": row.id, "attempt": row.attempt}
