"""Questions a program asks its terminal, and the answers the sidecar gives.

Only the sidecar answers: with several viewers, or none, nobody else can.
"""

from __future__ import annotations

import re

_QUESTION = re.compile(
    rb"\x1b\[(?P<csi>0?c|>0?c|5n|\??6n|\?\d{1,4}\$p)"
    rb"|\x1b\](?P<osc>1[01]);\?(?:\x07|\x1b\\)"
)
#: What may become a question with the next read. The end of a colour question has an ESC of its own.
_BEGUN = re.compile(rb"\x1b(?:\[(?:[>?]?\d{0,4}\$?)|\](?:1(?:[01](?:;(?:\?\x1b?)?)?)?)?)?\Z")
#: Foreground and background: programs choose their light or dark colours by them.
_COLOURS = {b"10": b"rgb:d0d0/d0d0/d0d0", b"11": b"rgb:1010/1010/1010"}


class Questions:
    """Find questions in a byte stream, also those cut between two reads."""

    def __init__(self) -> None:
        """Begin with nothing pending."""
        self._tail = b""

    def find(self, data: bytes) -> list[bytes]:
        """Return the questions that `data` completes, in order."""
        if not self._tail and b"\x1b" not in data:
            return []
        text = self._tail + data
        found = list(_QUESTION.finditer(text))
        begun = _BEGUN.search(text, found[-1].end() if found else 0)
        self._tail = begun.group() if begun else b""
        return [match.group() for match in found]


def needs_cursor(question: bytes) -> bool:
    """Tell whether the answer depends on the screen."""
    return question.endswith(b"6n")


def answer(question: bytes, row: int = 0, column: int = 0) -> bytes:
    """Return the terminal's reply; row and column are zero-based and used for cursor reports only."""
    if needs_cursor(question):
        private = b"?" if question.startswith(b"\x1b[?") else b""
        return b"\x1b[%s%d;%dR" % (private, row + 1, column + 1)
    if question.endswith(b"5n"):
        return b"\x1b[0n"
    if question.endswith(b"$p"):  # "mode not known": nothing beyond the basics is claimed
        return b"\x1b[%s;0$y" % question[2:-2]
    if question.endswith(b"c"):  # a VT220 with colours; the secondary answer names no real version
        return b"\x1b[>1;10;0c" if b">" in question else b"\x1b[?62;22c"
    number = question[2:4]
    return b"\x1b]%s;%s\x1b\\" % (number, _COLOURS[number])
