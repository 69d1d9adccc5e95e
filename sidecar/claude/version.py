"""Which versions of the CLI this package was tested with."""

from __future__ import annotations

import re
from dataclasses import dataclass

#: The version all acceptance tests run with; see `package.json`.
PINNED = "2.1.329"
#: Tested from here …
_LOWEST = (2, 1, 329)
#: … up to here, without it. Screens and options are known to change between minor versions.
_BELOW = (2, 2, 0)

_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True)
class Version:
    """A version of the CLI, and whether it lies in the tested range."""

    text: str
    tested: bool


def parse(output: str) -> Version | None:
    """Return the version in what `claude --version` prints, or None if there is none."""
    match = _VERSION.search(output)
    if match is None:
        return None
    numbers = tuple(int(part) for part in match.groups())
    return Version(match.group(), _LOWEST <= numbers < _BELOW)
