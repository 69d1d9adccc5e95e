"""The report as Markdown. Works on what the results file holds, so that it can be made again from one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.figures import Figure, Outcome, bound

Json = Mapping[str, Any]

_HEAD = (
    "| part | figure | bare: n, p50 / p95 / p99 | sidecar: n, p50 / p95 / p99 | compared | target | met |",
    "|---|---|---|---|---|---|---|",
)


def document(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as JSON values."""
    return {
        "conditions": dict(outcome.conditions),
        "figures": [_figure(figure) for figure in outcome.figures],
        "faults": list(outcome.faults),
    }


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "name": figure.name,
        "unit": figure.unit,
        "bare": vars(figure.bare) if figure.bare else None,
        "sidecar": vars(figure.sidecar),
        "compared": figure.compared,
        "value": figure.value,
        "valueUnit": figure.value_unit,
        "target": bound(figure.target),
        "met": figure.met if figure.target else None,
    }


def markdown(parts: Mapping[str, Json]) -> str:
    """Return the figures of all parts as one table, then what was lost, then the conditions of each."""
    rows = [_row(part, figure) for part, found in parts.items() for figure in found["figures"]]
    faults = [f"- **{part}**: {fault}" for part, found in parts.items() for fault in found["faults"]]
    conditions = [f"- {part}: {_conditions(found['conditions'])}" for part, found in parts.items()]
    told = (
        ["", "Lost, out of order, or not measured:", "", *faults]
        if faults
        else ["", "Nothing was lost or out of order."]
    )
    return "\n".join([*_HEAD, *rows, *told, "", "Conditions:", "", *conditions]) + "\n"


def _row(part: str, figure: Json) -> str:
    unit = figure["unit"]
    target = "–" if figure["met"] is None else f"{figure['target']} {figure['valueUnit']}".strip()
    cells = (
        part,
        figure["name"],
        _summary(figure["bare"], unit),
        _summary(figure["sidecar"], unit),
        f"{figure['compared']}: **{_value(figure)}**",
        target,
        {None: "–", True: "yes", False: "**no**"}[figure["met"]],
    )
    return f"| {' | '.join(cells)} |"


def _value(figure: Json) -> str:
    return f"{_number(figure['value'])} {figure['valueUnit']}".rstrip()


def _summary(found: Json | None, unit: str) -> str:
    if found is None:
        return "–"
    if found["n"] == 1:
        return f"{_number(found['p50'])} {unit}"
    shares = " / ".join(_number(found[name]) for name in ("p50", "p95", "p99"))
    return f"n = {found['n']}, {shares} {unit}"


def _number(value: float) -> str:
    """Return three digits that mean something."""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _conditions(conditions: Json) -> str:
    return ", ".join(f"{name} {value}" for name, value in conditions.items())


def between(text: str, begin: str, end: str, inner: str) -> str:
    """Return `text` with what stands between two marks replaced.

    Raises:
        ValueError: a mark is missing.
    """
    before, found, rest = text.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError("the marks are missing")
    return f"{before}{begin}\n{inner}{end}{after}"


def problems(outcomes: Sequence[Outcome]) -> list[str]:
    """Return every reason why the run has failed."""
    return [problem for outcome in outcomes for problem in outcome.problems]
