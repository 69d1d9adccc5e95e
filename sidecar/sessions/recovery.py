"""Taking over what an earlier run of the service left behind."""

from __future__ import annotations

import logging

from sidecar.clock import Clock
from sidecar.errors import NotFound
from sidecar.isolation import processes
from sidecar.model.event import Note
from sidecar.model.session import Session, SessionState
from sidecar.sessions.folders import Folders
from sidecar.sessions.live import note_change
from sidecar.sessions.registry import Registry
from sidecar.storage.sessions import SessionStore

log = logging.getLogger(__name__)

_OPEN = (SessionState.STARTING, SessionState.RUNNING, SessionState.HIBERNATED, SessionState.INTERRUPTED)
#: Time the kernel gets for orphans; normally they died with their parent.
_ORPHANS_S = 5.0


def recover(registry: Registry, store: SessionStore, folders: Folders, clock: Clock, note: Note) -> None:
    """Kill orphans, mark sessions without a process `interrupted`, and remove files of sessions that are gone.

    Call it before anything else touches sessions, and only by the owner of the data directory.
    """
    orphans = processes.orphans()
    for session in store.in_states(_OPEN):
        if session.id in orphans:
            killed = processes.kill_tagged(session.id, clock.monotonic() + _ORPHANS_S, clock)
            log.warning("%d orphaned processes were killed", killed, extra={"session": session.id})
        registry.adopt(_interrupted(session, store, note) if session.state.live else session)
    _remove_leftovers(store, folders)


def _interrupted(session: Session, store: SessionStore, note: Note) -> Session:
    reason = "The service ended unexpectedly; the next command resumes the session."
    interrupted = session.evolve(state=SessionState.INTERRUPTED, reason=reason)
    store.save(interrupted)
    note_change(note, session.state, interrupted)
    return interrupted


def _remove_leftovers(store: SessionStore, folders: Folders) -> None:
    for session_id in folders.isolated():
        try:
            if store.get(session_id).state.ended:
                folders.remove_isolated(session_id)
        except NotFound:
            folders.remove_isolated(session_id)
