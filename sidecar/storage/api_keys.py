"""Stored API keys."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.engine import RowMapping

from sidecar.errors import NotFound
from sidecar.model.caller import ApiKey, Scope
from sidecar.storage.database import Database
from sidecar.storage.tables import api_keys


class ApiKeyStore:
    """Keeps API keys with the hashes of their texts; it compares nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, key: ApiKey, digest: bytes) -> None:
        """Store a new key and the hash of its text."""
        values = {
            "id": key.id,
            "user_id": key.user_id,
            "name": key.name,
            "scopes": " ".join(sorted(key.scopes)),
            "created_at": key.created_at,
            "expires_at": key.expires_at,
            "digest": digest,
        }
        with self._database.transaction() as connection:
            connection.execute(insert(api_keys).values(values))

    def find(self, key_id: str) -> tuple[ApiKey, bytes] | None:
        """Return the key of this id with its hash, if there is one."""
        with self._database.reading() as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.id == key_id)).mappings().one_or_none()
        return (_key(row), row["digest"]) if row is not None else None

    def list(self, user_id: str | None = None) -> Sequence[ApiKey]:
        """Return the keys of a user, or of all, oldest first."""
        query = select(api_keys).order_by(api_keys.c.created_at, api_keys.c.id)
        if user_id is not None:
            query = query.where(api_keys.c.user_id == user_id)
        with self._database.reading() as connection:
            return [_key(row) for row in connection.execute(query).mappings()]

    def revoke(self, key_id: str, at: datetime) -> bool:
        """End a key; return whether it was not revoked before.

        Raises:
            NotFound: there is no key of this id.
        """
        of_id = api_keys.c.id == key_id
        with self._database.transaction() as connection:
            known = connection.scalar(select(api_keys.c.id).where(of_id))
            if known is None:
                raise NotFound
            query = update(api_keys).where(of_id, api_keys.c.revoked_at.is_(None)).values(revoked_at=at)
            return connection.execute(query).rowcount > 0

    def used(self, key_id: str, at: datetime) -> None:
        """Note when a key was used."""
        with self._database.transaction() as connection:
            connection.execute(update(api_keys).where(api_keys.c.id == key_id).values(last_used_at=at))


def _key(row: RowMapping) -> ApiKey:
    return ApiKey(
        id=row["id"],
        user_id=row["user_id"],
        name=row["name"],
        scopes=frozenset(Scope(name) for name in row["scopes"].split()),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        last_used_at=row["last_used_at"],
        revoked_at=row["revoked_at"],
    )
