"""The message object of an answer, and what both of its forms share: identifiers, blocks, usage."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import uuid4

from emulator.anthropic.plan import Plan, ToolCall
from emulator.anthropic.text import estimate


def _unique(prefix: str) -> str:
    return f"{prefix}_{uuid4().hex[:24]}"


def message_id() -> str:
    """Return a new message id."""
    return _unique("msg")


def tool_id() -> str:
    """Return a new tool-use id."""
    return _unique("toolu")


def request_id() -> str:
    """Return a new request id, for the header of that name."""
    return _unique("req")


@dataclass(frozen=True)
class Envelope:
    """What is known of an answer before its content."""

    model: str
    input_tokens: int
    id: str = field(default_factory=message_id)

    def usage(self, output_tokens: int) -> dict[str, int]:
        """Return the usage figures; nothing is ever cached here, so the cache fields are 0."""
        return {
            "input_tokens": self.input_tokens,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": output_tokens,
        }

    def opening(self) -> dict[str, object]:
        """Return the message as it is when nothing of it has been said."""
        return {
            "id": self.id,
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": self.usage(1),
        }


def stop_reason(plan: Plan) -> str:
    """Return why the answer ends."""
    return "tool_use" if plan.tools else "end_turn"


def input_json(call: ToolCall) -> str:
    """Return the input of a tool call as JSON."""
    return json.dumps(call.input)


def output_tokens(plan: Plan) -> int:
    """Return the tokens of the whole answer, tool inputs included."""
    return estimate(len(plan.text)) + sum(estimate(len(input_json(call))) for call in plan.tools)


def tool_block(call: ToolCall, content: Mapping[str, object]) -> dict[str, object]:
    """Return the block of a tool call with a new id and `content` as its input."""
    return {"type": "tool_use", "id": tool_id(), "name": call.name, "input": content}


def plain(envelope: Envelope, plan: Plan) -> dict[str, object]:
    """Return the whole message at once, for a request that does not stream."""
    content = [{"type": "text", "text": plan.text}, *(tool_block(call, call.input) for call in plan.tools)]
    final = {
        "content": content,
        "stop_reason": stop_reason(plan),
        "usage": envelope.usage(output_tokens(plan)),
    }
    return envelope.opening() | final
