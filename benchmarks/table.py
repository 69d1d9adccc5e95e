"""The report as Markdown. Works on what the results file holds, so that it can be made again from one. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.figures import ENOUGH, Figure, Outcome, Picture, Summary, bound

Json = Mapping[str, Any]

_HEAD = (
    "| part | figure | beside: n, p50 / p95 / p99 | sidecar: n, p50 / p95 / p99 | compared | target | met |",
    "|---|---|---|---|---|---|---|",
)
_NOTE = (
    f"With fewer than {ENOUGH} samples no p50 is quoted: the row has the lowest, the middle and the highest, "
    "and what is compared is indicative."
)


def document(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as JSON values, with its raw samples."""
    return {
        "conditions": dict(outcome.conditions),
        "figures": [_figure(figure) for figure in outcome.figures],
        "faults": list(outcome.faults),
        "pictures": [_picture(picture) for picture in outcome.pictures],
    }


def _figure(figure: Figure) -> dict[str, Any]:
    return {
        "name": figure.name,
        "unit": figure.unit,
        "beside": figure.beside,
        "bare": _stored(figure.bare) if figure.bare else None,
        "sidecar": _stored(figure.sidecar),
        "compared": figure.compared,
        "value": figure.value,
        "valueUnit": figure.value_unit,
        "target": bound(figure.target),
        "met": figure.met if figure.target else None,
    }


def _stored(found: Summary) -> dict[str, Any]:
    return {**vars(found), "samples": [_short(sample) for sample in found.samples]}


def _picture(picture: Picture) -> dict[str, Any]:
    curves = {name: [[_short(x), _short(y)] for x, y in points] for name, points in picture.curves.items()}
    samples = {name: [_short(sample) for sample in found] for name, found in picture.distributions.items()}
    return {**vars(picture), "curves": curves, "distributions": samples}


def _short(value: float) -> float:
    """Keep the digits that a clock can mean; the file is kept in the repository."""
    return float(f"{value:.5g}")


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
    return "\n".join([*_HEAD, *rows, "", _NOTE, *told, "", "Conditions:", "", *conditions]) + "\n"


def _row(part: str, figure: Json) -> str:
    unit = figure["unit"]
    target = "–" if figure["met"] is None else f"{figure['target']} {figure['valueUnit']}".strip()
    beside = _summary(figure["bare"], unit)
    if figure["bare"] and figure["beside"] != "bare":
        beside = f"{figure['beside']}: {beside}"
    cells = (
        part,
        figure["name"],
        beside,
        _summary(figure["sidecar"], unit),
        f"{figure['compared']}: {_value(figure)}",
        target,
        {None: "–", True: "yes", False: "**no**"}[figure["met"]],
    )
    return f"| {' | '.join(cells)} |"


def _value(figure: Json) -> str:
    text = f"{number(figure['value'])} {figure['valueUnit']}".rstrip()
    return f"{text} (indicative)" if indicative(figure) else f"**{text}**"


def indicative(figure: Json) -> bool:
    """Tell whether a figure rests on some samples, but on fewer than make a median; a single reading is no sample."""
    return any(1 < found["n"] < ENOUGH for found in (figure["bare"], figure["sidecar"]) if found)


def _summary(found: Json | None, unit: str) -> str:
    if found is None:
        return "–"
    if found["n"] == 1:
        return f"{number(found['p50'])} {unit}"
    if found["n"] < ENOUGH:
        return f"n = {found['n']}: {_spread(found)} {unit}"
    shares = " / ".join(number(found[name]) for name in ("p50", "p95", "p99"))
    return f"n = {found['n']}, {shares} {unit}"


def _spread(found: Json) -> str:
    low, high = (min(found["samples"]), max(found["samples"])) if found["samples"] else (None, found["p99"])
    start = "" if low is None else f"{number(low)} to "
    return f"{start}{number(high)}, middle {number(found['p50'])}"


def number(value: float) -> str:
    """Return three digits that mean something."""
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def _conditions(conditions: Json) -> str:
    return ", ".join(f"{name} {value}" for name, value in conditions.items())


def gallery(parts: Mapping[str, Json], folder: str = "") -> str:
    """Return links to the pictures of all parts, which lie in `folder`."""
    found = [picture for part in parts.values() for picture in part["pictures"]]
    return "".join(f"\n![{picture['title']}]({folder}{picture['name']}.png)\n" for picture in found)


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
