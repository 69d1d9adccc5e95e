"""API keys over HTTP: which credential decides, what each scope opens, and what an administrator may."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask, Response
from sqlalchemy import update

from sidecar.model.caller import Scope
from sidecar.origin import Origin, origin
from sidecar.services import Services
from sidecar.storage.tables import api_keys
from sidecar.web import create_app
from tests.fixtures.services import TOKEN, MakeServices
from tests.integration.web.api import Api

MakeKey = Callable[..., str]
SESSIONS, ADMIN, JOBS = Scope.SESSIONS, Scope.ADMIN, Scope.JOBS


@pytest.fixture
def make_key(web_services: Services, user: str) -> MakeKey:
    """Return a maker of keys, of this test's user unless it is told another one."""

    def make(*scopes: Scope, owner: str = user, expires_at: datetime | None = None) -> str:
        return web_services.records.api_keys.issue(owner, "of the tests", scopes, expires_at)[1]

    return make


@pytest.fixture
def key(make_key: MakeKey) -> str:
    return make_key(SESSIONS)


def bearer(key: str, **more: str | None) -> dict[str, str | None]:
    """Return the headers of a caller with a key, who names no user."""
    return {"Authorization": f"Bearer {key}", "X-User-ID": None, **more}


def key_id(key: str) -> str:
    return key.split("_")[1]


# -- a key instead of the token ----------------------------------------------------------------------------


def test_a_user_works_with_a_key_from_beginning_to_end(api: Api, key: str) -> None:
    """M6: one shared token and a self-asserted user."""
    body = {"credentials": {"anthropicApiKey": "sk-ant-of-a-key-0123"}, "waitMs": 20_000}
    response = api.post("/api/session/create", body, headers=bearer(key))
    assert response.status_code == 201, response.text
    assert response.json["userId"] == api.user
    path = f"/api/session/{response.json['sessionId']}"
    assert api.get(f"{path}/status", headers=bearer(key)).status_code == 200
    assert api.get(f"{path}/screen", headers=bearer(key)).status_code == 200
    assert api.get(f"{path}/output", headers=bearer(key)).json["data"]
    assert api.get(f"{path}/recording", headers=bearer(key)).status_code == 200
    assert api.post(f"{path}/command", {"command": "hello"}, headers=bearer(key)).status_code == 200
    assert api.get("/api/sessions", headers=bearer(key)).json["total"] == 1
    assert api.delete(path, headers=bearer(key)).json == {"terminated": True}


def test_keys_of_two_users_see_nothing_of_each_other(api: Api, session: str, make_key: MakeKey) -> None:
    """M6: keys are bound to users."""
    stranger = bearer(make_key(SESSIONS, owner="stranger"))
    path = f"/api/session/{session}"
    for method, rest, body in (
        ("GET", "/status", None),
        ("GET", "/output", None),
        ("GET", "/screen", None),
        ("GET", "/recording", None),
        ("POST", "/command", {"command": "x"}),
        ("POST", "/resize", {"columns": 80, "rows": 24}),
        ("DELETE", "", None),
    ):
        assert api.call(method, path + rest, body, headers=stranger).status_code == 404
    assert api.get("/api/sessions", headers=stranger).json["items"] == []
    assert api.get(f"{path}/status").json["state"] == "running"


@pytest.mark.parametrize("name", ["X-User-ID", "userId"])
def test_a_key_may_repeat_its_user_and_name_no_other(api: Api, key: str, name: str) -> None:
    def ask(user: str) -> Any:
        if name == "X-User-ID":
            return api.get("/api/sessions", headers=bearer(key) | {name: user})
        return api.post("/api/session/create", {name: user, "model": "!"}, headers=bearer(key))

    assert ask(api.user).status_code in (200, 422)
    refused = ask("somebody")
    assert refused.status_code in ((403,) if name == "X-User-ID" else (403, 422))


def test_a_create_for_another_user_is_refused_before_anything_is_made(api: Api, key: str) -> None:
    response = api.post("/api/session/create", api.wanted(userId="somebody"), headers=bearer(key))
    assert (response.status_code, response.json["title"]) == (403, "Forbidden")
    response = api.post("/api/session/create", api.wanted(), headers=bearer(key) | {"X-User-ID": "somebody"})
    assert response.status_code == 403
    assert api.get("/api/sessions").json["total"] == 0


