"""What is done over HTTP stands in the audit trail: each kind of event once, and never a secret."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask.testing import FlaskClient

from sidecar.audit.chain import verify
from sidecar.errors import NotYours
from sidecar.model.caller import Scope
from sidecar.model.event import Entry, Search
from sidecar.services import Services
from tests.fixtures.services import API_KEY, TOKEN
from tests.integration.web.api import Api
from tests.waiting import until

#: What is typed in these tests, and must not be found again.
SECRET = "typed-secret-4711-typed"


@pytest.fixture
def trail(web_services: Services, user: str) -> Callable[..., list[Entry]]:
    """Return a look at the user's entries of an action, waiting for at least `least` of them."""

    def look(action: str, least: int = 1, **search: Any) -> list[Entry]:
        found: list[Entry] = []

        def enough() -> bool:
            found[:] = web_services.records.audit.newest(
                Search(action=action, **{"user_id": user, **search}), 1000
            )
            return len(found) >= least

        assert until(enough), f"{action}: {len(found)}"
        return found

    return look


@pytest.fixture
def key(web_services: Services, user: str) -> str:
    """Return the text of an API key of the user."""
    return web_services.records.api_keys.issue(user, "audit", list(Scope), None)[1]


def holder(api: Api, key: str) -> Api:
    """Return the user with the key instead of the service token."""
    return Api(api.client, key, api.user)


def key_actor(key: str) -> str:
    return f"key:{key.split('_')[1]}"


Trail = Callable[..., list[Entry]]

# -- sessions ----------------------------------------------------------------------------------------------


def test_a_session_from_its_create_to_its_end(api: Api, trail: Trail) -> None:
    session = api.create(workspaceType="persistent", workspaceName="work")
    api.command(session, SECRET, waitMs=5000)
    api.command(session, ["Enter"], mode="keys")
    api.command(session, "aGVsbG8=", mode="raw")
    api.delete(f"/api/session/{session}")

    trail("session.state", 2)
    entries = trail("session.*", 7)
    told = [(item.event.action, item.event.actor) for item in entries]
    assert told == [
        ("session.create", "service"),
        ("session.state", "system"),
        ("session.command", "service"),
        ("session.command", "service"),
        ("session.command", "service"),
        ("session.end", "service"),
        ("session.state", "service"),
    ]
    assert {item.event.session_id for item in entries} == {UUID(session)}
    details = [{**item.event.detail} for item in entries]
    for detail, entry in zip(details, entries, strict=True):
        assert (detail.pop("address", None) is None) == (entry.event.actor == "system")
        assert (entry.event.request_id is None) == (entry.event.actor == "system")
    assert details == [
        {"workspaceType": "persistent", "workspaceName": "work", "model": None},
        {"before": "starting", "after": "running", "reason": None},
        {"mode": "text", "bytes": len(SECRET)},
        {"mode": "keys", "bytes": 1},
        {"mode": "raw", "bytes": 5},
        {"own": True},
        {"before": "running", "after": "terminated", "reason": "Its user ended it."},
    ]


def test_a_request_is_found_by_its_id(api: Api, trail: Trail) -> None:
    session = api.create()
    api.call("POST", f"/api/session/{session}/command", {"command": "x"}, headers={"X-Request-ID": "find-me"})

    assert [item.event.request_id for item in trail("session.command")] == ["find-me"]


def test_a_repeated_number_of_a_stream_is_one_command(api: Api, session: str, trail: Trail) -> None:
    for _ in range(3):
        assert api.command(session, "once", stream="tab", seq=1).status_code == 200
    api.command(session, "other", stream="tab", seq=2)

    assert len(trail("session.command", 2)) == 2


def test_a_create_that_is_refused_leaves_no_session_behind(api: Api, trail: Trail) -> None:
    made = api.create()
    assert api.post("/api/session/create", api.wanted(sessionId=made, userId="somebody")).status_code == 409
    api.delete(f"/api/session/{made}")

    assert len(trail("session.state", 2)) == 2
    assert len(trail("session.create")) == 1
    assert trail("session.*", 0, user_id="somebody") == []


def test_a_failed_start_is_told(api: Api, trail: Trail) -> None:
    response = api.made(model="exit-3")
    assert response.status_code == 502
    [entry] = trail("session.state")

    reason = "Claude Code ended during its start (exit code 3)."
    assert entry.event.detail == {"before": "starting", "after": "failed", "reason": reason}


