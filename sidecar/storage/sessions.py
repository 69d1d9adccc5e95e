"""Stored sessions."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, case, delete, func, insert, select, true, update
from sqlalchemy.engine import RowMapping
from sqlalchemy.exc import IntegrityError

from sidecar.errors import LimitReached, NotFound, SessionExists, StorageUnavailable
from sidecar.model.session import Renderer, Session, SessionState, Size, WorkspaceType
from sidecar.storage.database import LIMITS_LOCK, Database, take_turns
from sidecar.storage.tables import LARGEST, sessions

# In a class with a method `list`, the annotation list[...] would mean that method.
_Sessions = list[Session]
_Ids = list[UUID]

_ENDED = [state.value for state in SessionState if state.ended]

#: Offsets that only go up, whatever a caller's older copy of the session says.
_RISING = ("output_offset", "reserved_offset")


class SessionStore:
    """Keeps sessions and their sealed credentials; it opens no seal and knows no rules of states."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self,
        session: Session,
        *,
        max_per_user: int,
        max_total: int,
        sealed_credential: bytes | None = None,
    ) -> None:
        """Store a new session, unless it were one too many of those that have not ended.

        Raises:
            SessionExists: the id is taken; this is told before any limit.
            LimitReached: the user, or the service, has as many as allowed.
        """
        with self._database.transaction() as connection:
            # Two at once would each count the other one out.
            take_turns(connection, LIMITS_LOCK)
            _refuse_taken(connection, session.id)
            _refuse_above(connection, session.user_id, max_per_user, max_total)
            values = {**_fixed(session), **_changing(session), **_offsets(session)}
            _insert(connection, {**values, "stored_bytes": 0, "credential": sealed_credential})

    def get(self, session_id: UUID) -> Session:
        """Return the session.

        Raises:
            NotFound: there is none of this id.
        """
        found = self._select(sessions.c.id == session_id)
        if not found:
            raise NotFound
        return found[0]

    def credential(self, session_id: UUID) -> bytes | None:
        """Return the sealed credential the session was added with.

        Raises:
            NotFound: there is no session of this id.
        """
        query = select(sessions.c.credential).where(sessions.c.id == session_id)
        with self._database.reading() as connection:
            row = connection.execute(query).one_or_none()
        if row is None:
            raise NotFound
        sealed: bytes | None = row[0]
        return sealed

    def save(self, session: Session) -> None:
        """Store what may change of a session. The output and reserved offsets are raised, never lowered.

        Raises:
            NotFound: there is no session of this id.
        """
        rising = {name: _raised(name, value) for name, value in _offsets(session).items() if name in _RISING}
        self._update(session.id, {**_changing(session), **rising, "process_offset": session.process_offset})

    def reserve(self, session_id: UUID, offset: int) -> None:
        """Raise the session's reserved offset to `offset`, if it is below.

        Raises:
            NotFound: there is no session of this id.
        """
        self._update(session_id, {"reserved_offset": _raised("reserved_offset", offset)})

    def settle(self, session_id: UUID, offset: int) -> None:
        """Lower the reserved offset to `offset` after an orderly stop: nothing beyond it was given out.

        It never goes below what is stored, or an offset would be used twice.

        Raises:
            NotFound: there is no session of this id.
        """
        lowest = case((sessions.c.output_offset > offset, sessions.c.output_offset), else_=offset)
        self._update(session_id, {"reserved_offset": lowest})

    def list(
        self, user_id: str | None, *, state: SessionState | None = None, limit: int, offset: int
    ) -> tuple[_Sessions, int]:
        """Return a page of the user's sessions, or of everybody's, newest first, and how many there are in all."""
        of_user = sessions.c.user_id == user_id if user_id is not None else true()
        matching = of_user if state is None else of_user & (sessions.c.state == state.value)
        query = select(sessions).where(matching).order_by(sessions.c.created_at.desc(), sessions.c.id.desc())
        count = select(func.count()).select_from(sessions).where(matching)
        with self._database.reading() as connection:
            page = connection.execute(query.limit(limit).offset(min(offset, LARGEST))).mappings().all()
            return [_session(row) for row in page], connection.scalar(count) or 0

    def in_states(self, states: Iterable[SessionState]) -> _Sessions:
        """Return all sessions in one of `states`, oldest first."""
        return self._select(sessions.c.state.in_([state.value for state in states]))

    def delete_ended(self, before: datetime) -> _Ids:
        """Delete sessions that ended before a time, with their output, and return their ids.

        Each goes in its own transaction, so that nobody waits long. If the database goes away in between,
        the ids of those that are gone are returned: somebody has files of theirs to remove.

        Raises:
            StorageUnavailable: the database does not answer, and nothing was deleted.
        """
        gone: _Ids = []
        for session_id in self._ended(before):
            try:
                self._delete(session_id)
            except StorageUnavailable:
                if not gone:
                    raise
                break
            gone.append(session_id)
        return gone

    def _select(self, condition: ColumnElement[bool]) -> _Sessions:
        query = select(sessions).where(condition).order_by(sessions.c.created_at, sessions.c.id)
        with self._database.reading() as connection:
            return [_session(row) for row in connection.execute(query).mappings()]

    def _update(self, session_id: UUID, values: dict[str, Any]) -> None:
        with self._database.transaction() as connection:
            changed = connection.execute(update(sessions).where(sessions.c.id == session_id).values(values))
            if changed.rowcount == 0:
                raise NotFound

    def _ended(self, before: datetime) -> _Ids:
        # A session that failed before it had a time of its end is as old as its last activity.
        ended_at = func.coalesce(sessions.c.ended_at, sessions.c.last_activity_at)
        query = select(sessions.c.id).where(sessions.c.state.in_(_ENDED), ended_at < before)
        with self._database.reading() as connection:
            return list(connection.scalars(query.order_by(ended_at)))

    def _delete(self, session_id: UUID) -> None:
        with self._database.transaction() as connection:
            connection.execute(delete(sessions).where(sessions.c.id == session_id))