@pytest.mark.parametrize("named", ["", "..", "../x", "a" * 65, "a b", "\x80"])
def test_an_illegal_user_beside_a_key_is_told_like_beside_the_token(api: Api, key: str, named: str) -> None:
    assert api.get("/api/sessions", headers=bearer(key) | {"X-User-ID": named}).status_code == 422


# -- what is no credential ---------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 3, 4, 10, 19, 20, 21, 40, 62, 63])
def test_a_key_wrong_by_one_character_is_refused(api: Api, key: str, place: int) -> None:
    wrong = key[:place] + ("1" if key[place] == "0" else "0") + key[place + 1 :]
    response = api.get("/api/sessions", headers=bearer(wrong))
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert wrong not in response.text


def test_an_expired_and_a_revoked_key_are_refused_in_the_words_of_an_unknown_one(
    api: Api, web_services: Services, make_key: MakeKey
) -> None:
    expired, revoked, unknown = make_key(SESSIONS), make_key(SESSIONS), f"csk_{'0' * 16}_{'A' * 43}"
    past = datetime.now(UTC) - timedelta(seconds=1)
    with web_services.records.database.transaction() as connection:
        row = api_keys.c.id == key_id(expired)
        connection.execute(update(api_keys).where(row).values(expires_at=past))
    web_services.records.api_keys.revoke(key_id(revoked))
    answers = [api.get("/api/sessions", headers=bearer(text)) for text in (expired, revoked, unknown)]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1


@pytest.mark.parametrize(
    "value",
    [
        "eyJhbGciOiJFQ0RILUVTIiwiZW5jIjoiQTI1NkdDTSJ9..AAAA.BBBB.CCCC",
        "csk_",
        "csk_ä",
        "\x80\xff",
        "csk_" + "0" * 16 + "_" + "\x80" * 43,
        "csk_" + "0" * 100_000,
        "None",
        "null",
        "undefined",
    ],
)
def test_other_tokens_and_nonsense_are_refused(api: Api, value: str) -> None:
    assert api.get("/api/sessions", headers=bearer(value)).status_code == 401


def test_a_key_in_another_scheme_is_refused(api: Api, key: str) -> None:
    for header in (key, f"Basic {key}", f"Token {key}", f"Bearer {key}, Bearer {key}", f"Bearer {key} x"):
        assert api.get("/api/sessions", headers=bearer("") | {"Authorization": header}).status_code == 401


# -- X-API-Key ---------------------------------------------------------------------------------------------


def test_x_api_key_counts_below_v1_only(api: Api, key: str) -> None:
    headers = {"Authorization": None, "X-User-ID": None, "X-API-Key": key}
    assert api.get("/api/v1/nothing", headers=headers).status_code == 404
    assert api.get("/api/sessions", headers=headers).status_code == 401
    assert api.get("/api/v1x/nothing", headers=headers).status_code == 401


@pytest.mark.parametrize("value", [TOKEN, "", "csk_", "x", f"csk_{'0' * 16}_{'A' * 43}"])
def test_x_api_key_takes_valid_keys_only(api: Api, value: str) -> None:
    headers = {"Authorization": None, "X-API-Key": value}
    assert api.get("/api/v1/nothing", headers=headers).status_code == 401


def test_two_credentials_must_be_the_same(api: Api, key: str, make_key: MakeKey) -> None:
    other = make_key(SESSIONS)
    same = bearer(key) | {"X-API-Key": key}
    assert api.get("/api/v1/nothing", headers=same).status_code == 404
    for left, right in ((key, other), (other, key), (TOKEN, key), (key, TOKEN), (TOKEN, TOKEN), (key, "")):
        headers = bearer(left) | {"X-API-Key": right}
        assert api.get("/api/v1/nothing", headers=headers).status_code == 401, (left, right)
    # Elsewhere that header means nothing.
    assert api.get("/api/sessions", headers=bearer(key) | {"X-API-Key": "x"}).status_code == 200


# -- scopes ------------------------------------------------------------------------------------------------

