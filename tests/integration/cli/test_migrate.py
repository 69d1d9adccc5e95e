"""Bringing the schema to the newest version from the command line, on both databases."""

from __future__ import annotations

from sidecar.clock import SystemClock
from sidecar.sessions.ownership import Ownership
from sidecar.storage.migrations import revisions
from tests.fixtures.server import Server
from tests.integration.cli.machine import Machine

NEWEST = revisions()[-1]


def test_an_empty_database_gets_the_newest_schema_and_a_second_run_changes_nothing(
    machine: Machine, empty_database_url: str
) -> None:
    machine.environment["DATABASE_URL"] = empty_database_url

    runs = [machine.run("migrate"), machine.run("migrate")]

    assert [run.returncode for run in runs] == [0, 0]
    assert [run.stdout for run in runs] == [
        f"Schema none → {NEWEST}.\n",
        f"The schema is the newest: {NEWEST}.\n",
    ]


def test_a_check_says_what_would_be_done_and_makes_nothing(machine: Machine) -> None:
    machine.make_data_dir()

    ended = machine.run("migrate", "--check")

    assert (ended.returncode, ended.stdout) == (1, f"The database is yet to be made, with schema {NEWEST}.\n")
    assert not list(machine.data_dir.iterdir())


def test_a_check_of_an_empty_server_says_so(machine: Machine, postgresql_url: str) -> None:
    machine.environment["DATABASE_URL"] = postgresql_url

    ended = machine.run("migrate", "--check")

    assert (ended.returncode, ended.stdout) == (1, f"The schema would be changed: none → {NEWEST}.\n")


def test_a_check_of_the_newest_schema_is_content(machine: Machine) -> None:
    machine.make_database()

    ended = machine.run("migrate", "--check")

    assert (ended.returncode, ended.stdout) == (0, f"The schema is the newest: {NEWEST}.\n")


def test_a_newer_schema_is_left_alone(machine: Machine) -> None:
    machine.make_database()
    machine.sql("UPDATE alembic_version SET version_num = '9999'")

    for arguments in (["migrate"], ["migrate", "--check"]):
        ended = machine.run(*arguments)

        assert ended.returncode == 1
        assert ended.stderr == "claude-sidecar: the database belongs to a newer version of this program\n"


def test_while_the_service_runs_only_a_check_is_done(service: Server) -> None:
    machine = Machine(service.folder, service.port)
    machine.environment = {**machine.environment, **service.environment}

    refused, checked = machine.run("migrate"), machine.run("migrate", "--check")

    assert refused.returncode == 1
    assert refused.stderr.startswith("claude-sidecar: The service runs on ")
    assert checked.returncode == 0


def test_no_other_command_changes_the_schema_under_a_running_service(machine: Machine) -> None:
    """The command is of a new version, the service still of the old one."""
    database = machine.make_database()
    machine.sql("UPDATE alembic_version SET version_num = '0001'")
    owner = Ownership(machine.data_dir, SystemClock())
    owner.acquire()
    try:
        ended = machine.run("keys", "list")
    finally:
        owner.release()
    database.open()

    assert database.revision() == "0001"
    assert ended.returncode == 1
    assert ended.stderr.startswith("claude-sidecar: The running service works with an older schema")
    database.close()


def test_a_database_that_is_away_is_told_in_one_line(machine: Machine) -> None:
    machine.environment["DATABASE_URL"] = "postgresql://u:marker@127.0.0.1:1/x"

    ended = machine.run("migrate")

    assert (ended.returncode, ended.stderr) == (1, "claude-sidecar: The database does not answer.\n")
