"""What a measurement says: summaries of samples, a comparison with the bare thing, a target, a verdict. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Summary:
    """Samples in short."""

    n: int
    p50: float
    p95: float
    p99: float


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
    return Summary(len(samples), p50, p95, p99)


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
    """One row of the report: the bare thing, the sidecar, and what of both is held to the target.

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

    @property
    def met(self) -> bool:
        """Tell whether the target is kept; always, without one."""
        return self.target is None or self.target.met(self.value)


@dataclass(frozen=True)
class Outcome:
    """What one part found: figures, faults (anything lost, reordered or not measurable), conditions."""

    part: str
    figures: Sequence[Figure]
    faults: Sequence[str] = ()
    conditions: Mapping[str, Any] = field(default_factory=dict)

    @property
    def problems(self) -> list[str]:
        """Return every reason why this part has failed."""
        missed = [
            f"{figure.name}: {figure.compared} is {figure.value:.2f} {figure.value_unit}, the target {bound(figure.target)}"
            for figure in self.figures
            if figure.target and not figure.met
        ]
        return [f"{self.part}: {problem}" for problem in (*self.faults, *missed)]


def bound(target: Target | None) -> str:
    """Return a target as it is written: `≤ 5`."""
    if target is None:
        return "–"
    return f"{'≥' if target.at_least else '≤'} {target.value:g}"
