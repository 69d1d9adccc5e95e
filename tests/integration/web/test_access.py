"""Who may call: Host, token, user, ownership, and the ids of requests."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask

from tests.fixtures.services import TOKEN
from tests.integration.web.api import Api

PAGES = {"/docs", "/", "/signin", "/signout"}
#: Without its own token there is no `/metrics`.
OPEN = PAGES | {"/health", "/openapi.json", "/metrics", "/api/credentials/key"}
ONE_OFF = TOKEN[:-1] + chr(ord(TOKEN[-1]) ^ 1)


def operations(app: Flask) -> list[tuple[str, str]]:
    """Return every method and path there is, with a UUID where an id belongs."""
    found = []
    for rule in app.url_map.iter_rules():
        path = re.sub(r"<\w+>", str(uuid4()), rule.rule)
        found += [(method, path) for method in rule.methods or ()]
    return found


# -- Host ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "host",
    ["localhost", "LOCALHOST", "localhost:3000", "127.0.0.1", "127.0.0.1:65535", "[::1]", "[::1]:3000"],
)
def test_the_loopback_names_are_served_with_any_port_and_in_any_case(api: Api, host: str) -> None:
    assert api.get("/health", headers={"Host": host}).status_code == 200
    assert api.get("/api/sessions", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:3000",
        "localhost.evil.example",
        "localhost:3000.evil.example",
        "localhost@evil.example",
        "evil.example#localhost",
        "localhost, evil.example",
        "127.0.0.2",
        "0.0.0.0",
        "2130706433",
        "::1",
        "localhost:",
        "localhost:x",
        "localhost:123456",
        "user:localhost",
        "",
    ],
)
@pytest.mark.parametrize("path", ["/health", "/docs", "/openapi.json", "/api/sessions", "/nothing"])
def test_another_host_is_refused_everywhere(api: Api, host: str, path: str) -> None:
    response = api.get(path, headers={"Host": host})
    assert (response.status_code, response.json["title"]) == (400, "Host refused")


def test_a_forwarded_host_does_not_count(api: Api) -> None:
    headers = {"Host": "evil.example", "X-Forwarded-Host": "localhost", "Forwarded": "host=localhost"}
    assert api.get("/health", headers=headers).status_code == 400
    headers = {"Host": "localhost", "X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}
    assert api.get("/health", headers=headers).status_code == 200


# -- token -----------------------------------------------------------------------------------------------


def test_every_operation_needs_a_credential_but_a_few(app: Flask, api: Api) -> None:
    free = set()
    for method, path in operations(app):
        response = api.call(method, path, headers={"Authorization": None})
        if response.status_code != 401:
            free.add(path)
    assert free == OPEN


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        TOKEN,
        f"Bearer {ONE_OFF}",
        f"Bearer {TOKEN[:-1]}",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN.upper()}",
        f"Bearer Bearer {TOKEN}",
        f"Bearer\t{TOKEN}",
        f"Basic {TOKEN}",
        f"Token {TOKEN}",
        f"Bearer {TOKEN}, Bearer {TOKEN}",
        "Bearer ä",
        "Bearer \x80\xff",
    ],
)
def test_a_missing_or_wrong_token_is_refused(api: Api, header: str | None) -> None:
    response = api.get("/api/sessions", headers={"Authorization": header})
    assert (response.status_code, response.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert TOKEN not in response.text


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER  {TOKEN} "])
def test_the_scheme_is_read_in_any_case(api: Api, header: str) -> None:
    assert api.get("/api/sessions", headers={"Authorization": header}).status_code == 200


@pytest.mark.parametrize(
    "path", ["/api/sessions?token={}", "/api/sessions?access_token={}", "/api/sessions?api_key={}"]
)
def test_a_token_in_the_address_does_not_count(api: Api, path: str) -> None:
    assert api.get(path.format(TOKEN), headers={"Authorization": None}).status_code == 401


@pytest.mark.parametrize(
    "path",
    [
        "/./api/sessions",
        "/api//sessions",
        "/api/sessions/",
        "/API/sessions",
        "/x/../api/sessions",
        "/%61pi/sessions",
    ],
)
def test_an_odd_spelling_of_the_path_is_no_way_around_the_token(api: Api, path: str) -> None:
    response = api.get(path, headers={"Authorization": None})
    assert response.status_code in (401, 404)
    assert "items" not in response.text


def test_the_token_is_checked_before_the_body_and_the_user(api: Api) -> None:
    response = api.post(
        "/api/session/create", {"nonsense": 1}, headers={"Authorization": "Bearer x", "X-User-ID": None}
    )
    assert response.status_code == 401


def test_tokens_are_compared_in_constant_time(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[Any, Any]] = []
    real: Callable[[Any, Any], bool] = hmac.compare_digest

    def watched(given: Any, expected: Any) -> bool:
        compared.append((given, expected))
        return real(given, expected)

    monkeypatch.setattr("sidecar.web.auth.hmac.compare_digest", watched)
    assert api.get("/api/sessions").status_code == 200
    assert api.get("/api/sessions", headers={"Authorization": f"Bearer {ONE_OFF}"}).status_code == 401
    assert compared == [(TOKEN.encode(), TOKEN.encode()), (ONE_OFF.encode(), TOKEN.encode())]


# -- user ------------------------------------------------------------------------------------------------


def test_an_operation_of_a_user_needs_one(app: Flask, api: Api) -> None:
    without = set()
    for method, path in operations(app):
        if method in ("HEAD", "OPTIONS") or path in OPEN:
            continue
        response = api.call(method, path, headers={"X-User-ID": None}, content_type="application/json")
        if (response.status_code, response.json["title"]) != (400, "User required"):
            without.add(path)
    assert without == {
        "/api/session/create",
        "/api/credentials",
        "/api/outputs",
        "/api/service/drain",
    }  # the first two name it in the body, the others act for all


def test_the_service_token_cannot_name_two_users(api: Api) -> None:
    for path, more in (
        ("/api/session/create", {}),
        ("/api/credentials", {"anthropicApiKey": "sk-ant-0123456789"}),
    ):
        response = api.post(path, {"userId": "bob", **more}, headers={"X-User-ID": "ann"})
        assert (response.status_code, response.json["errors"][0]["field"]) == (422, "userId")
    assert api.get("/api/credentials", headers={"X-User-ID": "bob"}).json["total"] == 0


def test_another_users_session_is_the_same_as_none(api: Api, session: str) -> None:
    stranger = {"X-User-ID": "stranger"}
    missing = str(uuid4())

    def answers(session_id: str) -> list[tuple[int, bytes, dict[str, str]]]:
        path = f"/api/session/{session_id}"
        made = [
            api.get(f"{path}/status", headers=stranger),
            api.get(f"{path}/screen", headers=stranger),
            api.get(f"{path}/output", headers=stranger),
            api.get(f"{path}/output?clear=true", headers=stranger),
            api.get(f"{path}/recording", headers=stranger),
            api.post(f"{path}/command", {"command": "x"}, headers=stranger),
            api.post(f"{path}/command", {"command": "x", "waitMs": 1}, headers=stranger),
            api.post(f"{path}/resize", {"columns": 80, "rows": 24}, headers=stranger),
            api.delete(path, headers=stranger),
        ]
        return [
            (one.status_code, one.data.replace(session_id.encode(), b"ID"), headers_of(one)) for one in made
        ]

    assert answers(session) == answers(missing)
    assert {status for status, *_ in answers(session)} == {404}
    assert api.get(f"/api/session/{session}/status").json["state"] == "running"


def headers_of(response: Any) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name != "X-Request-ID"}


def test_an_ended_session_of_another_user_is_the_same_as_none(api: Api, session: str) -> None:
    assert api.delete(f"/api/session/{session}").status_code == 200
    assert api.get(f"/api/session/{session}/status", headers={"X-User-ID": "stranger"}).status_code == 404


def test_a_session_id_of_another_user_cannot_be_taken(api: Api, session: str) -> None:
    response = api.made(userId="stranger", sessionId=session)
    assert (response.status_code, response.json["title"]) == (409, "Session exists")
    assert api.user not in response.text


@pytest.mark.parametrize("bad", ["x", "1", "00000000-0000-0000-0000-00000000000g", "..%2f..", "%00", "null"])
def test_a_session_id_that_is_no_uuid_does_not_exist(api: Api, bad: str) -> None:
    for method, rest, body in (
        ("GET", "/status", None),
        ("GET", "/screen", None),
        ("GET", "/output", None),
        ("GET", "/recording", None),
        ("POST", "/command", {"command": "x"}),
        ("POST", "/resize", {"columns": 80, "rows": 24}),
        ("DELETE", "", None),
    ):
        assert api.call(method, f"/api/session/{bad}{rest}", body).status_code == 404


# -- ids of requests -------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", ["a", "A-b_c.9", "r" * 64])
def test_a_sane_request_id_is_taken_over(api: Api, given: str) -> None:
    assert api.get("/health", headers={"X-Request-ID": given}).headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "r" * 65, "a b", "a;b", "<b>", "a\x00", "ä", 'a"b', "a,b"])
def test_an_odd_request_id_is_replaced(api: Api, given: str) -> None:
    answered = api.get("/health", headers={"X-Request-ID": given}).headers["X-Request-ID"]
    assert re.fullmatch(r"[0-9a-f]{16}", answered)


@pytest.mark.parametrize("line_end", ["\r\n", "\n", "\r"])
def test_a_request_id_cannot_add_a_header(api: Api, line_end: str) -> None:
    # A server would cut the header; one that does not must still not pass it on.
    overrides = {"HTTP_X_REQUEST_ID": f"a{line_end}Set-Cookie: a=b"}
    response = api.get("/health", environ_overrides=overrides)
    assert "Set-Cookie" not in response.headers
    assert re.fullmatch(r"[0-9a-f]{16}", response.headers["X-Request-ID"])


def test_every_answer_has_its_own_request_id(api: Api) -> None:
    paths = ["/health", "/health", "/nothing", "/api/sessions", "/docs", f"/api/session/{uuid4()}/status"]
    ids = {api.get(path).headers["X-Request-ID"] for path in paths}
    ids.add(api.get("/health", headers={"Host": "evil.example"}).headers["X-Request-ID"])
    assert len(ids) == len(paths) + 1


def test_every_answer_forbids_caching_sniffing_and_framing(api: Api) -> None:
    for path in ("/health", "/docs", "/api/sessions", "/nothing"):
        headers = api.get(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_no_answer_allows_other_origins(api: Api) -> None:
    for method in ("GET", "OPTIONS"):
        headers = api.call(method, "/health", headers={"Origin": "https://evil.example"}).headers
        assert not [name for name in dict(headers) if name.startswith("Access-Control")]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("POST", "/health", 405),
        ("PUT", "/api/sessions", 405),
        ("TRACE", "/api/sessions", 405),
    ],
)
def test_a_request_nobody_answers_is_a_problem(api: Api, method: str, path: str, status: int) -> None:
    response = api.call(method, path)
    assert response.status_code == status
    assert ("Allow" in response.headers) == (status == 405)
