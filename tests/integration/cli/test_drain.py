"""Draining a service before it is stopped."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.fixtures.server import Server
from tests.integration.cli.machine import Machine
from tests.integration.cli.test_sessions import beside, create


@pytest.fixture
def here(service: Server) -> Iterator[Machine]:
    """Return the machine of a service without sessions, and let it take new ones again."""
    machine = beside(service)
    machine.run("sessions", "end", "--all", "--yes")
    yield machine
    service.call("POST", "/api/service/drain", json={"draining": False})


def test_a_drained_service_refuses_new_sessions_until_that_is_undone(
    here: Machine, service: Server, user: str
) -> None:
    create(service, user)

    drained = here.run("drain")

    assert drained.returncode == 0
    assert drained.stdout == "The service refuses new sessions. 1 session runs.\n"
    assert service.call("GET", "/health").json()["status"] == "draining"
    body = {"userId": user, "credentials": {"anthropicApiKey": "sk-ant-a-key-of-the-tests"}}
    assert service.call("POST", "/api/session/create", json=body).status_code == 503
    undone = here.run("drain", "--undo")
    assert (undone.returncode, undone.stdout) == (0, "The service takes new sessions again.\n")
    create(service, user)


def test_waiting_ends_when_no_session_runs(here: Machine) -> None:
    ended = here.run("drain", "--wait", "1m")

    assert ended.returncode == 0
    assert ended.stdout.splitlines()[-1] == "No session runs: stop the service now (SIGTERM)."


def test_waiting_ends_when_time_is_up(here: Machine, service: Server, user: str) -> None:
    create(service, user)

    ended = here.run("drain", "--wait", "0.1s")

    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == "Time is up. 1 session runs. A stop puts them to sleep."


def test_draining_again_and_again_is_one_event(here: Machine) -> None:
    before = here.run("audit", "--action", "service.drain", "--json").stdout.count("\n")

    for _ in range(2):
        here.run("drain")

    assert here.run("audit", "--action", "service.drain", "--json").stdout.count("\n") == before + 1


@pytest.mark.parametrize("time", ["soon", "-1", "10 minutes"])
def test_a_time_that_is_none_is_refused(machine: Machine, time: str) -> None:
    ended = machine.run("drain", "--wait", time)

    assert ended.returncode == 2
    assert "--wait: " in ended.stderr


def test_without_a_service_whoever_has_its_port_is_not_told_the_token(machine: Machine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stranger.settimeout(0)
        machine.environment["SIDECAR_PORT"] = str(stranger.getsockname()[1])
        ended = machine.run("drain")
        with pytest.raises(BlockingIOError):
            stranger.accept()

    assert ended.returncode == 1
    assert ended.stderr.startswith("claude-sidecar: No service runs on this data directory")
