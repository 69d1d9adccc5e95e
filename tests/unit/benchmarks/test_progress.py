"""What is told on the way, where there is no terminal to draw a bar on."""

from __future__ import annotations

import pytest

from benchmarks.progress import bar, say, warn


def test_each_quarter_is_told_once(capsys: pytest.CaptureFixture[str]) -> None:
    with bar("echo", 8) as step:
        for _ in range(8):
            step()

    lines = capsys.readouterr().err.splitlines()
    assert lines == [f"bench: echo, {number} of 8" for number in (2, 4, 6, 8)]


def test_brackets_are_text_and_nothing_goes_to_the_result(capsys: pytest.CaptureFixture[str]) -> None:
    say("[red]1[/red]")
    warn("lost [2]")

    out, err = capsys.readouterr()
    assert (out, err) == ("", "bench: [red]1[/red]\nbench: lost [2]\n")
