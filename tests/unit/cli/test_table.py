"""Columns for people."""

from __future__ import annotations

from sidecar.cli.table import columns


def test_columns_are_as_wide_as_their_widest_entry() -> None:
    assert columns(["A", "B"], [["long", "x"], ["s", "yy"]]) == "A     B\nlong  x\ns     yy"


def test_nothing_moves_the_cursor() -> None:
    assert columns(["A"], [["a\x1b[2J\nb\u202e"]]) == "A\na?[2J?b?"
