"""The pictures of the part: distributions by way, latency against sessions, rows against sessions. Pure."""

from __future__ import annotations

from benchmarks.bridges.cell import Cell
from benchmarks.bridges.found import Found
from benchmarks.bridges.way import DIRECT, MAIN, ROUND_TRIP_MS
from benchmarks.figures import Picture, summary

Points = dict[str, list[tuple[float, float]]]


def pictures(found: Found) -> list[Picture]:
    """Return what can be drawn of what was found."""
    drawn = [_distribution(cell) for cell in found.cells if DIRECT.name in cell.taken]
    drawn += [_against_sessions(found), _against_trips(found), _rows(found)]
    return [picture for picture in drawn if picture.distributions or picture.curves]


def _distribution(cell: Cell) -> Picture:
    sessions = cell.plan.sessions
    many = "one session" if sessions == 1 else f"{sessions} sessions"
    samples = {way: taken.command for way, taken in cell.taken.items() if taken.command}
    return Picture(
        f"bridges-first-output-{sessions}",
        f"Command → first output, {many}, {cell.plan.round_trip_ms} ms round trip (emulated)",
        "milliseconds",
        "share of commands",
        distributions=samples,
        log_x=True,
    )


def _against_sessions(found: Found) -> Picture:
    curves: Points = {}
    for cell in found.cells:
        if cell.plan.round_trip_ms == ROUND_TRIP_MS:
            _add(curves, cell, cell.plan.sessions)
    return Picture(
        "bridges-sessions",
        f"Command → first output against sessions, {ROUND_TRIP_MS} ms round trip (emulated)",
        "sessions",
        "milliseconds",
        curves=curves,
    )


def _against_trips(found: Found) -> Picture:
    curves: Points = {}
    cells = sorted(found.cells, key=lambda cell: cell.plan.round_trip_ms)
    counts = {cell.plan.sessions for cell in cells if cell.plan.round_trip_ms != ROUND_TRIP_MS}
    for cell in cells:
        if cell.plan.sessions in counts:
            _add(curves, cell, cell.plan.round_trip_ms)
    return Picture(
        "bridges-round-trips",
        "Command → first output against the instance's round trip (emulated)",
        "round trip in milliseconds",
        "milliseconds",
        curves=curves,
    )


def _rows(found: Found) -> Picture:
    curves: Points = {}
    for way in MAIN:
        watched = sorted((float(count), rows) for count, rows in found.rows[way.name].pump.items())
        if watched:
            curves[f"{way.name}: watched, nobody types"] = watched
        busy = [
            (float(cell.plan.sessions), cell.rows[way.name][0] * 60 / cell.rows[way.name][1])
            for cell in found.cells
            if cell.plan.round_trip_ms == ROUND_TRIP_MS and cell.rows.get(way.name, (0, 0))[1]
        ]
        if busy:
            curves[f"{way.name}: busy"] = busy
    return Picture(
        "bridges-rows", "Rows of ours in ecc_queue (emulated)", "sessions", "rows in a minute", curves=curves
    )


def _add(curves: Points, cell: Cell, x: float) -> None:
    for way in MAIN:
        taken = cell.taken.get(way.name)
        if taken and taken.command:
            found = summary(taken.command)
            curves.setdefault(f"{way.name}, p50", []).append((x, found.p50))
            curves.setdefault(f"{way.name}, p99", []).append((x, found.p99))
