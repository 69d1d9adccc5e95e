"""Counting what becomes of sessions, from what is noted of them."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from uuid import UUID

from sidecar.model.event import Fact, Note
from sidecar.model.figures import BOUNDS_S, Durations, Life
from sidecar.model.session import SessionState

#: Why a session ended, by the reason told with it; any other reason is `other`.
CAUSES = {
    "Its user ended it.": "user",
    "An administrator ended it.": "administrator",
    "It was idle for too long.": "idle",
    "Claude exited.": "exit",
}
#: The causes that do not follow from a reason.
FAILED, OTHER = "failed", "other"


class Stopwatch:
    """Count durations in classes. Not thread-safe: the owner locks."""

    def __init__(self) -> None:
        """Begin with none."""
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self._total_s = 0.0

    def took(self, seconds: float) -> None:
        """Count one more."""
        self._counts[bisect_left(BOUNDS_S, seconds)] += 1
        self._total_s += seconds

    def durations(self) -> Durations:
        """Return what was counted."""
        return Durations(tuple(self._counts), self._total_s)


class Tally:
    """Stands before the audit trail: counts what is noted of sessions, and hands it on."""

    def __init__(self, note: Note) -> None:
        """Hand on to `note`."""
        self._note = note
        self._lock = threading.Lock()
        self._created = 0
        self._ended = Counter(dict.fromkeys((*CAUSES.values(), FAILED, OTHER), 0))
        self._changes = Counter({state.value: 0 for state in SessionState})
        self._starts, self._wakes = Stopwatch(), Stopwatch()

    def note(
        self, action: str, *, user: str | None = None, session: UUID | None = None, **detail: Fact
    ) -> None:
        """Count the event and hand it on."""
        with self._lock:
            if action == "session.create":
                self._created += 1
            elif action == "session.state":
                self._changed(str(detail.get("after")), detail.get("reason"))
        self._note(action, user=user, session=session, **detail)

    def _changed(self, state: str, reason: Fact) -> None:
        self._changes[state] += 1
        if state == SessionState.FAILED:
            self._ended[FAILED] += 1
        elif state == SessionState.TERMINATED:
            self._ended[CAUSES.get(str(reason), OTHER)] += 1

    def started(self, seconds: float, *, woken: bool) -> None:
        """Count the time a program took to its prompt."""
        with self._lock:
            (self._wakes if woken else self._starts).took(seconds)

    def life(self) -> Life:
        """Return what was counted so far."""
        with self._lock:
            return Life(
                created=self._created,
                ended=dict(self._ended),
                changes=dict(self._changes),
                starts=self._starts.durations(),
                wakes=self._wakes.durations(),
            )
