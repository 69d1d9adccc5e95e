"""An answer fits into a row, whatever is in it."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from sidecar.poller.answer import MAX_CHARS, Answer, fitting, problem


def read(answer: Answer) -> Any:
    return json.loads(base64.b64decode(answer.text, validate=True))


def test_an_answer_is_the_base64_of_json() -> None:
    assert read(Answer(201, {"a": "ä\x1b"})) == {
        "v": 1,
        "ok": True,
        "status": 201,
        "body": {"a": "ä\x1b"},
    }
    assert Answer(201, {}).error == ""


def test_a_problem_is_told_in_one_line_too() -> None:
    answer = problem(502, "Bad", "One\ntwo\u202e.")

    assert read(answer)["problem"] == {"title": "Bad", "status": 502, "detail": "One\ntwo\u202e."}
    assert answer.error == "Bad: One two ."
    assert len(problem(502, "Bad", "x" * 9000).error) == 1000


def test_half_a_character_does_no_harm() -> None:
    assert read(Answer(200, {"a": "\ud83d"}))["body"] == {"a": "?"}


@pytest.mark.parametrize(("more", "fits"), [(0, True), (1, False)], ids=["to the brim", "one more"])
def test_what_is_too_large_is_told(more: int, fits: bool) -> None:
    room = MAX_CHARS // 4 * 3 - len('{"v":1,"ok":true,"status":200,"body":{"d":""}}')
    answer = fitting(Answer(200, {"d": "x" * (room + more)}))

    assert len(answer.text) <= MAX_CHARS
    assert (answer.status, answer.problem is None) == ((200, True) if fits else (502, False))


def test_what_is_spare_goes_first_and_only_if_it_must() -> None:
    large, small = {"ansi": "x" * 60_000, "lines": ["y" * 60_000]}, {"ansi": "x", "lines": ["y"]}

    assert fitting(Answer(200, large), ("lines",)).body == {"ansi": "x" * 60_000}
    assert fitting(Answer(200, small), ("lines",)).body == small


def test_a_problem_that_is_too_large_is_told_as_another() -> None:
    assert fitting(problem(422, "Long", "x" * 200_000)).status == 502
