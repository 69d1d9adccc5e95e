"""Stored key pairs that users' keys are sealed to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from sidecar.model.sealing import SealingPair
from sidecar.storage.database import SEALING_LOCK, Database, take_turns
from sidecar.storage.tables import sealing_keys

_NEWEST = sealing_keys.c.retired_at.is_(None)


class SealingStore:
    """Keeps pairs, their private halves encrypted; at most one is not retired."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def pairs(self) -> Sequence[SealingPair]:
        """Return all, oldest first."""
        query = select(sealing_keys).order_by(sealing_keys.c.created_at, sealing_keys.c.kid)
        with self._database.reading() as connection:
            return [
                SealingPair(row.kid, row.created_at, row.private, row.retired_at)
                for row in connection.execute(query)
            ]

    def replace(self, known: str | None, fresh: SealingPair) -> bool:
        """Retire the newest and store `fresh` in its place, if `known` still is the newest; tell whether it was."""
        with self._database.transaction() as connection:
            take_turns(connection, SEALING_LOCK)  # of two that are made at once only one is used
            if _newest(connection) != known:
                return False
            connection.execute(update(sealing_keys).where(_NEWEST).values(retired_at=fresh.created_at))
            values = {"kid": fresh.kid, "created_at": fresh.created_at, "private": fresh.private}
            connection.execute(insert(sealing_keys).values(values))
            return True

    def purge(self, before: datetime) -> int:
        """Delete those that were retired before a time; return how many."""
        with self._database.transaction() as connection:
            gone = connection.execute(delete(sealing_keys).where(sealing_keys.c.retired_at < before))
            return gone.rowcount


def _newest(connection: Connection) -> str | None:
    kid: str | None = connection.scalar(select(sealing_keys.c.kid).where(_NEWEST))
    return kid
