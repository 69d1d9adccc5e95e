"""Counting the attempts of one prompt, so that "fail N times" ends."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256
from threading import Lock

#: The oldest prompts are forgotten beyond this, so that a long run does not grow.
REMEMBERED = 10_000


@dataclass(frozen=True)
class Attempts:
    """Counts per session and prompt; parallel sessions therefore share nothing."""

    _counts: OrderedDict[bytes, int] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    def count(self, session: str, prompt: str) -> int:
        """Return the number of this attempt, beginning at 1."""
        key = sha256(f"{session}\0{prompt}".encode("utf-8", "surrogatepass")).digest()
        with self._lock:
            number = self._counts[key] = self._counts.pop(key, 0) + 1
            if len(self._counts) > REMEMBERED:
                self._counts.popitem(last=False)
        return number
