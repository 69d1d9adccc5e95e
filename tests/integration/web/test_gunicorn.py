"""The real server: gunicorn, its worker, signals, slow clients."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.fixtures.server import MakeServer, Server
from tests.waiting import until

USER = "jane"
KEY = "sk-ant-a-key-of-the-tests"


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Return a server for the tests that leave it as it is."""
    server = Server(tmp_path_factory.mktemp("shared"), {})
    server.start()
    yield server
    assert server.stop() == 0, server.said()


def create(server: Server, **changes: Any) -> str:
    body = {"userId": USER, "credentials": {"anthropicApiKey": KEY}, "waitMs": 20_000, **changes}
    response = server.call("POST", "/api/session/create", json=body)
    assert response.status_code == 201, response.text
    return str(response.json()["sessionId"])


def say(server: Server, session: str, text: str) -> Any:
    path = f"/api/session/{session}/command"
    return server.call("POST", path, user=USER, json={"command": text, "waitMs": 20_000})


def status(server: Server, session: str) -> Any:
    return server.call("GET", f"/api/session/{session}/status", user=USER).json()


def refused(server: Server) -> str:
    """Start a server that must not come up; return what it said."""
    server.launch()
    assert server.wait() != 0, server.said()
    return server.said()


@contextmanager
def waiting(server: Server, count: int) -> Iterator[list[Any]]:
    """Hold `count` waiting calls open on a session; give the list their answers go into."""
    session = create(server)
    end = status(server, session)["outputOffset"]
    path = f"/api/session/{session}/output?wait=25&cursor={end}"
    answers: list[Any] = []

    def read() -> None:
        answers.append(server.call("GET", path, user=USER))

    threads = [threading.Thread(target=read) for _ in range(count)]
    for thread in threads:
        thread.start()
    assert until(lambda: accepted(server.port) >= count)
    try:
        yield answers
    finally:
        for thread in threads:
            thread.join(30)


def accepted(port: int) -> int:
    """Count the open connections to a port of this machine that its program has taken."""
    lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    # The socket of one that still waits to be taken has no inode yet.
    return sum(line[1].endswith(f":{port:04X}") and line[3] == "01" and line[9] != "0" for line in lines)


# -- life ------------------------------------------------------------------------------------------------


def test_it_serves_and_keeps_to_one_worker(shared: Server) -> None:
    assert shared.call("GET", "/health").json()["status"] == "ok"
    session = create(shared)
    assert "You said: hello" in say(shared, session, "hello").json()["output"]["data"]
    assert shared.call("DELETE", f"/api/session/{session}", user=USER).json() == {"terminated": True}
    assert len(shared.workers()) == 1


def test_waiting_calls_end_cleanly_and_at_once_when_the_service_stops(make_server: MakeServer) -> None:
    """Calls that went on waiting would be cut off without an answer: they have longer than gunicorn has patience."""
    server = make_server(GUNICORN_CMD_ARGS="--graceful-timeout 15")
    with waiting(server, 5) as answers:
        assert server.stop() == 0, server.said()
    assert [answer.status_code for answer in answers] == [200] * 5
    assert {answer.json()["data"] for answer in answers} == {""}
    assert "Traceback" not in server.text()


def test_after_a_stop_and_a_start_a_session_goes_on(server: Server) -> None:
    session = create(server)
    say(server, session, "remember the first start")
    assert server.stop() == 0
    server.start()
    before = status(server, session)
    assert before["state"] == "hibernated"
    assert "You said: again" in say(server, session, "again").json()["output"]["data"]
    path = f"/api/session/{session}/screen"
    lines = server.call("GET", path, user=USER).json()["lines"]
    assert any("remember the first start" in line for line in lines)


def test_a_reload_keeps_sessions_and_answers_waiting_calls(server: Server) -> None:
    session = create(server)
    say(server, session, "remember the reload")
    with waiting(server, 2) as answers:
        server.reload()
    assert [answer.status_code for answer in answers] == [200, 200]
    assert status(server, session)["state"] == "hibernated"
    assert "You said: again" in say(server, session, "again").json()["output"]["data"]
    assert len(server.workers()) == 1


