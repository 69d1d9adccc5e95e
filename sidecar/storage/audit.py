"""The stored audit trail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, delete, func, insert, select
from sqlalchemy.engine import RowMapping

from sidecar.model.event import GENESIS, Entry, Event, Search, facts
from sidecar.storage.database import AUDIT_LOCK, Database, take_turns
from sidecar.storage.tables import LARGEST, audit

#: Below every number.
LOWEST = -(2**63)
#: Entries read in one transaction when many are wanted.
_PAGE = 500
#: Entries deleted in one transaction; new ones wait no longer than that takes.
_STEP = 5000


class AuditStore:
    """Keeps the entries in their order. It adds and forgets; it never changes one."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def append(self, events: Sequence[Event]) -> int:
        """Add those `events` that are not in yet, and return how many those were."""
        if not events:
            return 0
        with self._database.transaction() as connection:
            # Two at once would chain to the same entry: the service and the command line both add.
            take_turns(connection, AUDIT_LOCK)
            entries = _chained(connection, _unknown(connection, events))
            if entries:
                connection.execute(insert(audit), [_row(entry) for entry in entries])
        return len(entries)

    def newest(self, search: Search, limit: int, last: int = LARGEST) -> list[Entry]:
        """Return the newest entries up to `last` that fit, at most `limit`, oldest first.

        Raises:
            ValueError: one of them is not readable.
        """
        query = _matching(search).where(audit.c.number <= last)
        return self._read(query.order_by(audit.c.number.desc()).limit(limit))[::-1]

    def after(self, number: int, search: Search, limit: int = _PAGE) -> list[Entry]:
        """Return the first entries behind `number` that fit, at most `limit`.

        Raises:
            ValueError: one of them is not readable.
        """
        query = _matching(search).where(audit.c.number > number)
        return self._read(query.order_by(audit.c.number).limit(limit))

    def between(self, number: int, last: int, search: Search) -> Iterator[Entry]:
        """Give every entry behind `number` up to `last` that fits, reading some at a time.

        Raises:
            ValueError: one of them is not readable.
        """
        while page := self.after(number, search):
            yield from (entry for entry in page if entry.number <= last)
            number = page[-1].number
            if number >= last:
                return

    def first(self, after: int = LOWEST) -> int | None:
        """Return the number of the first entry behind `after`, if there is one."""
        with self._database.reading() as connection:
            found: int | None = connection.scalar(
                select(func.min(audit.c.number)).where(audit.c.number > after)
            )
            return found

    def last(self) -> int:
        """Return the number of the newest entry; 0 without any."""
        with self._database.reading() as connection:
            return connection.scalar(select(func.max(audit.c.number))) or 0

    def delete_before(self, time: datetime) -> int:
        """Delete the entries older than `time`, and return their number.

        Only from the oldest on, and never the newest: what is left is one chain, and numbers go on.
        """
        kept = select(func.min(audit.c.number)).where(audit.c.at >= time)
        return self._delete(lambda connection, last: connection.scalar(kept) or last)

    def delete_all_but(self, count: int) -> int:
        """Delete the oldest entries until there are `count`, at least one, and return the number deleted."""
        return self._delete(lambda _, last: last - count + 1)

    def _delete(self, first_kept: Callable[[Connection, int], int]) -> int:
        deleted = 0
        while step := self._delete_some(first_kept):
            deleted += step
        return deleted

    def _delete_some(self, first_kept: Callable[[Connection, int], int]) -> int:
        newest = select(func.max(audit.c.number))
        oldest = select(func.min(audit.c.number))
        with self._database.transaction() as connection:
            take_turns(connection, AUDIT_LOCK)
            last = connection.scalar(newest) or 0
            bound = min(first_kept(connection, last), (connection.scalar(oldest) or 0) + _STEP)
            return connection.execute(delete(audit).where(audit.c.number < bound)).rowcount

    def _read(self, query: Select[Any]) -> list[Entry]:
        try:
            with self._database.reading() as connection:
                return [_entry(row) for row in connection.execute(query).mappings()]
        except (AttributeError, TypeError) as exc:  # somebody has put something else there
            raise ValueError("an entry is not readable") from exc


def _unknown(connection: Connection, events: Sequence[Event]) -> list[Event]:
    """Return the events that are not stored, each once: after a crash some come a second time."""
    fresh = {event.id: event for event in events}
    for known in connection.scalars(select(audit.c.id).where(audit.c.id.in_(fresh))).all():
        del fresh[known]
    return list(fresh.values())


def _chained(connection: Connection, events: Sequence[Event]) -> list[Entry]:
    query = select(audit.c.number, audit.c.digest).order_by(audit.c.number.desc()).limit(1)
    number, digest = connection.execute(query).one_or_none() or (0, GENESIS)
    entries = []
    for event in events:
        entry = Entry.following(number, digest, event)
        entries.append(entry)
        number, digest = entry.number, entry.digest
    return entries


def _matching(search: Search) -> Select[Any]:
    columns = audit.c
    conditions: list[ColumnElement[bool] | None] = [
        None if search.since is None else columns.at >= search.since,
        None if search.until is None else columns.at < search.until,
        None if search.user_id is None else columns.user_id == search.user_id,
        None if search.session_id is None else columns.session_id == search.session_id,
        None if search.action is None else _like(columns.action, search.action),
        None if search.actor is None else _like(columns.actor, search.actor),
        None if search.after is None else columns.number > search.after,
    ]
    return select(audit).where(*(condition for condition in conditions if condition is not None))


def _like(column: ColumnElement[str], pattern: str) -> ColumnElement[bool]:
    """Compare with a pattern in which only `*` is special."""
    if "*" not in pattern:
        return column == pattern
    for special in "\\%_":
        pattern = pattern.replace(special, f"\\{special}")
    return column.like(pattern.replace("*", "%"), escape="\\")


def _row(entry: Entry) -> dict[str, Any]:
    event = entry.event
    return {
        "number": entry.number,
        "id": event.id,
        "at": event.at,
        "actor": event.actor,
        "action": event.action,
        "user_id": event.user_id,
        "session_id": event.session_id,
        "request_id": event.request_id,
        "detail": json.dumps(dict(event.detail)),
        "digest": entry.digest,
    }


def _entry(row: RowMapping) -> Entry:
    event = Event(
        id=row["id"],
        at=row["at"],
        actor=row["actor"],
        action=row["action"],
        user_id=row["user_id"],
        session_id=row["session_id"],
        request_id=row["request_id"],
        detail=facts(json.loads(row["detail"])),
    )
    return Entry(row["number"], event, row["digest"])
