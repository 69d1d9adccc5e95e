"""Deleting the oldest output."""

from __future__ import annotations

from collections import Counter
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, delete, func, select, tuple_, update

from sidecar.storage.database import TRIM_LOCK, Database, take_turns
from sidecar.storage.tables import outputs, sessions

#: Chunks deleted in one transaction; output waits to be stored no longer than that takes.
_STEP_CHUNKS = 500

_KEY = (outputs.c.session_id, outputs.c.offset)
_OLDEST = select(*_KEY, outputs.c.length).limit(_STEP_CHUNKS)


def trim(database: Database, *, per_session: int, total: int) -> int:
    """Delete what is over the limits, oldest first; return the bytes deleted."""
    freed = 0
    for session_id in _over(database, per_session):
        stored = select(sessions.c.stored_bytes).where(sessions.c.id == session_id)
        oldest = _OLDEST.where(outputs.c.session_id == session_id).order_by(outputs.c.offset)
        freed += _shrink(database, stored, per_session, oldest)
    everything = select(func.sum(sessions.c.stored_bytes))
    return freed + _shrink(database, everything, total, _OLDEST.order_by(outputs.c.stored_at, *_KEY))


def _over(database: Database, limit: int) -> list[UUID]:
    query = select(sessions.c.id).where(sessions.c.stored_bytes > limit).order_by(sessions.c.id)
    with database.reading() as connection:
        return list(connection.scalars(query))


def _shrink(database: Database, stored: Select[Any], limit: int, oldest: Select[Any]) -> int:
    """Delete from the `oldest` until `stored` is at most `limit`, in steps of their own transactions."""
    freed = 0
    while step := _step(database, stored, limit, oldest):
        freed += step
    return freed


def _step(database: Database, stored: Select[Any], limit: int, oldest: Select[Any]) -> int:
    with database.transaction() as connection:
        take_turns(connection, TRIM_LOCK)
        # PostgreSQL adds integers up to a Decimal.
        excess = int(connection.scalar(stored) or 0) - limit
        if excess <= 0:
            return 0
        return _delete(connection, excess, oldest)


def _delete(connection: Connection, excess: int, oldest: Select[Any]) -> int:
    """Delete from the `oldest` until `excess` bytes or their end are reached; return the bytes deleted."""
    freed: Counter[UUID] = Counter()
    keys: list[tuple[UUID, int]] = []
    for session_id, offset, length in connection.execute(oldest):
        if freed.total() >= excess:
            break
        freed[session_id] += length
        keys.append((session_id, offset))
    if keys:
        connection.execute(delete(outputs).where(tuple_(*_KEY).in_(keys)))
        _count_down(connection, freed)
    return freed.total()


def _count_down(connection: Connection, freed: Counter[UUID]) -> None:
    for session_id, length in sorted(freed.items()):
        less = sessions.c.stored_bytes - length
        connection.execute(update(sessions).where(sessions.c.id == session_id).values(stored_bytes=less))