#: Every operation below /api/ that a credential is needed for, and the scopes that open it; none for the token's own.
OPENED_BY: dict[str, set[Scope]] = {
    "POST /api/session/create": {SESSIONS},
    "POST /api/session/<session_id>/command": {SESSIONS},
    "GET /api/session/<session_id>/output": {SESSIONS},
    "GET /api/session/<session_id>/screen": {SESSIONS},
    "GET /api/session/<session_id>/status": {SESSIONS},
    "POST /api/session/<session_id>/resize": {SESSIONS},
    "DELETE /api/session/<session_id>": {SESSIONS, ADMIN},
    "GET /api/sessions": {SESSIONS, ADMIN},
    "GET /api/session/<session_id>/recording": {SESSIONS},
    "POST /api/credentials": {SESSIONS},
    "GET /api/credentials": {SESSIONS},
    "DELETE /api/credentials/<credential_id>": {SESSIONS},
    "POST /api/outputs": set(),
    "POST /api/service/drain": set(),
}


def test_every_operation_opens_to_its_scopes_and_to_no_other(app: Flask, api: Api, make_key: MakeKey) -> None:
    keys = {scope: make_key(scope) for scope in Scope}
    opened: dict[str, set[Scope]] = {}
    for name, method, path in secured(app):
        for scope, key in keys.items():
            response = api.call(method, path, headers=bearer(key))
            opened.setdefault(name, set())
            if response.status_code != 403:
                opened[name].add(scope)
            else:
                assert "scope" in response.json["detail"] or "service token" in response.json["detail"]
    assert opened == OPENED_BY


def secured(app: Flask) -> list[tuple[str, str, str]]:
    """Return name, method and path of the operations that need a credential."""
    found = []
    for rule in app.url_map.iter_rules():
        operation = getattr(app.view_functions[rule.endpoint], "operation", None)
        if rule.rule.startswith("/api/") and operation is not None and operation.secured:
            path = re.sub(r"<\w+>", str(uuid4()), rule.rule)
            methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            found += [(f"{method} {rule.rule}", method, path) for method in methods]
    return found


# -- the administrator -------------------------------------------------------------------------------------


def test_an_administrator_lists_everybodys_sessions(api: Api, session: str, make_key: MakeKey) -> None:
    admin = bearer(make_key(ADMIN, owner="root-of-the-tests"))
    of_all = api.get("/api/sessions?owner=*&limit=100", headers=admin)
    assert session in {item["sessionId"] for item in of_all.json["items"]}
    of_one = api.get(f"/api/sessions?owner={api.user}", headers=admin)
    assert [item["sessionId"] for item in of_one.json["items"]] == [session]
    assert api.get(f"/api/sessions?owner={api.user}&state=terminated", headers=admin).json["total"] == 0
    assert api.get("/api/sessions", headers=admin).json["total"] == 0
    assert api.get("/api/sessions?owner=nobody", headers=admin).json["total"] == 0


def test_nobody_else_may_name_an_owner(api: Api, key: str) -> None:
    for owner in ("*", "somebody", api.user):
        assert api.get(f"/api/sessions?owner={owner}", headers=bearer(key)).status_code == 403
        assert api.get(f"/api/sessions?owner={owner}").status_code == 403


@pytest.mark.parametrize("owner", ["", "..", "**", "a" * 65, "%00", "%25", "a*", "%C3%A4"])
def test_an_owner_who_cannot_be_is_refused(api: Api, make_key: MakeKey, owner: str) -> None:
    admin = bearer(make_key(ADMIN))
    assert api.get(f"/api/sessions?owner={owner}", headers=admin).status_code == 422


def test_an_administrator_ends_anybodys_session_and_says_so(
    api: Api, session: str, make_key: MakeKey
) -> None:
    admin = bearer(make_key(ADMIN, owner="root-of-the-tests"))
    assert api.delete(f"/api/session/{session}", headers=admin).json == {"terminated": True}
    assert api.delete(f"/api/session/{session}", headers=admin).json == {"terminated": True}
    ended = api.get(f"/api/session/{session}/status").json
    assert (ended["state"], ended["reason"]) == ("terminated", "An administrator ended it.")
    assert api.delete(f"/api/session/{uuid4()}", headers=admin).status_code == 404


