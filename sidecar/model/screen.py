"""A rendered terminal screen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CursorPosition:
    """Where the cursor stands: zero-based row and column, and whether it is shown."""

    row: int
    column: int
    visible: bool


@dataclass(frozen=True)
class Snapshot:
    """What a viewer sees at absolute output `offset`.

    `lines` is plain text, one item per row, without trailing blanks. `ansi` repaints the screen in a
    terminal of the same size. `approximate` says that part of a flood was skipped.
    """

    columns: int
    rows: int
    cursor: CursorPosition
    lines: tuple[str, ...]
    ansi: str
    title: str
    offset: int
    approximate: bool
