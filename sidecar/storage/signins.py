"""Stored sign-ins."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, insert, select

from sidecar.model.signin import SignIn
from sidecar.storage.database import Database
from sidecar.storage.tables import sign_ins


class SignInStore:
    """Keeps who has signed in to the pages, by the hash of the token; those of a deleted key go with it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, sign_in: SignIn) -> None:
        """Store a new one."""
        values = {
            "digest": sign_in.digest,
            "key_id": sign_in.key_id,
            "created_at": sign_in.created_at,
            "expires_at": sign_in.expires_at,
        }
        with self._database.transaction() as connection:
            connection.execute(insert(sign_ins).values(values))

    def find(self, digest: bytes) -> SignIn | None:
        """Return the one whose token has this hash, if there is one."""
        with self._database.reading() as connection:
            row = connection.execute(select(sign_ins).where(sign_ins.c.digest == digest)).one_or_none()
        return SignIn(row.digest, row.key_id, row.created_at, row.expires_at) if row is not None else None

    def remove(self, digest: bytes) -> bool:
        """Forget one; return whether there was one."""
        with self._database.transaction() as connection:
            return connection.execute(delete(sign_ins).where(sign_ins.c.digest == digest)).rowcount > 0

    def purge(self, before: datetime) -> int:
        """Forget those that expired up to a time; return how many."""
        with self._database.transaction() as connection:
            return connection.execute(delete(sign_ins).where(sign_ins.c.expires_at <= before)).rowcount
