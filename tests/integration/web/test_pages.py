"""The pages: signing in and out, what the cookie may do, and where its holder must come from."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from http.cookies import Morsel, SimpleCookie
from typing import Any

import pytest
from flask import Flask

from sidecar.model.caller import Scope
from sidecar.services import Services
from tests.fixtures.services import TOKEN
from tests.integration.web.api import Api

OWN = "http://localhost"
COOKIE = "claude_sidecar"
#: Origins that only look like ours, with ours being http://localhost.
FOREIGN = (
    "https://evil.example",
    "null",
    "",
    "https://localhost",
    "http://localhost:3000",
    "http://localhost:80",
    "http://localhost.evil.example",
    "http://evil.example/http://localhost",
    "http://127.0.0.1",
    "HTTP://LOCALHOST",
    "http://localhost/",
    "localhost",
    "http://localhost http://localhost",
)


@pytest.fixture
def key(web_services: Services, user: str) -> str:
    return web_services.records.api_keys.issue(user, "of the tests", [Scope.SESSIONS], None)[1]


class Browser:
    """A visitor who says where he comes from, and keeps cookies or else sends the header he wants."""

    def __init__(self, app: Flask, user: str, *, keeps: bool = True) -> None:
        self.api = Api(app.test_client(use_cookies=keeps), "", user)

    def call(self, method: str, path: str, body: object = None, **headers: str | None) -> Any:
        origin = {} if method == "GET" else {"Origin": OWN}
        plain: dict[str, str | None] = {"Authorization": None, "X-User-ID": None}
        return self.api.call(method, path, body, headers=plain | origin | headers)

    def submit(self, path: str, fields: dict[str, str] | None = None, **headers: str | None) -> Any:
        plain: dict[str, str | None] = {"Authorization": None, "X-User-ID": None, "Origin": OWN}
        return self.api.call("POST", path, data=fields or {}, headers=plain | headers)

    def sign_in(self, key: str) -> Any:
        return self.submit("/signin", {"key": key})

    @property
    def cookie(self) -> str | None:
        found = self.api.client.get_cookie(COOKIE)
        return found.value if found else None


@pytest.fixture
def browser(app: Flask, user: str) -> Browser:
    return Browser(app, user)


@pytest.fixture
def signed_in(browser: Browser, key: str) -> Iterator[Browser]:
    assert browser.sign_in(key).status_code == 303
    yield browser
    browser.api.token = TOKEN
    browser.api.end()


def set_cookie(response: Any) -> Morsel[str]:
    return SimpleCookie(response.headers["Set-Cookie"])[COOKIE]


# -- in and out --------------------------------------------------------------------------------------------


def test_a_stranger_is_shown_the_way_to_the_sign_in(browser: Browser) -> None:
    response = browser.call("GET", "/")
    assert (response.status_code, response.headers["Location"]) == (303, "/signin")
    page = browser.call("GET", "/signin")
    assert page.status_code == 200
    assert '<form method="post" action="/signin">' in page.text


def test_a_key_signs_in_and_the_start_page_says_who(browser: Browser, key: str) -> None:
    response = browser.sign_in(f" {key}\n")
    assert (response.status_code, response.headers["Location"], response.data) == (303, "/", b"")
    page = browser.call("GET", "/")
    assert page.status_code == 200
    assert f"<strong>{browser.api.user}</strong>" in page.text
    assert key.split("_")[1] in page.text
    assert key not in page.text


def test_the_cookie_is_kept_from_scripts_and_other_sites(browser: Browser, key: str) -> None:
    cookie = set_cookie(browser.sign_in(key))
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", cookie.value)
    assert cookie.value not in key
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    assert (cookie["max-age"], cookie["domain"], cookie["secure"]) == ("43200", "", "")


def test_over_tls_the_cookie_is_secure_and_the_origin_is_https(browser: Browser, key: str) -> None:
    response = browser.api.call(
        "POST",
        "/signin",
        data={"key": key},
        base_url="https://localhost",
        headers={"Authorization": None, "Origin": "https://localhost"},
    )
    assert response.status_code == 303
    assert set_cookie(response)["secure"] is True


def test_signing_out_ends_the_cookie_also_for_who_copied_it(signed_in: Browser, app: Flask) -> None:
    copy = signed_in.cookie
    assert copy is not None
    response = signed_in.submit("/signout")
    assert (response.status_code, response.headers["Location"]) == (303, "/signin")
    assert set_cookie(response)["max-age"] == "0"
    assert signed_in.cookie is None
    thief = Browser(app, "thief", keeps=False)
    assert thief.call("GET", "/api/sessions", Cookie=f"{COOKIE}={copy}").status_code == 401


def test_who_is_not_signed_in_may_sign_out(app: Flask) -> None:
    browser = Browser(app, "nobody", keeps=False)
    assert browser.submit("/signout").status_code == 303
    assert browser.submit("/signout", Cookie=f"{COOKIE}=nonsense").status_code == 303


@pytest.mark.parametrize(
    "wrong", ["", "of-nobody", TOKEN, f"csk_{'0' * 16}_{'A' * 43}", '"><script>alert(1)</script>', "\0"]
)
def test_a_wrong_key_gets_the_form_again_without_what_was_put_in(browser: Browser, wrong: str) -> None:
    response = browser.sign_in(wrong)
    assert (response.status_code, response.mimetype) == (401, "text/html")
    assert 'role="alert"' in response.text
    assert not wrong.strip("\0") or wrong not in html.unescape(response.text)
    assert "Set-Cookie" not in response.headers
    assert browser.call("GET", "/").status_code == 303


def test_a_revoked_key_does_not_sign_in(browser: Browser, key: str, web_services: Services) -> None:
    web_services.records.api_keys.revoke(key.split("_")[1])
    assert browser.sign_in(key).status_code == 401


@pytest.mark.parametrize(
    ("options", "status"),
    [
        ({"data": "", "content_type": "application/x-www-form-urlencoded"}, 422),
        ({"data": {"key": "a", "more": "b"}}, 422),
        ({"data": "key=a&key=b", "content_type": "application/x-www-form-urlencoded"}, 422),
        ({"data": {"key": "a" * 1001}}, 422),
        ({"data": '{"key": "a"}', "content_type": "application/json"}, 415),
        ({"data": "key=a", "content_type": "text/plain"}, 415),
        ({"data": {"key": "a"}, "content_type": "multipart/form-data"}, 415),
        ({"data": {"key": "a" * (2 << 20)}}, 413),
        ({"data": b"key=%ff%fe", "content_type": "application/x-www-form-urlencoded"}, 401),
    ],
)
def test_a_form_that_is_none_is_refused(browser: Browser, options: Any, status: int) -> None:
    headers = {"Authorization": None, "Origin": OWN}
    assert browser.api.call("POST", "/signin", headers=headers, **options).status_code == status


# -- origin ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", [None, *FOREIGN])
def test_a_page_of_elsewhere_signs_nobody_in_or_out(signed_in: Browser, key: str, origin: str | None) -> None:
    for path, fields in (("/signin", {"key": key}), ("/signout", {})):
        response = signed_in.submit(path, fields, Origin=origin)
        assert (response.status_code, response.json["title"]) == (403, "Origin refused"), path
    assert signed_in.call("GET", "/").status_code == 200


@pytest.mark.parametrize("origin", [None, *FOREIGN])
def test_the_cookie_changes_nothing_for_a_page_of_elsewhere(signed_in: Browser, origin: str | None) -> None:
    for method, path in (("POST", "/api/session/create"), ("DELETE", f"/api/session/{'0' * 8}")):
        response = signed_in.call(method, path, {}, Origin=origin)
        assert (response.status_code, response.json["title"]) == (403, "Origin refused")


@pytest.mark.parametrize("origin", FOREIGN)
def test_a_page_of_elsewhere_reads_nothing_with_the_cookie(signed_in: Browser, origin: str) -> None:
    for path in ("/", "/api/sessions"):
        response = signed_in.call("GET", path, Origin=origin)
        assert (response.status_code, response.json["title"]) == (403, "Origin refused")


def test_a_forwarded_scheme_or_host_of_anybody_is_not_believed(signed_in: Browser) -> None:
    forged: dict[str, str | None] = {
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": "evil.example",
        "Forwarded": "proto=https;host=evil.example",
    }
    for origin in ("https://localhost", "https://evil.example", "http://evil.example"):
        assert signed_in.submit("/signout", None, **forged, Origin=origin).status_code == 403


def test_a_page_of_another_port_cannot_embed_the_api(signed_in: Browser) -> None:
    """Such requests carry the cookie, and no Origin."""
    for site, status in (("same-site", 403), ("cross-site", 403), ("same-origin", 200), ("none", 200)):
        for method in ("GET", "HEAD"):
            response = signed_in.call(method, "/api/sessions", **{"Sec-Fetch-Site": site, "Origin": None})
            assert response.status_code == status, (method, site)
    linked = signed_in.call("GET", "/", **{"Sec-Fetch-Site": "same-site", "Origin": None})
    assert linked.status_code == 200, "a link to the page may be anywhere"


def test_a_bearer_needs_no_origin_and_may_have_any(api: Api, key: str) -> None:
    for origin in FOREIGN:
        headers = {"Authorization": f"Bearer {key}", "Origin": origin}
        assert api.get("/api/sessions", headers=headers).status_code == 200


# -- what the cookie may -----------------------------------------------------------------------------------


def test_the_cookie_does_what_its_key_may_and_no_more(signed_in: Browser) -> None:
    user = signed_in.api.user
    body = {"credentials": {"anthropicApiKey": "sk-ant-of-a-page-0123"}, "waitMs": 20_000}
    made = signed_in.call("POST", "/api/session/create", body)
    assert (made.status_code, made.json["userId"]) == (201, user)
    session = made.json["sessionId"]
    page = signed_in.call("GET", "/").text
    assert session in page
    assert "running" in page
    assert signed_in.call("GET", "/api/sessions", **{"X-User-ID": "somebody"}).status_code == 403
    assert signed_in.call("GET", "/api/sessions?owner=*").status_code == 403
    assert signed_in.call("POST", "/api/outputs", {}).status_code == 403
    assert signed_in.call("POST", "/api/service/drain", {"draining": True}).status_code == 403
    assert signed_in.call("DELETE", f"/api/session/{session}").json == {"terminated": True}


def test_a_user_sees_no_session_of_another_on_the_page(
    browser: Browser, web_services: Services, session: str
) -> None:
    _, key = web_services.records.api_keys.issue("another-user", "of the tests", list(Scope), None)
    assert browser.sign_in(key).status_code == 303
    assert session not in browser.call("GET", "/").text


def test_a_bad_header_is_not_rescued_by_a_good_cookie(signed_in: Browser) -> None:
    assert signed_in.call("GET", "/api/sessions").status_code == 200
    for header in ("Bearer wrong", "Bearer", "", "Basic x"):
        assert signed_in.call("GET", "/api/sessions", Authorization=header).status_code == 401
    assert signed_in.call("GET", "/api/v1/nothing").status_code == 404
    assert signed_in.call("GET", "/api/v1/nothing", **{"X-API-Key": "wrong"}).status_code == 401


def test_neither_key_nor_token_work_as_a_cookie(app: Flask, key: str) -> None:
    browser = Browser(app, "thief", keeps=False)
    for value in (key, TOKEN, key.split("_", 2)[2], "", "x", "A" * 43, "A" * 5000):
        assert browser.call("GET", "/api/sessions", Cookie=f"{COOKIE}={value}").status_code == 401
        assert browser.call("GET", "/", Cookie=f"{COOKIE}={value}").status_code == 303


def test_of_two_cookies_none_counts(browser: Browser, key: str, app: Flask) -> None:
    """Another site below the same name may plant a second one, to make somebody work as somebody else."""
    token = set_cookie(browser.sign_in(key)).value
    other = Browser(app, "other", keeps=False)
    twice = f"{COOKIE}={token}; {COOKIE}={'A' * 43}"
    assert other.call("GET", "/api/sessions", Cookie=f"{COOKIE}={token}").status_code == 200
    assert other.call("GET", "/api/sessions", Cookie=twice).status_code == 401


def test_a_cookie_is_no_bearer_token(signed_in: Browser) -> None:
    header = f"Bearer {signed_in.cookie}"
    assert signed_in.call("GET", "/api/sessions", Authorization=header).status_code == 401


def test_a_revoked_key_ends_its_sign_in(signed_in: Browser, key: str, web_services: Services) -> None:
    web_services.records.api_keys.revoke(key.split("_")[1])
    assert signed_in.call("GET", "/api/sessions").status_code == 401
    assert signed_in.call("GET", "/").status_code == 303


def test_a_page_shows_no_sessions_to_a_key_that_is_not_for_them(
    browser: Browser, web_services: Services, session: str
) -> None:
    _, key = web_services.records.api_keys.issue(browser.api.user, "jobs only", [Scope.JOBS], None)
    assert browser.sign_in(key).status_code == 303
    page = browser.call("GET", "/").text
    assert "for jobs" in page
    assert session not in page


# -- pages -------------------------------------------------------------------------------------------------


def test_pages_run_no_script_and_load_nothing(signed_in: Browser) -> None:
    for path in ("/", "/signin", "/docs"):
        response = signed_in.call("GET", path)
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "form-action 'self'" in policy
        assert not re.search(r"<script|<img|<link|\bon\w+=|javascript:|@import|url\(", response.text)


def test_pages_can_be_used_without_seeing_them(signed_in: Browser) -> None:
    for path in ("/", "/signin", "/docs"):
        text = signed_in.call("GET", path).text
        assert text.count("<html lang=") == text.count("<title>") == 1
        assert 'name="viewport"' in text
        for field in re.findall(r'<input[^>]* id="(\w+)"', text):
            assert f'<label for="{field}">' in text
