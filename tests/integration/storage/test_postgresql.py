"""What is peculiar to PostgreSQL: a server that goes away and comes back."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from sidecar.errors import StorageUnavailable
from sidecar.storage.database import Database
from sidecar.storage.outputs import OutputStore
from sidecar.storage.sessions import SessionStore
from sidecar.vault.cipher import Cipher
from tests.fixtures.postgresql import Cluster
from tests.integration.storage.samples import NOON, a_chunk, added


@pytest.fixture
def database(own_postgresql: Cluster) -> Iterator[Database]:
    opened = Database(own_postgresql.url("postgres"), connect_timeout_s=1)
    opened.open()
    opened.migrate()
    yield opened
    opened.close()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGQUIT], ids=["stopped", "crashed"])
def test_a_server_that_went_away_and_came_back_needs_no_restart_of_ours(
    own_postgresql: Cluster, database: Database, cipher: Cipher, how: signal.Signals
) -> None:
    sessions, outputs = SessionStore(database), OutputStore(database, cipher)
    session = added(sessions)
    batch = [(session.id, a_chunk(0, b"bytes"))]

    own_postgresql.stop(how)
    for call in (database.ping, lambda: sessions.get(session.id), lambda: outputs.append(batch, NOON)):
        with pytest.raises(StorageUnavailable):
            call()
    own_postgresql.start()

    database.ping()
    outputs.append(batch, NOON)
    assert outputs.read(session.id, 0, 10) == a_chunk(0, b"bytes")


def test_a_server_lost_within_a_transaction_is_told(own_postgresql: Cluster, database: Database) -> None:
    with pytest.raises(StorageUnavailable):
        _update_twice(database, lambda: own_postgresql.stop(signal.SIGQUIT))


def test_a_server_that_hangs_is_given_up_and_used_again_later(
    own_postgresql: Cluster, database: Database
) -> None:
    sessions = SessionStore(database)
    session = added(sessions)

    with _frozen(own_postgresql), pytest.raises(StorageUnavailable):
        sessions.get(session.id)

    assert sessions.get(session.id) == session


def test_a_server_that_hangs_within_a_transaction_is_given_up(
    own_postgresql: Cluster, database: Database
) -> None:
    session = added(SessionStore(database))
    with ExitStack() as freezer, pytest.raises(StorageUnavailable):
        _update_twice(database, lambda: freezer.enter_context(_frozen(own_postgresql)))

    assert SessionStore(database).get(session.id) == session


def _update_twice(database: Database, in_between: Callable[[], object]) -> None:
    with database.transaction() as connection:
        connection.execute(text("UPDATE sessions SET user_id = 'bob'"))
        in_between()
        connection.execute(text("UPDATE sessions SET user_id = 'eve'"))


def test_a_statement_that_takes_too_long_is_cancelled(database: Database) -> None:
    with pytest.raises(StorageUnavailable), database.reading() as connection:
        connection.execute(text("SELECT pg_sleep(60)"))

    database.ping()


def test_a_wrong_password_is_unavailable_and_not_repeated(own_postgresql: Cluster) -> None:
    wrong = Database(f"postgres://tester:swordfish@127.0.0.1:{own_postgresql.port}/postgres")
    wrong.open()

    with pytest.raises(StorageUnavailable) as caught:
        wrong.ping()
    wrong.close()

    assert "swordfish" not in "".join(traceback.format_exception(caught.value))


@contextmanager
def _frozen(cluster: Cluster) -> Iterator[None]:
    """Stop the server and all its backends from running, as a hanging disk would."""
    assert cluster.process is not None
    server = cluster.process.pid
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    pids = [server, *map(int, children)]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