def test_an_administrators_own_session_is_ended_by_its_user(
    api: Api, session: str, make_key: MakeKey
) -> None:
    api.delete(f"/api/session/{session}", headers=bearer(make_key(ADMIN, SESSIONS)))
    assert api.get(f"/api/session/{session}/status").json["reason"] == "Its user ended it."


def test_an_administrator_reads_nothing_of_others(api: Api, session: str, make_key: MakeKey) -> None:
    """With the scope for own sessions another's does not exist; without it, none can be read at all."""
    path = f"/api/session/{session}"
    both = bearer(make_key(ADMIN, SESSIONS, owner="root-of-the-tests"))
    only = bearer(make_key(ADMIN, owner="root-of-the-tests"))
    for method, rest, body in (
        ("GET", "/status", None),
        ("GET", "/output", None),
        ("GET", "/output?clear=true", None),
        ("GET", "/screen", None),
        ("GET", "/recording", None),
        ("POST", "/command", {"command": "x"}),
        ("POST", "/resize", {"columns": 80, "rows": 24}),
    ):
        assert api.call(method, path + rest, body, headers=both).status_code == 404
        assert api.call(method, path + rest, body, headers=only).status_code == 403


# -- who did it --------------------------------------------------------------------------------------------


def test_a_session_remembers_who_created_it(api: Api, web_services: Services, key: str) -> None:
    by_token = api.create()
    body = {"credentials": {"anthropicApiKey": "sk-ant-of-a-key-0123"}}
    response = api.post("/api/session/create", body, headers=bearer(key))
    by_key = response.json["sessionId"]
    store = web_services.records.sessions
    assert store.get(UUID(by_token)).created_by == "service"
    assert store.get(UUID(by_key)).created_by == f"key:{key_id(key)}"
    assert api.delete(f"/api/session/{by_key}").status_code == 200


def test_what_a_request_does_is_done_in_its_name(web_services: Services, key: str) -> None:
    seen: list[Origin] = []
    app = create_app(web_services)

    @app.after_request
    def look(response: Response) -> Response:
        seen.append(origin())
        return response

    caller = Api(app.test_client(), key, "jane")
    for token in (f"Bearer {key}", f"Bearer {TOKEN}", None, "Bearer wrong"):
        caller.get(
            "/api/sessions", headers={"Authorization": token, "X-User-ID": None, "X-Request-ID": "r-1"}
        )

    assert [one.actor for one in seen] == [f"key:{key_id(key)}", "service", "anonymous", "anonymous"]
    assert {(one.request_id, one.address) for one in seen} == {("r-1", "127.0.0.1")}
    assert origin() == Origin()


def test_without_the_database_keys_are_not_believed_and_the_token_goes_on(
    make_services: MakeServices,
) -> None:
    services = make_services()
    key = services.records.api_keys.issue("jane", "of the tests", [SESSIONS], None)[1]
    client = create_app(services).test_client()
    by_key, by_token = Api(client, key, "jane"), Api(client, TOKEN, "jane")
    session = by_token.create()
    assert by_key.get(f"/api/session/{session}/status").status_code == 200

    services.records.database.close()
    refused = by_key.get(f"/api/session/{session}/status")
    assert (refused.status_code, refused.json["title"]) == (503, "Storage unavailable")
    assert by_key.get("/api/sessions", headers=bearer("nonsense")).status_code == 401
    assert by_token.get(f"/api/session/{session}/status").json["state"] == "running"

    services.records.database.open()
    assert by_key.get(f"/api/session/{session}/status").status_code == 200
    by_token.end()


def test_a_browsers_question_needs_no_credential(api: Api) -> None:
    asked = {
        "Authorization": None,
        "Origin": "https://portal.example",
        "Access-Control-Request-Method": "POST",
    }
    assert api.call("OPTIONS", "/api/session/create", headers=asked).status_code == 200
    assert api.call("OPTIONS", "/api/session/create", headers={"Authorization": None}).status_code == 401
    assert api.post("/api/session/create", {}, headers=asked).status_code == 401
