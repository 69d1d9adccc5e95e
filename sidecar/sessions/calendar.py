"""Whether the wall clock can be trusted to say how old something is."""

from __future__ import annotations

import logging
from datetime import timedelta

from sidecar.clock import Clock

log = logging.getLogger(__name__)

#: A wall clock that gains or loses more than this against the monotonic one was set by somebody.
_JUMP_S = 3600.0
#: How long nothing is deleted after that: time to notice a mistake and set the clock right.
_PAUSE_S = 24 * 3600.0


class Calendar:
    """Compares the wall clock with the monotonic one. One set wrongly must not make everything look old."""

    def __init__(self, clock: Clock) -> None:
        """Trust the wall clock of this moment."""
        self._clock = clock
        self._wall, self._steady = clock.now(), clock.monotonic()
        self._doubted_since: float | None = None

    def trusted(self) -> bool:
        """Tell whether things may be deleted for their age now."""
        now = self._clock.monotonic()
        if abs(self._drift_s(now)) <= _JUMP_S:
            self._doubted_since = None
            return True
        if self._doubted_since is None:
            self._doubted_since = now
            log.warning(
                "the wall clock was set; nothing is deleted for its age for a day, or until it is set back"
            )
        if now - self._doubted_since < _PAUSE_S:
            return False
        self._wall, self._steady = self._clock.now(), now
        return True

    def _drift_s(self, now: float) -> float:
        return (self._clock.now() - self._wall - timedelta(seconds=now - self._steady)).total_seconds()
