"""The server: settings, the listening socket, start and stop."""

from __future__ import annotations

import contextlib
import socket
import sys
from dataclasses import dataclass
from functools import partial
from http.server import ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from socketserver import TCPServer
from threading import Lock, Thread
from types import TracebackType
from typing import Any, Self, TextIO

from emulator.anthropic.attempts import Attempts
from emulator.anthropic.clock import Clock, SystemClock
from emulator.anthropic.handler import Handler
from emulator.anthropic.record import Record
from emulator.anthropic.script import Script, load
from emulator.anthropic.stage import Stage

#: How often the accept loop looks whether it shall stop, in seconds.
STOP_CHECK_SECONDS = 0.1


class SettingsError(ValueError):
    """A setting cannot be used."""


@dataclass(frozen=True)
class Settings:
    """How the stand-in runs. Raises `SettingsError` for a host that is not loopback."""

    #: The address to listen on.
    host: str = "127.0.0.1"
    #: The port; 0 lets the system choose.
    port: int = 0
    #: A JSON file of rules; None for none.
    script: Path | None = None
    #: The typing speed of answers; 0 sends them as fast as they are taken.
    tokens_per_second: float = 0.0
    #: A file that gets one line of JSON for each finished request; None for none.
    log: Path | None = None

    def __post_init__(self) -> None:
        """Check the values."""
        if not self._loopback():
            raise SettingsError(f"host {self.host} is not a loopback address")
        if not 0 <= self.port <= 65535:
            raise SettingsError(f"port {self.port} is not between 0 and 65535")
        if not 0 <= self.tokens_per_second <= 1_000_000:
            raise SettingsError("tokens per second must be between 0 and 1000000")

    @property
    def address(self) -> str:
        """Return the host as a number; no name is ever looked up."""
        return "127.0.0.1" if self.host == "localhost" else self.host

    def _loopback(self) -> bool:
        try:
            return ip_address(self.address).is_loopback
        except ValueError:
            return False


class Listener(ThreadingHTTPServer):
    """The listening socket; a thread for each connection, all of them joined on close."""

    daemon_threads = False
    request_queue_size = 128  # the CLI opens up to thirty connections in one burst

    def __init__(self, address: tuple[str, int], stage: Stage) -> None:
        """Bind to `address`; `stage` is what the handlers share."""
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        super().__init__(address, partial(Handler, stage))

    def server_bind(self) -> None:
        """Bind without the reverse look-up of the base class, which may hang without a network."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        """Remember the connection, then hand it to a thread."""
        with self._lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def close_request(self, request: Any) -> None:
        """Forget the connection and close it."""
        with self._lock:
            self._open.discard(request)
        super().close_request(request)

    def hang_up(self) -> None:
        """End every open connection, so that no handler waits for its client any more."""
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):  # closed by its handler in this moment
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base class's
        """Say in one line that a handler failed: a trace could hold what the client sent."""
        error = sys.exc_info()[1]
        if not isinstance(error, OSError):  # a connection that is gone is everyday
            print(f"emulator: a request failed: {type(error).__name__}", file=sys.stderr)


class Server:
    """A running stand-in for the Messages API; a context manager that starts and stops it."""

    def __init__(self, settings: Settings | None = None, clock: Clock | None = None) -> None:
        """Read the script and bind the port; raises `ScriptError` or `OSError`."""
        settings, clock = settings or Settings(), clock or SystemClock()
        script = load(settings.script) if settings.script else Script()
        with contextlib.ExitStack() as stack:
            file = stack.enter_context(_appending(settings.log)) if settings.log else None
            self._waker, closing = map(stack.enter_context, socket.socketpair())
            #: The request log.
            self.requests = Record(clock, file)
            stage = Stage(script, self.requests, Attempts(), clock, closing, settings.tokens_per_second)
            self._listener = stack.enter_context(Listener((settings.address, settings.port), stage))
            # Unwound from below: accept no more, wake those that pause, end the connections, join the threads.
            stack.callback(self._listener.hang_up)
            stack.callback(self._waker.send, b"x")
            stack.callback(self._stop_accepting)
            self._resources = stack.pop_all()
        self._thread = Thread(
            target=self._listener.serve_forever, args=(STOP_CHECK_SECONDS,), name="emulator"
        )

    @property
    def url(self) -> str:
        """Return the address for `ANTHROPIC_BASE_URL`."""
        host = self._listener.server_name
        return f"http://{f'[{host}]' if ':' in host else host}:{self._listener.server_port}"

    def start(self) -> None:
        """Begin to serve, in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """End every answer, close every connection and wait for all threads; harmless when repeated."""
        self._resources.close()

    def _stop_accepting(self) -> None:
        if self._thread.is_alive():
            self._listener.shutdown()
            self._thread.join()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        self.stop()


def _appending(path: Path) -> TextIO:
    return path.open("a", encoding="utf-8")
