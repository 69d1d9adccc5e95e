"""SQLite as the embedded database."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event

from sidecar.errors import ConfigurationError, StorageUnavailable

#: Execution option of a connection that will write.
WRITES = "sidecar_writes"

#: A WAL file that grew is cut back to this at the next checkpoint, in bytes.
_WAL_LIMIT_BYTES = 16 * 1024 * 1024

_PRIVATE = 0o600


def create(url: URL, *, timeout_s: float) -> Engine:
    """Return an engine whose connections wait at most `timeout_s` for a lock. Makes the file, mode 0600.

    Raises:
        StorageUnavailable: the file cannot be made.
    """
    _make_private(file_of(url))
    engine = create_engine(
        url,
        hide_parameters=True,
        connect_args={"timeout": timeout_s},
        pool_size=4,
        max_overflow=12,
        pool_timeout=timeout_s,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def file_of(url: URL) -> Path:
    """Return the database's file.

    Raises:
        ConfigurationError: it is a database in memory, which every connection would have for itself.
    """
    name = url.database or ""
    if name in ("", ":memory:") or name.startswith("file:"):
        raise ConfigurationError("an SQLite database must be a plain file: sqlite:////path/to/sidecar.db")
    return Path(name)


def _prepare(connection: SqliteConnection, _record: Any) -> None:
    # Without this the module starts transactions by its own rules, deferred and only before writes.
    connection.isolation_level = None
    for pragma in (
        "journal_mode = WAL",
        # In WAL mode a crash of the process loses nothing; a power cut may lose the last commits.
        "synchronous = NORMAL",
        "foreign_keys = ON",
        f"journal_size_limit = {_WAL_LIMIT_BYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes later fails at once, without waiting, when another one
    # wrote in between. So the lock is taken at the start.
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _make_private(path: Path) -> None:
    """Make `path` for the owner only; SQLite gives the -wal and -shm files the same mode."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, _PRIVATE))
    except FileExistsError:
        # Not opened to be changed: closing it would drop every lock this process has on the file.
        for suffix in ("", "-wal", "-shm"):
            _narrow(path.with_name(path.name + suffix))
    except OSError as exc:
        raise StorageUnavailable("the database file cannot be made") from exc


def _narrow(path: Path) -> None:
    try:
        if stat.S_IMODE(path.stat().st_mode) & ~_PRIVATE:
            path.chmod(_PRIVATE)
    except FileNotFoundError:
        pass
    except OSError as exc:
        raise StorageUnavailable("the database file cannot be kept private") from exc
