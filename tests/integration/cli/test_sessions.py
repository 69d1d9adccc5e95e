"""Listing and ending sessions from the command line, with the service running and without."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.fixtures.server import Server
from tests.integration.cli.machine import COMMAND, Machine
from tests.waiting import until

API_KEY = "sk-ant-a-key-of-the-tests-0123456789"


@pytest.fixture
def here(service: Server) -> Machine:
    """Return the machine the service runs on."""
    return beside(service)


def beside(server: Server) -> Machine:
    machine = Machine(server.folder, server.port)
    machine.environment = {**machine.environment, **server.environment}
    return machine


def create(server: Server, user: str, **more: object) -> str:
    body = {"userId": user, "credentials": {"anthropicApiKey": API_KEY}, "waitMs": 20_000, **more}
    answer = server.call("POST", "/api/session/create", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["sessionId"])


def status(server: Server, user: str, session: str) -> dict[str, Any]:
    found: dict[str, Any] = server.call("GET", f"/api/session/{session}/status", user=user).json()
    return found


def listed(machine: Machine, *arguments: str) -> list[dict[str, Any]]:
    ended = machine.run("sessions", "list", "--json", *arguments)
    assert ended.returncode == 0, ended.stderr
    found: list[dict[str, Any]] = json.loads(ended.stdout)
    return found


# -- list ------------------------------------------------------------------------------------------------


def test_sessions_are_listed_by_user_and_state(here: Machine, service: Server, user: str) -> None:
    running, ended = create(service, user), create(service, user)
    service.call("DELETE", f"/api/session/{ended}", user=user)

    assert until(lambda: [item["state"] for item in listed(here, "--user", user)] == ["running"])
    assert {item["sessionId"] for item in listed(here, "--user", user, "--state", "all")} == {running, ended}
    (one,) = listed(here, "--user", user, "--state", "terminated")
    assert (one["sessionId"], one["userId"], one["workspaceType"]) == (ended, user, "isolated")
    assert one["endedAt"] is not None
    assert one["reason"]


def test_people_get_columns_and_no_secret(here: Machine, service: Server, user: str) -> None:
    session = create(service, user)

    ended = here.run("sessions", "list")

    header, *rows = ended.stdout.splitlines()
    assert header.split()[:4] == ["ID", "USER", "STATE", "WORKSPACE"]
    (row,) = [row for row in rows if session in row]
    assert row.index(user) == header.index("USER")
    assert API_KEY not in ended.stdout


def test_without_sessions_the_list_is_empty(machine: Machine) -> None:
    assert listed(machine) == []
    assert machine.run("sessions", "list").stderr == "There are no such sessions.\n"


# -- end, with the service -------------------------------------------------------------------------------


def test_the_running_service_ends_them(here: Machine, service: Server, user: str) -> None:
    first, second = create(service, user), create(service, user)

    ended = here.run("sessions", "end", first, second, "--yes")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout.splitlines() == [f"{first} of {user}: ended", f"{second} of {user}: ended"]
    assert [status(service, user, session)["state"] for session in (first, second)] == ["terminated"] * 2


def test_all_of_one_user_are_ended_and_no_others(here: Machine, service: Server, user: str) -> None:
    mine, other = [create(service, user) for _ in range(2)], create(service, f"{user}.other")

    ended = here.run("sessions", "end", "--user", user, "--yes")

    assert ended.returncode == 0
    assert ended.stdout.count(": ended\n") == 2
    assert {status(service, user, session)["state"] for session in mine} == {"terminated"}
    assert status(service, f"{user}.other", other)["state"] == "running"


def test_one_that_had_ended_is_no_failure_and_one_that_never_was_is(
    here: Machine, service: Server, user: str
) -> None:
    session, nobody = create(service, user), str(uuid4())
    here.run("sessions", "end", session, "--yes")

    again = here.run("sessions", "end", session, "--yes")
    missing = here.run("sessions", "end", nobody, "--yes")

    assert (again.returncode, again.stdout) == (0, f"{session} of {user}: had ended already\n")
    assert missing.returncode == 1
    assert missing.stderr.splitlines()[0] == f"{nobody}: there is no such session"


def test_nothing_is_ended_where_nobody_can_be_asked(here: Machine, service: Server, user: str) -> None:
    session = create(service, user)

    ended = here.run("sessions", "end", session)

    assert (ended.returncode, ended.stderr) == (1, "claude-sidecar: Nobody can be asked here: add --yes.\n")
    assert status(service, user, session)["state"] == "running"


@pytest.mark.parametrize(("answer", "state"), [("y", "terminated"), ("n", "running"), ("", "running")])
def test_on_a_terminal_it_asks(here: Machine, service: Server, user: str, answer: str, state: str) -> None:
    session = create(service, user)
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "wb", buffering=0) as terminal, os.fdopen(theirs, "rb", buffering=0) as stdin:
        terminal.write(f"{answer}\n".encode())
        ended = subprocess.run(
            [*COMMAND, "sessions", "end", session],
            env=here.environment,
            cwd=here.folder,
            stdin=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert "End this session for good? [y/N]" in ended.stderr
    assert session in ended.stderr
    assert ended.returncode == int(state == "running")
    assert status(service, user, session)["state"] == state


@pytest.mark.parametrize(
    "arguments",
    [[], ["no-id"], ["--user", "a", "--all"], [str(uuid4()), "--all"]],
    ids=["nothing", "no id", "two choices", "an id and all"],
)
def test_what_makes_no_sense_is_refused(machine: Machine, arguments: list[str]) -> None:
    ended = machine.run("sessions", "end", *arguments, "--yes")

    assert ended.returncode == 2
    assert "usage: " in ended.stderr


def test_a_service_with_another_token_is_told(here: Machine, service: Server, user: str) -> None:
    session = create(service, user)
    here.environment["API_AUTH_TOKEN"] = "another-token-than-the-service"

    ended = here.run("sessions", "end", session, "--yes")

    assert ended.returncode == 1
    assert "does not accept API_AUTH_TOKEN" in ended.stderr
    assert "another-token" not in ended.stderr


def test_a_service_that_does_not_answer_is_told(here: Machine, service: Server, user: str) -> None:
    session = create(service, user)
    here.environment["SIDECAR_PORT"] = "1"

    ended = here.run("sessions", "end", session, "--yes")

    assert ended.returncode == 1
    assert f"{session} of {user}: No service answers at http://127.0.0.1:1: " in ended.stderr


def test_port_0_is_told(here: Machine, service: Server, user: str) -> None:
    session = create(service, user)
    here.environment["SIDECAR_PORT"] = "0"

    assert "SIDECAR_PORT is 0: set the port" in here.run("sessions", "end", session, "--yes").stderr


# -- end, without the service ----------------------------------------------------------------------------


def test_without_the_service_they_are_ended_in_the_database_and_tidied_at_the_next_start(
    server: Server,
) -> None:
    session = create(server, "ann")
    folder = server.data_dir / "sessions" / session
    server.stop()
    machine = beside(server)
    assert folder.exists()

    ended = machine.run("sessions", "end", "--all", "--yes")

    assert (ended.returncode, ended.stderr) == (0, "")
    assert ended.stdout == f"{session} of ann: ended; its files go with the next start of the service\n"
    (one,) = listed(machine, "--state", "all")
    assert (one["state"], one["reason"]) == ("terminated", "Ended by the operator.")
    assert datetime.fromisoformat(one["endedAt"]).date() == datetime.now(UTC).date()
    noted = machine.run("audit", "--session", session, "--json").stdout.splitlines()
    assert [json.loads(line)["action"] for line in noted][-2:] == ["session.end", "session.state"]
    assert json.loads(noted[-1])["actor"].startswith("cli:")
    server.start()
    assert status(server, "ann", session)["state"] == "terminated"
    assert not folder.exists()


# -- over TLS --------------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")  # its name is not loopback
def test_over_tls_only_the_services_own_certificate_is_believed(make_server: Any, tmp_path: Path) -> None:
    """The certificate names what callers use, not loopback; another one on the same port is refused."""
    certificate, key = self_signed(tmp_path / "own")
    server = make_server(
        verify=False, TLS_CERT_FILE=certificate, TLS_KEY_FILE=key, ALLOWED_HOSTS="sidecar.example,127.0.0.1"
    )
    machine = beside(server)

    assert machine.run("drain").returncode == 0

    machine.environment["TLS_CERT_FILE"], machine.environment["TLS_KEY_FILE"] = self_signed(
        tmp_path / "other"
    )
    refused = machine.run("drain")
    assert refused.returncode == 1
    assert refused.stderr.startswith("claude-sidecar: TLS with https://127.0.0.1:")


def self_signed(folder: Path) -> tuple[str, str]:
    folder.mkdir()
    certificate, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    names = ["-days", "2", "-subj", "/CN=sidecar.example", "-addext", "subjectAltName=DNS:sidecar.example"]
    subprocess.run([*command, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return str(certificate), str(key)