def test_a_worker_that_is_killed_is_replaced_and_its_sessions_are_interrupted(server: Server) -> None:
    """M14: a restart marked every session terminated."""
    session = create(server)
    say(server, session, "remember the worker")
    old = server.workers()
    server.kill9_worker()
    assert until(lambda: (new := server.workers()) and new != old), server.said()
    assert status(server, session)["state"] == "interrupted"
    assert "You said: again" in say(server, session, "again").json()["output"]["data"]


# -- refusals at the start -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments", ["--workers 2", "-w 3", "--worker-class gthread", "-k sync", "--preload --workers 2"]
)
def test_more_workers_or_others_are_refused_with_the_reason(tmp_path: Path, arguments: str) -> None:
    said = refused(Server(tmp_path, {"GUNICORN_CMD_ARGS": arguments}))
    assert said.splitlines()[-1].startswith("claude-sidecar: Run exactly one worker")
    assert "Traceback" not in said


def test_web_concurrency_does_not_make_more_workers(make_server: MakeServer) -> None:
    assert len(make_server(WEB_CONCURRENCY="3").workers()) == 1


def test_a_second_service_on_the_same_data_is_refused(shared: Server, tmp_path: Path) -> None:
    settings = {
        "SIDECAR_DATA_DIR": str(shared.data_dir),
        "ENCRYPTION_KEY": shared.environment["ENCRYPTION_KEY"],
    }
    said = refused(Server(tmp_path, settings))
    assert said.splitlines()[-1].startswith("claude-sidecar: Another process uses this data directory.")
    assert "Traceback" not in said
    assert shared.call("GET", "/health").json()["status"] == "ok"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"ENCRYPTION_KEY": "marker-of-a-bad-key"}, "ENCRYPTION_KEY"),
        ({"DATABASE_URL": "postgresql://u:marker-of-a-bad-key@127.0.0.1:port/x"}, "database address"),
        ({"DATABASE_URL": "mysql://u:marker-of-a-bad-key@h/x"}, "database address"),
        ({"API_AUTH_TOKEN": "marker"}, "API_AUTH_TOKEN"),
        ({"API_AUTH_TOKEN": ""}, "API_AUTH_TOKEN"),
        ({"SIDECAR_HOST": "0.0.0.0"}, "not loopback"),
        ({"SIDECAR_PROT": "marker"}, "SIDECAR_PROT"),
        ({"TLS_CERT_FILE": "/marker", "TLS_KEY_FILE": "/marker"}, "TLS_CERT_FILE"),
    ],
)
def test_a_wrong_setting_is_told_in_one_line(tmp_path: Path, settings: dict[str, str], reason: str) -> None:
    said = refused(Server(tmp_path, settings))
    assert reason in said
    assert said.startswith("claude-sidecar: ")
    assert said.count("\n") == 1
    assert "marker" not in said


def test_a_database_that_is_away_at_the_start_ends_the_service(tmp_path: Path) -> None:
    """Not so the master's restarts: without the right status it tried again every second, for ever."""
    said = refused(Server(tmp_path, {"DATABASE_URL": "postgresql://u:marker-of-a-password@127.0.0.1:1/x"}))
    assert "claude-sidecar: The database does not answer." in said.splitlines()
    assert said.count("Booting worker") == 1
    assert "Traceback" not in said
    assert "marker" not in said


# -- what it leaves alone --------------------------------------------------------------------------------


def test_it_opens_no_control_socket(shared: Server) -> None:
    sockets = [path for path in shared.folder.rglob("*") if path.is_socket()]
    bound = [
        line.split()[-1] for line in Path("/proc/net/unix").read_text().splitlines() if "gunicorn" in line
    ]
    assert (sockets, bound) == ([], [])


def test_its_log_holds_no_secret_and_no_terminal_output(shared: Server) -> None:
    session = create(shared)
    say(shared, session, "words of a user")
    shared.call("DELETE", f"/api/session/{session}", user=USER)
    assert not [
        word
        for word in (shared.token, KEY, "words of a user", shared.environment["ENCRYPTION_KEY"])
        if word in shared.text()
    ]


# -- raw connections -------------------------------------------------------------------------------------


