"""The README's comparison of the two ways across, made from the stored outcome. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.bridges.verdict import FIRST, label
from benchmarks.bridges.way import AMB, POLLER, ROUND_TRIP_MS
from benchmarks.figures import ENOUGH
from benchmarks.table import number

Json = Mapping[str, Any]
_UNKNOWN = "not measured"


def comparison(part: Json) -> str:
    """Return the table as Markdown.

    Args:
        part: The part `bridges` as the results file holds it.
    """
    figures = {figure["name"]: figure for figure in part["figures"]}
    rows = [
        ("", "MID Server proxy", "ECC poller"),
        ("---", "---", "---"),
        (
            "how work is found",
            "push (AMB); without it a look each 5 s, or each 40 s while it believes to have it",
            "asks each 250 to 500 ms while somebody is there, else up to each 5 s",
        ),
        _both(f"{FIRST}, p50 / p99", lambda way: _latency(figures, "command", way)),
        _both("command → settled screen, p50 / p99", lambda way: _latency(figures, "settled", way)),
        _both("keystroke → echo, p50 / p99", lambda way: _latency(figures, "key", way)),
        _both("rows in `ecc_queue` of a short command", lambda way: _rows(figures, way)),
        _both(
            "requests to the instance in a minute, nobody there",
            lambda way: _idle(figures, "requests in a minute", way),
        ),
        ("memory on the host", *_memory(figures)),
        (
            "credentials for the instance",
            "none beyond the MID Server's own",
            "an account of its own: user and password, or OAuth",
        ),
        (
            "monitoring",
            "MID Server dashboard and issues",
            "the app's health page, messages and issues, as for a MID Server; its own log and `doctor`",
        ),
        ("first output as the predecessor states it for its own", "3 to 7 s", "5 to 10 s"),
    ]
    table = "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
    return f"{table}\n\n{_note(part)}\n"


def _note(part: Json) -> str:
    when = part["conditions"].get("at", "")
    return (
        f"Measured{f' on {when[:10]}' if when else ''} on this project's emulator, one session of the real CLI, "
        f"{ROUND_TRIP_MS} ms round trip to the instance; not on a ServiceNow instance. "
        "The last row is stated by the predecessor for its two modes, not measured by us."
    )


def _both(name: str, cell: Callable[[str], str]) -> tuple[str, str, str]:
    return name, cell(AMB.name), cell(POLLER.name)


def _latency(figures: Json, kind: str, way: str) -> str:
    found = figures.get(label(kind, 1, ROUND_TRIP_MS, way))
    if found is None or found["sidecar"]["n"] < ENOUGH:
        return _UNKNOWN
    return f"{number(found['sidecar']['p50'])} / {number(found['sidecar']['p99'])} ms"


def _rows(figures: Json, way: str) -> str:
    found = figures.get(f"rows of a short command, {way}")
    return _UNKNOWN if found is None else f"{found['value']:.0f}"


def _idle(figures: Json, what: str, way: str) -> str:
    found = figures.get(f"idle, {what}, {way}")
    return _UNKNOWN if found is None else number(found["value"])


def _memory(figures: Json) -> tuple[str, str]:
    found = figures.get(f"idle, memory, {POLLER.name}")
    poller = _UNKNOWN if found is None else f"{number(found['value'])} MB"
    return (
        "that of the MID Server, which is there anyway: 1 to 4 GB of Java, as the predecessor states",
        poller,
    )
