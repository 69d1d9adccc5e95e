"""How long the instance is left alone after it did not answer."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sidecar.clock import Clock

_FIRST_S, _LONGEST_S = 0.5, 15.0
#: However long it asks to be left alone: the poller counts as down after 30 s, and rows wait.
_LONGEST_ASKED_S = 120.0

#: Returns a number between two bounds, by chance.
Jitter = Callable[[float, float], float]


class Patience:
    """One pause for all threads, because it is one instance: longer with each failure in a row, none after an answer."""

    def __init__(self, clock: Clock, jitter: Jitter) -> None:
        """Begin without a pause."""
        self._clock = clock
        self._jitter = jitter
        self._lock = threading.Lock()
        self._failures = 0
        self._noted = float("-inf")
        self._until = float("-inf")

    def another(self) -> Patience:
        """Return one for something else, without a pause."""
        return Patience(self._clock, self._jitter)

    def left_s(self) -> float:
        """Return the seconds until the next call may be made."""
        with self._lock:
            return max(0.0, self._until - self._clock.monotonic())

    def answered(self) -> None:
        """Begin anew; a pause that the instance has asked for stays."""
        with self._lock:
            self._failures = 0

    def failed(self, began: float, asked_s: float | None) -> bool:
        """Note that a call that `began` then has failed; return whether it is the first of a row.

        Calls that were under way together are one failure, or many threads would mean a long pause.
        """
        with self._lock:
            now = self._clock.monotonic()
            if began > self._noted or self._failures == 0:
                self._noted = now
                self._failures += 1
                self._until = max(self._until, now + self._grown_locked())
            if asked_s is not None:
                self._until = max(self._until, now + min(asked_s, _LONGEST_ASKED_S))
            return self._failures == 1

    def _grown_locked(self) -> float:
        # By chance, so that many pollers do not come back at the same moment.
        longest = min(_LONGEST_S, _FIRST_S * 2.0 ** min(self._failures - 1, 10))
        return self._jitter(longest / 2, longest)
