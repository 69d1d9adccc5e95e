"""One input to a session."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class InputMode(StrEnum):
    """How the input reaches the program."""

    TEXT = "text"  #: pasted, submitted with Enter, and the submit verified
    RAW = "raw"  #: bytes as they are
    KEYS = "keys"  #: named keys such as `Enter` or `C-c`


@dataclass(frozen=True)
class Command:
    """An input, already decoded: `text` for mode text, `data` for raw and keys.

    `stream` and `seq` order the inputs of one sender: 1, 2, 3 … within that stream.
    """

    mode: InputMode
    text: str = field(default="", repr=False)
    data: bytes = field(default=b"", repr=False)
    stream: str | None = None
    seq: int | None = None

    @property
    def resumable(self) -> bool:
        """Tell whether the rest of it can be put in later: it has a number, and is bytes as they are."""
        return self.mode is not InputMode.TEXT and self.stream is not None and self.seq is not None


@dataclass(frozen=True)
class Receipt:
    """What became of a command; `cursor` is the output offset before the input was written."""

    accepted: bool
    submitted: bool
    cursor: int
