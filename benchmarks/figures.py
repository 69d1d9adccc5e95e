"""What a measurement says: summaries of samples, comparisons, targets, pictures, a verdict. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Fewer samples do not make a median that is worth quoting; they are shown, and called indicative.
ENOUGH = 200


@dataclass(frozen=True)
class Scale:
    """How much is measured: the short form by default, everything, or a trial that only shows that it works."""

    full: bool = False
    #: A handful of samples of each kind; for who changes the suite. Never recorded.
    trial: bool = False

    @property
    def name(self) -> str:
        """Return what the report calls it."""
        return "trial" if self.trial else "full" if self.full else "short"

    def pick(self, trial: int, short: int, full: int) -> int:
        """Return the number of samples, rounds or sessions for this scale."""
        return trial if self.trial else full if self.full else short


@dataclass(frozen=True)
class Summary:
    """Samples in short, and the samples themselves."""

    n: int
    p50: float
    p95: float
    p99: float
    samples: Sequence[float] = field(default=(), repr=False, compare=False)


def percentile(samples: Sequence[float], share: float) -> float:
    """Return the smallest sample that at least `share` (0 to 1) of all samples do not exceed: the nearest rank.

    Raises:
        ValueError: there are no samples.
    """
    if not samples:
        raise ValueError("no samples")
    return sorted(samples)[max(0, math.ceil(share * len(samples)) - 1)]


def summary(samples: Sequence[float]) -> Summary:
    """Summarise samples; at least one."""
    p50, p95, p99 = (percentile(samples, share) for share in (0.50, 0.95, 0.99))
    return Summary(len(samples), p50, p95, p99, tuple(samples))


@dataclass(frozen=True)
class Target:
    """A bound of the figure compared: at most, or at least."""

    value: float
    at_least: bool = False

    def met(self, value: float) -> bool:
        """Tell whether `value` keeps the bound."""
        return value >= self.value if self.at_least else value <= self.value


@dataclass(frozen=True)
class Figure:
    """One row of the report: what stands beside the sidecar, the sidecar, and what of both is held to the target.

    A figure without target is only reported.
    """

    name: str
    #: Unit of the samples, and of the compared value.
    unit: str
    bare: Summary | None
    sidecar: Summary
    #: What is compared, in words, its value and its unit.
    compared: str
    value: float
    value_unit: str
    target: Target | None = None
    #: What `bare` is: the bare thing, or the product that people would use instead.
    beside: str = "bare"

    @property
    def met(self) -> bool:
        """Tell whether the target is kept; always, without one."""
        return self.target is None or self.target.met(self.value)


@dataclass(frozen=True)
class Picture:
    """A drawing of samples: curves over a common x axis, or distributions."""

    #: The file's, without its ending.
    name: str
    title: str
    #: What the axes show, with the unit.
    x: str
    y: str
    #: Legend → points, drawn as a line with markers.
    curves: Mapping[str, Sequence[tuple[float, float]]] = field(default_factory=dict)
    #: Legend → samples, drawn as the share of samples up to x.
    distributions: Mapping[str, Sequence[float]] = field(default_factory=dict)
    log_x: bool = False


@dataclass(frozen=True)
class Outcome:
    """What one part found: figures, faults (anything lost, reordered or not measurable), conditions, pictures."""

    part: str
    figures: Sequence[Figure]
    faults: Sequence[str] = ()
    conditions: Mapping[str, Any] = field(default_factory=dict)
    pictures: Sequence[Picture] = ()

    @property
    def problems(self) -> list[str]:
        """Return every reason why this part has failed."""
        missed = [
            f"{figure.name}: {figure.compared} is {figure.value:.2f} {figure.value_unit}, the target {bound(figure.target)}"
            for figure in self.figures
            if figure.target and not figure.met
        ]
        return [f"{self.part}: {problem}" for problem in (*self.faults, *missed)]


def joined(part: str, outcomes: Sequence[Outcome]) -> Outcome:
    """Return what several measurements found as one part."""
    conditions = {name: value for outcome in outcomes for name, value in outcome.conditions.items()}
    return Outcome(
        part,
        [figure for outcome in outcomes for figure in outcome.figures],
        [fault for outcome in outcomes for fault in outcome.faults],
        conditions,
        [picture for outcome in outcomes for picture in outcome.pictures],
    )


def bound(target: Target | None) -> str:
    """Return a target as it is written: `≤ 5`."""
    if target is None:
        return "–"
    return f"{'≥' if target.at_least else '≤'} {target.value:g}"
