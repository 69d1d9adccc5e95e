"""An instance as the poller meets it: gives the rows it was told to, keeps the answers, or fails as it was told to."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

Json = dict[str, Any]

TOKEN_PATH = "/oauth_token.do"
CLAIM, COMPLETE, TOKEN = "claim", "complete", "token"


@dataclass(frozen=True)
class Asked:
    """One request that came."""

    what: str
    body: Json
    authorization: str
    cookie: str | None


@dataclass(frozen=True)
class Said:
    """One answer to be given in place of the usual one."""

    status: int = 200
    content: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)


def problem(status: int, title: str, **headers: str) -> Said:
    """Return a problem as the app tells it."""
    content = json.dumps({"error": {"title": title, "message": title, "status": status}, "status": "failure"})
    return Said(status, content.encode(), {name.replace("_", "-"): value for name, value in headers.items()})


@dataclass
class StubInstance:
    """Rows put into `rows` are given once, in the next claim. `next` fails single requests, `always` all of a kind."""

    rows: list[Json] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    viewers: int = 0
    lease_s: float = 30
    next: dict[str, list[Said]] = field(default_factory=dict)
    always: dict[str, Said] = field(default_factory=dict)
    #: Rows that cannot be answered.
    stubborn: set[str] = field(default_factory=set)
    #: Requests wait here; all may pass at first.
    gates: dict[str, threading.Event] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    #: Given out by the token resource, one after the other.
    tokens: list[str] = field(default_factory=list)
    lifetime_s: float = 1800

    def __post_init__(self) -> None:
        self._port = 0
        self._open: set[socket.socket] = set()

    @property
    def url(self) -> str:
        """Return its address, which stays when it comes back."""
        return f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Serve, at the same port as before."""
        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), _handler(self, self._open))
        self._port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        """Go away, with every connection."""
        for gate in self.gates.values():
            gate.set()
        self._server.shutdown()
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # its other end was faster
        self._server.server_close()
        self._thread.join()

    def of(self, what: str) -> list[Json]:
        """Return the bodies of the requests of a kind."""
        return [asked.body for asked in self.asked if asked.what == what]

    def answers(self) -> dict[str, Json]:
        """Return the answers that were taken, decoded, by row."""
        return {
            body["row"]: json.loads(base64.b64decode(body["output"], validate=True))
            for body in self.of(COMPLETE)
        }

    def say(self, asked: Asked) -> Said:
        """Return the answer to a request."""
        self.asked.append(asked)
        what, body = asked.what, asked.body
        if what in self.gates:
            self.gates[what].wait(60)
        if what == COMPLETE and body["row"] in self.stubborn:
            return problem(500, "Failed")
        if self.next.get(what):
            return self.next[what].pop(0)
        return self.always.get(what) or Said(content=json.dumps(self._usual(what, body)).encode())

    def _usual(self, what: str, body: Json) -> Json:
        if what == TOKEN:
            self.tokens.append(f"marker-token-{len(self.tokens)}")
            return {"access_token": self.tokens[-1], "token_type": "Bearer", "expires_in": self.lifetime_s}
        return {"result": {"state": "answered"} if what == COMPLETE else self._claim(body)}

    def _claim(self, body: Json) -> Json:
        given = [] if body["look"] else self.rows[: body["limit"]]
        del self.rows[: len(given)]
        lost, self.lost = self.lost, []
        return {"rows": given, "lost": lost, "leaseSeconds": self.lease_s, "viewers": self.viewers}


def _handler(stub: StubInstance, connections: set[socket.socket]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            connections.add(self.connection)

        def finish(self) -> None:
            connections.discard(self.connection)
            super().finish()

        def do_GET(self) -> None:
            self._say(Said(401, b"{}"))

        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            what, body = (TOKEN, parse_qs(sent.decode())) if self.path == TOKEN_PATH else _told(self, sent)
            named = self.headers.get("Authorization", ""), self.headers.get("Cookie")
            self._say(stub.say(Asked(what, dict(body), *named)))

        def _say(self, said: Said) -> None:
            self.send_response_only(said.status)
            for name, value in ({"Content-Length": str(len(said.content))} | dict(said.headers)).items():
                self.send_header(name, value)
            try:
                self.end_headers()
                self.wfile.write(said.content)
            except OSError:
                self.close_connection = True  # the poller had enough

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def _told(request: BaseHTTPRequestHandler, sent: bytes) -> tuple[str, Json]:
    base, _, what = request.path.rpartition("/")
    assert base == "/api/x_claude_terminal/v1/bridge"
    return what, json.loads(sent)
