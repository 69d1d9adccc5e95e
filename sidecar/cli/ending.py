"""Ending sessions from outside: by the running service, or in the database when none runs."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from urllib.parse import quote

from sidecar.errors import DataDirectoryInUse, SidecarError, Unavailable
from sidecar.model.session import Session, SessionState
from sidecar.records import Records
from sidecar.remote import Remote
from sidecar.sessions.live import note_change
from sidecar.sessions.ownership import Ownership

_REASON = "Ended by the operator."


def end_all(records: Records, sessions: Sequence[Session]) -> int:
    """End sessions and say so, one line each; return how many could not be ended."""
    ownership = Ownership(records.settings.data_dir, records.clock)
    try:
        ownership.acquire(0)  # while we hold it no service can start, and change what we change
    except DataDirectoryInUse:
        remote = Remote(records.settings, records.clock)
        return _each(sessions, lambda session: _ask(remote, session))
    try:
        return _each(sessions, lambda session: _write(records, session))
    finally:
        ownership.release()


def _each(sessions: Sequence[Session], end: Callable[[Session], str]) -> int:
    failed = 0
    for session in sessions:
        try:
            print(f"{session.id} of {session.user_id}: {end(session)}", flush=True)
        except SidecarError as error:
            failed += 1
            print(f"{session.id} of {session.user_id}: {error.detail}", file=sys.stderr)
    return failed


def _ask(remote: Remote, session: Session) -> str:
    """Let the service end it: it owns the terminal."""
    if session.state.ended:
        return "had ended already"
    answer = remote.call("DELETE", f"/api/session/{session.id}", user=quote(session.user_id))
    if answer.status == 404:
        return "is gone already"
    if answer.status != 200:
        raise Unavailable(answer.detail)
    return "ended"


def _write(records: Records, session: Session) -> str:
    """Write it into the database; the next start of the service removes its files."""
    if session.state.ended:
        return "had ended already"
    changes = {"state": SessionState.TERMINATED, "ended_at": records.clock.now(), "reason": _REASON}
    before = records.sessions.get(session.id)  # newer than `session`, from before the data directory was ours
    ended = before.evolve(**changes)
    records.sessions.save(ended)
    records.trail.note("session.end", user=ended.user_id, session=ended.id, own=False)
    note_change(records.trail.note, before.state, ended)
    return "ended; its files go with the next start of the service"
