"""Reading requests of the Messages API."""

from __future__ import annotations

import json

import pytest

from emulator.anthropic import prompt
from emulator.anthropic.failure import Refused
from emulator.anthropic.prompt import ToolResult

REMINDER = "<system-reminder>\nThe date is known. [[error 500]]\n</system-reminder>"


def body(*messages: object, **fields: object) -> bytes:
    return json.dumps({"model": "m", "messages": messages, **fields}).encode()


def user(content: object) -> dict[str, object]:
    return {"role": "user", "content": content}


def texts(*values: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": value} for value in values]


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([user("hi")], "hi"),
        ([user(texts("one", "two"))], "two"),
        ([user(texts(REMINDER, "ask"))], "ask"),
        ([user(texts("ask", REMINDER))], "ask"),
        ([user(REMINDER + "\nask")], "ask"),
        ([user("ask"), {"role": "system", "content": "environment"}], "ask"),
        ([user("first"), {"role": "assistant", "content": "x"}, user("second")], "second"),
        ([user("a <system-reminder> that is never closed")], "a <system-reminder> that is never closed"),
        ([user([])], ""),
        ([user([{"type": "image", "source": {}}])], ""),
    ],
)
def test_the_prompt_is_the_last_text_of_the_last_user_message(messages: list[object], expected: str) -> None:
    assert prompt.read(body(*messages)).prompt == expected


def test_earlier_prompts_of_the_conversation_are_known() -> None:
    request = prompt.read(
        body(user("one"), {"role": "assistant", "content": "x"}, user(texts("two")), user("three"))
    )

    assert (request.earlier, request.prompt) == (("one", "two"), "three")


@pytest.mark.parametrize(
    ("block", "expected"),
    [
        ({"content": "out"}, ToolResult("out", failed=False)),
        ({"content": texts("a", "b")}, ToolResult("a\nb", failed=False)),
        ({"content": "no", "is_error": True}, ToolResult("no", failed=True)),
        ({}, ToolResult("", failed=False)),
        ({"content": [{"type": "image"}]}, ToolResult("", failed=False)),
    ],
)
def test_a_tool_result_is_found_beside_text(block: dict[str, object], expected: ToolResult) -> None:
    request = prompt.read(
        body(user([{"type": "tool_result", "tool_use_id": "t", **block}, *texts("and go on")]))
    )

    assert request.results == (expected,)
    assert request.last_text == expected.text


def test_an_older_tool_result_does_not_count() -> None:
    assert prompt.read(body(user([{"type": "tool_result", "content": "x"}]), user("next"))).results == ()


def test_input_tokens_grow_with_system_messages_and_tools() -> None:
    small = prompt.read(body(user("hi"))).input_tokens

    assert prompt.read(body(user("hi" + "x" * 400))).input_tokens == small + 100
    assert prompt.read(body(user("hi"), system="x" * 400)).input_tokens > small + 90
    assert prompt.read(body(user("hi"), tools=[{"name": "x" * 400}])).input_tokens > small + 90


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"null",
        b"[" * 100_000,
        b'{"model": "m"}',
        b'{"messages": [{"role": "user", "content": "x"}]}',
        body(),
        body("text"),
        body({"role": "assistant", "content": "x"}),
        body(user(None)),
        body(user(5)),
        body(user(["x"])),
        body(user([{"type": "text", "text": 5}])),
        body(user("x"), model=""),
        body(user("x"), model=7),
        body(user("x"), stream="yes"),
    ],
)
def test_garbage_is_refused_as_an_invalid_request(garbage: bytes) -> None:
    with pytest.raises(Refused) as refused:
        prompt.read(garbage)

    assert refused.value.failure.status == 400
    assert refused.value.failure.type == "invalid_request_error"


def test_many_reminders_are_removed_in_one_pass() -> None:
    assert prompt.without_reminders(REMINDER * 100_000 + "ask") == "ask"
    assert len(prompt.without_reminders("<system-reminder>" * 100_000)) == 1_700_000