def _refuse_taken(connection: Connection, session_id: UUID) -> None:
    if connection.scalar(select(sessions.c.id).where(sessions.c.id == session_id)) is not None:
        raise SessionExists


def _refuse_above(connection: Connection, user_id: str, max_per_user: int, max_total: int) -> None:
    of_user = func.count().filter(sessions.c.user_id == user_id)
    query = select(of_user, func.count()).where(sessions.c.state.not_in(_ENDED))
    users, total = connection.execute(query).one()
    if users >= max_per_user:
        raise LimitReached(f"The user has {users} sessions, which is the limit.")
    if total >= max_total:
        raise LimitReached("The service has as many sessions as it may.")


def _insert(connection: Connection, values: dict[str, Any]) -> None:
    try:
        connection.execute(insert(sessions).values(values))
    except IntegrityError as exc:
        raise SessionExists from exc


def _raised(name: str, value: int) -> ColumnElement[int]:
    """Return the larger of the stored value and this one; the two databases have no common function for it."""
    column = sessions.c[name]
    return case((column < value, value), else_=column)


def _fixed(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "user_id": session.user_id,
        "workspace_type": session.workspace_type.value,
        "workspace_name": session.workspace_name,
        "created_at": session.created_at,
        "created_by": session.created_by,
        "credential_id": session.credential_id,
    }


def _changing(session: Session) -> dict[str, Any]:
    return {
        "state": session.state.value,
        "columns": session.size.columns,
        "rows": session.size.rows,
        "renderer": session.renderer.value,
        "last_activity_at": session.last_activity_at,
        "conversation_id": session.conversation_id,
        "model": session.model,
        "ended_at": session.ended_at,
        "exit_code": session.exit_code,
        "reason": session.reason,
        "claude_version": session.claude_version,
    }


def _offsets(session: Session) -> dict[str, int]:
    return {
        "output_offset": session.output_offset,
        "reserved_offset": session.reserved_offset,
        "process_offset": session.process_offset,
    }


def _session(row: RowMapping) -> Session:
    return Session(
        id=row["id"],
        user_id=row["user_id"],
        state=SessionState(row["state"]),
        workspace_type=WorkspaceType(row["workspace_type"]),
        workspace_name=row["workspace_name"],
        size=Size(row["columns"], row["rows"]),
        renderer=Renderer(row["renderer"]),
        created_at=row["created_at"],
        last_activity_at=row["last_activity_at"],
        conversation_id=row["conversation_id"],
        model=row["model"],
        ended_at=row["ended_at"],
        exit_code=row["exit_code"],
        reason=row["reason"],
        claude_version=row["claude_version"],
        created_by=row["created_by"],
        credential_id=row["credential_id"],
        output_offset=row["output_offset"],
        reserved_offset=row["reserved_offset"],
        process_offset=row["process_offset"],
    )
