"""A wire between the MID Server and the real service that is listened to, and cut when a test says so."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_HOP = frozenset({"connection", "transfer-encoding", "keep-alive"})
_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Passed:
    """One request that came by."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Tap:
    """Passes everything on to `target`, and keeps what came.

    What `deaf` picks still reaches the service, but its answer never comes back; what `held` picks waits for `let_go`
    after the service has answered.
    """

    target: str
    deaf: Callable[[Passed], bool] = lambda _: False
    held: Callable[[Passed], bool] = lambda _: False
    let_go: threading.Event = field(default_factory=threading.Event)
    requests: list[Passed] = field(default_factory=list)
    #: Those whose answer the service has given.
    answered: list[Passed] = field(default_factory=list)
    url: str = ""

    def of(self, ending: str, since: int = 0) -> list[Passed]:
        """Return the requests whose path ends so, from the given place on."""
        return [one for one in self.requests[since:] if one.path.partition("?")[0].endswith(ending)]

    def restore(self) -> None:
        """Pass everything on again."""
        self.deaf = self.held = lambda _: False
        self.let_go.set()


@contextmanager
def tapped(target: str) -> Iterator[Tap]:
    """Run a tap in front of the service."""
    tap = Tap(target)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(tap))
    tap.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield tap
    finally:
        tap.restore()
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(tap: Tap) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def _pass(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            passed = Passed(self.command, self.path, dict(self.headers), body)
            deaf, held = tap.deaf(passed), tap.held(passed)
            tap.requests.append(passed)
            status, headers, answer = _forwarded(tap.target, passed)
            tap.answered.append(passed)
            if held:
                tap.let_go.wait(_TIMEOUT_S)
            if deaf:
                return
            with suppress(ConnectionError):  # whoever asked may be gone
                self.send_response(status)
                for name, value in headers:
                    if name.lower() not in _HOP:
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(answer)

        do_GET = do_POST = do_DELETE = _pass  # noqa: N815  # names of the base class

        def log_message(self, *_: Any) -> None:
            pass

    return Handler


def _forwarded(target: str, passed: Passed) -> tuple[int, list[tuple[str, str]], bytes]:
    connection = http.client.HTTPConnection(urlsplit(target).netloc, timeout=_TIMEOUT_S)
    try:
        connection.request(passed.method, passed.path, passed.body or None, dict(passed.headers))
        answer = connection.getresponse()
        return answer.status, answer.getheaders(), answer.read()
    except OSError:
        return 502, [], b""
    finally:
        connection.close()
