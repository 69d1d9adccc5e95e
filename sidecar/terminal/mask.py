"""Hiding the user's own key in what a terminal prints, byte for byte, before anything remembers it."""

from __future__ import annotations

import re

#: Bytes in a row of the key that are hidden; the CLI's screen cuts long words where a row ends.
_FRAGMENT = 16
#: Bytes of the key that may go by before what follows is held back: an echo of ordinary typing is never late.
_FREE = 6
#: Length of the pieces looked for. So many bytes apart, each fragment has a whole one of them.
_PROBE = 5
_APART = _FRAGMENT - _PROBE + 1

#: Bytes remembered: a fragment cut by the end of a reading has less than half of them.
_KEPT = 2 * _FRAGMENT


class Mask:
    """Replace a secret, and long pieces of one, by as many asterisks. Not thread-safe.

    It finds the secret as it is. It does not find it in another coding, nor with other bytes in between.
    """

    def __init__(self, secret: bytes | None) -> None:
        """Hide `secret`; None hides nothing."""
        self._secret = secret or b""
        self._window = min(_FRAGMENT, len(self._secret))
        self._places = _places(self._secret)
        self._pieces = re.compile(b"|".join(map(re.escape, self._places)))
        #: The latest bytes as they came, enough to tell what those that are held back belong to.
        self._last = b""
        self._held = 0

    @property
    def holding(self) -> bool:
        """Tell whether bytes are held back: they may be the beginning of a fragment."""
        return self._held > 0

    def feed(self, data: bytes) -> bytes:
        """Take what was printed; return what may be shown now."""
        if not self._secret:
            return data
        if not (self._held or self._suspect(data) or self._suspect(self._last + data[:_FRAGMENT])):
            return self._passed(data)
        text = self._last + data
        begin = len(self._last) - self._held
        self._held = min(self._undecided(text), len(text) - begin)
        self._last = text[-_KEPT:]
        return self._shown(text)[begin : len(text) - self._held]

    def _passed(self, data: bytes) -> bytes:
        """Return `data`, which has nothing of the secret, but for an end that may become something; copy it rarely."""
        self._last = (self._last + data if len(data) < _KEPT else data)[-_KEPT:]
        self._held = min(self._undecided(self._last), len(data))
        return data[: len(data) - self._held] if self._held else data

    def flush(self) -> bytes:
        """Return what is held back: nothing followed for a while, or nothing can any more."""
        if not self._held:
            return b""
        text, held, self._held = self._last, self._held, 0
        return self._shown(text)[len(text) - held :]

    def _undecided(self, text: bytes) -> int:
        """Return how many of the last bytes may become a fragment with what comes next."""
        length = _FREE
        if len(text) < length or text[-length:] not in self._secret:
            return 0
        while length < min(self._window, len(text)) and text[-length - 1 :] in self._secret:
            length += 1
        return length if length < self._window else 0

    def _suspect(self, text: bytes) -> bool:
        """Tell whether `text` may have a fragment; most has none, so this is what counts for speed."""
        return any(piece in text for piece in self._places)

    def _shown(self, text: bytes) -> bytes:
        """Return `text` with its fragments hidden."""
        if not self._suspect(text):
            return text
        shown = bytearray(text)
        found = self._pieces.search(text)
        while found is not None:
            begin, end = self._longest(text, found)
            if end - begin >= self._window:
                shown[begin:end] = b"*" * (end - begin)
            # Pieces inside are done with; a secret that repeats itself would make this endless work.
            found = self._pieces.search(text, max(found.start() + 1, end - _PROBE + 1))
        return bytes(shown)

    def _longest(self, text: bytes, piece: re.Match[bytes]) -> tuple[int, int]:
        """Return the longest part of the secret around a piece of it."""
        runs = [_around(text, piece.start(), self._secret, place) for place in self._places[piece.group()]]
        return max(runs, key=lambda run: run[1] - run[0])


def _places(secret: bytes) -> dict[bytes, list[int]]:
    """Return the pieces to look for, and where in the secret they are: no more than it takes, each costs time."""
    window, length = min(_FRAGMENT, len(secret)), min(_PROBE, len(secret))
    found: dict[bytes, list[int]] = {}
    for place in range(window - length, len(secret) - length + 1, _APART):
        found.setdefault(secret[place : place + length], []).append(place)
    return found


def _around(text: bytes, at: int, secret: bytes, place: int) -> tuple[int, int]:
    """Return how far text and secret agree to both sides of a place in each."""
    begin = at - _agreeing(text[max(0, at - place) : at][::-1], secret[:place][::-1])
    return begin, at + _agreeing(text[at : at + len(secret) - place], secret[place:])


def _agreeing(one: bytes, other: bytes) -> int:
    """Return the length of the common beginning."""
    pairs = zip(one, other, strict=False)
    return next(
        (count for count, (left, right) in enumerate(pairs) if left != right), min(len(one), len(other))
    )
