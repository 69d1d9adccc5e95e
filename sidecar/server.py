"""Settings and hooks for gunicorn, read as `-c python:sidecar.server`; the only importer of gunicorn.

One gthread worker: live terminals are memory of one process. More terminals need more sidecars, not more workers.
"""

from __future__ import annotations

import logging.config
import os
import socket
import ssl
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from gunicorn.arbiter import Arbiter
from gunicorn.glogging import Logger
from gunicorn.workers.base import Worker
from gunicorn.workers.gthread import ThreadWorker

from sidecar.clock import SystemClock
from sidecar.config import load as load_settings
from sidecar.errors import ConfigurationError, SidecarError
from sidecar.isolation.account import conceal
from sidecar.logs.configuration import capture, configuration
from sidecar.sessions.ownership import Ownership

if TYPE_CHECKING:  # the master forks and waits: it needs none of what the services import, 25 MB
    from sidecar.services import Services

_settings = load_settings()


def _spellings(address: str) -> tuple[str, ...]:
    return (address,) if ":" in address else (address, f"::ffff:{address}")


bind = (
    f"[{_settings.host}]:{_settings.port}" if ":" in _settings.host else f"{_settings.host}:{_settings.port}"
)
workers = 1
threads = _settings.threads
worker_class = "sidecar.server.SidecarWorker"
#: Silent connections hold no thread, so there may be many more of them.
worker_connections = 1000 + threads
#: Waiting calls end at once when the service stops; the rest is for slow clients and for storing what is left.
graceful_timeout = 30
#: The worker may wait for its predecessor's data directory before it serves.
timeout = 120
keepalive = 75
#: gunicorn 27 would open a socket in the home directory by default.
control_socket_disable = True
proc_name = "claude-sidecar"
logconfig_dict = configuration(_settings)
logger_class = "sidecar.server.SidecarLogger"
#: The proxy may tell how its caller came, by one header. IPv4 also as a socket for both kinds tells it.
forwarded_allow_ips = ",".join(_spellings(_settings.trusted_proxy)) if _settings.trusted_proxy else ""
secure_scheme_headers = {"X-FORWARDED-PROTO": "https"}
#: By default it could also say where the path begins, and so could its caller.
forwarder_headers = ""
certfile = str(_settings.tls_cert_file) if _settings.tls_cert_file else None
keyfile = str(_settings.tls_key_file) if _settings.tls_key_file else None
#: Time the worker of a master that was killed may take to end, in seconds.
_PREDECESSOR_S = 10.0
#: Time the request line and headers may take to arrive, with the TLS handshake, in seconds.
_HEAD_S = 10.0
#: Time the body may take after them, in seconds: a megabyte at 50 kB/s.
_BODY_S = 20.0
#: A client that takes nothing of its answer for so long is cut off, in seconds.
_SEND_S = 20
#: Request line and headers: nothing of ours needs more.
limit_request_line = 4094
limit_request_fields = 64


def ssl_context(_: Any, default: Any) -> ssl.SSLContext:
    """Return gunicorn's TLS context, with nothing below TLS 1.2."""
    context: ssl.SSLContext = default()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


class SidecarLogger(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's log without its access log: that has raw addresses, and the web keeps one of its own."""

    #: gunicorn would collect all headers of every request for it.
    access_log_enabled = False


class _Body:
    """A body on its way, which tells when all of it is here."""

    def __init__(self, reader: Any, arrived: Callable[[], object]) -> None:
        self._reader = reader
        self._arrived = arrived

    def read(self, size: int) -> bytes:
        """Return the next bytes, at most `size`; none at the end."""
        data: bytes = self._reader.read(size)
        if not data or not getattr(self._reader, "length", 1):
            self._arrived()
        return data


class SidecarWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """A gthread worker that ends waiting calls as soon as it is told to stop, and clients that dawdle."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Begin with no request arriving."""
        super().__init__(*arguments, **named)
        #: Connections whose request line and headers, or whose body, are arriving, and until when they must be here.
        self._arriving: dict[Any, float] = {}

    def handle_exit(self, sig: int, frame: Any) -> None:
        """Stop accepting, and let waiting calls return."""
        # By the main loop, not in the signal handler: that could interrupt a holder of the locks this needs.
        self.method_queue.defer(lambda: _services(self).stop_waiting())
        super().handle_exit(sig, frame)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """Do the same for Ctrl-C: gunicorn's own way takes a lock here that the interrupted code may hold."""
        self.handle_exit(sig, frame)

    def handle(self, conn: Any) -> Any:
        """Serve one request, whose head has to arrive in time."""
        self._arriving[conn] = time.monotonic() + _HEAD_S
        # By the kernel, because the worker's own time-out would also end answers that are waited for.
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _SEND_S, 0))
        try:
            return super().handle(conn)
        finally:
            self._arriving.pop(conn, None)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Answer a request whose head has arrived; its body has to, too, if it has one."""
        self._arriving.pop(conn, None)
        if getattr(req.body.reader, "length", 1):  # of one in chunks it is not known
            self._arriving[conn] = time.monotonic() + _BODY_S
            req.body.reader = _Body(req.body.reader, lambda: self._arriving.pop(conn, None))
        return super().handle_request(req, conn)

    def notify(self) -> None:
        """Cut connections whose request is late; gunicorn calls this every second. Each would hold a thread for ever."""
        super().notify()
        now = time.monotonic()
        for conn, deadline in list(self._arriving.items()):
            if deadline < now:
                with suppress(OSError):  # of the plain socket: that of TLS would be changed under its reader
                    socket.socket.shutdown(conn.sock, socket.SHUT_RDWR)


def on_starting(server: Arbiter) -> None:
    """Refuse what would lose terminals, in one line; from now on everything goes to the log."""
    conceal()  # gunicorn was started as a new program, and its environment holds the secrets
    capture()
    try:
        _check_workers(server)
        _check_data_dir()
    except ConfigurationError as error:
        raise SystemExit(f"claude-sidecar: {error.detail}") from None
    if _settings.debug:
        place = _settings.data_dir / "debug.env"
        server.log.warning(
            "debug mode, for development only: secrets that were not set are made up in %s", place
        )


def _check_workers(server: Arbiter) -> None:
    if server.cfg.workers != 1 or server.cfg.worker_class is not SidecarWorker:
        raise ConfigurationError(
            "Run exactly one worker of the class sidecar.server.SidecarWorker: terminals are memory of one "
            "process. For more terminals run more sidecars."
        )


def _check_data_dir() -> None:
    """Look once whether the data directory is free; the worker takes it."""
    ownership = Ownership(_settings.data_dir, SystemClock())
    ownership.acquire(_PREDECESSOR_S)
    ownership.release()


def post_worker_init(worker: Worker) -> None:
    """Open the services after the fork: threads and connections do not survive one."""
    conceal()
    # After a reload the worker's settings, and with them its secrets, are newer than the master's.
    logging.config.dictConfig(configuration(_services(worker).settings))
    try:
        _services(worker).open()
    except SidecarError as error:
        sys.stderr.write(f"claude-sidecar: {error.detail}\n")
        # This status makes the master end too: with another it would try again every second, for ever.
        raise SystemExit(Arbiter.WORKER_BOOT_ERROR) from None


def worker_exit(_: Arbiter, worker: Worker) -> None:
    """Put the sessions to sleep and store what is left."""
    _services(worker).close()
    if worker.booted:  # a worker that did not get up tells the master so by its status
        os._exit(0)  # threads of requests that still wait for a slow client must not hold the exit up


def _services(worker: Worker) -> Services:
    services: Services = worker.wsgi.extensions["services"]
    return services
