"""What all answers have in common: JSON in UTF-8, spelling, times, pages of lists, allowed methods."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from sidecar.web import openapi
from tests.fixtures.services import API_KEY, TOKEN
from tests.integration.web.api import Api

#: RFC 3339 in UTC, as `Z`.
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
CAMEL_CASE = re.compile(r"[a-z]+([A-Z][a-z0-9]*)*")

TEXT = "Grüße, 世界 🙂"


def test_json_is_utf8_in_both_directions(api: Api, session: str) -> None:
    data = json.dumps({"command": TEXT, "waitMs": 20_000}, ensure_ascii=False).encode()
    response = api.raw(f"/api/session/{session}/command", data)
    assert response.status_code == 200, response.text
    assert TEXT in json.loads(response.data.decode("utf-8"))["output"]["data"]
    assert response.headers["Content-Type"] == "application/json"


def test_an_error_is_utf8_too(api: Api) -> None:
    response = api.get("/api/keine-Übersicht")
    assert json.loads(response.data.decode("utf-8"))["instance"] == "/api/keine-Übersicht"


def times(value: Any) -> list[str]:
    """Return what stands in the fields whose names end like a time's."""
    if isinstance(value, list):
        return [time for item in value for time in times(item)]
    if not isinstance(value, dict):
        return []
    own = [item for name, item in value.items() if name.endswith("At") and item is not None]
    return own + [time for item in value.values() for time in times(item)]


def test_times_are_rfc_3339_in_utc(api: Api, session: str) -> None:
    api.delete(f"/api/session/{session}")
    found = times([api.get(f"/api/session/{session}/status").json, api.get("/api/sessions").json])
    assert len(found) == 6  # created, last active, ended, in both
    for time in found:
        assert TIME.fullmatch(time), time
        assert abs(datetime.fromisoformat(time) - datetime.now(UTC)) < timedelta(minutes=5)


def test_every_field_is_in_camel_case(app: Flask) -> None:
    for name, shape in openapi.document(app)["components"]["schemas"].items():
        for field in shape.get("properties", {}):
            assert CAMEL_CASE.fullmatch(field), (name, field)


def test_every_list_is_a_page(app: Flask) -> None:
    document = openapi.document(app)
    pages = {
        name: shape for name, shape in document["components"]["schemas"].items() if name.endswith("Page")
    }
    assert pages
    for name, shape in pages.items():
        assert list(shape["properties"]) == ["items", "total", "limit", "offset"], name
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            limits = [item["schema"] for item in operation["parameters"] if item["name"] == "limit"]
            assert all(limit["maximum"] == 100 for limit in limits), (method, path)


def test_every_path_tells_its_methods_to_a_wrong_one(app: Flask, api: Api) -> None:
    for path, methods in openapi.document(app)["paths"].items():
        filled = re.sub(r"\{\w+\}", "5c0f0000-0000-4000-8000-000000000000", path)
        response = api.call("PATCH", filled)
        assert response.status_code == 405, path
        assert {method.upper() for method in methods} <= set(response.headers["Allow"].split(", ")), path


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*", "*/*;q=0", "nonsense", ""])
def test_what_a_caller_accepts_changes_nothing(api: Api, accept: str) -> None:
    response = api.get("/api/sessions", headers={"Accept": accept})
    assert (response.status_code, response.mimetype) == (200, "application/json")
    assert api.get("/nothing", headers={"Accept": accept}).mimetype == "application/problem+json"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("surprise", "surprise"),
        ("user_id2", "user_id2"),
        (API_KEY, "…"),
        (TOKEN, "…"),
        (f"csk_{'0' * 16}_{'A' * 43}", "…"),
        ("5e" * 32, "…"),
        ("a1b2c3d4e5f6a7b8", "…"),
        ("x" * 33, "…"),
        ("a b", "…"),
        ("ä", "…"),
        ("", "…"),
    ],
)
def test_an_unknown_field_that_may_be_a_secret_is_not_repeated(api: Api, name: str, told: str) -> None:
    response = api.post("/api/outputs", {"pump": "p", "cursors": {}, name: 1})
    assert [item["field"] for item in response.json["errors"]] == [told]
    assert told == name or len(name) < 3 or name not in response.text
