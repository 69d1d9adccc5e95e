"""A gate on the way to a server: a test decides what passes, and does something of its own just before or after it."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

from tests.fakes.tap import Passed

_HOP = frozenset({"connection", "transfer-encoding", "keep-alive"})
_TIMEOUT_S = 60.0


class Cut(Exception):
    """Raised by a hook: the connection is closed, and whoever asked hears nothing."""


@dataclass(frozen=True)
class Reply:
    """One answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


Before = Callable[[Passed], None]
After = Callable[[Passed, Reply], None]


@dataclass
class Gate:
    """Passes everything on to `target`, and keeps what came.

    `before` is called with a request that has come, `after` when the target has answered it; each may raise `Cut`.
    """

    target: str
    before: Before = lambda _: None
    after: After = lambda _, __: None
    requests: list[Passed] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)
    url: str = ""
    _waiting: set[http.client.HTTPConnection] = field(default_factory=set)

    def drop(self) -> None:
        """Forget what waits for an answer of the target, and open."""
        for connection in list(self._waiting):
            if connection.sock is not None:
                with suppress(OSError):  # it was answered in this moment
                    connection.sock.shutdown(socket.SHUT_RDWR)
        self.open()

    def close(self) -> None:
        """Let nothing pass."""

        def cut(_: Passed) -> None:
            raise Cut

        self.before = cut

    def open(self) -> None:
        """Pass everything on."""
        self.before, self.after = Gate.before, Gate.after

    def forward(self, passed: Passed) -> Reply:
        """Return the target's answer; raise `Cut` when there is none."""
        connection = http.client.HTTPConnection(urlsplit(self.target).netloc, timeout=_TIMEOUT_S)
        self._waiting.add(connection)
        try:
            connection.request(passed.method, passed.path, passed.body or None, dict(passed.headers))
            answer = connection.getresponse()
            return Reply(answer.status, answer.getheaders(), answer.read())
        except (OSError, http.client.HTTPException) as error:
            raise Cut from error
        finally:
            self._waiting.discard(connection)
            connection.close()

    def of(self, ending: str) -> list[Passed]:
        """Return the requests whose path ends so."""
        return [one for one in self.requests if one.path.partition("?")[0].endswith(ending)]


@contextmanager
def gated(target: str) -> Iterator[Gate]:
    """Run a gate in front of a server."""
    gate = Gate(target)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(gate))
    gate.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield gate
    finally:
        gate.drop()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(gate: Gate) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            passed = Passed(self.command, self.path, dict(self.headers), body)
            gate.requests.append(passed)
            with suppress(Cut, ConnectionError):  # whoever asked may be gone
                gate.before(passed)
                reply = gate.forward(passed)
                gate.replies.append(reply)
                gate.after(passed, reply)
                self._answer(reply)

        do_GET = do_POST = do_DELETE = _pass  # noqa: N815  # names of the base class

        def _answer(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers:
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
