"""What is made of the measurement: figures with their targets, pictures, faults. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from benchmarks import targets
from benchmarks.bridges.cell import Cell
from benchmarks.bridges.found import Found
from benchmarks.bridges.load import Taken
from benchmarks.bridges.pictures import pictures
from benchmarks.bridges.way import AMB, DIRECT, MAIN, MID_5S, MID_40S, POLLER, POLLER_5S, ROUND_TRIP_MS
from benchmarks.figures import Figure, Outcome, Summary, Target, summary
from sidecar.claude.version import PINNED

FIRST = "command → first output"
_KINDS = {
    "command": FIRST,
    "settled": "command → settled screen",
    "key": "keystroke → echo",
    "long": "200 KB answer complete",
    "create": "create",
}
#: What each way stands beside.
_BESIDE = {
    AMB.name: DIRECT,
    POLLER.name: AMB,
    MID_5S.name: AMB,
    MID_40S.name: AMB,
    POLLER_5S.name: POLLER,
}
_TARGETS: dict[str, Sequence[tuple[str, Target]]] = {
    AMB.name: (("p50", targets.MID_P50), ("p99", targets.MID_P99)),
    POLLER.name: (("p50", targets.POLLER_P50), ("p99", targets.POLLER_P99)),
}


def outcome(found: Found) -> Outcome:
    """Return everything that was found, as figures, pictures and faults."""
    figures = [
        *(figure for cell in found.cells for figure in _of_cell(cell)),
        *_crowds(found),
        *_rows(found),
        *_costs(found),
        *_crashes(found),
        _single("instance and MID Server up", "s", found.started_s, targets.EMULATOR_START_S),
    ]
    conditions = {"instance": "emulated", "CLI": f"{PINNED} in one session of each way, else scripted"}
    return Outcome("bridges", figures, _faults(found), conditions, pictures(found))


def label(kind: str, sessions: int, round_trip_ms: int, way: str) -> str:
    """Return a figure's name."""
    many = "1 session" if sessions == 1 else f"{sessions} sessions"
    return f"{_KINDS[kind]}, {way}, {many}, {round_trip_ms} ms"


def _of_cell(cell: Cell) -> Iterator[Figure]:
    for way, taken in cell.taken.items():
        for kind in _KINDS:
            ours: list[float] = getattr(taken, kind)
            if ours and way in _BESIDE:
                yield from _beside(cell, way, kind, ours)


def _beside(cell: Cell, way: str, kind: str, ours: Sequence[float]) -> Iterator[Figure]:
    other = _BESIDE[way]
    theirs: Sequence[float] = getattr(cell.taken.get(other.name, Taken()), kind)
    plan = cell.plan
    name = label(kind, plan.sessions, plan.round_trip_ms, way)
    held = kind == "command" and (plan.sessions, plan.round_trip_ms) == (1, ROUND_TRIP_MS)
    for share, target in _TARGETS.get(way, _ANY) if held else _ANY:
        whole = summary(ours)
        value: float = getattr(whole, share)
        bare = summary(theirs) if theirs else None
        yield Figure(name, "ms", bare, whole, share, value, "ms", target, other.name)


_ANY: Sequence[tuple[str, Target | None]] = (("p50", None),)


def _crowds(found: Found) -> Iterator[Figure]:
    """Compare the most sessions there were with one, by each main way."""
    most = max(cell.plan.sessions for cell in found.cells)
    for way in MAIN:
        few, many = (found.taken(sessions, ROUND_TRIP_MS, way.name) for sessions in (1, most))
        if most > 1 and few and many and few.command and many.command:
            one, lots = summary(few.command), summary(many.command)
            name = f"{FIRST}, {way.name}, {most} sessions beside 1"
            target = targets.BRIDGE_CROWD if most >= _CROWD else None
            yield Figure(name, "ms", one, lots, "× at p50", lots.p50 / one.p50, "", target, "1 session")


#: As many as the target speaks of.
_CROWD = 50


