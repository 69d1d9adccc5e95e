"""Every route with every kind of credential: one table, over all routes there are, so that no new one is forgotten."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from sidecar.model.caller import Scope
from sidecar.services import Services
from tests.fixtures.services import API_KEY, TOKEN
from tests.integration.web.api import Api
from tests.integration.web.routes import Route, routes
from tests.waiting import until

#: Who owns what the routes are tried on, and somebody else.
OWNER, OTHER = "route-owner", "route-other"

#: What answers without a credential. A new line here is a decision.
OPEN = {
    "GET /",
    "GET /health",
    "GET /openapi.json",
    "GET /docs",
    "GET /metrics",  # has a token of its own
    "GET /signin",
    "POST /signin",
    "POST /signout",
    "GET /api/credentials/key",
}

SECURED = [route for route in routes() if route.operation.secured]

#: A good body for every operation that takes one.
BODIES: dict[str, dict[str, Any]] = {
    "CreateBody": {"waitMs": 0, "credentials": {"anthropicApiKey": API_KEY}},
    "CommandBody": {"command": "x"},
    "ResizeBody": {"columns": 80, "rows": 24},
    "OutputsBody": {"pump": "p", "cursors": {}},
    "DrainBody": {"draining": False},
    "CredentialBody": {"anthropicApiKey": API_KEY},
}


@dataclass
class Keys:
    """API keys of both users."""

    services: Services

    def key(self, user: str, *scopes: Scope, lasts_s: float | None = None) -> str:
        """Issue one."""
        expires_at = self.services.clock.now() + timedelta(seconds=lasts_s) if lasts_s else None
        return self.services.records.api_keys.issue(user, "routes", scopes, expires_at)[1]

    def revoked(self, user: str) -> str:
        """Issue one and revoke it."""
        text = self.key(user, *Scope)
        self.services.records.api_keys.revoke(text.split("_")[1])
        return text

    def expired(self, user: str) -> str:
        """Issue one and let its time pass."""
        text = self.key(user, *Scope, lasts_s=0.05)
        end = self.services.clock.now() + timedelta(seconds=0.1)
        assert until(lambda: self.services.clock.now() > end)
        return text


@pytest.fixture(scope="module")
def keys(web_services: Services) -> Keys:
    return Keys(web_services)


@pytest.fixture(scope="module")
def full(keys: Keys) -> str:
    """Return a key of the owner that may do everything its owner may."""
    return keys.key(OWNER, *(set(Scope) - {Scope.ADMIN}))


@pytest.fixture(scope="module")
def cookie(web_services: Services, full: str) -> str:
    """Return the owner's signed-in cookie."""
    return f"claude_sidecar={web_services.records.sign_ins.enter(full)[1]}"


@pytest.fixture
def owner(app: Flask) -> Iterator[Api]:
    """Return the owner, by the service token; the sessions are ended."""
    api = Api(app.test_client(), TOKEN, OWNER)
    yield api
    for user in (OWNER, OTHER):
        listed = api.get("/api/sessions?limit=100&state=starting", headers={"X-User-ID": user}).json["items"]
        listed += api.get("/api/sessions?limit=100&state=running", headers={"X-User-ID": user}).json["items"]
        for item in listed:
            api.delete(f"/api/session/{item['sessionId']}", headers={"X-User-ID": user})


def call(app: Flask, route: Route, name: str = "", **headers: str | None) -> Any:
    """Call a route with these headers (`X_User_ID` for `X-User-ID`) and a good body, and no other credential."""
    given = {header.replace("_", "-"): value for header, value in headers.items() if value is not None}
    body = route.operation.body
    more: dict[str, Any] = {}
    if body is not None:
        more = {"data": json.dumps(BODIES[body.__name__]), "content_type": "application/json"}
    path = route.path(name)
    return app.test_client(use_cookies=False).open(
        path, method=route.method, headers=given, base_url="http://localhost", **more
    )


def status(answer: Any) -> tuple[int, str]:
    return answer.status_code, "" if answer.status_code < 400 else answer.json["title"]


def test_only_these_answer_without_a_credential() -> None:
    assert {str(route) for route in routes() if not route.operation.secured} == OPEN


def test_every_route_below_api_needs_a_scope_but_the_public_key() -> None:
    free = {
        route.rule for route in routes() if route.rule.startswith("/api/") and route.operation.scope is None
    }
    assert free == {"/api/credentials/key"}


