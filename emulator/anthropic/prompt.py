"""Reading a request: what is asked, by which message, and how large it is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emulator.anthropic.failure import Refused
from emulator.anthropic.text import estimate

REMINDER = ("<system-reminder>", "</system-reminder>")


@dataclass(frozen=True)
class ToolResult:
    """What a tool answered."""

    text: str
    failed: bool


@dataclass(frozen=True)
class Request:
    """One call of the Messages API, reduced to what decides the answer."""

    model: str
    stream: bool
    prompt: str
    results: tuple[ToolResult, ...]
    input_tokens: int
    #: What the user asked before in the same conversation, oldest first.
    earlier: tuple[str, ...] = ()

    @property
    def last_text(self) -> str:
        """Return what the last user message says: the results of tools, or else the prompt."""
        return "\n".join(result.text for result in self.results) if self.results else self.prompt


def read(body: bytes) -> Request:
    """Return the request in `body`; raises `Refused` with status 400 when it is not one."""
    document = parse(body)
    asked = _user_blocks(_messages(document))
    blocks = asked[-1]
    return Request(
        model=_model(document),
        stream=_stream(document),
        prompt=_prompt(blocks),
        results=tuple(_result(block) for block in blocks if block.get("type") == "tool_result"),
        input_tokens=count_tokens(document),
        earlier=tuple(text for blocks in asked[:-1] if (text := _prompt(blocks))),
    )


def parse(body: bytes) -> Mapping[str, object]:
    """Return the JSON object in `body`; raises `Refused`."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "The request body is not valid JSON") from None
    if not isinstance(document, dict):
        raise Refused(400, "The request body must be a JSON object")
    return document


def count_tokens(document: Mapping[str, object]) -> int:
    """Return the estimated input tokens of a request document."""
    counted = [document.get(part) for part in ("system", "messages", "tools")]
    try:
        return estimate(len(json.dumps(counted, ensure_ascii=False)))
    except RecursionError:
        raise Refused(400, "The request body is nested too deeply") from None


def _model(document: Mapping[str, object]) -> str:
    model = document.get("model")
    if not isinstance(model, str) or not model:
        raise Refused(400, "model: a non-empty string is required")
    return model


def _stream(document: Mapping[str, object]) -> bool:
    stream = document.get("stream", False)
    if not isinstance(stream, bool):
        raise Refused(400, "stream: a boolean is required")
    return stream


def _messages(document: Mapping[str, object]) -> Sequence[Mapping[str, object]]:
    messages = document.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Refused(400, "messages: a non-empty list is required")
    if not all(isinstance(message, dict) for message in messages):
        raise Refused(400, "messages: every message must be an object")
    return messages


def _user_blocks(messages: Sequence[Mapping[str, object]]) -> list[Sequence[Mapping[str, object]]]:
    # The CLI puts a `system` message behind the user's, so the last message need not be the one that asks.
    found = [_blocks(message.get("content")) for message in messages if message.get("role") == "user"]
    if not found:
        raise Refused(400, "messages: at least one message of role user is required")
    return found


def _blocks(content: object) -> Sequence[Mapping[str, object]]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    if not isinstance(content, list) or not all(isinstance(block, dict) for block in content):
        raise Refused(400, "messages: content must be a string or a list of blocks")
    return content


def _texts(blocks: Sequence[Mapping[str, object]]) -> list[str]:
    texts = [block.get("text") for block in blocks if block.get("type") == "text"]
    if not all(isinstance(text, str) for text in texts):
        raise Refused(400, "messages: the text of a block must be a string")
    return [str(text) for text in texts]


def _prompt(blocks: Sequence[Mapping[str, object]]) -> str:
    texts = [without_reminders(text).strip() for text in _texts(blocks)]
    return next((text for text in reversed(texts) if text), "")


def without_reminders(text: str) -> str:
    """Return `text` without its `<system-reminder>` parts; one that is never closed stays."""
    opening, closing = REMINDER
    kept, position = [], 0
    while (start := text.find(opening, position)) >= 0 and (end := text.find(closing, start)) >= 0:
        kept.append(text[position:start])
        position = end + len(closing)
    return "".join([*kept, text[position:]])


def _result(block: Mapping[str, object]) -> ToolResult:
    content = block.get("content") or ""
    return ToolResult("\n".join(_texts(_blocks(content))), block.get("is_error") is True)
