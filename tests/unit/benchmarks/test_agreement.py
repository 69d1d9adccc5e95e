"""Whether a second run agrees with the first."""

from __future__ import annotations

from typing import Any

import pytest

from benchmarks.agreement import markdown, pairs
from benchmarks.figures import ENOUGH, Figure, Outcome, summary
from benchmarks.table import document


def run(bare: float, ours: float, count: int = ENOUGH, name: str = "echo, p50") -> dict[str, Any]:
    figure = Figure(name, "ms", summary([bare] * count), summary([ours] * count), "more", ours - bare, "ms")
    return {"terminal": document(Outcome("terminal", [figure]))}


class TestAPair:
    @pytest.mark.parametrize(
        ("second", "agrees"), [(5.0, True), (4.0, True), (3.9, False), (6.25, True), (6.3, False)]
    )
    def test_agrees_within_a_quarter_in_both_directions(self, second: float, agrees: bool) -> None:
        (pair,) = pairs(run(1, 5), run(1, second))

        assert pair.agrees is agrees

    def test_is_of_ratios_so_that_a_slower_day_does_not_matter(self) -> None:
        (pair,) = pairs(run(1, 5), run(3, 15))

        assert (pair.agrees, pair.apart) == (True, 1.0)

    def test_of_few_samples_decides_nothing(self) -> None:
        (pair,) = pairs(run(1, 5), run(1, 50, count=ENOUGH - 1))

        assert (pair.agrees, pair.few) == (True, True)

    def test_of_single_readings_has_no_median_and_decides_nothing(self) -> None:
        (pair,) = pairs(run(1, 5, count=1), run(1, 50, count=1))

        assert pair.agrees


def test_what_only_one_run_has_is_no_pair() -> None:
    assert pairs(run(1, 5), run(1, 5, name="other")) == []


def test_figures_of_the_same_samples_are_one_comparison() -> None:
    part = run(1, 5)["terminal"]
    twice = {"terminal": {**part, "figures": part["figures"] * 2}}

    assert len(pairs(twice, twice)) == 1


def test_the_table_tells_what_is_apart() -> None:
    text = markdown(pairs(run(1, 5), run(1, 10)))

    assert "| terminal: echo, p50, × bare | 5.00 | 10.0 | 100 % | **no** |" in text
