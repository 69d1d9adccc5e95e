"""`claude-sidecar audit`, beside a running service and without one."""

from __future__ import annotations

import json
import signal
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from sidecar.cli.audit import moment
from sidecar.model.event import Event
from sidecar.storage.audit import AuditStore
from sidecar.storage.database import Database
from tests.fixtures.server import Server
from tests.integration.cli.machine import COMMAND, Machine
from tests.waiting import until

SESSION = "6f0c6a52-6a0f-4b0e-9d53-0d4bb4f5d9a1"
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def filled(machine: Machine) -> Machine:
    """Return a machine whose trail has five entries."""
    database = machine.make_database()
    database.open()
    add(
        database, actor="cli:\x1b[31mred", action="key.create", user_id="jane", detail={"name": "my \x07 key"}
    )
    for number in range(2, 6):
        add(
            database,
            action="session.command",
            user_id="ann",
            detail={"bytes": number},
            request_id=f"r{number}",
        )
    database.close()
    return machine


def add(database: Database, **changes: Any) -> None:
    plain = {"actor": "service", "session_id": None, "at": datetime.now(UTC)}
    AuditStore(database).append([Event(uuid4(), **{**plain, **changes})])


def lines(machine: Machine, *arguments: str) -> list[dict[str, Any]]:
    ended = machine.run("audit", "--json", *arguments)
    assert (ended.returncode, ended.stderr) == (0, "")
    return [json.loads(line) for line in ended.stdout.splitlines()]


def numbers(machine: Machine, *arguments: str) -> list[int]:
    return [line["number"] for line in lines(machine, *arguments)]


def test_shows_columns_and_nothing_a_terminal_obeys(filled: Machine) -> None:
    ended = filled.run("audit")

    assert (ended.returncode, ended.stderr) == (0, "")
    head, first, *_, last = ended.stdout.splitlines()
    assert head.split() == ["number", "time", "actor", "action", "user", "session", "detail"]
    assert "cli:\\x1b[31mred" in first
    assert '"my \\u0007 key"' in first
    assert last.split()[0] == "5"
    assert last.endswith("bytes=5 request=r5")


def test_shows_lines_of_json(filled: Machine) -> None:
    found = lines(filled)

    assert [line["number"] for line in found] == [1, 2, 3, 4, 5]
    names = {"number", "id", "at", "actor", "action", "user", "session", "request", "detail", "digest"}
    assert all(set(line) == names for line in found)
    assert found[1]["detail"] == {"bytes": 2}


def test_the_choices_of_the_command_line_reach_the_search(filled: Machine) -> None:
    assert numbers(filled, "--limit", "2") == [4, 5]
    assert numbers(filled, "--limit", "0", "--after", "3") == [4, 5]
    assert numbers(filled, "--user", "jane", "--actor", "cli:*", "--action", "key.*", "--since", "1h") == [1]
    assert numbers(filled, "--until", "1h") == numbers(filled, "--session", SESSION) == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--since", "yesterday"], "'yesterday' is no time: write 30m, 2h or 7d"),
        (["--until", "2026-13-01"], "is no time"),
        (["--since", "999999999d"], "is no time"),
        (["--session", "6f0c"], "'6f0c' is no session id"),
        (["--limit", "-1"], "'-1' is no number"),
    ],
)
def test_a_mistake_is_told_in_words(machine: Machine, arguments: list[str], told: str) -> None:
    ended = machine.run("audit", *arguments)

    assert ended.returncode == 2
    assert told in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("words", "time"),
    [
        ("90s", NOW - timedelta(seconds=90)),
        ("30m", NOW - timedelta(minutes=30)),
        ("2h", NOW - timedelta(hours=2)),
        ("7d", NOW - timedelta(days=7)),
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("2026-11-20T08:30", datetime(2026, 11, 20, 8, 30, tzinfo=UTC)),
        ("2026-11-20 08:30:15Z", datetime(2026, 11, 20, 8, 30, 15, tzinfo=UTC)),
        ("2026-11-20T08:30+02:00", datetime(2026, 11, 20, 6, 30, tzinfo=UTC)),
    ],
)
def test_times_are_understood(words: str, time: datetime) -> None:
    assert moment(words, NOW) == time


def test_a_whole_trail_verifies(filled: Machine) -> None:
    ended = filled.run("audit", "--verify")

    assert ended.returncode == 0
    assert ended.stdout.startswith("5 entries fit. The newest is number 5, ")
    assert lines(filled)[-1]["digest"] in ended.stdout


def test_a_changed_entry_is_named_and_the_others_are_shown(filled: Machine) -> None:
    change(filled, "UPDATE audit SET detail = '{\"bytes\": 1}' WHERE number = 4")
    ended = filled.run("audit", "--verify")

    assert ended.returncode == 1
    assert ended.stdout.startswith("entry 4: It, or the one before it, is not what was written. 3 entries ")
    assert numbers(filled) == [1, 2, 3, 4, 5]


def test_an_entry_that_cannot_be_read_is_told_in_words(filled: Machine) -> None:
    change(filled, "UPDATE audit SET detail = 'x' WHERE number = 4")

    for limit in ("0", "100"):
        ended = filled.run("audit", "--limit", limit)
        assert ended.returncode == 1
        assert "an entry cannot be read; --verify names" in ended.stderr
    assert filled.run("audit", "--verify").stdout.startswith("entry 4: It cannot be read.")


def change(machine: Machine, statement: str) -> None:
    database = machine.make_database()
    database.open()
    with database.transaction() as connection:
        connection.execute(text(statement))
    database.close()


def test_an_empty_trail_verifies(machine: Machine) -> None:
    machine.make_database()

    assert machine.run("audit", "--verify").stdout == "The trail is empty.\n"
    assert len(machine.run("audit").stdout.splitlines()) == 1


def test_following_a_running_service_goes_on_until_it_is_ended(service: Server, user: str) -> None:
    arguments = [*COMMAND, "audit", "--limit", "0", "--user", user, "--json", "--follow"]
    environment = {**service.environment, "PYTHONPATH": str(Path(__file__).resolve().parents[3])}
    with subprocess.Popen(
        arguments, env=environment, cwd=service.folder, stdout=subprocess.PIPE, text=True
    ) as following:
        assert following.stdout is not None
        thief = service.call("GET", "/api/sessions?owner=*", user=user)
        assert thief.status_code == 403
        line = json.loads(following.stdout.readline())
        following.send_signal(signal.SIGINT)
        assert following.wait(20) == 130

    assert (line["action"], line["actor"], line["detail"]["status"]) == ("request.refuse", "service", 403)


def test_what_the_command_line_does_joins_the_chain_of_a_running_service(service: Server, user: str) -> None:
    machine = Machine(service.folder, service.port)
    machine.environment |= service.environment
    for _ in range(3):
        made = machine.run("keys", "create", "--user", user, "--name", "n", "--scope", "sessions")
        assert made.returncode == 0, made.stderr
        assert service.call("GET", "/api/sessions?owner=*", user=user).status_code == 403

    assert until(lambda: len(lines(machine, "--user", user)) == 4)
    found = lines(machine, "--user", user)
    assert [line["action"] for line in found].count("key.create") == 3
    assert all(line["actor"].startswith("cli:") for line in found if line["action"] == "key.create")
    assert made.stdout.strip() not in str(found)
    assert machine.run("audit", "--verify").returncode == 0
