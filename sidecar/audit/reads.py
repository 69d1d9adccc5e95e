"""Who read whose output."""

from __future__ import annotations

import threading
from collections import OrderedDict
from uuid import UUID

from sidecar.clock import Clock
from sidecar.model.event import Note
from sidecar.model.session import Session
from sidecar.origin import origin

#: A reader polls; it is noted again after this long.
_AGAIN_S = 15 * 60.0
#: Pairs of session and reader that are remembered; the one noted longest ago is forgotten first.
_MOST = 10_000


class Reads:
    """Notes reading by another credential than the one a session was created with, not at every poll."""

    def __init__(self, note: Note, clock: Clock) -> None:
        """Note by `note`."""
        self._note = note
        self._clock = clock
        self._noted: OrderedDict[tuple[UUID, str], float] = OrderedDict()
        self._lock = threading.Lock()

    def saw(self, session: Session, what: str) -> None:
        """Note that whoever stands behind this thread reads `what` of `session`."""
        actor = origin().actor
        if actor != session.created_by and self._due((session.id, actor)):
            self._note(
                "session.read",
                user=session.user_id,
                session=session.id,
                what=what,
                creator=session.created_by,
            )

    def _due(self, pair: tuple[UUID, str]) -> bool:
        now = self._clock.monotonic()
        with self._lock:
            if now - self._noted.get(pair, -_AGAIN_S) < _AGAIN_S:
                return False
            self._noted[pair] = now
            self._noted.move_to_end(pair)
            if len(self._noted) > _MOST:
                self._noted.popitem(last=False)
        return True
