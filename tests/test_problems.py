"""Every error of the package, and any other, becomes one problem answer."""

from __future__ import annotations

import inspect
import json
import logging
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.exceptions import Forbidden, Gone

from sidecar import errors
from sidecar.errors import FieldProblem, InvalidRequest, SidecarError
from sidecar.web import problems

CLASSES = [item for _, item in inspect.getmembers(errors, inspect.isclass) if issubclass(item, SidecarError)]
SECRET = "sk-ant-text-of-an-exception"


@pytest.fixture
def thrower() -> FlaskClient:
    """Return a client of an application that raises what its address asks for."""
    app = Flask(__name__)
    problems.register(app)
    raised: dict[str, Exception] = {item.__name__: item("What is wrong.") for item in CLASSES}
    raised |= {"crash": ZeroDivisionError(SECRET), "forbidden": Forbidden(), "gone": Gone()}
    raised["fields"] = InvalidRequest("two", [FieldProblem("a.b", "is bad"), FieldProblem("c", "too")])

    @app.get("/raise/<name>")
    def throw(name: str) -> str:
        raise raised[name]

    return app.test_client()


def test_the_table_names_every_class_a_request_can_meet() -> None:
    only_at_start, only_in_commands = {errors.DataDirectoryInUse}, {errors.AppBroken}
    only_in_the_poller = {
        errors.InstanceAway,
        *(kind for kind in CLASSES if issubclass(kind, errors.InstanceRefused)),
    }
    assert set(problems.STATUSES) == set(CLASSES) - only_at_start - only_in_commands - only_in_the_poller


def test_a_class_that_is_not_listed_is_answered_as_its_base() -> None:
    class Special(errors.SessionEnded):
        """A new one."""

    assert problems.lookup(Special()) == problems.STATUSES[errors.SessionEnded]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_class_becomes_a_problem(thrower: FlaskClient, kind: type[SidecarError]) -> None:
    status, title = problems.lookup(kind())
    response = thrower.get(f"/raise/{kind.__name__}")
    problem = json.loads(response.data)
    assert (response.status_code, response.mimetype) == (status, "application/problem+json")
    expected = {
        "type": f"urn:claude-sidecar:problem:{title.lower().replace(' ', '-')}",
        "title": title,
        "status": status,
        "detail": "What is wrong.",
        "instance": f"/raise/{kind.__name__}",
        "error": "What is wrong.",
    }
    if issubclass(kind, InvalidRequest):
        expected["errors"] = []
    if status == 500:
        expected |= {name: problem[name] for name in ("type", "title", "detail", "error")}
        assert "What is wrong." not in response.text
    assert problem == expected


@pytest.mark.parametrize("kind", CLASSES)
def test_the_headers_fit_the_status(thrower: FlaskClient, kind: type[SidecarError]) -> None:
    response = thrower.get(f"/raise/{kind.__name__}")
    status = response.status_code
    assert response.headers.get("WWW-Authenticate") == ("Bearer" if status == 401 else None)
    assert response.headers.get("Retry-After") == {429: "1", 503: "5"}.get(status)


def test_broken_fields_are_listed(thrower: FlaskClient) -> None:
    listed = json.loads(thrower.get("/raise/fields").data)["errors"]
    assert listed == [{"field": "a.b", "message": "is bad"}, {"field": "c", "message": "too"}]


@pytest.mark.parametrize("name", ["crash", "SidecarError", "DecryptionFailed"])
def test_a_fault_is_told_by_an_id_that_is_in_the_log(
    thrower: FlaskClient, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    with caplog.at_level(logging.ERROR):
        response = thrower.get(f"/raise/{name}")
    problem = json.loads(response.data)
    assert (response.status_code, problem["title"]) == (500, "Internal error")
    found = re.search(r"\b[0-9a-f]{16}\b", problem["detail"])
    assert found is not None
    assert found[0] in caplog.text
    assert SECRET not in response.text
    assert "Traceback" in caplog.text


@pytest.mark.parametrize(
    ("path", "status", "title"),
    [("/raise/forbidden", 403, "Forbidden"), ("/raise/gone", 410, "Gone"), ("/no", 404, "Not Found")],
)
def test_the_frameworks_own_errors_become_problems(
    thrower: FlaskClient, path: str, status: int, title: str
) -> None:
    response = thrower.get(path)
    problem = json.loads(response.data)
    assert (response.status_code, problem["title"], problem["instance"]) == (status, title, path)
    assert problem["detail"] == problem["error"]


def test_a_wrong_method_tells_the_right_ones(thrower: FlaskClient) -> None:
    response = thrower.post("/raise/gone")
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")


def test_every_class_has_a_sentence_of_its_own() -> None:
    for kind in CLASSES:
        assert re.fullmatch(r"[A-Z].+\.|.+: .+\.", str(kind()), re.DOTALL), kind
