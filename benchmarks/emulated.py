"""An emulated instance with the app and a MID Server, in front of a sidecar; its queue is looked at in its database.

Looking at the database instead of asking over HTTP leaves the instance's threads and the latency under test alone.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from benchmarks.client import KEY
from benchmarks.service import Service, scratch
from emulator import installation
from emulator.browser import Browser
from emulator.installation import USER_ROLE
from emulator.midserver import Account, MidServer, Sidecar, keep_token
from emulator.platform import Platform
from emulator.servicenow import APP, Instance

MID = "mid-bench"
PASSWORD = "for the benchmark"  # of users that live as long as the benchmark
_PATIENCE_S = 60.0
#: Kept open by one user: a browser has one for each tab or more.
_CONNECTIONS = 64
#: Seldom enough to leave the processors to what is measured.
_LOOK_S = 0.005

#: Rows of the app; what the platform adds for itself (`queue.processing`, heartbeats) has other names.
_OURS = "name = 'ClaudeTerminalProbe'"


class Overdue(Exception):
    """Something that should happen did not."""


@dataclass(frozen=True)
class Person:
    """A user of the app with an open connection, as a browser has one."""

    instance: Instance
    sys_id: str
    connection: requests.Session

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Call a resource of the app; raise `Overdue` when it is refused."""
        answer = self.connection.request(
            method, self.instance.url + APP + path, json=body, timeout=_PATIENCE_S
        )
        if not answer.ok:
            raise Overdue(f"{method} {path} answered {answer.status_code}: {answer.text[:300]}")
        result: dict[str, Any] = answer.json()["result"]
        return result

    def create(self) -> str:
        """Create a session and wait until it runs; return its id."""
        session = str(self.call("POST", "/sessions", {})["session"])
        until(lambda: self.call("GET", f"/sessions/{session}")["state"] == "running", "a session is running")
        return session

    def look(self, session: str) -> None:
        """Say that somebody looks at the session."""
        self.call("POST", f"/sessions/{session}/viewers", {})


@dataclass(frozen=True)
class Emulated:
    """Instance and MID Server, both running."""

    platform: Platform
    mid: MidServer
    #: Seconds until the two were up, with the app installed already.
    started_s: float
    database: sqlite3.Connection

    def person(self, name: str, *mids: str) -> Person:
        """Make a user with the app's role and a stored key, beside each of these MID Servers or the one there is."""
        admin = self.platform.admin
        sys_id = admin.create_user(name, PASSWORD, [USER_ROLE])
        instance = admin.signed_in(name, PASSWORD)
        for mid in mids or (MID,):
            Browser(instance, sys_id).enrol(mid, KEY)
        connection = requests.Session()
        connection.trust_env = False
        connection.auth = (name, PASSWORD)
        connection.mount("http://", HTTPAdapter(pool_maxsize=_CONNECTIONS))
        return Person(instance, sys_id, connection)

    def value(self, query: str, *parameters: Any) -> Any:
        """Return the one value of a query on the instance's database."""
        found = self.database.execute(query, parameters).fetchone()
        return None if found is None else found[0]

    def end(self, session: str) -> int:
        """Return where a session's output ends that the instance holds."""
        query = (
            "SELECT max(CAST(o.start AS INTEGER) + CAST(o.length AS INTEGER)) FROM x_claude_terminal_output o "
            "JOIN x_claude_terminal_session s ON s.sys_id = o.session WHERE s.session_id = ?"
        )
        return int(self.value(query, session) or 0)

    def rows(self, op: str = "") -> int:
        """Return how many rows of ours the queue holds, of one operation or of all but the health checks."""
        query = f"SELECT count(*) FROM ecc_queue WHERE {_OURS}"
        if op:
            return int(self.value(f"{query} AND payload LIKE ?", f'%name="op" value="{op}"%'))
        health = [self.rows(name) for name in ("health", "sealing_key")]
        return int(self.value(query)) - sum(health)

    def watched(self) -> int:
        """Return how many terminals somebody looks at."""
        query = "SELECT count(*) FROM x_claude_terminal_session WHERE viewed_at > datetime('now', ?)"
        return int(self.value(query, "-60 seconds"))

    def pending(self) -> int:
        """Return how many calls of ours but those of pumps are under way."""
        return int(
            self.value(
                "SELECT count(*) FROM x_claude_terminal_request WHERE state = 'queued' AND op <> 'outputs'"
            )
        )


def until(condition: Callable[[], bool], what: str, seconds: float = _PATIENCE_S) -> None:
    """Wait until `condition`.

    Raises:
        Overdue: it did not come true.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Overdue(f"not within {seconds:.0f} s: {what}")
        time.sleep(_LOOK_S)


@contextmanager
def emulated(service: Service, *, latency_ms: int) -> Iterator[Emulated]:
    """Install the app, start both again as they are found in the morning, and set the latency."""
    with scratch() as folder:
        platform = Platform(folder / "instance")
        platform.start()
        try:
            admin = platform.admin
            installation.install(admin, installation.build(folder / "app"))
            installation.use_mids(admin, MID)
            admin.create_user("mid.bench", PASSWORD, [installation.MID_ROLE])
            mid = MidServer(folder / "mid", MID, Account(admin.url, "mid.bench", PASSWORD))
            address = f"http://127.0.0.1:{service.address.port}"
            mid.prepare(Sidecar(address, keep_token(mid.home, service.address.token)))
            platform.stop()
            with _up(platform, mid) as started_s, ExitStack() as stack:
                admin = platform.admin
                installation.check_health(admin)
                address = f"file:{platform.data / 'instance.db'}?mode=ro"
                database = stack.enter_context(closing(_opened(address)))
                found = Emulated(platform, mid, started_s, database)
                until(lambda: found.value(_UP, MID) == "up", "the MID's sidecar is known to be up")
                admin.faults(latencyMs=latency_ms)
                yield found
        finally:
            platform.stop()


def _opened(address: str) -> sqlite3.Connection:
    """Open a database to look at it, from any thread: SQLite puts them one after the other."""
    return sqlite3.connect(address, uri=True, timeout=10, check_same_thread=False)


_UP = "SELECT state FROM x_claude_terminal_mid_status WHERE mid_name = ?"


@contextmanager
def _up(platform: Platform, mid: MidServer) -> Iterator[float]:
    """Run both; give the seconds until they were up."""
    began = time.perf_counter()
    platform.start()
    try:
        mid.start()
        yield time.perf_counter() - began
    finally:
        mid.stop()
