"""Stored answers to calls with an Idempotency-Key."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, delete, func, insert, select, tuple_, update

from sidecar.model.answer import Attempt
from sidecar.storage.database import Database
from sidecar.storage.tables import answers

#: Rows deleted in one transaction, so that nobody waits long.
_STEP = 1000

_KEY = (answers.c.user_id, answers.c.key)


class AnswerStore:
    """Keeps attempts by user and key; it opens no seal and does not know what a repeat should get."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, attempt: Attempt) -> Attempt | None:
        """Store a new attempt, or return the one that has its key already."""
        with self._database.transaction() as connection:
            found = _found(connection, attempt)
            if found is None:
                connection.execute(insert(answers).values(vars(attempt)))
            return found

    def find(self, attempt: Attempt) -> Attempt | None:
        """Return the attempt that has this one's key."""
        with self._database.reading() as connection:
            return _found(connection, attempt)

    def finish(self, attempt: Attempt) -> None:
        """Store what an attempt was answered."""
        answered = {name: getattr(attempt, name) for name in ("status", "content_type", "sealed")}
        with self._database.transaction() as connection:
            connection.execute(update(answers).where(_is(attempt)).values(answered))

    def forget(self, attempt: Attempt) -> None:
        """Delete an attempt: its key is as good as new."""
        with self._database.transaction() as connection:
            connection.execute(delete(answers).where(_is(attempt)))

    def purge(self, before: datetime) -> None:
        """Delete what began before a time, in steps of their own transactions."""
        old = select(*_KEY).where(answers.c.created_at < before).order_by(answers.c.created_at).limit(_STEP)
        gone = _STEP
        while gone == _STEP:
            with self._database.transaction() as connection:
                gone = connection.execute(delete(answers).where(tuple_(*_KEY).in_(old))).rowcount

    def hoarders(self, most: int, most_bytes: int) -> frozenset[str]:
        """Return the users who have so many attempts, or so many bytes in them."""
        many = func.count() >= most
        large = func.sum(func.length(answers.c.sealed)) >= most_bytes
        query = select(answers.c.user_id).group_by(answers.c.user_id).having(many | large)
        with self._database.reading() as connection:
            return frozenset(connection.scalars(query))


def _is(attempt: Attempt) -> ColumnElement[bool]:
    return and_(answers.c.user_id == attempt.user_id, answers.c.key == attempt.key)


def _found(connection: Connection, attempt: Attempt) -> Attempt | None:
    row = connection.execute(select(answers).where(_is(attempt))).mappings().one_or_none()
    return Attempt(**row) if row is not None else None
