"""The OpenAPI document: complete, valid, and the one in docs/."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from openapi_spec_validator import OpenAPIV31SpecValidator

from sidecar.web import BLUEPRINTS, openapi

ROOT = Path(__file__).resolve().parent.parent
COMMAND = "python -m sidecar.web > docs/openapi.json"


@pytest.fixture(scope="module")
def app() -> Flask:
    """Return an application with the routes only."""
    bare = Flask("sidecar.web", static_folder=None)
    for views in BLUEPRINTS:
        bare.register_blueprint(views)
    return bare


@pytest.fixture(scope="module")
def document(app: Flask) -> Any:
    """Return the generated document, as a reader of the file gets it."""
    return json.loads(json.dumps(openapi.document(app)))


#: Operations below /api/ that need no credential.
OPEN = {"GET /api/credentials/key"}


def operations(document: Any) -> list[tuple[str, Any]]:
    return [
        (f"{method.upper()} {path}", operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]


def test_every_route_is_described(app: Flask) -> None:
    bare = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if not hasattr(app.view_functions[rule.endpoint], "operation")
    ]
    assert not bare, f"add @describe(Operation(…)) to the views of {', '.join(bare)}"


def test_the_document_in_docs_is_the_generated_one() -> None:
    command = [sys.executable, "-m", "sidecar.web"]
    generated = subprocess.run(command, cwd=ROOT, env={}, capture_output=True, check=True, text=True).stdout
    kept = (ROOT / "docs" / "openapi.json").read_text()
    assert kept == generated, f"docs/openapi.json is not up to date; write it with: {COMMAND}"


def test_the_document_is_valid_openapi_3_1(document: Any) -> None:
    assert document["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(document).validate()


def test_every_operation_has_a_name_of_its_own_and_one_sentence(document: Any) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]
    assert len(names) == len(set(names))
    for name, operation in operations(document):
        assert operation["summary"].endswith("."), name
        assert "\n" not in operation["summary"], name


#: Operations below /api/ that only the service token may use.
SERVICE_ONLY = {"POST /api/outputs", "POST /api/service/drain"}


def test_every_operation_below_api_needs_a_credential_and_can_refuse_it(document: Any) -> None:
    for name, operation in operations(document):
        if "/api/" not in name or name in OPEN:
            continue
        kinds: Any = [{"token": []}] if name in SERVICE_ONLY else [{"token": []}, {"cookie": []}]
        assert operation["security"] == kinds, name
        assert {"401", "403", "503"} <= set(operation["responses"]), name


#: Operations with a credential of their own.
OTHERWISE: dict[str, Any] = {"GET /": [{"cookie": []}], "GET /metrics": [{"metrics": []}]}


def test_what_needs_no_credential_does_not_claim_to(document: Any) -> None:
    for name, operation in operations(document):
        if "/api/" not in name or name in OPEN:
            assert operation.get("security") == OTHERWISE.get(name), name
            assert ("401" in operation["responses"]) is (name in ("POST /signin", "GET /metrics")), name


def test_every_operation_with_a_body_can_refuse_it(document: Any) -> None:
    for name, operation in operations(document):
        if "requestBody" in operation:
            assert {"400", "413", "415", "422"} <= set(operation["responses"]), name


def test_every_operation_on_a_resource_can_answer_404(document: Any) -> None:
    for name, operation in operations(document):
        assert ("404" in operation["responses"]) is ("{" in name or name == "GET /metrics"), name


#: Statuses that are told in the operation's own form.
NO_PROBLEMS = {("GET /health", "503"), ("POST /signin", "401")}


def test_every_error_is_a_problem_but_those_for_people(document: Any) -> None:
    for name, operation in operations(document):
        for status, answer in operation["responses"].items():
            if int(status) >= 400 and (name, status) not in NO_PROBLEMS:
                assert list(answer["content"]) == ["application/problem+json"], (name, status)


def test_every_operation_can_be_one_too_many_and_says_when_to_come_again(document: Any) -> None:
    for name, operation in operations(document):
        assert "429" in operation["responses"], name
        for status in {"429", "503"} & set(operation["responses"]):
            if (name, status) not in NO_PROBLEMS:
                assert "Retry-After" in operation["responses"][status]["headers"], (name, status)


#: Changes that may be sent again as they are: nothing is kept of them.
REPEATABLE = {"POST /api/outputs", "POST /api/service/drain"}


def test_whatever_changes_something_takes_an_idempotency_key(document: Any) -> None:
    for name, operation in operations(document):
        changes = "/api/" in name and not name.startswith("GET ") and name not in REPEATABLE
        keyed = "Idempotency-Key" in {parameter["name"] for parameter in operation["parameters"]}
        assert keyed is changes, name
        good = next(iter(operation["responses"].values()))
        assert ("Idempotent-Replay" in good.get("headers", {})) is changes, name
        assert not changes or "409" in operation["responses"], name


def test_every_shape_is_used_and_closed(document: Any) -> None:
    text = json.dumps(document)
    for name, shape in document["components"]["schemas"].items():
        assert f'"#/components/schemas/{name}"' in text or name.endswith("Query"), name
        if shape["type"] == "object":
            assert shape["additionalProperties"] is False, name


def test_the_contracts_operations_are_all_there(document: Any) -> None:
    assert {name for name, _ in operations(document)} == {
        "POST /api/session/create",
        "POST /api/session/{session_id}/command",
        "GET /api/session/{session_id}/output",
        "GET /api/session/{session_id}/screen",
        "GET /api/session/{session_id}/status",
        "POST /api/session/{session_id}/resize",
        "DELETE /api/session/{session_id}",
        "GET /api/sessions",
        "POST /api/outputs",
        "GET /api/session/{session_id}/recording",
        "GET /api/credentials/key",
        "POST /api/credentials",
        "GET /api/credentials",
        "DELETE /api/credentials/{credential_id}",
        "GET /health",
        "POST /api/service/drain",
        "GET /metrics",
        "GET /openapi.json",
        "GET /docs",
        "GET /",
        "GET /signin",
        "POST /signin",
        "POST /signout",
    }
