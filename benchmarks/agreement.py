"""Whether two runs say the same: the ratio of p50 of every comparison in both, and how far they are apart. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.figures import ENOUGH
from benchmarks.table import number

Json = Mapping[str, Any]

#: Two runs on the same machine may differ by so much, or the suite measures noise.
ALLOWED = 1.25


@dataclass(frozen=True)
class Pair:
    """One comparison in two runs: the sidecar's p50 as a multiple of what stands beside it."""

    name: str
    first: float
    second: float
    #: One side has too few samples for a median, such as a single reading of a memory: it decides nothing.
    few: bool

    @property
    def apart(self) -> float:
        """Return the larger ratio as a multiple of the smaller."""
        return max(self.first, self.second) / min(self.first, self.second)

    @property
    def agrees(self) -> bool:
        """Tell whether this comparison was repeated."""
        return self.few or self.apart <= ALLOWED


def pairs(first: Json, second: Json) -> list[Pair]:
    """Return every comparison that two results' parts have in common, each once."""
    ours, theirs = _ratios(first), _ratios(second)
    return [
        Pair(name, ratio, theirs[name][0], few or theirs[name][1])
        for name, (ratio, few) in ours.items()
        if name in theirs
    ]


def _ratios(parts: Json) -> dict[str, tuple[float, bool]]:
    """Return name → ratio of p50, whether it rests on few samples. Figures that share their samples are one comparison."""
    found: dict[str, tuple[float, bool]] = {}
    seen: set[tuple[str, float, float]] = set()
    for part, measured in parts.items():
        for figure in measured["figures"]:
            bare, ours = figure["bare"], figure["sidecar"]
            if not bare or min(bare["p50"], ours["p50"]) <= 0:
                continue
            key = (part, bare["p50"], ours["p50"])
            if key not in seen:
                seen.add(key)
                name = f"{part}: {figure['name']}, × {figure['beside']}"
                found[name] = (ours["p50"] / bare["p50"], min(bare["n"], ours["n"]) < ENOUGH)
    return found


def markdown(found: Sequence[Pair]) -> str:
    """Return the pairs as a table."""
    rows = [
        f"| {pair.name} | {number(pair.first)} | {number(pair.second)} | {100 * (pair.apart - 1):.0f} % | {_verdict(pair)} |"
        for pair in found
    ]
    head = (
        "| comparison, ratio of p50 | first run | second run | apart | agrees |",
        "|---|---|---|---|---|",
    )
    return "\n".join([*head, *rows]) + "\n"


def _verdict(pair: Pair) -> str:
    if pair.few:
        return "too few samples"
    return "yes" if pair.agrees else "**no**"
