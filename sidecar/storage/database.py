"""The connection to the database, and its schema."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, func, inspect, make_url, select, text
from sqlalchemy.exc import ArgumentError, DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from sidecar.errors import ConfigurationError, StorageUnavailable
from sidecar.storage import sqlite
from sidecar.storage.migrations import revisions

#: A migration may rewrite tables, so it gets longer than a statement of a request.
_MIGRATION_S = 3600.0

#: Numbers of PostgreSQL's advisory locks; any other program in the same database must not use them.
MIGRATION_LOCK, LIMITS_LOCK, TRIM_LOCK = 0x5C1A_0001, 0x5C1A_0002, 0x5C1A_0003
AUDIT_LOCK = 0x5C1A_0004
SEALING_LOCK, CREDENTIALS_LOCK = 0x5C1A_0005, 0x5C1A_0006


class Database:
    """A database by its address. Open it after a fork, never before.

    A database that goes away makes calls fail with `StorageUnavailable` within about
    `connect_timeout_s` seconds; when it is back they succeed again. Nothing is tried twice here.
    """

    def __init__(self, url: str, *, connect_timeout_s: float = 5) -> None:
        """Read the address; nothing is opened yet.

        Raises:
            ConfigurationError: it is not an address of SQLite or PostgreSQL. The text does not repeat it.
        """
        self._url = _parse(url)
        self._timeout_s = connect_timeout_s
        self._engine: Engine | None = None
        self._writing = threading.Lock()

    def open(self) -> None:
        """Get ready to connect. Whether the database answers is seen by the first call.

        Raises:
            ConfigurationError: the driver is not installed.
            StorageUnavailable: the SQLite file cannot be made.
        """
        if self._engine is None:
            self._engine = self._build(self._timeout_s)

    def close(self) -> None:
        """Close all connections that are not in use just now."""
        engine, self._engine = self._engine, None
        if engine is not None:
            engine.dispose()

    def ping(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            StorageUnavailable: there is none.
        """
        with self.reading() as connection:
            # SELECT 1 would not look at an SQLite file at all.
            probe = "PRAGMA schema_version" if connection.dialect.name == "sqlite" else "SELECT 1"
            connection.exec_driver_sql(probe)

    def migrate(self) -> None:
        """Bring the schema to the newest version; all of it or nothing.

        Raises:
            ConfigurationError: the schema is of a newer program.
            StorageUnavailable: the database does not answer.
        """
        if self.outdated():
            self._upgrade()

    def outdated(self) -> bool:
        """Tell whether `migrate` has something to do.

        Raises:
            ConfigurationError: the schema is of a newer program.
            StorageUnavailable: the database does not answer.
        """
        present, known = self.revision(), revisions()
        if present is not None and present not in known:
            raise ConfigurationError("the database belongs to a newer version of this program")
        return present != known[-1]

    def revision(self) -> str | None:
        """Return the number of the schema's newest step; None if there is no schema yet.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        with self.reading() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
            return found

    @property
    def file(self) -> Path | None:
        """Return the file of an SQLite database, which need not exist yet; None for a server."""
        return sqlite.file_of(self._url) if self._url.get_backend_name() == "sqlite" else None

    def explain(self, error: StorageUnavailable) -> str:
        """Return the driver's own words on a failure, for the operator alone; the password is taken out."""
        cause = error.__cause__
        said = str(getattr(cause, "orig", None) or getattr(cause, "strerror", None) or error.detail)
        words = (said.strip().splitlines() or [error.detail])[0]
        return words.replace(self._url.password, "***") if self._url.password else words

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give a connection for reading and writing; commit at the end, roll back on any exception.

        Raises:
            StorageUnavailable: for every error of the database.
        """
        with _translated(), self._turn(), self._opened().connect() as plain:
            connection = plain.execution_options(**{sqlite.WRITES: True})
            with connection.begin():
                yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection for reading only; it waits for no writer.

        Raises:
            StorageUnavailable: for every error of the database.
        """
        with _translated(), self._opened().connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait for the other writers of this process, where one at a time may write.

        SQLite's own waiting is to sleep and look again, in no order, and each who waits keeps a connection from
        those who read.
        """
        if self._url.get_backend_name() != "sqlite":
            yield
            return
        if not self._writing.acquire(timeout=self._timeout_s):
            raise StorageUnavailable("The database is busy.")
        try:
            yield
        finally:
            self._writing.release()

    def _opened(self) -> Engine:
        if self._engine is None:
            raise StorageUnavailable("the database is not open")
        return self._engine

    def _build(self, statement_s: float) -> Engine:
        if self._url.get_backend_name() == "sqlite":
            return sqlite.create(self._url, timeout_s=self._timeout_s)
        try:
            from sidecar.storage import postgresql
        except ImportError:
            raise ConfigurationError("PostgreSQL needs the package's extra: postgresql") from None
        return postgresql.create(self._url, connect_s=self._timeout_s, statement_s=statement_s)

    def _upgrade(self) -> None:
        # Alembic and its templates take memory for good once loaded; a service whose schema is the
        # newest never loads them.
        from alembic import command, config

        settings = config.Config()
        settings.set_main_option("script_location", "sidecar.storage:migrations")
        engine = self._build(_MIGRATION_S)
        try:
            with _translated(), engine.connect() as plain:
                connection = plain.execution_options(**{sqlite.WRITES: True})
                with connection.begin():
                    take_turns(connection, MIGRATION_LOCK)
                    settings.attributes["connection"] = connection
                    command.upgrade(settings, "head")
        finally:
            engine.dispose()
            gc.collect()


def take_turns(connection: Connection, lock: int) -> None:
    """Let one transaction at a time past here, until it ends. On SQLite every writing one is alone anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(lock)))


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationError("the database address cannot be read") from None
    if parsed.drivername == "sqlite":
        sqlite.file_of(parsed)
        return parsed
    if parsed.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return parsed.set(drivername="postgresql+psycopg")
    raise ConfigurationError("the database address must begin with sqlite:/// or postgresql://")


@contextmanager
def _translated() -> Iterator[None]:
    """Turn the library's errors into ours; its texts hold SQL and addresses, so they stay in the cause."""
    try:
        yield
    except (OperationalError, InterfaceError) as exc:
        raise StorageUnavailable from exc
    except DBAPIError as exc:
        raise StorageUnavailable(f"The database refused the operation ({type(exc.orig).__name__}).") from exc
    except SQLAlchemyError as exc:
        raise StorageUnavailable(f"The database cannot be used now ({type(exc).__name__}).") from exc
