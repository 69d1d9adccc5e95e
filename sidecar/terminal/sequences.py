"""Escape sequences: cutting a stream into text and sequences, keeping what the screen understands.

The emulator prints some sequences as text (`CSI < u`, `CSI 4:3 m`, DCS), fails on others, and keeps a title
without bound. So only what it is known to handle passes, everything else is dropped here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from sidecar.terminal.modes import KEPT

#: An unfinished sequence longer than this is given up: a terminal bomb must not grow memory.
_LONGEST = 4096
#: Parameters above this change nothing on a screen of at most 500 × 500.
_LARGEST = 9999

_TOKEN = re.compile(
    r"""
      \x1b\[ (?P<private>[<-?]*) (?P<params>[0-9:;]*) (?P<between>[ -/]*) (?P<final>[@-~])
    | \x1b\[ [ -?]* (?:[@-~] | (?=[^ -~]))                                  # a malformed CSI
    | \x1b\] (?P<osc>[^\x07\x1b\x9c]*) (?:\x07|\x1b\\|\x9c|(?=\x1b[^\\]))
    | \x1b[PX^_] [^\x1b\x07]* (?:\x1b\\|\x07|(?=\x1b[^\\]))                # DCS, SOS, PM, APC
    | \x1b [()%*+\-./] .                                                  # character sets
    | \x1b (?P<simple>[^\x1b\[\]PX^_()%*+\-./])
    | \x1b (?=\x1b)
    | (?P<text>[^\x0e\x0f\x1b\x80-\x9f]+)
    | [\x0e\x0f\x80-\x9f]
    """,
    re.VERBOSE | re.DOTALL,
)
#: What opens a string (OSC, DCS, SOS, PM, APC), and what closes one.
_STRING = re.compile(r"\x1b[\]PX^_]")
_STRING_END = re.compile(r"\x07|\x1b\\|\x9c")
#: Final bytes of plain `CSI … x` the emulator implements.
_CSI = frozenset("@ABCDEFGHJKLMPXadefgmr`")
#: Parts a row or the screen can be erased in; 3 clears a scrollback, which this screen does not have.
_ERASURES = frozenset({"", "0", "1", "2"})
#: Those with two parameters; the emulator fails when it gets more than it knows.
_PAIRS = frozenset("Hfr")
_SIMPLE = frozenset("78DEMHc")
#: Alternate screen: 47 and 1047 are the older numbers.
_ALTERNATE = frozenset({"47", "1047", "1049"})
#: Private modes that change what is seen: wrapping and the cursor. The emulator fails on others (6), or
#: resizes by itself (3).
_PRIVATE_MODES = frozenset({"7", "25"})
#: Insert mode.
_MODES = frozenset({"4"})


@dataclass(frozen=True)
class Token:
    """One step for the screen: `kind` is text, csi, title, repeat, alternate, modes or simple.

    `modes` are those of `KEPT` that it turns on or off besides.
    """

    kind: str
    value: str
    on: bool = False
    modes: frozenset[str] = frozenset()


class Scanner:
    """Cut decoded text into tokens; what is cut off at the end waits for the next call."""

    def __init__(self) -> None:
        """Begin between sequences."""
        self._rest = ""
        self._discarding = False

    @property
    def pending(self) -> int:
        """Return how many bytes wait for the rest of their sequence."""
        return len(self._rest.encode())

    def feed(self, text: str) -> Iterator[Token]:
        """Yield what the screen should do for `text`."""
        text = self._past_string(self._rest + text)
        place = 0
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None:
                break
            place = match.end()
            token = _token(match)
            if token is not None:
                yield token
        self._keep(text[place:])

    def _past_string(self, text: str) -> str:
        """Drop the rest of a string that was given up."""
        if not self._discarding:
            return text
        end = _STRING_END.search(text)
        self._discarding = end is None
        return text[end.end() :] if end else text[-1:]

    def _keep(self, rest: str) -> None:
        """Keep an unfinished sequence; of one too long, a string is skipped to its end, others are dropped."""
        if len(rest) > _LONGEST:
            self._discarding = _STRING.match(rest) is not None
            rest = rest[-1:] if self._discarding else ""
        self._rest = rest


def _token(match: re.Match[str]) -> Token | None:
    if match["text"] is not None:
        return Token("text", match["text"])
    if match["final"] is not None:
        return _csi(match)
    if match["osc"] is not None:
        return _title(match["osc"])
    if match["simple"] is not None and match["simple"] in _SIMPLE:
        return Token("simple", "\x1b" + match["simple"])
    return None


def _title(payload: str) -> Token | None:
    number, _, title = payload.partition(";")
    return Token("title", title[:256]) if number in ("0", "2") else None


def _csi(match: re.Match[str]) -> Token | None:
    private, params, final = match["private"], match["params"], match["final"]
    if match["between"]:
        return None
    if private == "?" and final in "hl":
        return _mode(params, final == "h")
    if private:
        return None
    if final == "b":
        return Token("repeat", _clamped(params, 1))
    if final in "hl":
        return _modes("\x1b[", _MODES.intersection(params.split(";")), final)
    if final not in _CSI or (final in "JK" and params not in _ERASURES):
        return None
    if final == "m":
        return Token("csi", f"\x1b[{_colours(params)}m")
    return Token("csi", f"\x1b[{_clamped(params, 2 if final in _PAIRS else 1)}{final}")


def _mode(params: str, on: bool) -> Token | None:
    numbers = params.split(";")
    kept = KEPT.intersection(numbers)
    if _ALTERNATE.intersection(numbers):
        return Token("alternate", params, on, kept)
    shown = _modes("\x1b[?", _PRIVATE_MODES.intersection(numbers), "h" if on else "l")
    if kept:
        return Token("modes" if shown is None else "csi", shown.value if shown else "", on, kept)
    return shown


def _modes(opening: str, numbers: frozenset[str] | set[str], final: str) -> Token | None:
    return Token("csi", f"{opening}{';'.join(sorted(numbers))}{final}") if numbers else None


def _clamped(params: str, count: int = 16) -> str:
    """Return at most `count` parameters, absurd numbers cut, sub-parameters (`4:3`) reduced to their head."""
    heads = (part.split(":")[0] for part in params.split(";")[:count])
    return ";".join(str(min(int(head[:9]), _LARGEST)) if head else "" for head in heads)


def _colours(params: str) -> str:
    """Return SGR parameters in the form the emulator reads: `38:2::r:g:b` becomes `38;2;r;g;b`."""
    parts = iter(params.split(";")[:64])
    return ";".join(text for part in parts if (text := _colour(part, parts)) is not None)


def _colour(part: str, following: Iterator[str]) -> str | None:
    pieces = part.split(":")
    if part == "58":  # underline colour: takes its values along, or they would be read as attributes
        for _ in range(1 if next(following, "") == "5" else 3):
            next(following, "")
        return None
    if pieces[0] in ("38", "48") and len(pieces) >= 3:
        values = [piece for piece in pieces[2:] if piece]
        return _clamped(";".join([pieces[0], pieces[1], *values[-3:]]))
    if pieces[0] == "4" and len(pieces) == 2:
        return "24" if pieces[1] == "0" else "4"
    return None if pieces[0] == "58" else _clamped(pieces[0])
