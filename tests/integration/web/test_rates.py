"""Who is counted for a request, with a limit that lets three pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from sidecar.config import Rate
from sidecar.model.caller import Scope
from sidecar.services import Services
from sidecar.web import create_app, limits
from tests.fixtures.services import TOKEN, MakeServices
from tests.integration.web.api import Api

THREE = (Rate(3, 3600),)
NOBODY = {"Authorization": None, "X-User-ID": None}


@pytest.fixture
def ann(web_services: Services) -> Api:
    """Return a caller of an application that has counted nobody yet."""
    app = create_app(web_services)
    limits.register(app, replace(web_services.settings, rate_limit=THREE), web_services.clock)
    return Api(app.test_client(), TOKEN, "ann")


def passes(call: Callable[[], Any]) -> int:
    """Call until it is one too many; return how many were not."""
    for number in range(10):
        response = call()
        if response.status_code == 429:
            assert response.json["title"] == "Rate limited"
            assert 3500 < int(response.headers["Retry-After"]) <= 3600
            return number
    return 10


#: Of no session; fixed, because it is part of the tests' names.
NOWHERE = UUID(int=7)

CALLS = [
    ("GET", "/api/sessions", None),
    ("GET", f"/api/session/{NOWHERE}/output", None),
    ("GET", f"/api/session/{NOWHERE}/nothing", None),
    ("POST", f"/api/session/{NOWHERE}/command", {"command": "x"}),
    ("POST", f"/api/session/{NOWHERE}/resize", {"nonsense": 1}),
    ("POST", "/api/session/create", {"userId": "ann", "workspaceName": "../x"}),
    ("DELETE", f"/api/session/{NOWHERE}", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CALLS)
def test_each_call_of_an_api_key_counts_once_for_its_user(
    web_services: Services, ann: Api, method: str, path: str, body: object
) -> None:
    _, text = web_services.records.api_keys.issue("ann", "a key", frozenset({Scope.SESSIONS}), None)
    headers = {"Authorization": f"Bearer {text}", "X-User-ID": None}
    assert passes(lambda: ann.call(method, path, body, headers=headers)) == 3


@pytest.mark.parametrize(("method", "path", "body"), [call for call in CALLS if "nothing" not in call[1]])
def test_each_call_of_the_service_token_counts_once_for_the_user_it_names(
    ann: Api, method: str, path: str, body: object
) -> None:
    assert passes(lambda: ann.call(method, path, body)) == 3
    assert ann.get("/api/sessions", headers={"X-User-ID": "bob"}).status_code == 200


def test_a_key_and_the_service_token_for_its_user_count_together(web_services: Services, ann: Api) -> None:
    _, text = web_services.records.api_keys.issue("ann", "a key", frozenset({Scope.SESSIONS}), None)
    assert ann.get("/api/sessions").status_code == 200
    headers = {"Authorization": f"Bearer {text}", "X-User-ID": None}
    assert passes(lambda: ann.get("/api/sessions", headers=headers)) == 2


def test_what_the_service_token_does_for_nobody_is_not_limited(ann: Api) -> None:
    assert (
        passes(lambda: ann.post("/api/outputs", {"pump": "p", "cursors": {}}, headers={"X-User-ID": None}))
        == 10
    )
    assert passes(lambda: ann.post("/api/service/drain", {"draining": False})) == 10


@pytest.mark.parametrize("path", ["/health", "/docs", "/openapi.json", "/signin", "/", "/nothing"])
def test_where_nobody_is_known_the_address_counts(ann: Api, path: str) -> None:
    assert passes(lambda: ann.get(path, headers=NOBODY)) == 3
    assert ann.get(path, headers=NOBODY, environ_overrides={"REMOTE_ADDR": "192.0.2.7"}).status_code != 429
    assert ann.get("/api/sessions").status_code == 200


def test_failed_sign_ins_with_any_credential_count_for_the_address(ann: Api) -> None:
    kinds = ["Bearer wrong", f"Bearer csk_{'0' * 16}_{'a' * 43}", "", "Basic x"]
    answers = [ann.get("/api/sessions", headers={"Authorization": kind}) for kind in kinds]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
    assert ann.get("/api/sessions").status_code == 200, "whoever has the right token is not kept out"


def test_requests_for_another_host_count_for_the_address(ann: Api) -> None:
    assert passes(lambda: ann.get("/health", headers={"Host": "evil.example"})) == 3


def test_addresses_of_one_network_of_ipv6_count_together(ann: Api) -> None:
    def status(address: str) -> int:
        response = ann.get("/health", headers=NOBODY, environ_overrides={"REMOTE_ADDR": address})
        return int(response.status_code)

    addresses = ["2001:db8::1", "2001:db8::ffff:1", "2001:db8:0:0:1::", "2001:db8::2"]
    assert [status(address) for address in addresses] == [200, 200, 200, 429]
    assert status("2001:db8:0:1::1") == 200


def test_behind_the_trusted_proxy_its_callers_count(make_services: MakeServices) -> None:
    services = make_services(rate_limit=THREE, trusted_proxy="192.0.2.1")
    api = Api(create_app(services).test_client(), TOKEN, "ann")

    def status(peer: str, told: str) -> int:
        headers = {**NOBODY, "X-Forwarded-For": told}
        return int(api.get("/health", headers=headers, environ_overrides={"REMOTE_ADDR": peer}).status_code)

    # The first part is what the caller itself claims.
    assert [status("192.0.2.1", f"10.0.0.{n}, 198.51.100.1") for n in range(4)] == [200, 200, 200, 429]
    assert status("192.0.2.1", "198.51.100.2") == 200
    assert [status("203.0.113.5", f"198.51.100.{n}") for n in range(4)] == [200, 200, 200, 429]


def test_an_address_has_one_spelling(make_services: MakeServices) -> None:
    """A socket for both kinds tells IPv4 as IPv6, and a zone may be any text."""
    services = make_services(rate_limit=THREE, trusted_proxy="192.0.2.1")
    api = Api(create_app(services).test_client(), TOKEN, "ann")

    def status(peer: str, told: str = "") -> int:
        headers = {**NOBODY, "X-Forwarded-For": told}
        return int(api.get("/health", headers=headers, environ_overrides={"REMOTE_ADDR": peer}).status_code)

    assert [status("::ffff:198.51.100.1") for _ in range(4)] == [200, 200, 200, 429]
    assert status("198.51.100.1") == 429
    assert status("::ffff:198.51.100.2") == 200, "all of IPv4 is not one network"
    assert [status("::ffff:192.0.2.1", f"fe80::1%zone{n}") for n in range(4)] == [200, 200, 200, 429]


def test_ten_thousand_made_up_users_are_each_counted(ann: Api) -> None:
    rates = ann.client.application.extensions["rates"]
    for number in range(10_000):
        rates.hit(f"user made-up-{number}")
    assert passes(lambda: ann.get("/api/sessions")) == 3
    assert len(rates) == 10_001
