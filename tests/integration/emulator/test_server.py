"""The stand-in over real sockets."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from emulator.anthropic import Entry, Server, Settings, SettingsError

KEY = "sk-a-secret-of-the-test"
HEADERS = {"content-type": "application/json", "x-api-key": KEY, "x-claude-code-session-id": "session-1"}
WAIT_SECONDS = 20


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def connection(server: Server) -> Iterator[HTTPConnection]:
    opened = connect(server)
    yield opened
    opened.close()


def connect(server: Server) -> HTTPConnection:
    return HTTPConnection(urlsplit(server.url).netloc, timeout=WAIT_SECONDS)


def document(prompt: object, *, stream: bool = True) -> dict[str, object]:
    return {"model": "claude-x", "stream": stream, "messages": [{"role": "user", "content": prompt}]}


def post(connection: HTTPConnection, body: object, path: str = "/v1/messages?beta=true") -> HTTPResponse:
    connection.request("POST", path, json.dumps(body), HEADERS)
    return connection.getresponse()


def say(connection: HTTPConnection, prompt: object) -> HTTPResponse:
    return post(connection, document(prompt))


def events(response: HTTPResponse) -> list[dict[str, Any]]:
    frames = response.read().decode().split("\n\n")
    return [json.loads(frame.partition("data: ")[2]) for frame in frames if frame]


def said(response: HTTPResponse) -> str:
    return "".join(event["delta"].get("text", "") for event in events(response) if "delta" in event)


def last(server: Server) -> Entry:
    """Return the newest log entry once it is done."""
    assert server.requests.wait(lambda entries: bool(entries) and entries[-1].done, WAIT_SECONDS)
    return server.requests.entries()[-1]


def leave(connection: HTTPConnection, response: HTTPResponse) -> None:
    response.close()
    connection.close()


def test_a_streamed_answer_repeats_the_prompt_and_the_model(connection: HTTPConnection) -> None:
    response = say(connection, "hello")

    assert response.status == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    answer = events(response)
    assert answer[0]["message"]["model"] == "claude-x"
    assert answer[2]["delta"]["text"] == "You said: hello"
    assert answer[-1] == {"type": "message_stop"}


def test_a_plain_answer_is_one_message_on_a_kept_connection(connection: HTTPConnection) -> None:
    for _ in range(2):
        message = json.load(post(connection, document("hello", stream=False)))

        assert message["content"] == [{"type": "text", "text": "You said: hello"}]
        assert message["usage"]["input_tokens"] > 0
        assert message["usage"]["output_tokens"] == 4


def test_a_long_answer_arrives_whole(connection: HTTPConnection) -> None:
    text = said(say(connection, "[[long 200000]]"))

    assert len(text) == 200_000
    assert text.endswith("End of 200000 characters.")


def test_tokens_can_be_counted(connection: HTTPConnection) -> None:
    response = post(connection, document("x" * 400), "/v1/messages/count_tokens?beta=true")

    assert json.load(response)["input_tokens"] > 100


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("HEAD", "/api/hello", 200, b""),
        ("HEAD", "/other", 404, b""),
        ("POST", "/api/event_logging/batch", 200, b"{}"),
    ],
)
def test_the_other_requests_of_the_cli_are_answered(
    connection: HTTPConnection, method: str, path: str, status: int, body: bytes
) -> None:
    connection.request(method, path)
    response = connection.getresponse()

    assert (response.status, response.read()) == (status, body)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (529, "overloaded_error"),
    ],
)
@pytest.mark.parametrize("stream", [True, False])
def test_an_error_has_the_shape_of_the_real_api(
    connection: HTTPConnection, status: int, kind: str, stream: bool
) -> None:
    response = post(connection, document(f"[[error {status}]]", stream=stream))

    body = json.load(response)
    assert response.status == status
    assert body["type"] == "error"
    assert body["error"]["type"] == kind
    assert body["error"]["message"]
    assert response.headers["retry-after"] == ("1" if status == 429 else None)


def test_an_unknown_address_is_not_found(connection: HTTPConnection) -> None:
    connection.request("GET", "/v1/models")
    response = connection.getresponse()

    assert response.status == 404
    assert json.load(response)["error"]["type"] == "not_found_error"


def test_a_prompt_fails_the_asked_number_of_times_and_then_works(connection: HTTPConnection) -> None:
    statuses = []
    for _ in range(3):
        response = post(connection, document("[[fail 2 then ok]] hello", stream=False))
        response.read()
        statuses.append(response.status)

    assert statuses == [529, 529, 200]


def test_parallel_prompts_do_not_share_their_failures(server: Server) -> None:
    def attempt(number: int) -> list[int]:
        connection = connect(server)
        statuses = []
        for _ in range(2):
            response = post(connection, document(f"[[fail 1 then ok]] {number}", stream=False))
            response.read()
            statuses.append(response.status)
        connection.close()
        return statuses

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(attempt, range(30))) == [[529, 200]] * 30


def test_a_dropped_stream_is_reset_after_some_text(connection: HTTPConnection, server: Server) -> None:
    response = say(connection, "[[drop]] [[echo abcdefgh]]")

    assert b"abcd" in b"".join(response.readline() for _ in range(9))
    with pytest.raises(ConnectionResetError):
        response.read()
    assert last(server).client_gone is False


def test_a_dropped_plain_answer_is_reset_before_its_end(connection: HTTPConnection) -> None:
    response = post(connection, document("[[drop]]", stream=False))

    with pytest.raises(ConnectionResetError):
        response.read()


def test_a_client_that_leaves_an_endless_stream_is_noted(connection: HTTPConnection, server: Server) -> None:
    response = say(connection, "[[endless]]")
    response.readline()

    leave(connection, response)

    assert last(server).client_gone is True


@pytest.mark.parametrize(("prompt", "stream"), [("[[delay 300]]", True), ("[[endless]]", False)])
def test_a_client_that_leaves_a_silent_request_is_noted(server: Server, prompt: str, stream: bool) -> None:
    connection = connect(server)
    connection.request("POST", "/v1/messages", json.dumps(document(prompt, stream=stream)), HEADERS)
    assert server.requests.wait(lambda entries: any(entry.behaviour for entry in entries), WAIT_SECONDS)

    connection.close()

    assert last(server).client_gone is True


def test_a_client_that_leaves_in_its_request_is_noted(server: Server) -> None:
    with raw(server) as connection:
        connection.sendall(b"POST /v1/messages HTTP/1.1\r\ncontent-length: 100\r\n\r\nhalf")

    assert last(server).client_gone is True


def raw(server: Server) -> socket.socket:
    address = urlsplit(server.url)
    return socket.create_connection((str(address.hostname), address.port or 0), timeout=WAIT_SECONDS)


def exchange(server: Server, request: bytes) -> tuple[int, dict[str, Any]]:
    with raw(server) as connection:
        connection.sendall(request)
        response = HTTPResponse(connection)
        response.begin()
        return response.status, json.loads(response.read())


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"POST /v1/messages HTTP/1.1\r\ncontent-length: 1\r\n\r\n{", 400),
        (b"POST /v1/messages HTTP/1.1\r\n\r\n", 400),
        (b"POST /v1/messages HTTP/1.1\r\ncontent-length: x\r\n\r\n", 400),
        (b"POST /v1/messages HTTP/1.1\r\ncontent-length: -1\r\n\r\n", 400),
        (b"POST /v1/messages HTTP/1.1\r\ncontent-length: 2\r\ncontent-type: text/plain\r\n\r\n{}", 415),
        (b"POST /v1/messages HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"POST /v1/messages HTTP/1.1\r\ncontent-length: 999999999999999999999\r\n\r\n", 400),
        (b"DELETE /v1/messages HTTP/1.1\r\n\r\n", 501),
        (b"GET //[ HTTP/1.1\r\n\r\n", 404),
        (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 200 + b"\r\n", 431),
        (b"\x16\x03\x01 garbage HTTP/1.1\r\n\r\n", 501),
    ],
)
def test_garbage_gets_an_error_of_the_api_and_no_trace(
    server: Server, capfd: pytest.CaptureFixture[str], request_bytes: bytes, status: int
) -> None:
    answer = exchange(server, request_bytes)

    assert answer[0] == status
    assert answer[1]["type"] == "error"
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("extra", "status"), [(0, 200), (1, 413)])
def test_a_body_may_have_8_mib_and_not_a_byte_more(
    connection: HTTPConnection, extra: int, status: int
) -> None:
    frame = len(json.dumps(document("", stream=False)))
    body = document("x" * (8 * 1024 * 1024 - frame + extra), stream=False)

    response = post(connection, body)

    assert response.status == status
    response.read()


def test_what_follows_a_request_without_a_handler_is_still_understood(connection: HTTPConnection) -> None:
    for _ in range(2):
        response = post(connection, {"some": "telemetry"}, "/api/other")

        assert response.read() == b"{}"


def test_the_log_tells_about_requests_and_never_holds_a_key(
    connection: HTTPConnection, server: Server
) -> None:
    say(connection, f"my key is {KEY} " + "x" * 1000).read()
    last(server)
    connection.close()

    connection.request("GET", "/requests")
    text = connection.getresponse().read().decode()

    (entry,) = json.loads(text)
    assert KEY not in text
    assert entry["text"].startswith("my key is *** xxx")
    assert len(entry["text"]) == 500
    assert {
        name: entry[name] for name in ("method", "path", "credential", "session", "model", "behaviour")
    } == {
        "method": "POST",
        "path": "/v1/messages",
        "credential": "x-api-key",
        "session": "session-1",
        "model": "claude-x",
        "behaviour": "default",
    }


def test_finished_requests_are_appended_to_the_log_file(tmp_path: Path) -> None:
    path = tmp_path / "requests.jsonl"
    for _ in range(2):
        with Server(Settings(log=path)) as server:
            connection = connect(server)
            say(connection, "hello").read()
            connection.close()

    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [line["text"] for line in lines] == ["hello", "hello"]
    assert KEY not in path.read_text(encoding="utf-8")


def test_a_script_file_decides_for_prompts_without_words(tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    path.write_text('[{"match": "weather", "reply": "Sunny."}]', encoding="utf-8")

    with Server(Settings(script=path)) as server:
        connection = connect(server)
        assert said(say(connection, "the weather?")) == "Sunny."
        connection.close()


def test_tokens_come_no_faster_than_asked(connection: HTTPConnection) -> None:
    start = time.monotonic()

    assert len(said(say(connection, "[[rate 50 tokens 20]]"))) == 80
    assert time.monotonic() - start >= 19 / 50


def test_the_first_byte_comes_no_earlier_than_asked(connection: HTTPConnection) -> None:
    start = time.monotonic()

    assert say(connection, "[[delay 0.3]]").status == 200
    assert time.monotonic() - start >= 0.3


def test_the_speed_of_the_server_is_the_default() -> None:
    start = time.monotonic()

    with Server(Settings(tokens_per_second=50)) as server:
        slow = connect(server)
        said(say(slow, "[[echo " + "x" * 80 + "]]"))
        slow.close()

    assert time.monotonic() - start >= 19 / 50


def test_a_burst_of_connections_is_served(server: Server) -> None:
    def count(_: int) -> int:
        connection = connect(server)
        status = post(connection, document("x"), "/v1/messages/count_tokens").status
        connection.close()
        return status

    with ThreadPoolExecutor(30) as pool:
        assert set(pool.map(count, range(60))) == {200}


def test_stopping_ends_every_answer_and_every_thread() -> None:
    before = threading.active_count()
    with Server() as server:
        idle, silent, endless = (connect(server) for _ in range(3))
        idle.connect()
        silent.request("POST", "/v1/messages", json.dumps(document("[[delay 300]]")), HEADERS)
        response = say(endless, "[[endless]]")
        response.readline()
        stalled = raw(server)  # asks for more than the buffers hold and reads none of it
        body = json.dumps(document("[[rate 100000]] [[endless]]")).encode()
        stalled.sendall(b"POST /v1/messages HTTP/1.1\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))
        server.requests.wait(
            lambda entries: sum(bool(entry.behaviour) for entry in entries) == 3, WAIT_SECONDS
        )

    assert threading.active_count() == before
    assert all(entry.done for entry in server.requests.entries())
    for connection in (idle, silent, endless, stalled):
        connection.close()
    response.close()


def test_a_server_can_be_stopped_twice_and_without_a_start() -> None:
    with Server() as server:
        server.stop()

    Server().stop()


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.com", ""])
def test_a_host_that_is_not_loopback_is_refused(host: str) -> None:
    with pytest.raises(SettingsError):
        Settings(host=host)


@pytest.mark.parametrize("settings", [{"port": -1}, {"port": 65536}, {"tokens_per_second": -1.0}])
def test_values_out_of_range_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(SettingsError):
        Settings(**settings)
