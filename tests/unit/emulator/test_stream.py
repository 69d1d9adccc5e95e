"""The events of an answer."""

from __future__ import annotations

import json
from itertools import islice

from emulator.anthropic import stream
from emulator.anthropic.message import Envelope, plain
from emulator.anthropic.plan import Plan, ToolCall

ENVELOPE = Envelope(model="m", input_tokens=7)
CALL = ToolCall("Bash", {"command": 'echo "ü"', "description": "d"})


def played(plan: Plan, rate: float = 0) -> list[dict[str, object]]:
    return [dict(event.data) for event in stream.events(ENVELOPE, plan, rate)]


def said(events: list[dict[str, object]]) -> str:
    deltas = (event["delta"] for event in events if event["type"] == "content_block_delta")
    return "".join(str(delta["text"]) for delta in deltas if isinstance(delta, dict) and "text" in delta)


def kinds(events: list[dict[str, object]]) -> list[object]:
    return [event["type"] for event in events]


def test_a_text_answer_has_the_events_in_order() -> None:
    assert kinds(played(Plan("hello"))) == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]


def test_an_event_is_framed_with_its_name() -> None:
    name, data, *rest = stream.Event({"type": "message_stop"}).encode().split(b"\n")

    assert (name, json.loads(data.removeprefix(b"data: ")), rest) == (
        b"event: message_stop",
        {"type": "message_stop"},
        [b"", b""],
    )


def test_the_deltas_join_to_the_text_at_any_rate() -> None:
    text = "Grüße 🎉\n" * 50

    for rate in (0, 0.5, 20, 250, 100_000):
        assert said(played(Plan(text), rate)) == text


def test_a_slow_answer_has_one_token_in_each_event() -> None:
    sizes = [event.tokens for event in stream.events(ENVELOPE, Plan("x" * 40), 20) if event.tokens]

    assert sizes == [1] * 10


def test_a_fast_answer_groups_its_tokens() -> None:
    sizes = [event.tokens for event in stream.events(ENVELOPE, Plan("x" * 40), 500) if event.tokens]

    assert sizes == [5, 5]


def test_a_tool_call_is_a_block_of_its_own_with_its_input_in_pieces() -> None:
    events = played(Plan("text", tools=(CALL, CALL)))

    starts = [event for event in events if event["type"] == "content_block_start"]
    assert [start["index"] for start in starts] == [0, 1, 2]
    pieces = [
        event["delta"] for event in events if event["type"] == "content_block_delta" and event["index"] == 2
    ]
    assert len(pieces) == 2
    joined = "".join(str(piece["partial_json"]) for piece in pieces if isinstance(piece, dict))
    assert json.loads(joined) == CALL.input
    assert {"stop_reason": "tool_use", "stop_sequence": None} in [event.get("delta") for event in events]


def test_ids_are_unique() -> None:
    blocks = [
        event["content_block"] for event in played(Plan("", tools=(CALL, CALL))) if "content_block" in event
    ]

    assert len({block["id"] for block in blocks if isinstance(block, dict) and "id" in block}) == 2
    assert Envelope("m", 1).id != Envelope("m", 1).id


def test_a_dropped_answer_ends_in_the_middle_of_its_text() -> None:
    events = played(Plan("abcdefgh", dropped=True))

    assert said(events) == "abcd"
    assert kinds(events)[-1] == "content_block_delta"


def test_an_endless_answer_begins_with_its_text_and_goes_on() -> None:
    events = [
        dict(event.data) for event in islice(stream.events(ENVELOPE, Plan("abcd", endless=True), 20), 500)
    ]

    assert said(events).startswith("abcd1 2 3 ")
    assert kinds(events)[-1] == "content_block_delta"


def test_usage_is_counted() -> None:
    delta = played(Plan("x" * 41))[-2]

    assert delta["usage"] == {
        "input_tokens": 7,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": 11,
    }


def test_the_plain_message_says_the_same_as_the_stream() -> None:
    message = plain(ENVELOPE, Plan("hello", tools=(CALL,)))

    content = message["content"]
    assert isinstance(content, list)
    assert content[0] == {"type": "text", "text": "hello"}
    assert content[1]["input"] == CALL.input
    assert message["stop_reason"] == "tool_use"
    assert message["model"] == "m"
