"""Stored terminal output."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, case, func, insert, select, tuple_, update

from sidecar.model import purpose
from sidecar.model.output import Chunk
from sidecar.storage import retention
from sidecar.storage.database import Database
from sidecar.storage.frame import cut, join, pack, unpack
from sidecar.storage.tables import LARGEST, outputs, sessions

#: How much `chunks` holds at a time, in bytes.
_PAGE_BYTES = 1024 * 1024

#: Keys asked for in one query; SQLite takes 32,766 parameters.
_KEYS_AT_ONCE = 1000

_Key = tuple[UUID, int]

#: Offset, length, sealed.
_Stored = Row[int, int, bytes]


class Sealer(Protocol):
    """What this module needs of a cipher."""

    def encrypt(self, plaintext: bytes, purpose: str) -> bytes:
        """Return a token that opens only for the same `purpose`."""

    def decrypt(self, token: bytes, purpose: str) -> bytes:
        """Return what was encrypted for `purpose`, or raise `DecryptionFailed`."""


class OutputStore:
    """Keeps output by session and absolute offset, sealed. Rows never overlap; gaps are what was never kept."""

    def __init__(self, database: Database, cipher: Sealer) -> None:
        self._database = database
        self._cipher = cipher

    def append(self, batch: Sequence[tuple[UUID, Chunk]], at: datetime) -> None:
        """Store chunks, all or none, and raise their sessions' output offsets.

        What is already stored at an offset stays, so the same batch can be handed over again when it is not
        known whether it was stored; it must be cut into the same chunks. Chunks of sessions that have been
        deleted are dropped.
        """
        rows = self._seal(batch, at)
        if not rows:
            return
        with self._database.transaction() as connection:
            present = _lock_sessions(connection, {session_id for session_id, _ in rows})
            kept = {key: row for key, row in rows.items() if key[0] in present}
            stored = _stored(connection, list(kept))
            fresh = [row for key, row in kept.items() if key not in stored]
            if fresh:
                connection.execute(insert(outputs), fresh)
            if kept:
                connection.execute(_RAISE, _totals(list(kept.values()), fresh))

    def read(self, session_id: UUID, cursor: int, limit: int) -> Chunk | None:
        """Return at most `limit` stored bytes at or behind `cursor`, up to the next gap; None if there are none.

        Raises:
            DecryptionFailed: what is stored there was damaged, or sealed with a key that is gone.
        """
        if limit < 1:
            raise ValueError("limit must be at least 1")
        rows = self._rows(session_id, max(0, min(cursor, LARGEST - limit)), limit)
        if not rows:
            return None
        start = max(cursor, rows[0].offset)
        return cut(join(self._open(session_id, row) for row in _adjacent(rows)), start, start + limit)

    def chunks(self, session_id: UUID) -> Iterator[Chunk]:
        """Yield all stored output in order, about a megabyte at a time.

        No transaction stays open in between, so output stored or trimmed meanwhile is seen or missed.
        Chunks come joined, not as they were appended.
        """
        cursor = 0
        while (chunk := self.read(session_id, cursor, _PAGE_BYTES)) is not None:
            yield chunk
            cursor = chunk.end

    def end(self, session_id: UUID) -> int:
        """Return the offset behind the last byte that was stored, also if it was trimmed; 0 if none was."""
        query = select(sessions.c.output_offset).where(sessions.c.id == session_id)
        with self._database.reading() as connection:
            return connection.scalar(query) or 0

    def trim(self, *, per_session: int, total: int) -> int:
        """Delete the oldest chunks of what is over these limits, in bytes of output; return the bytes deleted."""
        return retention.trim(self._database, per_session=per_session, total=total)

    def _seal(self, batch: Sequence[tuple[UUID, Chunk]], at: datetime) -> dict[_Key, dict[str, Any]]:
        """Encrypt before the transaction, so that no lock is held meanwhile. The first of equal keys stays."""
        rows: dict[_Key, dict[str, Any]] = {}
        for session_id, chunk in batch:
            key = (session_id, chunk.offset)
            if chunk.data and key not in rows:
                sealed = self._cipher.encrypt(pack(chunk), purpose.output(*key))
                rows[key] = _values(session_id, chunk, at, sealed)
        return rows

    def _rows(self, session_id: UUID, cursor: int, limit: int) -> Sequence[_Stored]:
        """Return the rows of `limit` bytes from the first one that reaches behind `cursor`."""
        own = outputs.c.session_id == session_id
        query = select(outputs.c.offset, outputs.c.length, outputs.c.sealed).where(own)
        with self._database.reading() as connection:
            first = connection.scalar(_first_behind(session_id, cursor))
            if first is None:
                return []
            window = outputs.c.offset.between(first, max(cursor, first) + limit - 1)
            return connection.execute(query.where(window).order_by(outputs.c.offset)).all()

    def _open(self, session_id: UUID, row: _Stored) -> Chunk:
        return unpack(row.offset, self._cipher.decrypt(row.sealed, purpose.output(session_id, row.offset)))


#: Raises a session's end and its count of stored bytes.
_RAISE = (
    update(sessions)
    .where(sessions.c.id == bindparam("of_session"))
    .values(
        output_offset=case(
            (sessions.c.output_offset < bindparam("end"), bindparam("end")), else_=sessions.c.output_offset
        ),
        stored_bytes=sessions.c.stored_bytes + bindparam("added"),
    )
)


def _values(session_id: UUID, chunk: Chunk, at: datetime, sealed: bytes) -> dict[str, Any]:
    place = {"session_id": session_id, "offset": chunk.offset, "length": len(chunk.data)}
    return {**place, "stored_at": at, "sealed": sealed}


def _lock_sessions(connection: Connection, ids: set[UUID]) -> set[UUID]:
    """Return those that exist, and keep them from being deleted; in order, so that two never wait for each other."""
    query = select(sessions.c.id).where(sessions.c.id.in_(ids)).order_by(sessions.c.id)
    return set(connection.scalars(query.with_for_update()))


def _stored(connection: Connection, keys: Sequence[_Key]) -> set[_Key]:
    """Return which of `keys` are taken; the locked sessions keep others from adding any."""
    found: set[_Key] = set()
    rest = iter(keys)
    columns = (outputs.c.session_id, outputs.c.offset)
    while some := list(islice(rest, _KEYS_AT_ONCE)):
        rows = connection.execute(select(*columns).where(tuple_(*columns).in_(some)))
        found.update((row.session_id, row.offset) for row in rows)
    return found


def _totals(kept: Sequence[dict[str, Any]], fresh: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the parameters of `_RAISE`, one for each session."""
    ends: dict[UUID, int] = {}
    added: dict[UUID, int] = {}
    for row in kept:
        ends[row["session_id"]] = max(ends.get(row["session_id"], 0), row["offset"] + row["length"])
    for row in fresh:
        added[row["session_id"]] = added.get(row["session_id"], 0) + row["length"]
    return [{"of_session": of, "end": ends[of], "added": added.get(of, 0)} for of in sorted(ends)]


def _first_behind(session_id: UUID, cursor: int) -> Any:
    """Select the first row that reaches behind `cursor`, starting the search at the row before it."""
    own = outputs.c.session_id == session_id
    before = select(func.max(outputs.c.offset)).where(own, outputs.c.offset <= cursor).scalar_subquery()
    reaches = outputs.c.offset + outputs.c.length > cursor
    near = outputs.c.offset >= func.coalesce(before, 0)
    return select(outputs.c.offset).where(own, near, reaches).order_by(outputs.c.offset).limit(1)


def _adjacent(rows: Sequence[_Stored]) -> Iterator[_Stored]:
    """Yield rows until one does not begin where the one before ended."""
    end = rows[0].offset
    for row in rows:
        if row.offset != end:
            return
        yield row
        end = row.offset + row.length
