"""PostgreSQL as the server database. Imported only when it is used: the driver is an optional extra."""

from __future__ import annotations

from typing import Any, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from sqlalchemy import URL, Dialect, Engine, create_engine, event

_Result = TypeVar("_Result")

#: The server cancels first, which keeps the connection; the client gives up this much later.
_GRACE_S = 1.0


class PatientConnection(psycopg.Connection[Any]):
    """A connection that gives up waiting.

    `statement_timeout` is kept by the server. A server that is stopped, or whose disk hangs, keeps nothing.
    """

    patience_s: float | None = None

    def wait(self, gen: PQGen[_Result], interval: float = 0.1, timeout: float | None = None) -> _Result:
        """Wait as the base does, at most `patience_s` seconds."""
        try:
            return super().wait(gen, interval, timeout or self.patience_s)
        except psycopg.OperationalError:
            # Still active: it was we who gave up, and the answer may come any time. Nobody can use it.
            if self.info.transaction_status == TransactionStatus.ACTIVE:
                self.close()
            raise


def create(url: URL, *, connect_s: float, statement_s: float) -> Engine:
    """Return an engine that gives up connecting after `connect_s` and a statement after `statement_s`."""
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        hide_parameters=True,
        connect_args=_arguments(url, connect_s, statement_s),
        # Notices at check-out that the server was restarted, so that nobody has to restart us.
        pool_pre_ping=True,
        pool_size=4,
        max_overflow=12,
        pool_timeout=connect_s,
    )

    def connect(_dialect: Dialect, _record: Any, args: Any, options: Any) -> PatientConnection:
        connection = PatientConnection.connect(*args, **options)
        connection.patience_s = statement_s + _GRACE_S
        return connection

    event.listen(engine, "do_connect", connect)
    return engine


def _arguments(url: URL, connect_s: float, statement_s: float) -> dict[str, str | int]:
    """Return libpq's parameters; what the operator wrote in the address comes last and wins."""
    millis = int(statement_s * 1000)
    own = url.query.get("options", ())
    options = [f"-c statement_timeout={millis}", f"-c idle_in_transaction_session_timeout={millis}"]
    return {
        "connect_timeout": max(1, round(connect_s)),
        "application_name": "claude-sidecar",
        # For a host that vanished without closing its connections: probes when idle, a bound when sending.
        "keepalives_idle": 2,
        "keepalives_interval": 1,
        "keepalives_count": 3,
        "tcp_user_timeout": int(connect_s * 1000),
        **{name: str(value) for name, value in url.query.items()},
        "options": " ".join([*options, *([own] if isinstance(own, str) else own)]),
    }
