"""Stored API keys of users."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, delete, func, insert, select, update

from sidecar.errors import LimitReached, NotFound
from sidecar.model.credential import Credential, Seal
from sidecar.storage.database import CREDENTIALS_LOCK, Database, take_turns
from sidecar.storage.tables import LARGEST, credentials

_PRESENT = credentials.c.removed_at.is_(None)


class CredentialStore:
    """Keeps users' keys, encrypted by somebody else. Of a removed one the row stays while its seal is valid."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, credential: Credential, sealed: bytes, *, seal: Seal | None, most: int
    ) -> Credential | None:
        """Store it, and return it or the one that came with the same seal; None if that one was removed.

        Raises:
            LimitReached: the user has `most` already.
        """
        with self._database.transaction() as connection:
            take_turns(
                connection, CREDENTIALS_LOCK
            )  # two at once would both find room, or both enrol one seal
            known = _with_seal(connection, credential.user_id, seal) if seal else None
            if known is not None:
                return _credential(known) if known.removed_at is None else None
            if _count(connection, credential.user_id) >= most:
                raise LimitReached(f"A user may store {most} keys; remove one first.")
            connection.execute(insert(credentials).values(_values(credential, sealed, seal)))
            return credential

    def sealed(self, user_id: str, credential_id: UUID) -> bytes | None:
        """Return the encrypted key; None if the user has none of this id."""
        query = select(credentials.c.sealed).where(_own(user_id, credential_id))
        with self._database.reading() as connection:
            found: bytes | None = connection.scalar(query)
            return found

    def list(self, user_id: str, *, limit: int, offset: int) -> tuple[Sequence[Credential], int]:
        """Return a page of the user's, newest first, and how many there are in all."""
        newest = (credentials.c.created_at.desc(), credentials.c.id.desc())
        query = select(credentials).where(credentials.c.user_id == user_id, _PRESENT).order_by(*newest)
        with self._database.reading() as connection:
            rows = connection.execute(query.limit(limit).offset(min(offset, LARGEST))).all()
            return [_credential(row) for row in rows], _count(connection, user_id)

    def remove(self, user_id: str, credential_id: UUID, at: datetime) -> None:
        """Erase the key.

        Raises:
            NotFound: the user has none of this id.
        """
        own = _own(user_id, credential_id)
        erased = {"sealed": None, "hint": "", "removed_at": at}
        with self._database.transaction() as connection:
            # Of one whose seal could still be sent again the row has to stay, or that would bring it back.
            kept = connection.execute(
                update(credentials).where(own, credentials.c.seal_expires_at > at).values(erased)
            )
            if not kept.rowcount and not connection.execute(delete(credentials).where(own)).rowcount:
                raise NotFound

    def purge(self, before: datetime) -> int:
        """Delete what is left of removed ones whose seal has expired; return how many."""
        expired = credentials.c.removed_at.is_not(None) & (credentials.c.seal_expires_at <= before)
        with self._database.transaction() as connection:
            return connection.execute(delete(credentials).where(expired)).rowcount


def _own(user_id: str, credential_id: UUID) -> ColumnElement[bool]:
    return (credentials.c.id == credential_id) & (credentials.c.user_id == user_id) & _PRESENT


def _with_seal(connection: Connection, user_id: str, seal: Seal) -> Row[Any] | None:
    same = (credentials.c.user_id == user_id) & (credentials.c.seal_digest == seal.digest)
    return connection.execute(select(credentials).where(same)).one_or_none()


def _count(connection: Connection, user_id: str) -> int:
    query = select(func.count()).select_from(credentials).where(credentials.c.user_id == user_id, _PRESENT)
    return connection.scalar(query) or 0


def _values(credential: Credential, sealed: bytes, seal: Seal | None) -> dict[str, Any]:
    return {
        "id": credential.id,
        "user_id": credential.user_id,
        "hint": credential.hint,
        "created_at": credential.created_at,
        "sealed": sealed,
        "seal_digest": seal.digest if seal else None,
        "seal_expires_at": seal.expires_at if seal else None,
    }


def _credential(row: Row[Any]) -> Credential:
    return Credential(row.id, row.user_id, row.hint, row.created_at)
