"""The push channel at /amb: Bayeux by long polling, record watchers, MID Servers. [SNCLI, OOB Kingston]"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests

from emulator.servicenow import Instance
from tests.integration.emulator.shelf import Shelf, build

PASSWORD = "the watcher's"
#: Longer than any test is patient.
LONG_MS, PATIENCE_S = 50_000, 40
Message = dict[str, Any]


class Bayeux:
    """One client of the channel, with the cookie of a session."""

    def __init__(self, url: str, session: requests.Session) -> None:
        self.url = url
        self.session = session
        (self.handshake,) = self.send({"channel": "/meta/handshake", "version": "1.0"})
        self.id = self.handshake["clientId"]

    def post(self, *messages: Message, origin: bool = True, path: str = "/amb") -> requests.Response:
        headers = {"Origin": self.url} if origin else {}
        return self.session.post(self.url + path, json=list(messages), headers=headers, timeout=60)

    def send(self, *messages: Message) -> list[Message]:
        answer = self.post(*messages)
        assert answer.status_code == 200, answer.text
        found: list[Message] = answer.json()
        return found

    def subscribe(self, channel: str) -> Message:
        (reply,) = self.send({"channel": "/meta/subscribe", "clientId": self.id, "subscription": channel})
        return reply

    def poll(self, timeout_ms: int) -> list[Message]:
        advice = {"timeout": timeout_ms}
        *events, reply = self.send({"channel": "/meta/connect", "clientId": self.id, "advice": advice})
        assert reply["successful"], reply
        return events


Connect = Callable[..., Bayeux]


@pytest.fixture
def connect(instance: Instance) -> Iterator[Connect]:
    """Return a maker of clients; without a user nobody is signed in."""
    sessions: list[requests.Session] = []

    def make(user: str | None = "admin", password: str = "admin") -> Bayeux:
        session = requests.Session()
        session.trust_env = False
        sessions.append(session)
        if user is not None:
            session.get(
                instance.url + "/api/now/table/sys_user?sysparm_limit=1", auth=(user, password), timeout=30
            )
        return Bayeux(instance.url, session)

    yield make
    for session in sessions:
        session.close()


@pytest.fixture(scope="module")
def shelf(instance: Instance) -> Shelf:
    shelf = build(
        instance, "u_watched", {"name": "string", "seq": "integer", "hidden": "string", "owner": "string"}
    )
    instance.create_user("watcher", PASSWORD, ["itil"])
    instance.create_user("nosy", PASSWORD)
    instance.script(
        """
        function rule(name, role) {
            var acl = new GlideRecord('sys_security_acl'); acl.initialize();
            acl.setValue('name', name); acl.setValue('operation', 'read'); acl.setValue('active', true);
            acl.setValue('type', 'record'); acl.setValue('admin_overrides', true); var id = acl.insert();
            var r = new GlideRecord('sys_user_role'); r.get('name', role);
            var link = new GlideRecord('sys_security_acl_role'); link.initialize();
            link.setValue('sys_security_acl', id); link.setValue('sys_user_role', r.getUniqueValue());
            link.insert();
        }
        rule('u_watched', 'itil'); rule('u_watched.hidden', 'admin');
        """,
        elevated=True,
    )
    return shelf


def channel(table: str, query: str) -> str:
    return f"/rw/default/{table}/" + base64.b64encode(query.encode()).decode().replace("=", "-")


def test_an_origin_is_required(connect: Connect) -> None:
    assert connect().post({"channel": "/meta/handshake"}, origin=False).status_code == 403


@pytest.mark.parametrize(
    ("path", "status"),
    [("/amb", 200), ("/amb/handshake", 200), ("/amb/connect", 200), ("/amb/", 400), ("/amb/other", 400)],
)
def test_where_it_listens(connect: Connect, path: str, status: int) -> None:
    assert connect().post({"channel": "/meta/handshake"}, path=path).status_code == status


def test_a_signed_in_session_is_told_so(connect: Connect) -> None:
    handshake = connect().handshake

    assert handshake["successful"]
    assert handshake["supportedConnectionTypes"] == ["long-polling"]
    assert handshake["ext"] == {"glide.session.status": "session.logged.in"}


def test_a_stranger_s_handshake_succeeds_and_the_subscription_fails(connect: Connect, shelf: Shelf) -> None:
    stranger = connect(None)

    reply = stranger.subscribe(channel(shelf.table, "name=a"))

    assert stranger.handshake["successful"]
    assert stranger.handshake["ext"]["glide.session.status"] == "session.invalidated"
    assert (reply["successful"], reply["error"]) == (False, "404::message_deleted")


def test_a_password_counts_for_nothing(connect: Connect) -> None:
    stranger = connect(None)
    stranger.session.auth = ("admin", "admin")

    (handshake,) = stranger.send({"channel": "/meta/handshake"})

    assert handshake["ext"]["glide.session.status"] == "session.invalidated"


def test_another_session_cannot_use_a_client(connect: Connect, shelf: Shelf) -> None:
    mine, theirs = connect("watcher", PASSWORD), connect("nosy", PASSWORD)
    theirs.id = mine.id

    assert theirs.subscribe(channel(shelf.table, "name=a"))["error"] == "404::message_deleted"


def test_whoever_has_signed_out_hears_nothing(connect: Connect, shelf: Shelf) -> None:
    client = connect("watcher", PASSWORD)
    assert client.subscribe(channel(shelf.table, "name=for members"))["successful"]

    shelf.run("fill({name: 'for members'});")
    client.session.get(client.url + "/logout.do", timeout=30)

    assert client.poll(1000) == []


def test_a_stolen_client_hears_nothing(connect: Connect, shelf: Shelf) -> None:
    mine, theirs = connect("watcher", PASSWORD), connect("nosy", PASSWORD)
    assert mine.subscribe(channel(shelf.table, "name=mine alone"))["successful"]
    theirs.id = mine.id

    shelf.run("fill({name: 'mine alone'});")

    assert theirs.poll(1000) == []


def test_a_watcher_hears_what_changed_in_rows_that_fit(connect: Connect, shelf: Shelf) -> None:
    client = connect()
    assert client.subscribe(channel(shelf.table, "name=fits"))["successful"]
    fitting = shelf.run("fill({name: 'other', seq: 1}); return fill({name: 'fits', seq: 1});")
    client.poll(1000)

    shelf.run(f"var r = one('{fitting}'); r.setValue('seq', 17); r.update();")

    (event,) = client.poll(LONG_MS)
    record = event["data"].pop("record")
    assert event == {
        "channel": channel(shelf.table, "name=fits"),
        "data": {
            "table_name": shelf.table,
            "sys_id": fitting,
            "display_value": "fits",
            "operation": "update",
            "changes": ["seq"],
            "changes_with_users": {},
        },
    }
    assert record["seq"] == {"display_value": "17", "value": "17"}
    assert set(record) == {"seq", "sys_updated_on", "sys_updated_by", "sys_mod_count"}


def test_insert_and_delete_are_told(connect: Connect, shelf: Shelf) -> None:
    client = connect()
    client.subscribe(channel(shelf.table, "name=comes and goes"))

    shelf.run("one(fill({name: 'comes and goes'})).deleteRecord();")

    assert [event["data"]["operation"] for event in client.poll(LONG_MS)] == ["insert", "delete"]


def test_a_poll_waits_for_the_change(connect: Connect, shelf: Shelf) -> None:
    client = connect()
    client.subscribe(channel(shelf.table, "name=late"))
    events: list[Message] = []
    waiting = threading.Thread(target=lambda: events.extend(client.poll(LONG_MS)))

    waiting.start()
    time.sleep(0.5)
    assert events == []
    shelf.run("fill({name: 'late'});")
    waiting.join(PATIENCE_S)

    assert len(events) == 1


def test_a_poll_without_a_change_ends_at_its_time(connect: Connect) -> None:
    started = time.monotonic()

    assert connect().poll(300) == []
    assert time.monotonic() - started >= 0.25


def test_a_second_poll_ends_the_first(connect: Connect) -> None:
    client = connect()
    first = threading.Thread(target=client.poll, args=[LONG_MS])

    first.start()
    time.sleep(0.3)
    client.poll(0)
    first.join(PATIENCE_S)

    assert not first.is_alive()


def test_rows_and_columns_a_user_may_not_read_are_not_told(connect: Connect, shelf: Shelf) -> None:
    allowed, refused = connect("watcher", PASSWORD), connect("nosy", PASSWORD)
    for client in (allowed, refused):
        client.subscribe(channel(shelf.table, "name=guarded"))

    shelf.run("fill({name: 'guarded', hidden: 'secret', seq: 1});")

    (event,) = allowed.poll(LONG_MS)
    assert "hidden" not in event["data"]["changes"]
    assert "hidden" not in event["data"]["record"]
    assert refused.poll(300) == []


def test_nothing_is_told_after_unsubscribing(connect: Connect, shelf: Shelf) -> None:
    client = connect()
    subscription = channel(shelf.table, "name=over")
    client.subscribe(subscription)
    client.send({"channel": "/meta/unsubscribe", "clientId": client.id, "subscription": subscription})

    shelf.run("fill({name: 'over'});")

    assert client.poll(300) == []


def test_an_unknown_client_has_to_shake_hands_again(connect: Connect) -> None:
    client = connect()
    client.send({"channel": "/meta/disconnect", "clientId": client.id})

    (reply,) = client.send({"channel": "/meta/connect", "clientId": client.id})

    assert reply["error"] == "402::Unknown client"
    assert reply["advice"]["reconnect"] == "handshake"


@pytest.mark.parametrize("table", ["sys_amb_message", "sys_rw_action", "u_nothing"])
def test_some_tables_cannot_be_watched(connect: Connect, table: str) -> None:
    assert not connect().subscribe(channel(table, "name=a"))["successful"]


def test_what_is_missing_is_named(connect: Connect, shelf: Shelf) -> None:
    client = connect()

    other = client.subscribe("/activity/events/" + "a" * 32)
    query = client.subscribe(channel(shelf.table, "name~a"))
    (publish,) = client.send({"channel": "/chat", "clientId": client.id, "data": {}})

    assert "no such channel" in other["error"]
    assert "known operators" in query["error"]
    assert "publishing is not provided" in publish["error"]


def test_switched_off_it_refuses_and_ends_what_waits(instance: Instance, connect: Connect) -> None:
    client = connect()
    statuses: list[int] = []
    connect_ = {"channel": "/meta/connect", "clientId": client.id}
    waiting = threading.Thread(target=lambda: statuses.append(client.post(connect_).status_code))
    waiting.start()
    time.sleep(0.3)

    instance.faults(amb=False)
    waiting.join(PATIENCE_S)
    refused = client.post(connect_).status_code
    instance.faults(amb=True)

    assert (statuses, refused) == ([503], 503)
    assert client.poll(0) == []


# -- MID Servers ---------------------------------------------------------------------------------------------


def output(agent: str, state: str = "ready") -> str:
    return f"""
        var row = new GlideRecord('ecc_queue'); row.initialize();
        row.setValue('agent', '{agent}'); row.setValue('queue', 'output'); row.setValue('state', '{state}');
        row.setValue('topic', 'JavascriptProbe'); row.setValue('priority', '1'); row.insert();
    """


def test_a_mid_server_hears_of_its_own_ready_outputs(instance: Instance, connect: Connect) -> None:
    mid = instance.table("ecc_agent").insert(name="listens", status="Up", validated="true")["sys_id"]
    instance.create_user("listening.mid", PASSWORD, ["mid_server"])
    client = connect("listening.mid", PASSWORD)
    assert client.subscribe(f"/mid/server/{mid}")["successful"]

    instance.script(output("mid.server.other") + output("mid.server.listens", "processed"))
    assert client.poll(300) == []
    instance.script(output("mid.server.listens"))

    (event,) = client.poll(LONG_MS)
    assert event["channel"] == f"/mid/server/{mid}"
    assert event["data"]["priority"] == "1"


@pytest.mark.usefixtures("shelf")
def test_only_mid_servers_hear_of_outputs(connect: Connect) -> None:
    reply = connect("watcher", PASSWORD).subscribe("/mid/server/" + "a" * 32)

    assert not reply["successful"]
