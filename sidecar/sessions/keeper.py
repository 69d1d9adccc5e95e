"""Looking after sessions: ended programs, idle ones, and what may be forgotten."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from sidecar.clock import Clock
from sidecar.errors import SidecarError, StorageUnavailable
from sidecar.model.command import Command, InputMode
from sidecar.model.session import Activity, SessionState
from sidecar.sessions.calendar import Calendar
from sidecar.sessions.folders import Folders
from sidecar.sessions.live import Live
from sidecar.sessions.offsets import Offsets
from sidecar.sessions.registry import Registry
from sidecar.storage.outputs import OutputStore
from sidecar.storage.sessions import SessionStore

log = logging.getLogger(__name__)

#: Longest pause between two rounds.
_ROUND_S = 5.0
#: Rounds between two looks at what is too old or too much.
_TIDY_EVERY = 12

#: Something of another part that is to be done now and then.
Chore = Callable[[], None]


@dataclass(frozen=True)
class Chores:
    """What other parts want done about once a minute."""

    always: Sequence[Chore] = ()
    #: What goes by age, such as deleting what has expired: not while the wall clock is in doubt.
    by_age: Sequence[Chore] = ()


@dataclass(frozen=True)
class Rules:
    """How long things may stay; 0 s means for ever for the first two. Sizes in bytes."""

    hibernate_s: float
    timeout_s: float
    retention_s: float
    per_session: int
    total: int


@dataclass(frozen=True)
class Archive:
    """Where ended sessions lie."""

    sessions: SessionStore
    outputs: OutputStore
    folders: Folders
    offsets: Offsets


class Keeper:
    """One thread: settles ended programs at once, and makes a round every few seconds."""

    def __init__(
        self, registry: Registry, archive: Archive, rules: Rules, clock: Clock, chores: Chores
    ) -> None:
        """Prepare; `start` begins."""
        self._registry = registry
        self._archive = archive
        self._rules = rules
        self._clock = clock
        self._chores = chores
        self._calendar = Calendar(clock)
        self._ended: queue.Queue[Live | None] = queue.Queue()
        self._rounds = 0
        self._thread = threading.Thread(target=self._run, name="session-keeper", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._ended.put(None)
        self._thread.join()

    def exited(self, live: Live) -> None:
        """Note that a program has ended. Called on the reader thread."""
        self._ended.put(live)

    def _run(self) -> None:
        pause = min(
            [_ROUND_S, *(limit / 4 for limit in (self._rules.hibernate_s, self._rules.timeout_s) if limit)]
        )
        while True:
            try:
                live = self._ended.get(timeout=pause)
            except queue.Empty:
                self._guarded(self.round)
                continue
            if live is None:
                return
            self._guarded(partial(self._registry.exited, live))

    def _guarded(self, step: Callable[[], None]) -> bool:
        """Run a step; what goes wrong with one session must not end the care for the others.

        False when the database is away, which can take seconds to find out.
        """
        try:
            step()
        except StorageUnavailable:
            log.debug("the database is away; later")
            return False
        except Exception:
            log.exception("looking after sessions failed")
        return True

    def round(self) -> None:
        """Look at every session once."""
        for live in self._registry.lives():
            care = self._retire if live.state.ended else self._rest
            self._guarded(partial(care, live))
        self._rounds += 1
        if self._rounds % _TIDY_EVERY == 1:
            self._do_chores()

    def _do_chores(self) -> None:
        by_age = (self.tidy, *self._chores.by_age) if self._calendar.trusted() else ()
        for chore in (*self._chores.always, *by_age):
            if not self._guarded(chore):
                return  # each would wait for the database as long, and meanwhile nobody settles ended programs

    def tidy(self) -> None:
        """Delete what is older or larger than the rules allow."""
        before = self._clock.now() - timedelta(seconds=self._rules.retention_s)
        for session_id in self._archive.sessions.delete_ended(before):
            self._archive.offsets.forget(session_id)
            self._archive.folders.remove_isolated(session_id)
        freed = self._archive.outputs.trim(per_session=self._rules.per_session, total=self._rules.total)
        if freed:
            log.info("%d bytes of old output were deleted", freed)

    def _retire(self, live: Live) -> None:
        """Forget an ended session once everything of it is stored."""
        if live.console.process is not None or live.rising.locked():
            return  # it is being ended, or was while it came up: its files are in use
        if live.unsaved or live.console.backlog:
            live.console.changed()
            return
        self._archive.folders.remove(live.session)
        self._archive.offsets.forget(live.session.id)
        self._registry.drop(live)

    def _rest(self, live: Live) -> None:
        idle, rules = live.idle_s(), self._rules
        if rules.timeout_s and idle >= rules.timeout_s and self._unoccupied(live):
            self._registry.terminate(live, "It was idle for too long.")
        elif rules.hibernate_s and idle >= rules.hibernate_s and live.state is SessionState.RUNNING:
            self._hibernate(live)

    def _unoccupied(self, live: Live) -> bool:
        return live.state is not SessionState.RUNNING or live.activity() is Activity.IDLE

    def _hibernate(self, live: Live) -> None:
        if live.activity() is not Activity.IDLE:
            return
        try:
            # In its turn: a command that comes now waits, and then wakes the session.
            with live.turns.turn(Command(InputMode.RAW)):
                if live.idle_s() >= self._rules.hibernate_s:
                    self._registry.hibernate(live, "It was idle; the next command wakes it.")
        except SidecarError:
            log.debug("a session is in use and does not hibernate")
