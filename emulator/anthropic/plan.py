"""What to answer to one request: the value the prompt words build and the stream plays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emulator.anthropic.failure import Failure


@dataclass(frozen=True)
class ToolCall:
    """A call the model asks the CLI to make."""

    name: str
    input: Mapping[str, object]


@dataclass(frozen=True)
class Plan:
    """One answer. Times are seconds."""

    text: str
    #: How the request log calls this answer, such as `echo` or `delay+error`.
    behaviour: str = "default"
    #: Silence before the first byte.
    delay: float = 0.0
    #: Typing speed in tokens per second; None takes the server's.
    rate: float | None = None
    #: Goes on after `text` until the client leaves.
    endless: bool = False
    #: The connection is reset in the middle of `text`.
    dropped: bool = False
    tools: tuple[ToolCall, ...] = ()
    failure: Failure | None = None
    #: How many attempts get `failure` before the rest is played; None fails every time.
    attempts: int | None = None