# -- reading -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["output", "output?clear=true", "screen", "recording"])
def test_reading_with_another_credential_is_told_once(api: Api, key: str, trail: Trail, what: str) -> None:
    session = api.create()
    other = holder(api, key)
    for _ in range(3):
        assert api.get(f"/api/session/{session}/{what}").status_code == 200
        assert other.get(f"/api/session/{session}/{what}").status_code == 200
        assert other.get(f"/api/session/{session}/status").status_code == 200
    other.command(session, "end of the test")
    trail("session.command")

    [entry] = trail("session.read")
    assert entry.event.actor == key_actor(key)
    detail = entry.event.detail
    assert (detail["what"], detail["creator"]) == (what.partition("?")[0], "service")


def test_the_bridge_reading_a_session_of_a_key_is_told(api: Api, key: str, trail: Trail) -> None:
    session = holder(api, key).create()
    for _ in range(2):
        body = {"pump": str(uuid4()), "cursors": {session: 0}, "wait": 0}
        assert api.post("/api/outputs", body).status_code == 200
    api.delete(f"/api/session/{session}")

    trail("session.end")
    [entry] = trail("session.read")
    assert (entry.event.actor, entry.event.detail["creator"]) == ("service", key_actor(key))


# -- refusals ----------------------------------------------------------------------------------------------


def test_another_users_session_is_told_apart_from_none(api: Api, session: str, trail: Trail) -> None:
    thief = {"X-User-ID": f"thief-of-{api.user}"}
    foreign = api.get(f"/api/session/{session}/screen", headers=thief)
    nothing = api.get(f"/api/session/{uuid4()}/screen", headers=thief)

    assert foreign.status_code == nothing.status_code == 404
    assert {**foreign.json, "instance": ""} == {**nothing.json, "instance": ""}
    [entry] = trail("request.refuse", user_id=thief["X-User-ID"])
    assert entry.event.session_id == UUID(session)
    detail = {**entry.event.detail, "address": ""}
    route = "/api/session/<session_id>/screen"
    assert detail == {"address": "", "status": 404, "method": "GET", "route": route}


def test_wrong_credentials_hosts_and_scopes_are_told(
    api: Api, web_services: Services, trail: Trail, user: str
) -> None:
    weak = web_services.records.api_keys.issue(user, "weak", [Scope.JOBS], None)[1]
    wrong = {"Authorization": "Bearer wrong-" + SECRET}
    answers = [
        api.get(f"/api/sessions?{SECRET}", headers={"Authorization": f"Bearer {weak}"}),
        api.get("/api/sessions", headers=wrong, environ_overrides={"REMOTE_ADDR": "10.9.8.7"}),
        api.get(f"/api/{SECRET}", headers=wrong, environ_overrides={"REMOTE_ADDR": "10.9.8.7"}),
        api.get("/health", base_url="http://evil.example", environ_overrides={"REMOTE_ADDR": "10.9.8.7"}),
        api.call(
            "BREW", "/health", base_url="http://evil.example", environ_overrides={"REMOTE_ADDR": "10.9.8.6"}
        ),
    ]
    assert [answer.status_code for answer in answers] == [403, 401, 401, 400, 400]

    [forbidden] = trail("request.refuse")
    assert (forbidden.event.actor, forbidden.event.detail["status"]) == (key_actor(weak), 403)
    assert forbidden.event.detail["route"] == "/api/sessions"
    refused = trail("request.refuse", 4, user_id=None, actor="anonymous", since=forbidden.event.at)
    told = [(item.event.detail["status"], item.event.detail["route"]) for item in refused]
    assert [item for item in told if item[0] != 404][:4] == [
        (401, "/api/sessions"),
        (401, "unknown"),
        (400, "/health"),
        (400, "unknown"),
    ]
    assert refused[0].event.detail["address"] == "10.9.8.7"
    assert refused[3].event.detail["method"] == "other"


def test_many_refusals_are_one_entry(api: Api, trail: Trail) -> None:
    for _ in range(30):
        api.get("/api/sessions?owner=*", headers={})

    assert len(trail("request.refuse")) == 1


