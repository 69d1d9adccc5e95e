"""Bodies made to cost more than they should; each is refused, and the service answers others afterwards."""

from __future__ import annotations

import gzip
import json
from typing import Any

import pytest

from tests.integration.web.api import Api

MIB = 1 << 20


def numbered(count: int, value: str = "0") -> str:
    """Return the inside of an object with many keys."""
    return ",".join(f'"{number:x}":{value}' for number in range(count))


BOMBS = {
    "nested 100,000 deep": '{"columns":' + "[" * 100_000 + "]" * 100_000 + "}",
    "1 MiB of brackets": "[" * MIB,
    "as many keys as fit": "{" + numbered(100_000) + "}",
    "as many cursors as fit": '{"pump":"p","cursors":{' + numbered(80_000, "[]") + "}}",
    "as many names as fit": '{"command":[' + ",".join("0" * 500_000) + "]}",
    "the same key again and again": "{" + ",".join(['"rows":1'] * 100_000) + "}",
    "1e999999": '{"columns":1e999999,"rows":1}',
    "10,000 digits": '{"columns":' + "1" * 10_000 + ',"rows":1}',
    "a million digits": '{"columns":' + "1" * 1_000_000 + ',"rows":1}',
    "a million digits behind the point": '{"columns":1.' + "1" * 1_000_000 + ',"rows":1}',
    "a byte order mark": '\ufeff{"columns":80,"rows":24}',
    "a name of 1 MiB": '{"' + "n" * (MIB - 10) + '":0}',
    "escapes": '{"command":"' + "\\u0000" * 150_000 + '"}',
}

PATHS = ("/api/session/create", "/api/session/{}/command", "/api/session/{}/resize", "/api/outputs")


@pytest.fixture(params=list(BOMBS.values()), ids=list(BOMBS))
def bomb(request: pytest.FixtureRequest) -> bytes:
    data: bytes = request.param.encode()
    assert len(data) <= MIB
    return data


def test_a_bomb_is_refused_in_few_words_everywhere(api: Api, session: str, bomb: bytes) -> None:
    for path in PATHS:
        response = api.raw(path.format(session), bomb)
        assert response.status_code in (400, 413, 422), path
        assert len(response.data) < 10_000
    assert api.get(f"/api/session/{session}/status").status_code == 200


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "GZIP", "identity, gzip", "", "x"])
def test_a_compressed_body_is_not_unpacked(api: Api, session: str, coding: str) -> None:
    """One of 1 MiB could be a gibibyte."""
    bomb = gzip.compress(b" " * (16 << 20))
    for path in PATHS:
        response = compressed(api, path.format(session), bomb, coding)
        assert (response.status_code, response.json["detail"]) == (415, "The body must not be compressed.")


def test_a_body_that_says_it_is_not_compressed_is_taken(api: Api, session: str) -> None:
    data = json.dumps({"columns": 90, "rows": 30}).encode()
    assert compressed(api, f"/api/session/{session}/resize", data, "Identity").status_code == 200


def compressed(api: Api, path: str, data: bytes, coding: str) -> Any:
    headers = {"Content-Encoding": coding}
    return api.call("POST", path, data=data, content_type="application/json", headers=headers)


@pytest.mark.parametrize(
    "name", ["sk-ant-api03-in-the-wrong-place", "x sk-ant-x", "csk_0123456789abcdef_secret", "n" * 65]
)
def test_a_name_that_may_be_a_secret_is_not_repeated(api: Api, session: str, name: str) -> None:
    path = f"/api/session/{session}"
    answers = [
        api.post(f"{path}/resize", {"columns": 80, "rows": 24, name: 1}),
        api.post("/api/session/create", api.wanted(credentials={name: name})),
        api.post("/api/outputs", {"pump": "p", "cursors": {name: 0}}),
        api.get(f"{path}/output", query_string={name: name}),
        api.get(f"{path}/output", query_string=[(name, "1"), (name, "2")]),
    ]
    assert {answer.status_code for answer in answers} == {422}
    assert not [answer.text for answer in answers if name in answer.text]


def test_an_unknown_name_that_is_a_word_is_repeated(api: Api, session: str) -> None:
    response = api.post(f"/api/session/{session}/resize", {"columns": 80, "rows": 24, "surpriseName9": 1})
    assert [item["field"] for item in response.json["errors"]] == ["surpriseName9"]