def _rows(found: Found) -> Iterator[Figure]:
    for way, rows in found.rows.items():
        if rows.short:
            ours = summary(rows.short)
            name = f"rows of a short command, {way}"
            yield Figure(name, "rows", None, ours, "most", max(rows.short), "rows", targets.BRIDGE_ROWS)
        for what, counts in (("silent", rows.pump), ("printing", rows.printing)):
            yield from _growth(way, what, counts)


def _growth(way: str, what: str, counts: Mapping[int, float]) -> Iterator[Figure]:
    """Compare the pump's rows with more watched terminals with those of one."""
    one = counts.get(1)
    for terminals, many in sorted(counts.items()):
        if one is not None and terminals > 1:
            name = f"rows of the pump in a minute, {way}, {terminals} {what} terminals beside 1"
            target = targets.BRIDGE_MORE_ROWS if what == "silent" else targets.BRIDGE_MORE_PRINTED
            more = many - one
            yield Figure(
                name, "rows", _reading(one), _reading(many), "more", more, "rows", target, "1 terminal"
            )


def _costs(found: Found) -> Iterator[Figure]:
    for way, cost in found.costs.items():
        poller = way == POLLER.name
        limit: Callable[[Target], Target | None] = lambda target: target if poller else None  # noqa: B023, E731
        requests = limit(targets.POLLER_REQUESTS)
        yield _single(f"idle, requests in a minute, {way}", "", cost.idle_requests, requests)
        yield _single(f"idle, rows in a minute, {way}", "rows", cost.idle_rows, targets.BRIDGE_IDLE)
        yield _single(f"idle, CPU, {way}", "% of a core", cost.idle_cpu, limit(targets.POLLER_CPU))
        if cost.memory is not None:
            yield _single(f"idle, memory, {way}", "MB", cost.memory, limit(targets.POLLER_MEMORY))
        yield _single(f"busy, requests in a minute, {way}", "", cost.busy_requests, None)
        yield _single(f"busy, commands in a minute, {way}", "", cost.busy_commands, None)
    for cell in found.cells:
        for way, (rows, seconds) in cell.rows.items():
            taken = cell.taken[way]
            asked = len(taken.command) + len(taken.key)
            name = (
                f"busy, rows in a minute, {way}, {cell.plan.sessions} sessions, {cell.plan.round_trip_ms} ms"
            )
            if seconds and asked and way != DIRECT.name:
                compared = f"{asked * 60 / seconds:.0f} commands and keys in a minute, rows of each"
                bare = _reading(rows * 60 / seconds)
                yield Figure(name, "rows", None, bare, compared, rows / asked, "rows")


def _crashes(found: Found) -> Iterator[Figure]:
    for way, taken in found.crashed.items():
        if taken.command:
            name = f"{FIRST}, {way}, killed meanwhile and started again"
            lost = float(len(taken.faults))
            compared = "lost, twice or out of order"
            yield Figure(name, "ms", None, summary(taken.command), compared, lost, "", targets.BRIDGE_LOST)


def _faults(found: Found) -> list[str]:
    told = [
        f"{way}, {cell.plan.sessions} sessions, {cell.plan.round_trip_ms} ms: {fault}"
        for cell in found.cells
        for way, taken in cell.taken.items()
        for fault in taken.faults
    ]
    told += [f"{way}, rows: {fault}" for way, rows in found.rows.items() for fault in rows.faults]
    told += [f"{way}, costs: {fault}" for way, cost in found.costs.items() for fault in cost.faults]
    told += [f"{way}, killed: {fault}" for way, taken in found.crashed.items() for fault in taken.faults]
    if found.refused:
        told.append(f"{found.refused} calls were refused by the sidecar or failed on their way")
    return told


def _reading(value: float) -> Summary:
    return Summary(1, value, value, value, (value,))


def _single(name: str, unit: str, value: float, target: Target | None) -> Figure:
    return Figure(name, unit, None, _reading(value), "value", value, unit, target)
