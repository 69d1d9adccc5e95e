"""Who is asking: passwords, sessions, tokens, and the form. [r_RESTAPIHTTPResponseCodes]"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from emulator.platform import Platform
from emulator.servicenow import Instance

PASSWORD = "päss:wörd"
USER = "first.last@mail.example"
WHO = "/api/now/table/sys_user?sysparm_limit=1"


@pytest.fixture(scope="module", autouse=True)
def user(instance: Instance) -> str:
    return instance.create_user(USER, PASSWORD)


@pytest.fixture
def browser() -> Iterator[requests.Session]:
    """Return something that keeps cookies."""
    with requests.Session() as session:
        session.trust_env = False
        yield session


def sign_in(
    instance: Instance, browser: requests.Session, user: str = USER, **more: str
) -> requests.Response:
    data = {"user_name": user, "user_password": PASSWORD if user == USER else "admin"} | more
    return browser.post(instance.url + "/login.do", data=data, allow_redirects=False, timeout=30)


def test_without_a_password_nothing_is_told(instance: Instance) -> None:
    answer = instance.request("GET", WHO, auth=None)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("BASIC")
    assert answer.json() == {
        "error": {"message": "User Not Authenticated", "detail": "Required to provide Auth information"},
        "status": "failure",
    }


@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic !!!", "Basic YWRtaW4=", "Bearer abc", "Basic YWRtaW46d3Jvbmc="],
    ids=["empty", "no base64", "no colon", "bearer", "wrong"],
)
def test_a_header_that_proves_nothing_is_401(instance: Instance, header: str) -> None:
    answer = instance.request("GET", WHO, auth=None, headers={"Authorization": header})

    assert answer.status_code == 401


def test_a_password_may_hold_any_character(instance: Instance) -> None:
    credentials = (USER.encode(), PASSWORD.encode())

    assert instance.request("GET", WHO, auth=credentials).status_code == 200


@pytest.mark.parametrize("change", [{"active": "false"}, {"locked_out": "true"}], ids=["inactive", "locked"])
def test_a_user_who_may_not_sign_in_is_401_at_once(
    instance: Instance, user: str, browser: requests.Session, change: dict[str, str]
) -> None:
    sign_in(instance, browser)
    assert browser.get(instance.url + WHO, timeout=30).status_code == 200

    instance.table("sys_user").update(user, **change)
    by_password = instance.request("GET", WHO, auth=(USER.encode(), PASSWORD.encode())).status_code
    by_session = browser.get(instance.url + WHO, timeout=30).status_code

    instance.table("sys_user").update(user, active="true", locked_out="false")
    assert (by_password, by_session) == (401, 401)


def test_a_new_password_counts_at_once(instance: Instance) -> None:
    sys_id = instance.create_user("changing", "old")
    assert instance.request("GET", WHO, auth=("changing", "old")).status_code == 200

    instance.table("sys_user").update(sys_id, user_password="new")

    assert instance.request("GET", WHO, auth=("changing", "old")).status_code == 401
    assert instance.request("GET", WHO, auth=("changing", "new")).status_code == 200


def test_each_request_with_a_password_gives_a_session_that_reads(
    instance: Instance, browser: requests.Session
) -> None:
    browser.get(instance.url + WHO, auth=("admin", "admin"), timeout=30)

    assert browser.get(instance.url + WHO, timeout=30).status_code == 200


def test_the_form_asks_and_signs_in(instance: Instance, browser: requests.Session) -> None:
    page = browser.get(instance.url + "/login.do", timeout=30)

    answer = sign_in(instance, browser, sysparm_goto_url="sp?id=terminal")

    assert "user_password" in page.text
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sp?id=terminal")
    cookie = answer.headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite" in cookie
    assert browser.get(instance.url + WHO, timeout=30).status_code == 200


def test_a_wrong_password_at_the_form_is_401_without_a_session(
    instance: Instance, browser: requests.Session
) -> None:
    answer = sign_in(instance, browser, user="nobody")

    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("wish", ["//evil.example", "https://evil.example/", "/\\evil.example", "a\r\nX: y"])
def test_the_form_sends_nobody_elsewhere(instance: Instance, browser: requests.Session, wish: str) -> None:
    assert sign_in(instance, browser, sysparm_goto_url=wish).headers["Location"] == "/"


def test_a_session_alone_changes_nothing_without_the_token(
    instance: Instance, browser: requests.Session
) -> None:
    sign_in(instance, browser, user="admin")
    url = instance.url + "/api/now/table/sys_properties"

    refused = browser.post(url, json={"name": "token.none"}, timeout=30)
    token = refused.headers["X-UserToken-Response"]
    wrong = browser.post(url, json={"name": "token.wrong"}, headers={"X-UserToken": "a" * 32}, timeout=30)
    right = browser.post(url, json={"name": "token.right"}, headers={"X-UserToken": token}, timeout=30)

    assert (refused.status_code, wrong.status_code, right.status_code) == (401, 401, 201)
    assert [row["name"] for row in instance.table("sys_properties").rows("nameSTARTSWITHtoken.")] == [
        "token.right"
    ]


def test_signing_out_ends_the_session(instance: Instance, browser: requests.Session) -> None:
    sign_in(instance, browser)
    stolen = dict(browser.cookies)

    browser.get(instance.url + "/logout.do", allow_redirects=False, timeout=30)

    assert requests.get(instance.url + WHO, cookies=stolen, timeout=30).status_code == 401


def test_sessions_end_with_the_instance_and_passwords_go_on(
    empty_platform: Platform, browser: requests.Session
) -> None:
    sign_in(empty_platform.admin, browser, user="admin")

    empty_platform.stop()
    empty_platform.start()

    assert browser.get(empty_platform.url + WHO, timeout=30).status_code == 401
    assert empty_platform.admin.request("GET", WHO).status_code == 200


def test_nothing_else_is_at_the_instance_and_that_is_said(instance: Instance) -> None:
    answer = instance.request("GET", "/api/now/stats/incident")

    assert answer.status_code == 404
    assert "/api/now/stats/incident" in answer.json()["error"]["detail"]
