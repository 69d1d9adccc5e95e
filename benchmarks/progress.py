"""Telling on standard error what is being measured; standard output is for the result."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """Print one line of progress."""
    print(f"bench: {text}", file=sys.stderr, flush=True)
