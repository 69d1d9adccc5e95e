"""Secrets that are easy to find, and the search for them in whatever was written."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import quote

#: A piece this long tells too much; of a secret that was cut somewhere, one of its pieces is left.
PIECE = 16


@dataclass
class Markers:
    """Secrets by name; each is also known in the forms in which one is written by mistake."""

    secrets: dict[str, str] = field(default_factory=dict)
    _forms: dict[str, set[bytes]] = field(default_factory=dict)

    def add(self, name: str, secret: str) -> str:
        """Take a secret and return it; a `ValueError` says that it could be mistaken for another."""
        pieces = set(forms(secret))
        for other, known in self._forms.items():
            if pieces & known:
                raise ValueError(f"{name} and {other} have a piece in common")
        self.secrets[name] = secret
        self._forms[name] = pieces
        return secret

    def found(self, data: bytes, but: Iterable[str] = ()) -> set[str]:
        """Return the names of the secrets of which a piece stands in `data`, in any case; `but` are expected there."""
        folded = data.lower()
        names = set(self._forms) - set(but)
        return {name for name in names if any(form in folded for form in self._forms[name])}

    def whole(self, data: bytes) -> set[str]:
        """Return the names of the secrets that stand in `data` as they are, from beginning to end."""
        return {name for name, secret in self.secrets.items() if secret.encode() in data}


def forms(secret: str) -> Iterator[bytes]:
    """Return the pieces of a secret, and one of each of its encodings, in small letters."""
    data = secret.encode()
    yield from (piece.lower() for piece in _pieces(data))
    encodings = [data.hex().encode(), quote(secret, safe="").encode(), secret.encode("utf-16-le")]
    encodings += _base64(data)
    if re.fullmatch(r"[0-9a-fA-F]{64}", secret):
        encodings += [bytes.fromhex(secret), *_base64(bytes.fromhex(secret))]
    for encoding in encodings:
        middle = max(0, len(encoding) - PIECE) // 2
        yield encoding[middle : middle + PIECE].lower()


def _base64(data: bytes) -> Iterator[bytes]:
    """Return what is the same wherever in a text the secret begins, in both alphabets."""
    for before, changed in ((0, 0), (1, 2), (2, 3)):
        text = base64.b64encode(b"\0" * before + data)[changed:-4]
        yield text
        yield text.translate(bytes.maketrans(b"+/", b"-_"))


def _pieces(data: bytes) -> Iterator[bytes]:
    """Return pieces that overlap by half: what holds one and a half pieces of the secret, holds one of them."""
    for start in range(0, max(1, len(data) - PIECE + 1), PIECE // 2):
        yield data[start : start + PIECE]
