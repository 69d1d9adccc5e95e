"""Calls from pages of other origins."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sidecar.config import Rate
from sidecar.services import Services
from sidecar.web import cors, create_app
from tests.fixtures.services import TOKEN, MakeServices
from tests.integration.web.api import Api

PORTAL = "https://portal.example"
OTHERS = ("http://10.0.0.1:8080", "http://[::1]:3000")

#: What is no listed origin, though a pattern or a careless comparison would take it for one.
FOREIGN = [
    "https://portalXexample",
    "https://portal.example.evil.example",
    "https://evil.example/https://portal.example",
    "https://sub.portal.example",
    "https://evilportal.example",
    "https://portal.example:8443",
    "https://portal.example:443",
    "https://portal.example/",
    "https://portal.example\n",
    "http://portal.example",
    "https://PORTAL.example",
    "HTTPS://portal.example",
    "https://user@portal.example",
    "https://portal.example, https://evil.example",
    "http://10.0.0.1:80801",
    "http://10x0.0.1:8080",
    "http://:3000",
    "http://1:3000",
    "null",
    "*",
    "",
]


@pytest.fixture
def page(web_services: Services, user: str) -> Iterator[Api]:
    """Return a caller of an application that lets pages of three origins in."""
    app = create_app(web_services)
    cors.register(app, (PORTAL, *OTHERS))
    caller = Api(app.test_client(), TOKEN, user)
    yield caller
    caller.end()


def allowed(response: Any) -> dict[str, str]:
    """Return what an answer says of other origins."""
    return {name: value for name, value in response.headers.items() if name.startswith("Access-Control-")}


def preflight(api: Api, path: str, origin: str, method: str = "POST", asked: str = "authorization") -> Any:
    headers = {
        "Authorization": None,
        "X-User-ID": None,
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": asked,
    }
    return api.call("OPTIONS", path, headers=headers)


@pytest.mark.parametrize("origin", [PORTAL, *OTHERS])
def test_a_page_of_a_listed_origin_may_read_the_answer(page: Api, origin: str) -> None:
    response = page.get("/api/sessions", headers={"Origin": origin})
    assert response.status_code == 200
    assert allowed(response) == {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Expose-Headers": "Idempotent-Replay, Retry-After, X-Request-ID",
    }
    assert response.headers["Vary"] == "Origin"


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_page_of_any_other_origin_may_not(page: Api, origin: str) -> None:
    # As a server hands it over, so that a line end gets through.
    raw = {"HTTP_ORIGIN": origin}
    response = page.get("/api/sessions", environ_overrides=raw)
    assert (allowed(response), response.headers["Vary"]) == ({}, "Origin")
    raw["HTTP_ACCESS_CONTROL_REQUEST_METHOD"] = "POST"
    assert allowed(page.call("OPTIONS", "/api/sessions", environ_overrides=raw)) == {}


def test_a_page_may_read_an_error_too(page: Api) -> None:
    for path, headers in (
        ("/api/sessions", {"Authorization": None}),
        ("/nothing", {}),
        ("/api/sessions?x=1", {}),
    ):
        response = page.get(path, headers={"Origin": PORTAL, **headers})
        assert response.status_code >= 400
        assert allowed(response)["Access-Control-Allow-Origin"] == PORTAL


def test_a_browser_may_ask_without_a_credential_what_is_allowed(page: Api) -> None:
    asked = "authorization, content-type, idempotency-key, x-api-key, x-request-id, x-user-id"
    response = preflight(page, "/api/session/create", PORTAL, asked=asked)
    assert response.status_code == 200
    told = allowed(response)
    assert told.pop("Access-Control-Expose-Headers")
    assert told == {
        "Access-Control-Allow-Origin": PORTAL,
        "Access-Control-Allow-Headers": asked,
        "Access-Control-Allow-Methods": "DELETE, GET, POST",
        "Access-Control-Max-Age": "600",
    }


def test_other_headers_and_methods_are_not_allowed(page: Api) -> None:
    told = allowed(preflight(page, "/api/sessions", PORTAL, asked="authorization, x-forwarded-for, cookie"))
    assert told["Access-Control-Allow-Headers"] == "authorization"
    assert "Access-Control-Allow-Methods" not in allowed(preflight(page, "/api/sessions", PORTAL, "PUT"))


def test_asking_does_nothing(page: Api) -> None:
    session = page.create(waitMs=0)
    preflight(page, f"/api/session/{session}", PORTAL, "DELETE")
    preflight(page, "/api/session/create", PORTAL)
    listed = page.get("/api/sessions").json
    assert listed["total"] == 1
    assert listed["items"][0]["state"] in ("starting", "running")


def test_asking_counts_for_the_address(make_services: MakeServices) -> None:
    services = make_services(cors_origins=(PORTAL,), rate_limit=(Rate(3, 3600),))
    api = Api(create_app(services).test_client(), TOKEN, "ann")
    answers = [preflight(api, "/api/sessions", PORTAL, "GET") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]


def test_a_cookie_is_never_allowed(page: Api) -> None:
    for response in (
        page.get("/api/sessions", headers={"Origin": PORTAL, "Cookie": "a=b"}),
        preflight(page, "/api/sessions", PORTAL),
    ):
        assert "Access-Control-Allow-Credentials" not in allowed(response)


def test_a_caller_that_is_no_page_is_told_nothing_of_origins(page: Api) -> None:
    response = page.get("/api/sessions")
    assert (response.status_code, allowed(response), response.headers["Vary"]) == (200, {}, "Origin")


def test_without_listed_origins_nothing_is_said(api: Api) -> None:
    for response in (
        api.get("/api/sessions", headers={"Origin": PORTAL}),
        preflight(api, "/api/sessions", PORTAL, "GET"),
    ):
        assert allowed(response) == {}
        assert "Origin" not in response.headers.get("Vary", "")
