"""The migrations lead to the tables the code uses, on both databases."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Column, Integer, MetaData, inspect, text

from sidecar.errors import ConfigurationError, StorageUnavailable
from sidecar.storage.database import Database
from sidecar.storage.migrations import revisions
from sidecar.storage.tables import metadata


@pytest.fixture
def empty_database(empty_database_url: str) -> Iterator[Database]:
    opened = Database(empty_database_url)
    opened.open()
    yield opened
    opened.close()


def _differences(database: Database, wanted: MetaData) -> list[Any]:
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, wanted))


def _tables(database: Database) -> set[str]:
    with database.reading() as connection:
        return set(inspect(connection).get_table_names())


def test_an_empty_database_is_brought_to_the_models(empty_database: Database) -> None:
    empty_database.migrate()

    assert _differences(empty_database, metadata) == []


def test_a_difference_to_the_models_would_be_seen(empty_database: Database) -> None:
    empty_database.migrate()
    changed = MetaData()
    for table in metadata.sorted_tables:
        table.to_metadata(changed)
    changed.tables["sessions"].append_column(Column("forgotten", Integer))

    assert len(_differences(empty_database, changed)) == 1


def test_deleting_a_session_takes_its_output_along(empty_database: Database) -> None:
    empty_database.migrate()

    with empty_database.reading() as connection:
        # An SQLite connection from before the migration answers pragmas from its old schema until it reads.
        connection.execute(text("SELECT 1 FROM outputs"))
        (key,) = inspect(connection).get_foreign_keys("outputs")
    assert key["options"] == {"ondelete": "CASCADE"}


def test_migrating_again_changes_nothing(empty_database: Database) -> None:
    empty_database.migrate()
    empty_database.migrate()

    with empty_database.reading() as connection:
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == revisions()[-1]


def test_a_migration_that_fails_leaves_nothing_half_done(empty_database: Database) -> None:
    with empty_database.transaction() as connection:
        connection.execute(text("CREATE TABLE outputs (something_else INTEGER)"))

    with pytest.raises(StorageUnavailable):
        empty_database.migrate()
    assert _tables(empty_database) == {"outputs"}

    with empty_database.transaction() as connection:
        connection.execute(text("DROP TABLE outputs"))
    empty_database.migrate()
    assert _differences(empty_database, metadata) == []


def test_a_database_of_a_newer_program_is_refused(empty_database: Database) -> None:
    empty_database.migrate()
    with empty_database.transaction() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(ConfigurationError):
        empty_database.migrate()


def test_programs_that_migrate_at_once_do_not_disturb_each_other(postgresql_url: str) -> None:
    program = (
        "import sys; from sidecar.storage.database import Database; "
        "database = Database(sys.stdin.read()); database.open(); database.migrate(); database.close()"
    )
    command = [sys.executable, "-c", program]
    running = [subprocess.Popen(command, stdin=subprocess.PIPE, text=True) for _ in range(3)]
    for process in running:
        assert process.stdin is not None
        process.stdin.write(postgresql_url)
        process.stdin.close()

    assert [process.wait(60) for process in running] == [0, 0, 0]


def test_file_names_tell_the_revisions_as_alembic_sees_them() -> None:
    config = Config()
    config.set_main_option("script_location", "sidecar.storage:migrations")
    scripts = ScriptDirectory.from_config(config)

    assert revisions() == [script.revision for script in scripts.walk_revisions()][::-1]
    assert scripts.get_current_head() == revisions()[-1]


def test_a_database_that_is_up_to_date_does_not_load_alembic(empty_database_url: str) -> None:
    ready = Database(empty_database_url)
    ready.open()
    ready.migrate()
    ready.close()
    program = (
        "import sys; from sidecar.storage.database import Database; "
        "database = Database(sys.stdin.read()); database.open(); database.migrate(); database.close(); "
        "sys.exit('alembic' in sys.modules)"
    )

    subprocess.run([sys.executable, "-c", program], input=empty_database_url, text=True, check=True)
