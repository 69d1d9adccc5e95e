"""The served OpenAPI document holds for thousands of odd requests: no 500, no undocumented status, type or shape.

Schemathesis makes them: first every boundary of every field, then what it thinks of, the same each time.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
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
from sidecar.services import Services
from sidecar.web import openapi
from tests.fixtures.services import API_KEY, ENCRYPTION_KEY, FAKE_CLAUDE, TOKEN
from tests.integration.web.api import Api
from tests.integration.web.conftest import warm_up
from tests.integration.web.routes import bare_app

USER = "schema"
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
AMBIGUOUS: dict[str, list[Callable[..., Any]]] = dict.fromkeys(
    ["/api/session/create", "/api/credentials/key"], [unsupported_method]
)

CONFIGURATION = {
    "seed": 1,
    "base-url": "http://localhost",
    "generation": {"deterministic": True, "max-examples": 50, "no-shrink": True},
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
        if _is_user(case.headers.get("X-User-ID")):
            case.headers["X-User-ID"] = USER
        _cap(case.query, "wait", 0.02)
        if isinstance(case.body, dict):
            _cap(case.body, "wait", 0.02)
            _cap(case.body, "waitMs", 20)
            self._name(case.body)
        if _is_uuid(case.path_parameters.get("session_id")) and self._hits(case.operation.path):
            case.path_parameters["session_id"] = self._session()

    @staticmethod
    def _name(body: dict[str, Any]) -> None:
        """Let a body name a user and a key where it may leave them out, or hardly one would create anything."""
        if "userId" in body and (body["userId"] is None or _is_user(body["userId"])):
            body["userId"] = USER
        if "credentials" in body and body["credentials"] is None:
            body["credentials"] = {"anthropicApiKey": API_KEY}

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
    for session in api.get("/api/sessions?limit=100").json["items"]:
        api.delete(f"/api/session/{session['sessionId']}")


schema = schemathesis.openapi.from_dict(
    openapi.document(bare_app()), config=schemathesis.Config.from_dict(CONFIGURATION)
)


def test_the_document_the_requests_are_made_from_is_the_served_one(app: Flask) -> None:
    assert app.test_client().get("/openapi.json").json == schema.raw_schema


@schema.parametrize()
def test_every_answer_is_as_documented(case: schemathesis.Case[Any], app: Flask, steering: Steering) -> None:
    steering.steer(case)
    case.operation.app = case.operation.schema.app = (
        app  # the fixture's; there was none when tests were listed
    )
    left_out = AMBIGUOUS.get(case.operation.path, [])
    checks = [check for check in CHECKS if check not in left_out]
    case.call_and_validate(headers={"Authorization": f"Bearer {TOKEN}"}, checks=checks)
