"""The log of the real server: JSON lines, each request once, nothing secret, whatever is sent."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.fixtures.server import MakeServer, Server
from tests.waiting import until

USER = "jane"
KEY = "sk-ant-a-marker-of-the-users-key-0123456789"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server that logs all there is."""
    server = Server(tmp_path_factory.mktemp("logs"), {"LOG_LEVEL": "debug", "RATE_LIMIT": "off"})
    server.start()
    yield server
    assert server.stop() == 0, server.said()
    assert entries(server)[-1]["logger"] == "gunicorn.error"


def entries(server: Server) -> list[dict[str, Any]]:
    """Return the log; every line has to be an object."""
    return [json.loads(line) for line in server.text().split("\n")[:-1]]


def told(server: Server, request: str) -> dict[str, Any]:
    """Return the one line of a request."""

    def lines() -> list[dict[str, Any]]:
        return [entry for entry in entries(server) if entry.get("request") == request and "route" in entry]

    assert until(lines)
    found = lines()
    assert len(found) == 1
    return found[0]


def test_every_line_is_an_object_gunicorns_own_too(shared: Server) -> None:
    loggers = {entry["logger"] for entry in entries(shared)}

    assert {"gunicorn.error", "sidecar.services"} <= loggers
    assert all({"time", "level", "logger", "message", "actor"} <= entry.keys() for entry in entries(shared))


def test_a_request_is_told_with_its_route_and_on_whose_behalf(shared: Server) -> None:
    session, request = str(uuid4()), str(uuid4())
    path = f"/api/session/{session}/resize?marker=of-the-query"
    body = {"columns": 80, "rows": 24}
    shared.call("POST", path, user=USER, json=body, headers={"X-Request-ID": request})

    entry = told(shared, request)
    assert entry.pop("ms") >= 0
    assert entry.pop("time")
    assert entry == {
        "level": "info",
        "logger": "sidecar.web.traffic",
        "message": "POST /api/session/<session_id>/resize 404",
        "request": request,
        "session": session,
        "actor": "service",
        "user": USER,
        "method": "POST",
        "route": "/api/session/<session_id>/resize",
        "status": 404,
        "problem": "not-found",
    }
    assert "of-the-query" not in shared.text()


@pytest.mark.parametrize(
    ("method", "path", "body", "level"),
    [
        ("GET", "/health", None, "debug"),
        ("GET", "/api/sessions", None, "debug"),
        ("POST", "/api/outputs", {"pump": "p", "cursors": {}}, "debug"),
        ("GET", "/nothing", None, "info"),
        ("POST", "/api/service/drain", {"draining": False}, "info"),
        ("POST", "/api/session/create", {"userId": "../x"}, "info"),
    ],
)
def test_reads_that_succeed_are_for_those_who_look_closely(
    shared: Server, method: str, path: str, body: object, level: str
) -> None:
    request = str(uuid4())
    shared.call(method, path, user=USER, json=body, headers={"X-Request-ID": request})

    assert told(shared, request)["level"] == level


def exchange(server: Server, request: str) -> None:
    """Send these very bytes and wait for the end of the answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(request.encode("latin-1"))
        while connection.recv(65_536):
            pass


@pytest.mark.parametrize(
    "request_line",
    [
        "GET /forged%0A%7B%22level%22:%22info%22%7D HTTP/1.1",
        "GET /%1b]0;forged%07 HTTP/1.1",
        "GET /forged\x0b\x0c\x1b[2J HTTP/1.1",
        "FORGED\x1b[2J / HTTP/1.1",
        "FORGED /api/sessions HTTP/1.1",
        "GET / HTTP/1.1\r\nX-Request-ID: forged\x1b[2J",
        "GET / HTTP/1.1\r\nforged header: x",
        "GET / HTTP/1.1\r\nX-User-ID: forged\rforged",
        "GET / HTTP/9.9\r\nforged",
        "forged",
    ],
    ids=repr,
)
def test_nothing_that_is_sent_makes_a_line_or_a_name_of_its_own(shared: Server, request_line: str) -> None:
    before = len(entries(shared))
    exchange(shared, f"{request_line}\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    shared.call("GET", "/health")

    after = entries(shared)[before:]
    assert all("\x1b" not in line and "\x07" not in line for line in shared.text().splitlines())
    assert [entry for entry in after if "forged" in str(entry.get("request")) + str(entry.get("route"))] == []
    assert {entry["level"] for entry in after} <= {"debug", "info", "warning"}


def test_no_credential_is_told_however_it_was_given(shared: Server) -> None:
    api_key = "csk_0123456789abcdef_marker-of-an-api-key-0123456789abcdef"
    shared.call("GET", "/api/sessions", headers={"Authorization": f"Bearer {shared.token}-wrong-marker"})
    shared.call("GET", "/api/v1/jobs", headers={"X-API-Key": api_key})
    shared.call("GET", "/", headers={"Cookie": "claude_sidecar=marker-of-a-cookie", "Authorization": None})
    shared.call("GET", f"/api/session/{api_key}/output?key={KEY}", user=USER)
    shared.call("POST", f"/api/{KEY}", user=USER, json={"marker-in-a-body": KEY})
    exchange(shared, f"GET / HTTP/1.1\r\nHost: localhost\r\nA name {KEY}: {shared.token}\r\n\r\n")
    body = {"userId": USER, "credentials": {"anthropicApiKey": KEY}, "waitMs": 20_000}
    session = shared.call("POST", "/api/session/create", json=body).json()["sessionId"]
    shared.call("DELETE", f"/api/session/{session}", user=USER)

    secrets = [shared.token, shared.environment["ENCRYPTION_KEY"], KEY, api_key, "marker-"]
    assert [secret for secret in secrets if secret in shared.text()] == []


def test_secrets_that_come_with_a_reload_are_taken_out_too(make_server: MakeServer) -> None:
    server = make_server()
    secret = "of-the-second-settings"
    (server.folder / ".env").write_text(f"METRICS_TOKEN={secret}\n")
    server.reload()

    exchange(server, f"GET / HTTP/1.1\r\nHost: localhost\r\nA name {secret}: x\r\n\r\n")

    assert until(lambda: "Invalid" in server.text())
    assert secret not in server.text()


def test_a_log_that_was_rotated_goes_on_in_a_new_file(make_server: MakeServer, tmp_path: Path) -> None:
    file = tmp_path / "server1" / "log"
    server = make_server(LOG_FILE=str(file), LOG_LEVEL="debug")

    for number, how in enumerate(("by itself", "by signal")):
        file.rename(tmp_path / f"rotated{number}")
        if how == "by signal":
            server.signal(signal.SIGUSR1)
            assert until(file.exists)
        request = str(uuid4())
        server.call("GET", "/api/sessions", user=USER, headers={"X-Request-ID": request})
        told(server, request)
        assert request not in (tmp_path / f"rotated{number}").read_text()


def test_text_for_people_is_a_line_for_each_too(make_server: MakeServer) -> None:
    server = make_server(LOG_FORMAT="text", LOG_LEVEL="debug")
    server.call("GET", "/api/sessions", user=USER, headers={"X-Request-ID": "for-people"})

    assert until(lambda: "request=for-people" in server.text())
    assert "{" not in server.text()