def exchange(server: Server, request: bytes) -> bytes:
    """Send these very bytes and return the answer; the server closes the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        connection.sendall(request)
        received = b""
        while True:
            try:
                data = connection.recv(65_536)
            except ConnectionResetError:  # it closed while something was still on its way
                return received
            if not data:
                return received
            received += data


def head(server: Server, method: str, path: str, *more: str) -> bytes:
    lines = [
        f"{method} {path} HTTP/1.1",
        "Connection: close",
        f"Authorization: Bearer {server.token}",
        f"X-User-ID: {USER}",
    ]
    if not any(line.lower().startswith("host:") for line in more):
        lines.append("Host: localhost")
    return "\r\n".join([*lines, *more, "", ""]).encode()


def code(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def test_a_body_over_the_limit_is_refused_while_it_streams(shared: Server) -> None:
    """Nobody waits for its end: the answer comes after the first mebibyte of an endless body."""
    request = head(
        shared, "POST", "/api/session/create", "Content-Type: application/json", "Transfer-Encoding: chunked"
    )
    with socket.create_connection(("127.0.0.1", shared.port), timeout=30) as connection:
        connection.sendall(request)
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        for _ in range(17):
            connection.sendall(chunk)
        assert code(connection.recv(65_536)) == 413


def test_a_body_without_a_length_is_read_to_the_limit_and_not_cut_there(shared: Server) -> None:
    body = json.dumps({"pump": "p", "cursors": {str(uuid4()): 0}}).encode()
    request = head(
        shared, "POST", "/api/outputs", "Content-Type: application/json", "Transfer-Encoding: chunked"
    )

    def sent(size: int) -> int:
        padded = body + b" " * (size - len(body))
        return code(exchange(shared, request + b"%x\r\n%s\r\n0\r\n\r\n" % (size, padded)))

    assert (sent(1 << 20), sent((1 << 20) + 1)) == (200, 413)


def test_a_declared_body_over_the_limit_is_refused_without_reading_it(shared: Server) -> None:
    request = head(
        shared, "POST", "/api/outputs", "Content-Type: application/json", "Content-Length: 1048577"
    )
    with socket.create_connection(("127.0.0.1", shared.port), timeout=30) as connection:
        connection.sendall(request)
        assert code(connection.recv(65_536)) == 413


def test_a_chunked_body_is_read(shared: Server) -> None:
    body = json.dumps({"pump": "p", "cursors": {str(uuid4()): 0}}).encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:10], body[10:])) + b"0\r\n\r\n"
    request = head(
        shared, "POST", "/api/outputs", "Content-Type: application/json", "Transfer-Encoding: chunked"
    )
    assert code(exchange(shared, request + chunks)) == 200


@pytest.mark.parametrize(
    "request_lines",
    [
        b"nonsense\r\n\r\n",
        b"GET /health HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n folded: x\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"x" * 9000 + b"\r\n\r\n",
        b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + b"X-A: x\r\n" * 100 + b"\r\n",
        b"GET /" + b"x" * 5000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=[
        "nonsense",
        "version",
        "smuggling",
        "negative",
        "folded",
        "long header",
        "many headers",
        "long line",
        "TLS",
    ],
)
def test_a_request_that_is_no_http_is_refused(shared: Server, request_lines: bytes) -> None:
    with socket.create_connection(("127.0.0.1", shared.port), timeout=30) as connection:
        connection.sendall(request_lines)
        connection.shutdown(socket.SHUT_WR)
        answer = connection.recv(65_536)
    assert not answer or 400 <= code(answer) < 600
    assert shared.call("GET", "/health").status_code == 200


@pytest.mark.parametrize(
    "path", ["//api/sessions", "/./api/sessions", "http://localhost//api/sessions", "/%2fapi/sessions"]
)
def test_an_odd_target_is_no_way_around_the_token(shared: Server, path: str) -> None:
    request = (
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nX-User-ID: {USER}\r\nConnection: close\r\n\r\n".encode()
    )
    answer = exchange(shared, request)
    assert code(answer) in (400, 401, 404)
    assert b'"items"' not in answer


def test_an_address_as_target_does_not_replace_the_host(shared: Server) -> None:
    assert code(exchange(shared, head(shared, "GET", "http://localhost/health", "Host: evil.example"))) == 400
    assert (
        code(exchange(shared, head(shared, "GET", "/health", "Host: localhost", "Host: evil.example"))) == 400
    )


def test_a_header_with_a_line_end_inside_is_no_second_header(shared: Server) -> None:
    answer = exchange(shared, head(shared, "GET", "/health", "X-Request-ID: a\rSet-Cookie: b=c"))
    assert b"Set-Cookie" not in answer.partition(b"\r\n\r\n")[0]


class Siege:
    """Clients of one server that are more than it has threads, and each of which goes as slowly as it can."""

    def __init__(self, server: Server, request: bytes, drop: bytes) -> None:
        self.server = server
        self.request = request
        self.drop = drop
        self.answers: list[int] = []
        self.other = threading.Thread(target=self._call)
        self.slow = [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(30)]

    def begin(self) -> None:
        for connection in self.slow:
            connection.sendall(self.request)

    def drip(self) -> bool:
        """Send one byte more from each, unless they only do not read; tell whether somebody else had an answer."""
        for connection in self.slow if self.drop else ():
            with suppress(OSError):  # it was cut
                connection.sendall(self.drop)
        return bool(self.answers)

    def end(self) -> None:
        for connection in self.slow:
            connection.close()
        if self.other.ident is not None:
            self.other.join()

    def _call(self) -> None:
        self.answers.append(self.server.call("GET", "/health", timeout=90).status_code)


def sieges(make_server: MakeServer) -> dict[str, Siege]:
    """Return one of each kind, each at a server of its own."""
    servers = [make_server(SIDECAR_THREADS="24") for _ in range(4)]
    session = create(servers[3])
    assert say(servers[3], session, "[[flood 1000000]]").ok
    body = head(servers[1], "POST", "/api/outputs", "Content-Type: application/json", "Content-Length: 1000")
    chunk = head(
        servers[2], "POST", "/api/outputs", "Content-Type: application/json", "Transfer-Encoding: chunked"
    )
    answer = (
        f"GET /api/session/{session}/output?maxBytes=1048576&encoding=base64 HTTP/1.1\r\nHost: localhost\r\n"
        f"X-User-ID: {USER}\r\nAuthorization: Bearer {servers[3].token}\r\n\r\n"
    ).encode()
    return {
        "headers": Siege(servers[0], b"GET /health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ", b"x"),
        "body": Siege(servers[1], body, b" "),
        "chunk": Siege(servers[2], chunk + b"ff\r\n", b" "),
        "answer": Siege(servers[3], answer * 10, b""),  # more than lies in the buffers between
    }


def test_slow_clients_do_not_stop_others(make_server: MakeServer) -> None:
    """They drip headers or bodies, byte by byte, or do not read their answer; side by side, for it takes long."""
    kinds = sieges(make_server)
    try:
        for siege in kinds.values():
            siege.begin()
        time.sleep(2)  # until all threads have one of them
        for siege in kinds.values():
            siege.other.start()
        served = until(lambda: sum(siege.drip() for siege in kinds.values()) == len(kinds))
        assert served, [kind for kind, siege in kinds.items() if not siege.answers]
    finally:
        for siege in kinds.values():
            siege.end()
    assert [siege.answers for siege in kinds.values()] == [[200]] * len(kinds)


def test_waiting_calls_leave_threads_for_others(make_server: MakeServer) -> None:
    server = make_server(SIDECAR_THREADS="24")
    with waiting(server, 8) as answers:
        assert server.call("GET", "/health").status_code == 200
        assert answers == []
        assert server.stop() == 0
    assert len(answers) == 8


# -- the command -----------------------------------------------------------------------------------------


def test_the_command_ends_at_ctrl_c_too(server: Server) -> None:
    server.signal(signal.SIGINT)
    assert server.wait() == 0


def test_the_command_prints_its_settings_and_version() -> None:
    def run(*arguments: str) -> str:
        command = [sys.executable, "-m", "sidecar.cli", *arguments]
        return subprocess.run(command, env={}, capture_output=True, check=True, text=True).stdout

    assert run("settings").startswith("| setting | default | meaning |")
    assert run("--version").count(".") == 2
