"""Bodies of calls: how large, of which kind, with which fields."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from tests.fixtures.services import API_KEY
from tests.integration.web.api import Api
from tests.integration.web.test_limits import fields, pump


def padded(body: dict[str, Any], size: int) -> bytes:
    """Return the body as JSON of exactly `size` bytes."""
    data = json.dumps(body).encode()
    return data[:-1] + b" " * (size - len(data)) + data[-1:]


def test_a_body_of_1_mib_is_read_and_a_byte_more_is_not(api: Api, session: str) -> None:
    path, body = f"/api/session/{session}/resize", {"columns": 90, "rows": 30}
    assert api.raw(path, padded(body, 1 << 20)).status_code == 200
    assert api.raw(path, padded(body, (1 << 20) + 1)).status_code == 413
    assert api.raw(path, padded(body, 2 << 20)).status_code == 413


def test_a_body_without_a_length_is_cut_at_1_mib_too(api: Api, session: str) -> None:
    path, body = f"/api/session/{session}/resize", {"columns": 90, "rows": 30}
    for size, status in ((1 << 20, 200), ((1 << 20) + 1, 413)):
        stream = io.BytesIO(padded(body, size))
        response = api.call(
            "POST",
            path,
            input_stream=stream,
            content_type="application/json",
            environ_overrides={"wsgi.input_terminated": True},
        )
        assert response.status_code == status


DEEP = 100_000

MALFORMED = {
    "empty": b"",
    "truncated": b'{"columns": 80, "rows": ',
    "truncated text": b'{"columns": "8',
    "two values": b'{"columns": 80, "rows": 24}{}',
    "an array": b"[]",
    "null": b"null",
    "text": b'"columns"',
    "a number": b"80",
    "single quotes": b"{'columns': 80, 'rows': 24}",
    "a comment": b'{"columns": 80, "rows": 24} // size',
    "invalid UTF-8": b'{"columns": 80, "rows": 24, "a": "\xff"}',
    "UTF-16": '{"columns": 80, "rows": 24}'.encode("utf-16"),
    "a lone surrogate": rb'{"columns": 80, "rows": 24, "a": "\ud800"}',
    "an encoded surrogate": b'{"columns": 80, "rows": 24, "a": "\xed\xa0\x80"}',
    "a raw NUL": b'{"columns": 80, "rows": 24}\x00',
    "a raw control": b'{"columns": 80, "rows": 24, "a": "\x01"}',
    "deep arrays": b'{"columns": ' + b"[" * DEEP + b"]" * DEEP + b', "rows": 24}',
    "deep objects": b'{"columns": ' + b'{"a":' * DEEP + b"1" + b"}" * DEEP + b', "rows": 24}',
    "deep and open": b"[" * DEEP,
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED.keys())
def test_a_body_that_is_no_json_object_is_malformed(api: Api, session: str, data: bytes) -> None:
    for path in (
        f"/api/session/{session}/resize",
        f"/api/session/{session}/command",
        "/api/session/create",
        "/api/outputs",
    ):
        assert api.raw(path, data).status_code == 400, path


@pytest.mark.parametrize("number", ["1" * 4000, "1" * 5000, "1e400", "NaN", "Infinity", "-Infinity", "1.0e1"])
def test_a_number_that_is_no_size_is_refused(api: Api, session: str, number: str) -> None:
    data = f'{{"columns": {number}, "rows": 24}}'.encode()
    assert api.raw(f"/api/session/{session}/resize", data).status_code in (400, 422)


def test_of_a_key_given_twice_the_last_is_taken(api: Api, session: str) -> None:
    data = b'{"columns": 501, "columns": 77, "rows": 24}'
    assert api.raw(f"/api/session/{session}/resize", data).json["columns"] == 77


def test_nul_in_a_command_is_refused_as_an_escape_too(api: Api, session: str) -> None:
    assert fields(api.raw(f"/api/session/{session}/command", rb'{"command": "a\u0000b"}')) == ["command"]


def test_an_unknown_field_is_refused_everywhere(api: Api, session: str) -> None:
    for path, body in (
        ("/api/session/create", api.wanted()),
        (f"/api/session/{session}/command", {"command": "x"}),
        (f"/api/session/{session}/resize", {"columns": 80, "rows": 24}),
        ("/api/outputs", pump()),
    ):
        assert fields(api.post(path, body | {"surprise": 1})) == ["surprise"]
    assert fields(api.made(credentials={"anthropicApiKey": API_KEY, "other": 1})) == ["credentials.other"]


def test_fields_in_snake_case_are_unknown(api: Api) -> None:
    body = {name: value for name, value in api.wanted().items() if name != "userId"} | {"user_id": api.user}
    assert "user_id" in fields(api.post("/api/session/create", body))


@pytest.mark.parametrize("names", [[f"f{number}" for number in range(50_000)], ["f" * 1_000_000]])
def test_unknown_fields_get_a_short_answer(api: Api, session: str, names: list[str]) -> None:
    data = json.dumps(dict.fromkeys(names, 0)).encode()
    response = api.raw(f"/api/session/{session}/resize", data)
    assert response.status_code == 422
    assert len(response.data) < 10_000


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
        "application/jsonp",
        "application/problem+json",
    ],
)
def test_another_content_type_is_refused(api: Api, session: str, content_type: str) -> None:
    for path in (
        f"/api/session/{session}/resize",
        f"/api/session/{session}/command",
        "/api/session/create",
        "/api/outputs",
    ):
        assert api.raw(path, b"{}", content_type).status_code == 415


def test_a_charset_beside_the_content_type_is_fine(api: Api, session: str) -> None:
    data = json.dumps({"columns": 80, "rows": 24}).encode()
    for content_type in ("application/json; charset=utf-8", "Application/JSON"):
        assert api.raw(f"/api/session/{session}/resize", data, content_type).status_code == 200