@pytest.fixture(scope="module")
def bad_credentials(keys: Keys, full: str, cookie: str) -> dict[str, dict[str, str]]:
    """Return headers that open nothing."""
    unknown = f"csk_{'0' * 16}_{'A' * 43}"
    return {
        "none": {},
        "empty": {"Authorization": ""},
        "a wrong token": {"Authorization": "Bearer wrong"},
        "no scheme": {"Authorization": TOKEN},
        "another scheme": {"Authorization": f"Basic {TOKEN}"},
        "an unknown key": {"Authorization": f"Bearer {unknown}"},
        "a key wrong at its end": {"Authorization": f"Bearer {full[:-1]}{'A' if full[-1] != 'A' else 'B'}"},
        "a key cut short": {"Authorization": f"Bearer {full[:-1]}"},
        "a revoked key": {"Authorization": f"Bearer {keys.revoked(OWNER)}"},
        "an expired key": {"Authorization": f"Bearer {keys.expired(OWNER)}"},
        "a key where there is no such header": {"X_API_Key": full},
        "the token as a cookie": {"Cookie": f"claude_sidecar={TOKEN}"},
        "a key as a cookie": {"Cookie": f"claude_sidecar={full}"},
        "a cookie as a key": {"Authorization": f"Bearer {cookie.partition('=')[2]}"},
        "a bad header beside a good cookie": {"Authorization": "Bearer x", "Cookie": cookie},
        "two cookies": {"Cookie": f"{cookie}; claude_sidecar=other"},
        "only a user": {"X_User_ID": OWNER},
        "a token in a header of another name": {
            "X_Auth_Token": TOKEN,
            "Proxy_Authorization": f"Bearer {TOKEN}",
        },
    }


@pytest.mark.parametrize("route", SECURED, ids=str)
def test_without_a_good_credential_nothing_is_told(
    app: Flask, route: Route, bad_credentials: dict[str, dict[str, str]]
) -> None:
    answers = {name: call(app, route, **headers) for name, headers in bad_credentials.items()}
    assert {name: status(answer) for name, answer in answers.items()} == dict.fromkeys(
        answers, (401, "Unauthenticated")
    )
    assert len({json.loads(answer.data)["detail"] for answer in answers.values()}) == 1


@pytest.mark.parametrize("route", SECURED, ids=str)
def test_a_cookie_works_for_our_own_pages_only(app: Flask, route: Route, cookie: str) -> None:
    origins = [
        "https://evil.example",
        "http://localhost.evil.example",
        "http://localhost:81",
        "https://localhost",
        "null",
    ]
    for origin in origins:
        assert status(call(app, route, Cookie=cookie, Origin=origin)) == (403, "Origin refused"), origin
    if route.method != "GET":
        assert status(call(app, route, Cookie=cookie)) == (403, "Origin refused")


@pytest.mark.parametrize("route", SECURED, ids=str)
def test_a_key_needs_the_scope(app: Flask, route: Route, keys: Keys) -> None:
    assert route.operation.scope is not None
    lacking = keys.key(OWNER, *(set(Scope) - {route.operation.scope, Scope.ADMIN}))
    assert status(call(app, route, Authorization=f"Bearer {lacking}")) == (403, "Forbidden")
    administrator = call(app, route, Authorization=f"Bearer {keys.key(OWNER, Scope.ADMIN)}")
    assert (status(administrator) == (403, "Forbidden")) is not route.operation.admin


@pytest.mark.usefixtures("owner")  # ends what is created
@pytest.mark.parametrize("route", SECURED, ids=str)
def test_a_key_may_name_its_own_user_only(app: Flask, route: Route, full: str) -> None:
    key = f"Bearer {full}"
    if route.operation.service_only:
        assert status(call(app, route, Authorization=key)) == (403, "Forbidden")
        return
    assert status(call(app, route, Authorization=key, X_User_ID=OTHER)) == (403, "Forbidden")
    for own in (None, OWNER):
        answer = call(app, route, Authorization=key, X_User_ID=own)
        assert answer.status_code not in (400, 401, 403), answer.text


@pytest.mark.parametrize("route", [route for route in SECURED if route.operation.user], ids=str)
def test_the_service_token_has_to_name_a_user(app: Flask, route: Route) -> None:
    for header in (None, ""):
        answer = call(app, route, Authorization=f"Bearer {TOKEN}", X_User_ID=header)
        assert answer.status_code == (400 if header is None else 422)


@pytest.mark.parametrize("route", [route for route in SECURED if route.is_of_one], ids=str)
def test_what_belongs_to_another_is_the_same_as_nothing(
    app: Flask, owner: Api, route: Route, keys: Keys, full: str
) -> None:
    thing = owned(owner, route)
    other = f"Bearer {keys.key(OTHER, *(set(Scope) - {Scope.ADMIN}))}"
    theirs, nothing = (call(app, route, name, Authorization=other) for name in (thing, ""))
    assert status(theirs) == status(nothing) == (404, "Not found")
    told = [json.loads(answer.data) | {"instance": ""} for answer in (theirs, nothing)]
    assert told[0] == told[1]
    assert names(theirs) == names(nothing)
    mine = call(app, route, thing, Authorization=f"Bearer {full}")
    assert mine.status_code == route.operation.status, mine.text


def owned(owner: Api, route: Route) -> str:
    """Make what a route needs, for the owner."""
    if "<session_id>" in route.rule:
        return owner.create()
    assert "<credential_id>" in route.rule, "make here what the new route needs"
    made = owner.post("/api/credentials", {"userId": OWNER, "anthropicApiKey": API_KEY})
    return str(made.json["credentialId"])


def names(answer: Any) -> set[tuple[str, str]]:
    return {
        (name, value)
        for name, value in answer.headers.items()
        if name not in ("X-Request-ID", "Content-Length")
    }
