"""Looking at a database without changing anything, for the doctor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, func, literal_column, select

from sidecar.storage.database import Database
from sidecar.storage.kinds import KINDS, Kind
from sidecar.storage.tables import audit, credentials, outputs, sessions

#: Bytes of a sealed value that name its key; see `Cipher`.
_HEADER_BYTES = 9


@dataclass(frozen=True)
class Sample:
    """One of the rows of a kind that are sealed under the same key, and how many there are."""

    #: What is sealed, in words.
    kind: str
    count: int
    purpose: str
    sealed: bytes


#: Times that were taken from the clock when something was stored.
_TAKEN = (
    sessions.c.created_at,
    sessions.c.last_activity_at,
    outputs.c.stored_at,
    credentials.c.created_at,
    audit.c.at,
)


class Inspection:
    """Questions to an open database. All raise `StorageUnavailable`; those on rows need the newest schema."""

    def __init__(self, database: Database) -> None:
        """Ask `database`."""
        self._database = database

    def server(self) -> int | None:
        """Return PostgreSQL's version as it counts them, 150004 say; None for SQLite."""
        with self._database.reading() as connection:
            if connection.dialect.name == "sqlite":
                return None
            return int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())

    def writable(self) -> bool:
        """Tell whether rows could be written."""
        with (
            self._database.transaction() as connection
        ):  # SQLite refuses it for a file that cannot be written
            if connection.dialect.name == "sqlite":
                return True
            return str(connection.exec_driver_sql("SHOW transaction_read_only").scalar_one()) == "off"

    def damage(self) -> str | None:
        """Return what is wrong inside an SQLite file, or None; a server looks after its files itself."""
        with self._database.reading() as connection:
            if connection.dialect.name != "sqlite":
                return None
            said = str(connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one())
            return None if said == "ok" else said

    def time(self) -> datetime | None:
        """Return what the server's clock says; None for SQLite, which has none of its own."""
        with self._database.reading() as connection:
            if connection.dialect.name == "sqlite":
                return None
            found: datetime = connection.exec_driver_sql("SELECT clock_timestamp()").scalar_one()
            return found.astimezone(UTC)

    def newest(self) -> datetime | None:
        """Return the latest time that was stored, or None if nothing was."""
        with self._database.reading() as connection:
            times = [connection.scalar(select(func.max(column))) for column in _TAKEN]
        return max((time for time in times if time is not None), default=None)

    def samples(self) -> list[Sample]:
        """Return a row for each kind and each key it is sealed under."""
        with self._database.reading() as connection:
            return [sample for kind in KINDS for sample in _samples(connection, kind)]


def _samples(connection: Connection, kind: Kind) -> Iterator[Sample]:
    header = func.substr(kind.sealed, literal_column("1"), literal_column(str(_HEADER_BYTES)))
    groups = select(header, func.count()).where(kind.sealed.is_not(None)).group_by(header)
    for found, count in connection.execute(groups).all():
        query = select(kind.sealed, *kind.bound).where(header == found).limit(1)
        for row in connection.execute(query):  # on PostgreSQL it may have been deleted meanwhile
            values: list[Any] = list(row)
            yield Sample(kind.name, count, kind.purpose(*values[1:]), values[0])
