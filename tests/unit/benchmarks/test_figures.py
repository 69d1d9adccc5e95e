"""Percentiles, targets and verdicts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.figures import Figure, Outcome, Scale, Summary, Target, bound, joined, percentile, summary

SAMPLES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300)


def figure(value: float, target: Target | None) -> Figure:
    return Figure("echo", "ms", None, summary([value]), "more at p50", value, "ms", target)


class TestAPercentile:
    @pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.95, 95), (0.99, 99), (0.0, 1), (1.0, 100)])
    def test_is_the_nearest_rank(self, share: float, expected: float) -> None:
        assert percentile([float(number) for number in range(100, 0, -1)], share) == expected

    def test_of_few_samples_is_the_largest(self) -> None:
        assert percentile([3.0, 1.0, 2.0], 0.99) == 3.0

    def test_of_nothing_is_refused(self) -> None:
        with pytest.raises(ValueError, match="no samples"):
            percentile([], 0.5)

    @given(SAMPLES, st.floats(0, 1))
    def test_is_a_sample_that_the_share_does_not_exceed(self, samples: list[float], share: float) -> None:
        found = percentile(samples, share)

        assert found in samples
        assert sum(sample <= found for sample in samples) >= share * len(samples)


def test_a_summary_counts_and_ranks() -> None:
    assert summary([4.0, 2.0, 3.0, 1.0]) == Summary(4, 2.0, 4.0, 4.0)


class TestATarget:
    @pytest.mark.parametrize(("value", "met"), [(4.99, True), (5.0, True), (5.01, False)])
    def test_is_an_upper_bound(self, value: float, met: bool) -> None:
        assert Target(5).met(value) is met

    @pytest.mark.parametrize(("value", "met"), [(49.9, False), (50.0, True), (50.1, True)])
    def test_may_be_a_lower_bound(self, value: float, met: bool) -> None:
        assert Target(50, at_least=True).met(value) is met

    def test_is_written_with_its_direction(self) -> None:
        assert [bound(Target(1.25)), bound(Target(50, at_least=True)), bound(None)] == ["≤ 1.25", "≥ 50", "–"]


class TestAnOutcome:
    def test_without_fault_has_no_problem(self) -> None:
        assert Outcome("echo", [figure(4, Target(5)), figure(1e9, None)]).problems == []

    def test_names_a_missed_target(self) -> None:
        assert Outcome("echo", [figure(6, Target(5))]).problems == [
            "echo: echo: more at p50 is 6.00 ms, the target ≤ 5"
        ]

    def test_with_something_lost_has_failed_whatever_its_figures(self) -> None:
        assert Outcome("echo", [figure(4, Target(5))], ["1 byte was dropped"]).problems == [
            "echo: 1 byte was dropped"
        ]


class TestOutcomes:
    def test_become_one_part_with_everything_in_it(self) -> None:
        found = joined(
            "terminal",
            [
                Outcome("echo", [figure(6, Target(5))], ["lost"], {"isolation": "none"}),
                Outcome("flood", [figure(4, None)], [], {"ttyd": "not installed"}),
            ],
        )

        assert len(found.figures) == 2
        assert found.conditions == {"isolation": "none", "ttyd": "not installed"}
        assert found.problems == ["terminal: lost", "terminal: echo: more at p50 is 6.00 ms, the target ≤ 5"]


@pytest.mark.parametrize(
    ("scale", "name", "picked"),
    [(Scale(), "short", 2), (Scale(full=True), "full", 3), (Scale(trial=True), "trial", 1)],
    ids=["short", "full", "trial"],
)
def test_a_scale_has_a_name_and_picks(scale: Scale, name: str, picked: int) -> None:
    assert (scale.name, scale.pick(1, 2, 3)) == (name, picked)
