"""Rows in work: those of one order one after the other, different ones side by side.

Typed text is the exception: such rows carry numbers, and the sidecar puts them in order. It waits for a number that is
missing, which may stand behind others in the queue, so rows with numbers do not wait for each other here.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import takewhile

from sidecar.clock import Clock
from sidecar.poller.instance import Outcome, Row
from sidecar.poller.lease import Leases

log = logging.getLogger(__name__)

#: Does a row; the next of its order follows when its answer was taken.
Work = Callable[[Row], Outcome]
#: A row whose answer nobody takes is named as one to be let go for so long: until its lease has surely ended, because
#: the instance gives a row of ours that we do not name again at once.
_LEAVE_S = 60.0
#: Tells whether the sidecar itself puts a row in order.
Numbered = Callable[[Row], bool]


@dataclass(eq=False)
class _Place:
    """A row's place in its lane."""

    row: Row
    numbered: bool
    #: Given to the threads, and taken up by one of them.
    queued: bool = False
    begun: bool = False


_Lane = list[_Place]


class Lanes:
    """A lane for each order, and threads that go from lane to lane. Threads are started when they are needed."""

    def __init__(self, work: Work, numbered: Numbered, workers: int, clock: Clock) -> None:
        """Start nothing yet."""
        self._work = work
        self._numbered = numbered
        self._clock = clock
        self._most = 2 * workers
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="row")
        self._changed = threading.Condition()
        self._leases = Leases()
        self._lanes: dict[str, _Lane] = {}
        #: Those that let go of a row since the last claim began.
        self._behind: set[str] = set()
        #: Rows to be let go, and until when that is told.
        self._left: dict[Row, float] = {}

    @property
    def room(self) -> int:
        """Return how many more rows may be taken: enough to keep every thread at work, and no more."""
        return max(0, self._most - len(self.held()) - len(self.left()))

    def held(self) -> list[Row]:
        """Return every row that is in work or waits for it."""
        with self._changed:
            return [place.row for lane in self._lanes.values() for place in lane]

    def left(self) -> list[Row]:
        """Return the rows whose answers nobody takes: the instance should let their leases end."""
        with self._changed:
            now = self._clock.monotonic()
            self._left = {row: until for row, until in self._left.items() if now < until}
            return list(self._left)

    def claiming(self) -> list[Row]:
        """Return every row that is held, to be named in a claim; its answer goes to `keep` and `take`."""
        with self._changed:
            self._behind.clear()
            return self.held()

    def take(self, rows: Iterable[Row], until: float) -> None:
        """Take rows whose leases last until then.

        One that is here already is not taken twice: the instance gives again what it thinks we have not heard of.
        One of an order that let go of rows while the claim was on its way is left: those have to come first, and the
        instance gives all of them again, in their order.
        """
        for row in rows:
            place = _Place(row, self._is_numbered(row))
            with self._changed:
                if _key(row) in self._behind:
                    continue
                self._leases.give(row, until)
                lane = self._lanes.setdefault(_key(row), [])
                if all(other.row != row for other in lane):
                    lane.append(place)
                self._begin_locked(lane)

    def keep(self, rows: Iterable[Row], lost: frozenset[str], until: float) -> None:
        """Renew the leases of these rows, but not of those that somebody else has; those are not begun any more."""
        with self._changed:
            self._leases.renew((row for row in rows if row.id not in lost), until)
            for key, lane in list(self._lanes.items()):
                before = list(takewhile(lambda place: place.begun or place.row.id not in lost, lane))
                self._cut_locked(lane, len(before))
                self._close_locked(key, lane)

    def wait(self, seconds: float) -> bool:
        """Wait until nothing is held, but no longer; return whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._lanes, seconds)

    def close(self) -> None:
        """End the threads once they have done what they have."""
        self._pool.shutdown()

    def _is_numbered(self, row: Row) -> bool:
        try:
            return self._numbered(row)
        except Exception:
            # Asked on the thread that claims, which nothing that stands in a row may end.
            log.exception("a row could not be looked at", extra=_told(row))
            return False

    def _begin_locked(self, lane: _Lane) -> None:
        """Give the threads what may begin: the first row, and rows with numbers that follow only such rows."""
        together = list(takewhile(lambda place: place.numbered, lane))
        for place in together or lane[:1]:
            if not place.queued:
                place.queued = True
                self._pool.submit(self._do, lane, place)

    def _cut_locked(self, lane: _Lane, start: int) -> None:
        """Let go what has not begun from there on; whoever has the row that stood there has to come first."""
        for place in [place for place in lane[start:] if not place.begun]:
            self._behind.add(_key(place.row))
            lane.remove(place)
            self._leases.forget(place.row)

    def _do(self, lane: _Lane, place: _Place) -> None:
        with self._changed:
            if place not in lane:
                return
            place.begun = True
            ours = self._leases.holds(place.row, self._clock.monotonic())
        if not ours:
            log.warning(
                "the lease of a row ran out before its turn; it goes back to the queue",
                extra=_told(place.row),
            )
        self._end(lane, place, self._worked(place.row) if ours else Outcome.LOST)

    def _worked(self, row: Row) -> Outcome:
        try:
            return self._work(row)
        except Exception:
            # A row must not stop the others of its lane for ever; the lease gives this one back.
            log.exception("a row failed", extra=_told(row))
            return Outcome.REFUSED

    def _end(self, lane: _Lane, place: _Place, outcome: Outcome) -> None:
        with self._changed:
            if outcome is Outcome.REFUSED:
                self._left[place.row] = self._clock.monotonic() + _LEAVE_S
            if outcome is not Outcome.ANSWERED:
                self._behind.add(_key(place.row))
                self._cut_locked(lane, lane.index(place))
            lane.remove(place)
            self._leases.forget(place.row)
            self._begin_locked(lane)
            self._close_locked(_key(place.row), lane)

    def _close_locked(self, key: str, lane: _Lane) -> None:
        if not lane:
            del self._lanes[key]
            self._changed.notify_all()


def _key(row: Row) -> str:
    return row.order or row.id


def _told(row: Row) -> dict[str, object]:
    return {"row": row.id, "attempt": row.attempt}
