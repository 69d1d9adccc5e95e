"""A session in memory: its stored value, its console, its queue of inputs."""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

from sidecar.claude import gates
from sidecar.clock import Clock
from sidecar.errors import SidecarError, StorageUnavailable
from sidecar.model.event import Note
from sidecar.model.session import Activity, Session, SessionState
from sidecar.sessions.turns import Turns
from sidecar.storage.sessions import SessionStore
from sidecar.terminal.console import Console


class Live:
    """One session of this process. Its value changes by `change`, under a lock that is never held while waiting."""

    def __init__(self, session: Session, console: Console, clock: Clock, note: Note) -> None:
        """Hold `session`, whose output goes through `console`; changes of its state are told by `note`."""
        self._clock = clock
        self._note = note
        self._lock = threading.Lock()
        self._saving = threading.Lock()
        self._session = session
        self.console = console
        self.turns = Turns(clock)
        #: Why the start failed, for those who wait for it.
        self.failure: SidecarError | None = None
        #: Whether the stored row is behind `session`; the writer mends that.
        self.unsaved = False
        #: When somebody last put something in or looked; output is the console's to know.
        self.last_use = clock.monotonic()
        #: Keeps two old-style readings apart.
        self.taking = threading.Lock()
        #: Held while a program comes up.
        self.rising = threading.Lock()
        #: Set before the last program is ended: a start under way gives up, another one is not begun.
        self.halted = False

    @property
    def session(self) -> Session:
        """Return the value of the moment."""
        return self._session

    @property
    def state(self) -> SessionState:
        """Return the state of the moment."""
        return self._session.state

    def change(self, **changes: Any) -> Session:
        """Replace the value by a copy with `changes`, wake whoever waits, and return it.

        Raises:
            ValueError: the state may not become the new one.
        """
        with self._lock:
            before, after = self._evolve(changes)
        self._changed(before, after)
        return self._session

    def change_if(self, *states: SessionState, **changes: Any) -> bool:
        """Apply `changes` only in one of `states`; tell whether it did. Decides races between ends and starts."""
        with self._lock:
            if self._session.state not in states:
                return False
            before, after = self._evolve(changes)
        self._changed(before, after)
        return True

    def discard(self, failure: SidecarError) -> None:
        """Let whoever waits for a session that could not be created know why. It never was, so nothing is noted."""
        self.failure = failure
        with self._lock:
            self._evolve({"state": SessionState.FAILED})
        self.console.changed()

    def _evolve(self, changes: dict[str, Any]) -> tuple[Session, Session]:
        """Change the value, with the lock held; return the one before and the one after."""
        before, self._session = self._session, self._session.evolve(**changes)
        self.unsaved = True
        return before, self._session

    def _changed(self, before: Session, after: Session) -> None:
        """Tell of a change: the audit trail first, so that no answer is ahead of it."""
        note_change(self._note, before.state, after)
        self.console.changed()

    def save(self, store: SessionStore) -> None:
        """Store the value of the moment. One at a time: an older value must not overwrite a newer one.

        Raises:
            StorageUnavailable, NotFound: it is not stored; the writer will try again.
        """
        with self._saving:
            self.unsaved = False
            try:
                store.save(self._session)
            except StorageUnavailable:
                self.unsaved = True
                raise

    def used(self, at: datetime) -> None:
        """Note an input or a viewer, which puts off hibernation."""
        self.last_use = self._clock.monotonic()
        with self._lock:
            self._session = self._session.evolve(last_activity_at=at)
            self.unsaved = True

    def idle_s(self) -> float:
        """Return seconds since the last input, viewer or output; a reader that waits is a viewer."""
        if self.console.bell.heard:
            return 0.0
        return min(self._clock.monotonic() - self.last_use, self.console.quiet())

    def activity(self) -> Activity:
        """Return what the program is doing; idle without one."""
        if not self.state.live:
            return Activity.IDLE
        lines, title = self.console.lines()
        return gates.activity(gates.View(lines, title, self.console.quiet()))


def note_change(note: Note, before: SessionState, session: Session) -> None:
    """Note that `session` has come into its state, if it was in another one `before`."""
    if before is session.state:
        return
    reason = (session.reason or "").partition("\n")[0]  # what follows may be from the screen
    note(
        "session.state",
        user=session.user_id,
        session=session.id,
        before=before.value,
        after=session.state.value,
        reason=reason or None,
    )
