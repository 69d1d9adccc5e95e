"""Columns for people."""

from __future__ import annotations

from collections.abc import Sequence


def columns(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return lines with each column as wide as its widest entry; the last one is left as it is.

    What would move the terminal's cursor is shown as a question mark: an entry may hold what a user chose.
    """
    lines = [[_plain(entry) for entry in line] for line in (header, *rows)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(header) - 1)]
    return "\n".join(_line(line, widths) for line in lines)


def _line(entries: Sequence[str], widths: Sequence[int]) -> str:
    padded = [f"{entry:<{width}}" for entry, width in zip(entries, widths, strict=False)]
    return "  ".join([*padded, entries[-1]]).rstrip()


def _plain(entry: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in entry)
