"""How often somebody may call."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict, deque
from collections.abc import Sequence

from sidecar.clock import Clock
from sidecar.config import Rate
from sidecar.errors import RateLimited

#: Callers remembered; the longest silent one is forgotten first.
_MOST = 100_000


class Rates:
    """Moving windows, one series of times for each caller.

    Not the in-memory store of a library: the one looked at never forgets a caller, and goes by a clock
    that can be set back.
    """

    def __init__(self, rates: Sequence[Rate], clock: Clock) -> None:
        """Begin with no calls; without `rates` nothing is limited."""
        self._rates = tuple(rates)
        self._clock = clock
        self._longest_s = max((rate.seconds for rate in rates), default=0)
        self._most = max((rate.amount for rate in rates), default=0)
        self._lock = threading.Lock()
        #: The times of each caller's latest calls; callers in the order of their last one.
        self._calls: OrderedDict[str, deque[float]] = OrderedDict()

    def hit(self, caller: str) -> None:
        """Count one call. One that is refused does not count.

        Raises:
            RateLimited: it is one too many.
        """
        if not self._rates:
            return
        now = self._clock.monotonic()
        with self._lock:
            self._forget(now)
            times = self._calls.get(caller, deque(maxlen=self._most))
            wait_s = max(_wait(times, rate, now) for rate in self._rates)
            if wait_s > 0:
                raise RateLimited(retry_after_s=math.ceil(wait_s))
            times.append(now)
            self._calls[caller] = times
            self._calls.move_to_end(caller)

    def __len__(self) -> int:
        """Return how many callers are remembered."""
        return len(self._calls)

    def _forget(self, now: float) -> None:
        """Drop callers whose calls are all too old to count."""
        while self._calls:
            caller, times = next(iter(self._calls.items()))
            if times[-1] + self._longest_s > now and len(self._calls) < _MOST:
                return
            del self._calls[caller]


def _wait(times: Sequence[float], rate: Rate, now: float) -> float:
    """Return the seconds until there is room again."""
    if len(times) < rate.amount:
        return 0
    return times[-rate.amount] + rate.seconds - now
