"""The trail of a real service that is killed, of one that stops, and of one whose database goes away."""

from __future__ import annotations

import threading
from collections import Counter
from uuid import uuid4

import pytest
import requests

from sidecar.audit.chain import verify
from sidecar.model.event import Entry, Search
from sidecar.services import Services
from sidecar.storage.audit import AuditStore
from sidecar.storage.database import Database
from tests.fixtures.postgresql import Cluster
from tests.fixtures.server import Server
from tests.fixtures.services import MakeServices
from tests.integration.sessions.driver import Driver
from tests.waiting import until

USER = "jane"


def stored(server: Server) -> list[Entry]:
    """Return the whole trail of a service on SQLite, having checked its chain."""
    database = Database(f"sqlite:///{server.data_dir / 'sidecar.db'}")
    database.open()
    store = AuditStore(database)
    found = store.newest(Search(), 100_000)
    verdict = verify(store)
    database.close()
    assert (verdict.fault, verdict.dropped) == (None, 0)
    return found


def create(server: Server) -> str:
    body = {"userId": USER, "credentials": {"anthropicApiKey": "sk-ant-0123456789"}, "waitMs": 20_000}
    answer = server.call("POST", "/api/session/create", json=body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["sessionId"])


class Typist(threading.Thread):
    """Sends commands until the service is gone; knows which were answered."""

    def __init__(self, server: Server, session: str) -> None:
        super().__init__()
        self.server, self.session = server, session
        self.answered: list[str] = []
        self.sent: list[str] = []

    def run(self) -> None:
        while True:
            name = uuid4().hex
            self.sent.append(name)
            try:
                answer = self.server.call(
                    "POST",
                    f"/api/session/{self.session}/command",
                    user=USER,
                    json={"command": "eA==", "mode": "raw"},
                    headers={"X-Request-ID": name},
                )
            except requests.RequestException:
                return
            assert answer.status_code == 200, answer.text
            self.answered.append(name)


def test_every_command_that_was_answered_before_kill_9_is_in_the_trail_once(server: Server) -> None:
    session = create(server)
    typists = [Typist(server, session) for _ in range(3)]
    for typist in typists:
        typist.start()
    assert until(lambda: sum(len(typist.answered) for typist in typists) > 150)
    server.kill9()
    for typist in typists:
        typist.join()
    server.start()

    answered = {name for typist in typists for name in typist.answered}
    sent = {name for typist in typists for name in typist.sent}

    def noted() -> Counter[str | None]:
        return Counter(
            item.event.request_id for item in stored(server) if item.event.action == "session.command"
        )

    assert until(lambda: answered <= set(noted()))
    assert set(noted()) <= sent
    assert set(noted().values()) == {1}
    actions = [item.event.action for item in stored(server)]
    assert actions.count("service.start") == 2
    assert actions.count("service.stop") == 0
    last = [item for item in stored(server) if item.event.action == "session.state"][-1]
    assert last.event.detail["after"] == "interrupted"
    assert last.event.actor == "system"


def test_the_stop_is_the_last_entry_and_nothing_waits(server: Server) -> None:
    create(server)
    server.call("GET", "/api/sessions?owner=*", user=USER)
    server.call("GET", "/api/sessions?owner=*", user=USER)
    server.stop()

    events = [item.event for item in stored(server)]
    assert [event.action for event in events[-3:]] == ["session.state", "request.refuse", "service.stop"]
    assert events[-3].detail["after"] == "hibernated"
    assert events[-2].detail["more"] == 1
    assert (server.data_dir / "audit" / "spool").read_bytes() == b""
    assert not (server.data_dir / "audit" / "spool.moving").exists()


@pytest.fixture
def services(make_services: MakeServices, own_postgresql: Cluster) -> Services:
    """Return services on a database server that the test may stop."""
    own_postgresql.run("CREATE DATABASE sidecar")
    return make_services(database_url=own_postgresql.url("sidecar"))


def test_terminals_go_on_without_a_database_and_what_was_typed_is_noted_later(
    services: Services, own_postgresql: Cluster
) -> None:
    session = Driver.create(services)
    own_postgresql.stop()
    for number in range(3):
        session.say(f"meanwhile {number}")
    own_postgresql.start()

    store = services.records.audit
    assert until(lambda: services.records.trail.pending == 0)
    assert len(store.newest(Search(action="session.command", session_id=session.id), 10)) == 3
    assert verify(store).fault is None
