"""Reading a database's address."""

from __future__ import annotations

import pytest

from sidecar.errors import ConfigurationError, StorageUnavailable
from sidecar.storage.database import Database


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_all_names_of_postgresql_are_accepted(scheme: str) -> None:
    Database(f"{scheme}://user:pass@db.example:5432/sidecar?sslmode=require")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hunter2",
        "://hunter2",
        "mysql://user:hunter2@db/x",
        "postgresql+asyncpg://user:hunter2@db/x",
        "postgresql://user:hunter2@db:port/x",
        "sqlite+aiosqlite:///hunter2.db",
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite:///file:hunter2?mode=memory&uri=true",
    ],
)
def test_an_address_that_cannot_serve_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Database(url)

    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_the_password_is_not_in_the_representation() -> None:
    assert "hunter2" not in repr(vars(Database("postgresql://user:hunter2@db/x")))


def test_a_database_that_was_not_opened_is_unavailable() -> None:
    database = Database("sqlite:///never-made.db")

    with pytest.raises(StorageUnavailable):
        database.ping()
    database.close()
