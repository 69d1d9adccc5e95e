"""The served OpenAPI document holds for many odd requests: no 500, no undocumented status, type or shape.

Schemathesis makes them: first every boundary of every field, then what it thinks of, the same each time.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import schemathesis
from flask import Flask
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from sidecar import config
from sidecar.model.caller import Scope
from sidecar.services import Services
from sidecar.web import openapi
from tests.fixtures.services import API_KEY, ENCRYPTION_KEY, FAKE_CLAUDE, TOKEN
from tests.integration.web.api import Api
from tests.integration.web.conftest import warm_up
from tests.integration.web.routes import bare_app

USER = "schema"
METRICS_TOKEN = "a-metrics-token-of-the-tests"
#: More creates than this meet the limit, as they should.
MOST_SESSIONS = 4
#: Sessions that are made again when the requests have ended all.
MOST_MADE = 12
#: Input to a terminal takes time, so most of it is for sessions that do not exist.
ONE_COMMAND_IN = 5

CHECKS: list[Callable[..., Any]] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
    ignored_auth,
]
#: `DELETE /api/session/create` is the end of a session that does not exist: another operation, so not 405.
AMBIGUOUS = {"/api/session/create", "/api/credentials/key"}

CONFIGURATION = {
    "seed": 1,
    "base-url": "http://localhost",
    "generation": {"deterministic": True, "max-examples": 8, "no-shrink": True},
    "suppress-health-check": ["all"],
}


@dataclass
class Steering:
    """Keeps requests quick, and turns some of them to a session that exists. What is wrong on purpose stays wrong."""

    api: Api
    _counted: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _made: list[str] = field(default_factory=list)

    def steer(self, case: schemathesis.Case[Any]) -> None:
        """Change a request before it is sent."""
        self._head(case.headers, case.operation.path)
        _cap(case.query, "wait", 0.02)
        if isinstance(case.body, dict):
            _cap(case.body, "wait", 0.02)
            _cap(case.body, "waitMs", 20)
            self._name(case.body)
        for name, thing in (("session_id", self._session), ("credential_id", self._credential)):
            if _is_uuid(case.path_parameters.get(name)) and self._hits(case.operation.path):
                case.path_parameters[name] = thing()

    def _head(self, headers: MutableMapping[str, Any], path: str) -> None:
        if _is_user(headers.get("X-User-ID")):
            headers["X-User-ID"] = USER
        if headers.get("Idempotency-Key") and next(self._counted) % 2:  # or all would be repeats of the first
            headers["Idempotency-Key"] = str(next(self._counted))
        if path.startswith("/sign") and next(self._counted) % 2:
            headers["Origin"] = "http://localhost"

    @staticmethod
    def _name(body: dict[str, Any]) -> None:
        """Let a body name a user and a key where it may leave them out, or hardly one would create anything."""
        if "userId" in body and (body["userId"] is None or _is_user(body["userId"])):
            body["userId"] = USER
        if "credentials" in body and body["credentials"] is None:
            body["credentials"] = {"anthropicApiKey": API_KEY}
        if isinstance(body.get("anthropicApiKey"), str) and body.get("sealed", "") is None:
            del body["sealed"]

    def _hits(self, path: str) -> bool:
        every = ONE_COMMAND_IN if path.endswith("/command") else 2
        return next(self._counted) % every == 0

    def _session(self) -> str:
        """Return a session that runs, or one that has ended when enough have been made."""
        if len(self._made) < MOST_MADE and not (self._made and self._runs(self._made[-1])):
            made = self.api.made()
            if made.status_code == 201:
                self._made.append(made.json["sessionId"])
        return self._made[-1]

    def _credential(self) -> str:
        """Return a stored key, a new one as long as there is room."""
        added = self.api.post("/api/credentials", {"userId": USER, "anthropicApiKey": API_KEY})
        items = self.api.get("/api/credentials").json["items"]
        return str(added.json["credentialId"] if added.status_code == 201 else items[0]["credentialId"])

    def _runs(self, session: str) -> bool:
        return bool(self.api.get(f"/api/session/{session}/status").json["state"] == "running")


def _is_user(value: object) -> bool:
    return (
        isinstance(value, str) and re.fullmatch(r"(?!.*\.\.)[\w-][\w.-]{0,63}", value, re.ASCII) is not None
    )


def _is_uuid(value: object) -> bool:
    try:
        return str(UUID(str(value))) == value
    except ValueError:
        return False


def _cap(values: dict[str, Any], name: str, most: float) -> None:
    value = values.get(name)
    if isinstance(value, int | float) and most < value <= 25_000:
        values[name] = type(value)(most)


@pytest.fixture(scope="module")
def web_services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Return services with room for a few sessions."""
    folder = tmp_path_factory.mktemp("schema")
    environment = {
        "API_AUTH_TOKEN": TOKEN,
        "ENCRYPTION_KEY": ENCRYPTION_KEY,
        "SIDECAR_DATA_DIR": str(folder / "data"),
        "CLAUDE_PATH": str(FAKE_CLAUDE),
        "ISOLATION": "none",
        "RATE_LIMIT": "off",
        "METRICS_TOKEN": METRICS_TOKEN,
        "MAX_SESSIONS_PER_USER": str(MOST_SESSIONS),
    }
    services = Services(config.load(environment, Path("/no.env")))
    services.open()
    warm_up(services)
    yield services
    services.close()


@pytest.fixture
def steering(app: Flask) -> Iterator[Steering]:
    """Return what steers the requests of one operation; the sessions they made are ended."""
    api = Api(app.test_client(), TOKEN, USER)
    yield Steering(api)
    api.post("/api/service/drain", {"draining": False})
    for session in api.get("/api/sessions?limit=100").json["items"]:
        api.delete(f"/api/session/{session['sessionId']}")


@pytest.fixture(params=["service token", "API key"])
def credential(request: pytest.FixtureRequest, web_services: Services) -> str:
    """Return what the requests are made with."""
    if request.param == "service token":
        return TOKEN
    return web_services.records.api_keys.issue(USER, "schema", list(Scope), None)[1]


schema = schemathesis.openapi.from_dict(
    openapi.document(bare_app()), config=schemathesis.Config.from_dict(CONFIGURATION)
)


def test_the_document_the_requests_are_made_from_is_the_served_one(app: Flask) -> None:
    assert app.test_client().get("/openapi.json").json == schema.raw_schema


@schema.parametrize()
def test_every_answer_is_as_documented(
    case: schemathesis.Case[Any], app: Flask, steering: Steering, credential: str
) -> None:
    steering.steer(case)
    # The fixture's; there was none when the tests were listed.
    case.operation.app = case.operation.schema.app = app
    left_out = {unsupported_method} if case.operation.path in AMBIGUOUS else set()
    checks = [check for check in CHECKS if check not in left_out]
    token = METRICS_TOKEN if case.operation.path == "/metrics" else credential
    case.call_and_validate(headers={"Authorization": f"Bearer {token}"}, checks=checks)
