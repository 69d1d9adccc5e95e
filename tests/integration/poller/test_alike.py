"""The poller and the MID script do the same: each row goes through both, against one sidecar."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from sidecar.clock import SystemClock
from sidecar.poller.sidecar import LONGEST_ANSWER, Sidecar
from sidecar.poller.wire import Manner, Wire
from tests.fixtures.probe import TOKEN, Bench, Request
from tests.unit.poller.payload import SESSION, USER, parameters, written

Json = dict[str, Any]

BODIES: dict[str, Json] = {
    "create": {"userId": USER, "workspaceType": "isolated", "sessionId": SESSION, "columns": 80, "rows": 24},
    "command": {"command": "häl\x1blo\r\n<&\"'>", "mode": "text", "waitMs": 1300, "stream": "t", "seq": 1},
    "output": {"cursor": 842, "wait": 0, "encoding": "base64"},
    "outputs": {"pump": "dev:a b", "wait": 0, "maxBytes": 1 << 20, "cursors": {SESSION: 5}},
    "screen": {},
    "status": {},
    "resize": {"rows": 30, "columns": 100},
    "terminate": {},
    "list": {"limit": 100, "state": "a b&c=ä/!~*'()"},
    "health": {},
    "sealing_key": {},
    "credential.store": {"userId": USER, "sealed": "a.b.c.d.e"},
    "credential.delete": {"credentialId": SESSION},
}

#: What the sidecar says: status, body, headers.
REPLIES: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "well": (200, '{"data":"\\u001b[0m ä😀","n":1.5,"list":[null,true]}'.encode(), {}),
    "made": (201, b'{"a":1}', {}),
    "refused": (409, b'{"type":"urn:x","title":"No","status":409,"detail":"Because.","other":1}', {}),
    "too often": (429, b'{"title":"Slow","detail":"d"}', {"Retry-After": "7"}),
    "a date": (
        503,
        b'{"title":"Slow","detail":"d"}',
        {"Retry-After": "Sun, 01 Nov 2026 00:00:00 GMT"},
    ),
    "fields": (422, b'{"title":"Bad","detail":"d","errors":[{"field":"a","message":"b"}]}', {}),
    "bare": (500, b"{}", {}),
    "sick": (
        503,
        b'{"status":"degraded","checks":{"disk":{"ok":false,"detail":"full"},"cli":{"ok":true}}}',
        {},
    ),
    "draining": (503, b'{"status":"draining","checks":{"disk":{"ok":true,"detail":""}}}', {}),
    "wrong token": (401, b'{"title":"x","detail":"y"}', {}),
    "html": (200, b"<html>", {}),
    "a gateway": (502, b"Bad gateway", {}),
    "nothing": (204, b"", {}),
    "null": (200, b"null", {}),
    "elsewhere": (302, b"{}", {"Location": "/elsewhere"}),
    "too large": (200, b'{"data":"' + b"x" * 131_072 + b'"}', {}),
    "endless": (200, b"x" * (2 << 20), {}),
    "a large screen": (200, json.dumps({"ansi": "x" * 60_000, "lines": ["y" * 60_000]}).encode(), {}),
}


class Both:
    """The script and the poller, with the same sidecar and token."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.wire = Wire(bench.stub.url, SystemClock(), Manner(0, LONGEST_ANSWER))
        self.sidecar = Sidecar(self.wire, TOKEN)

    def run(self, given: dict[str, str]) -> tuple[Json, Json]:
        """Return what the script and what the poller answer to a row."""
        theirs = self.bench.host.run(self.bench.config, given).json
        ours = self.sidecar.answer(written(given))
        return theirs, json.loads(base64.b64decode(ours.text, validate=True))

    def reply(self, name: str) -> None:
        """Let the sidecar say this."""
        stub = self.bench.stub
        stub.status, stub.reply, stub.headers = REPLIES[name]


@pytest.fixture
def both(bench: Bench) -> Iterator[Both]:
    pair = Both(bench)
    yield pair
    pair.wire.close()


def told(request: Request) -> tuple[object, ...]:
    """Return what counts of a request; Java and Python write some headers of their own."""
    names = ("Authorization", "X-User-ID", "Idempotency-Key", "X-Request-ID", "Content-Type", "Connection")
    body = json.loads(request.body) if request.body else None
    headers = {name.lower(): value for name, value in request.headers.items()}
    path = request.path.replace("%21", "!").replace("%7E", "~").replace("%2A", "*")
    path = path.replace("%27", "'").replace("%28", "(").replace("%29", ")")
    return request.method, path, body, [headers.get(name.lower()) for name in names]


def assert_alike(theirs: Json, ours: Json) -> None:
    """Both answers are the same but for the words of a problem that is not the sidecar's."""
    words = {"Because.", "d", "disk: full", "It is draining.", "HTTP status 500."}
    if not theirs["ok"] and theirs["problem"]["detail"] not in words:
        assert ours["problem"]["detail"]
        ours["problem"]["detail"] = theirs["problem"]["detail"]
    assert ours == theirs


@pytest.mark.parametrize("op", BODIES)
def test_a_row_becomes_the_same_request(both: Both, op: str) -> None:
    assert_alike(*both.run(parameters(op, BODIES[op])))

    theirs, ours = both.bench.stub.requests
    assert told(ours) == told(theirs)


@pytest.mark.parametrize("reply", REPLIES)
@pytest.mark.parametrize("op", ["command", "screen"])
def test_what_the_sidecar_says_becomes_the_same_answer(both: Both, op: str, reply: str) -> None:
    both.reply(reply)

    theirs, ours = both.run(parameters(op, BODIES[op]))

    assert_alike(theirs, ours)
    assert len(both.bench.stub.requests) == 2


@pytest.mark.parametrize("op", ["command", "status", "terminate", "outputs"])
def test_a_connection_that_breaks_becomes_the_same_answer(both: Both, op: str) -> None:
    both.bench.stub.hang_up = True

    assert_alike(*both.run(parameters(op, BODIES[op])))


@pytest.mark.parametrize("op", ["command", "status"])
def test_a_sidecar_that_is_not_there_becomes_the_same_answer(both: Both, op: str) -> None:
    both.bench.config["mid.claude.sidecar.url"] = "http://127.0.0.1:1"
    away = Wire("http://127.0.0.1:1", SystemClock(), Manner(0, LONGEST_ANSWER))
    both.sidecar = Sidecar(away, TOKEN)

    assert_alike(*both.run(parameters(op, BODIES[op])))
    away.close()


@pytest.mark.parametrize(
    "given",
    [
        parameters("status", v="2"),
        parameters("status", v="-"),
        parameters("job.submit"),
        parameters("status", "%%%"),
        parameters("status", [1]),
        parameters("status", {"x": 1}),
        parameters("status", session="../health"),
        parameters("status", user="-"),
        parameters("status", user="a b"),
        parameters("terminate", key="-"),
        parameters("list", {"state": [1]}),
        parameters("credential.delete", {"credentialId": "x"}),
        parameters("status", "", session=SESSION.upper()),
        parameters("outputs", {}, key="-"),
    ],
    ids=lambda given: "-".join(given[name] for name in ("op", "body") if name in given),
)
def test_a_row_that_is_not_right_is_refused_alike(both: Both, given: dict[str, str]) -> None:
    theirs, ours = both.run(given)

    assert_alike(theirs, ours)
