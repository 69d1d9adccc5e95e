"""Columns for people."""

from __future__ import annotations

from collections.abc import Sequence


def columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return lines with each column as wide as its widest entry; the last one is left as it is."""
    lines = [header, *rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(header) - 1)]
    return "\n".join(_line(line, widths) for line in lines)


def _line(entries: Sequence[str], widths: Sequence[int]) -> str:
    padded = [f"{entry:<{width}}" for entry, width in zip(entries, widths, strict=False)]
    return "  ".join([*padded, entries[-1]]).rstrip()
