"""What is peculiar to SQLite: its files, a full disk, a lock, garbage."""

from __future__ import annotations

import os
import sqlite3
import stat
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from sidecar.errors import StorageUnavailable
from sidecar.storage.database import Database
from sidecar.storage.outputs import OutputStore
from sidecar.storage.sessions import SessionStore
from sidecar.vault.cipher import Cipher
from tests.integration.storage.samples import NOON, a_chunk, a_session, added


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "data" / "sidecar.db"


@pytest.fixture
def database(file: Path) -> Iterator[Database]:
    file.parent.mkdir()
    opened = Database(f"sqlite:///{file}", connect_timeout_s=0.2)
    opened.open()
    yield opened
    opened.close()


@pytest.fixture
def loose_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def _modes(file: Path) -> set[int]:
    return {stat.S_IMODE(path.stat().st_mode) for path in file.parent.iterdir()}


@pytest.mark.usefixtures("loose_umask")
def test_its_files_are_for_the_owner_only(database: Database, file: Path) -> None:
    database.migrate()

    assert len(list(file.parent.iterdir())) == 3
    assert _modes(file) == {0o600}


def test_files_that_were_readable_for_others_are_narrowed(database: Database, file: Path) -> None:
    database.migrate()
    for path in file.parent.iterdir():
        path.chmod(0o644)

    other = Database(f"sqlite:///{file}")
    other.open()
    other.close()

    assert _modes(file) == {0o600}


def test_the_pragmas_are_set_on_every_connection(database: Database) -> None:
    expected = {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 200}
    with database.reading() as one, database.reading() as two:
        for connection in (one, two):
            assert expected == {
                name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in expected
            }


def test_a_full_disk_refuses_writing_until_there_is_room(database: Database, cipher: Cipher) -> None:
    database.migrate()
    sessions, outputs = SessionStore(database), OutputStore(database, cipher)
    session = added(sessions)
    batch = [(session.id, a_chunk(0, b"x" * 1_000_000))]
    _limit_pages(database, 30)

    for _ in range(2):
        with pytest.raises(StorageUnavailable):
            outputs.append(batch, NOON)
    assert outputs.read(session.id, 0, 10) is None
    assert sessions.get(session.id) == session

    _limit_pages(database, 10_000)
    outputs.append(batch, NOON)
    assert outputs.end(session.id) == 1_000_000


def _limit_pages(database: Database, pages: int) -> None:
    # Holds for the one connection, which is the only one the pool has made so far.
    with database.transaction() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


def test_a_lock_held_by_somebody_else_is_waited_for_and_then_told(database: Database, file: Path) -> None:
    database.migrate()
    sessions = SessionStore(database)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageUnavailable):
            sessions.add(a_session(), max_per_user=9, max_total=9)
        other.execute("ROLLBACK")

    added(sessions)


def test_many_that_wait_to_write_leave_connections_to_those_who_read(file: Path) -> None:
    file.parent.mkdir()
    database = Database(f"sqlite:///{file}", connect_timeout_s=60)
    database.open()
    database.migrate()
    sessions = SessionStore(database)
    with ThreadPoolExecutor(40) as pool:
        with database.transaction():  # somebody writes
            waiting = [pool.submit(added, sessions) for _ in range(40)]
            time.sleep(0.5)
            database.ping()
            assert not any(future.done() for future in waiting)  # nobody gave up for it
        assert all(future.result() for future in waiting)
    database.close()


def test_a_writer_that_keeps_the_others_waiting_too_long_is_told_of(database: Database) -> None:
    database.migrate()
    with (
        ThreadPoolExecutor(1) as pool,
        database.transaction(),
        pytest.raises(StorageUnavailable, match="busy"),
    ):
        pool.submit(added, SessionStore(database)).result()
    added(SessionStore(database))


def test_a_file_of_garbage_is_unavailable_until_it_is_put_right(database: Database, file: Path) -> None:
    file.write_bytes(b"this is not a database, not at all" * 1000)
    for call in (database.ping, database.migrate):
        with pytest.raises(StorageUnavailable):
            call()

    file.unlink()
    database.migrate()
    database.ping()


def test_a_torn_file_is_unavailable(database: Database, file: Path) -> None:
    database.migrate()
    added(SessionStore(database))
    database.close()
    os.truncate(file, file.stat().st_size // 2)
    database.open()

    with pytest.raises(StorageUnavailable):
        SessionStore(database).list("ann", limit=9, offset=0)


def test_a_folder_that_is_away_is_unavailable_until_it_is_back(database: Database, file: Path) -> None:
    away = file.parent.with_name("away")
    file.parent.rename(away)
    with pytest.raises(StorageUnavailable):
        database.ping()

    away.rename(file.parent)
    database.migrate()
    database.ping()


def test_a_file_that_cannot_be_made_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable):
        Database(f"sqlite:///{tmp_path}/missing/sidecar.db").open()
