"""A proxy between a bridge and the instance that counts what it asks. Only for counting: it takes time of its own."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

_HOP = frozenset({"connection", "transfer-encoding", "keep-alive", "content-length", "date", "server"})
#: Longer than the push channel's long poll.
_PATIENCE_S = 90.0


class Census:
    """How many requests came by."""

    def __init__(self, url: str) -> None:
        """Begin with none; `url` is what the bridge is told in place of the instance's."""
        self.url = url
        self._count = 0
        self._lock = threading.Lock()

    @property
    def requests(self) -> int:
        """Return how many there were so far."""
        return self._count

    def one(self) -> None:
        """Count one more."""
        with self._lock:
            self._count += 1


@contextmanager
def counting(target: str) -> Iterator[Census]:
    """Run such a proxy in front of an instance."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    server.daemon_threads = True
    census = Census(f"http://127.0.0.1:{server.server_port}")
    server.RequestHandlerClass = _handler(census, urlsplit(target).netloc)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="census")
    thread.start()
    try:
        yield census
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(census: Census, netloc: str) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        #: Head and body of an answer are two writes; the second must not wait for an acknowledgement.
        disable_nagle_algorithm = True

        def setup(self) -> None:
            super().setup()
            self._instance = http.client.HTTPConnection(netloc, timeout=_PATIENCE_S)

        def finish(self) -> None:
            self._instance.close()
            with suppress(OSError):
                super().finish()

        def _pass(self) -> None:
            census.one()
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            try:
                self._instance.request(self.command, self.path, body or None, dict(self.headers))
                answer = self._instance.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException):
                self.close_connection = True
                return
            with suppress(ConnectionError):  # whoever asked may be gone
                self._answer(answer, content)

        def _answer(self, answer: http.client.HTTPResponse, content: bytes) -> None:
            self.send_response_only(answer.status, answer.reason)
            for name, value in answer.getheaders():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            if answer.status != 204:
                self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = _pass  # noqa: N815  # names of the base class

        def log_message(self, *_: Any) -> None:
            pass

    return Handler