def test_what_does_not_exist_or_is_mistaken_is_no_refusal(api: Api, session: str, trail: Trail) -> None:
    for path in (f"/api/session/{uuid4()}/status", "/api/session/garbage/status", "/api/nothing"):
        assert api.get(path).status_code == 404
    assert api.post(f"/api/session/{session}/resize", {"columns": 0}).status_code == 422
    api.command(session, "x")

    trail("session.command")
    assert trail("request.refuse", 0) == []


def test_both_not_founds_have_the_same_words() -> None:
    assert NotYours().detail == "There is no such resource."


# -- keys, sign-ins, credentials, the service --------------------------------------------------------------


def test_a_key_and_its_sign_in(web_services: Services, trail: Trail, user: str) -> None:
    soon = web_services.clock.now() + timedelta(days=1)
    key, text = web_services.records.api_keys.issue(user, "laptop", [Scope.SESSIONS, Scope.JOBS], soon)
    _, token = web_services.records.sign_ins.enter(text)
    web_services.records.sign_ins.leave(token)
    web_services.records.sign_ins.leave(token)
    for _ in range(2):
        web_services.records.api_keys.revoke(key.id)

    [created] = trail("key.create")
    assert created.event.detail == {
        "key": key.id,
        "name": "laptop",
        "scopes": "jobs sessions",
        "expires": soon.isoformat(),
    }
    assert [item.event.detail for item in trail("signin.create")] == [{"key": key.id}]
    assert [item.event.detail for item in trail("key.revoke")] == [{"key": key.id}]
    ends = trail("signin.end", user_id=None)
    assert [item for item in ends if item.event.detail == {"key": key.id}]


def test_a_wrong_key_at_the_sign_in_page_is_told(client: FlaskClient, trail: Trail) -> None:
    response = client.post(
        "/signin",
        data={"key": SECRET},
        base_url="http://localhost",
        headers={"Origin": "http://localhost"},
        environ_overrides={"REMOTE_ADDR": "10.1.1.1"},
    )

    assert response.status_code == 401
    expected = {"address": "10.1.1.1", "status": 401, "method": "POST", "route": "/signin"}
    assert until(lambda: expected in [item.event.detail for item in trail("request.refuse", user_id=None)])


def test_a_stored_credential(web_services: Services, trail: Trail, user: str) -> None:
    added = web_services.vault.add(user, API_KEY)
    web_services.vault.remove(user, added.id)

    assert [item.event.detail for item in trail("credential.add")] == [
        {"credential": str(added.id), "sealed": False}
    ]
    assert [item.event.detail for item in trail("credential.remove")] == [{"credential": str(added.id)}]


def test_draining_the_start_and_a_new_sealing_pair(api: Api, web_services: Services, trail: Trail) -> None:
    for draining in (True, False):
        assert api.post("/api/service/drain", {"draining": draining}).status_code == 200
    web_services.records.keyring.rotate()

    everybody = {"user_id": None}
    assert [item.event.detail["draining"] for item in trail("service.drain", 2, **everybody)] == [True, False]
    assert trail("service.start", **everybody)[0].number == 1
    assert "kid" in trail("sealing.rotate", **everybody)[0].event.detail


# -- secrets -----------------------------------------------------------------------------------------------


def test_no_secret_and_nothing_typed_is_in_spool_or_table(
    api: Api, web_services: Services, trail: Trail, key: str
) -> None:
    session = api.create()
    for body in (
        {"command": SECRET},
        {"command": [SECRET], "mode": "keys"},
        {"command": SECRET, "mode": "raw"},
    ):
        api.post(f"/api/session/{session}/command", body)
    wrong = {"Authorization": f"Bearer {SECRET}"}
    api.get(f"/api/sessions?token={SECRET}", headers=wrong)
    spool = Path(web_services.settings.data_dir) / "audit" / "spool"
    before_it_was_stored = spool.read_bytes()
    trail("session.command")

    entries = web_services.records.audit.newest(Search(), 100_000)
    written = "".join(str(entry.document()) for entry in entries).encode() + before_it_was_stored
    assert len(entries) > 5
    for secret in (SECRET, API_KEY, TOKEN, key, key.split("_")[2]):
        assert secret.encode() not in written
    verdict = verify(web_services.records.audit)
    assert (verdict.fault, verdict.dropped) == (None, 0)
