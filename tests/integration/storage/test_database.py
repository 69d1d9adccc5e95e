"""The database as a whole, on both kinds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import insert, select, text

from sidecar.errors import StorageUnavailable
from sidecar.storage.database import Database
from sidecar.storage.sessions import SessionStore
from sidecar.storage.tables import outputs as outputs_table
from tests.integration.storage.samples import NOON, a_session, added


class Deliberate(Exception):
    """Raised by a test inside a transaction."""


def test_a_database_that_answers_is_pinged(database: Database) -> None:
    database.ping()


def test_a_transaction_that_fails_leaves_nothing(database: Database, sessions: SessionStore) -> None:
    session = added(sessions)
    row = {"session_id": session.id, "offset": 0, "length": 1, "stored_at": NOON, "sealed": b"x"}

    with pytest.raises(Deliberate):
        _insert_and_fail(database, row)

    with database.reading() as connection:
        assert connection.execute(select(outputs_table.c.offset)).all() == []


def _insert_and_fail(database: Database, row: dict[str, Any]) -> None:
    with database.transaction() as connection:
        connection.execute(insert(outputs_table).values(row))
        raise Deliberate


def test_an_error_of_the_database_hides_sql_and_values(database: Database) -> None:
    with pytest.raises(StorageUnavailable) as caught, database.transaction() as connection:
        connection.execute(text("SELECT hunter2 FROM nowhere WHERE x = :x"), {"x": "swordfish"})

    assert "hunter2" not in str(caught.value)
    assert "swordfish" not in str(caught.value.__cause__)


def test_a_constraint_nobody_expected_is_translated_too(database: Database) -> None:
    orphan = {"session_id": a_session().id, "offset": 0, "length": 1, "stored_at": NOON, "sealed": b"x"}

    with pytest.raises(StorageUnavailable), database.transaction() as connection:
        connection.execute(insert(outputs_table).values(orphan))


def test_a_reader_does_not_wait_for_a_writer(database: Database, sessions: SessionStore) -> None:
    session = added(sessions)

    with database.transaction() as connection:
        connection.execute(text("UPDATE sessions SET user_id = 'bob'"))
        with ThreadPoolExecutor(1) as pool:
            seen = pool.submit(sessions.get, session.id).result()

    assert seen.user_id == "ann"
    assert sessions.get(session.id).user_id == "bob"


def test_more_threads_than_connections_are_all_served(sessions: SessionStore) -> None:
    session = added(sessions)

    with ThreadPoolExecutor(40) as pool:
        found = list(pool.map(lambda _: sessions.get(session.id).id, range(400)))

    assert found == [session.id] * 400


def test_a_database_can_be_closed_and_opened_again(database: Database, sessions: SessionStore) -> None:
    session = added(sessions)

    database.close()
    with pytest.raises(StorageUnavailable):
        sessions.get(session.id)
    database.open()
    database.open()

    assert sessions.get(session.id) == session
