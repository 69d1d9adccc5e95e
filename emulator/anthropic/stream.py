"""The events of a streaming answer. Pure: pacing and writing belong to the handler."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, count

from emulator.anthropic.message import Envelope, input_json, output_tokens, stop_reason, tool_block
from emulator.anthropic.plan import Plan, ToolCall
from emulator.anthropic.text import endless, grouped, tokens


@dataclass(frozen=True)
class Event:
    """One server-sent event, and how many tokens of the answer it carries."""

    data: Mapping[str, object]
    tokens: int = 0

    def encode(self) -> bytes:
        """Return the event as it goes over the wire."""
        return f"event: {self.data['type']}\ndata: {json.dumps(self.data)}\n\n".encode()


def events(envelope: Envelope, plan: Plan, rate: float) -> Iterator[Event]:
    """Yield the events of `plan` at `rate` tokens per second (0: as fast as they are taken).

    A dropped answer ends in the middle of its text, an endless one not at all.
    """
    yield Event({"type": "message_start", "message": envelope.opening()})
    yield _start(0, {"type": "text", "text": ""})
    yield from _text(plan, rate)
    if plan.dropped:
        return
    yield Event({"type": "content_block_stop", "index": 0})
    for index, call in zip(count(1), plan.tools, strict=False):
        yield from _tool(index, call)
    yield from _ending(envelope, plan)


def _text(plan: Plan, rate: float) -> Iterator[Event]:
    said = plan.text[: -(-len(plan.text) // 2)] if plan.dropped else plan.text
    source = chain(tokens(said), endless() if plan.endless else ())
    for group in grouped(source, rate):
        yield _delta(0, {"type": "text_delta", "text": "".join(group)}, len(group))


def _tool(index: int, call: ToolCall) -> Iterator[Event]:
    document = input_json(call)
    middle = len(document) // 2
    yield _start(index, tool_block(call, {}))
    for part in (document[:middle], document[middle:]):  # the pieces are valid JSON only when joined
        yield _delta(index, {"type": "input_json_delta", "partial_json": part}, 1)
    yield Event({"type": "content_block_stop", "index": index})


def _ending(envelope: Envelope, plan: Plan) -> Iterator[Event]:
    delta = {"stop_reason": stop_reason(plan), "stop_sequence": None}
    usage = envelope.usage(output_tokens(plan))
    yield Event({"type": "message_delta", "delta": delta, "usage": usage})
    yield Event({"type": "message_stop"})


def _start(index: int, block: Mapping[str, object]) -> Event:
    return Event({"type": "content_block_start", "index": index, "content_block": block})


def _delta(index: int, delta: Mapping[str, object], size: int) -> Event:
    return Event({"type": "content_block_delta", "index": index, "delta": delta}, size)
