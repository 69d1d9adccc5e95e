"""The whole measurement: what is asked of which ways, one after the other, at one site."""

from __future__ import annotations

from benchmarks.bridges import cell, crash, rest, verdict
from benchmarks.bridges.cell import Plan
from benchmarks.bridges.found import Found
from benchmarks.bridges.load import Pauses
from benchmarks.bridges.site import Missing, Site, site
from benchmarks.bridges.way import AMB, DIRECT, MAIN, MID_5S, MID_40S, POLLER, POLLER_5S, QUICK, ROUND_TRIP_MS
from benchmarks.figures import Outcome, Scale
from benchmarks.progress import say
from emulator import installation

#: The other round trips, for the two that people choose between.
_TRIPS_MS = (20, 150)
_SWIFT = (AMB, POLLER, DIRECT)
_EVERY = (AMB, MID_5S, POLLER, POLLER_5S, DIRECT)


def measure(scale: Scale) -> Outcome:
    """Measure the ways side by side."""
    whole = scale.full or scale.trial
    try:
        with site((*_EVERY, MID_40S) if whole else _SWIFT) as running:
            found = Found(running.platform.started_s)
            _one(running, scale, found)
            _many(running, scale, found)
            if whole:
                _costs(running, scale, found)
                _crashes(running, scale, found)
                _trips(running, scale, found)
                _most(running, scale, found)
            found.refused = len(running.sight.refused)
    except Missing as error:
        return Outcome("bridges", [], [str(error)])
    return verdict.outcome(found)


def _one(running: Site, scale: Scale, found: Found) -> None:
    """One session by each way: the figures that have targets."""
    pauses = Pauses(0.3, 1.3) if scale.full else Pauses(0.1, 0.5)
    plan = Plan(
        1,
        ROUND_TRIP_MS,
        commands=scale.pick(4, 200, 200),
        keys=scale.pick(4, 10, 200),
        pauses=pauses,
        gap_s=2.3,
        at_once=True,
    )
    say("bridges: one session by each way")
    found.cells.append(cell.run(running, plan, _EVERY if scale.full or scale.trial else _SWIFT))
    for way in MAIN:
        rest.of_commands(running, way, scale.pick(2, 5, 20), found.rows[way.name])
    if scale.full:
        rest.of_pump(running, MAIN, found.rows, rest.MINUTE_S)
    if scale.full or scale.trial:
        _printing(running, scale, found, 2)


def _printing(running: Site, scale: Scale, found: Found, sessions: int) -> None:
    """Count rows while all but one of so many sessions print."""
    for way in MAIN:
        running.open(way, sessions)
    rest.of_printing(running, MAIN, found.rows, scale.pick(5, 30, 30))


def _many(running: Site, scale: Scale, found: Found) -> None:
    """Twenty sessions by each way, and the MID Server that looks each 40 s."""
    whole = scale.full or scale.trial
    plan = Plan(
        scale.pick(3, 20, 20),
        ROUND_TRIP_MS,
        commands=scale.pick(6, 200, 200),
        keys=scale.pick(6, 0, 200),
        pauses=Pauses(1.5, 4.0) if whole else Pauses(1.0, 2.5),
        gap_s=0.5,
    )
    say(f"bridges: {plan.sessions} sessions by each way")
    found.cells.append(cell.run(running, plan, (*_EVERY, MID_40S) if whole else _SWIFT))
    say("bridges: answers of 200 KB")
    cell.long(running, found.cells[-1], _SWIFT, scale.pick(1, 3, 40))
    if whole:
        _retire(running)
    if scale.full:
        rest.of_pump(running, MAIN, found.rows, rest.MINUTE_S)
        _printing(running, scale, found, plan.sessions)


def _retire(running: Site) -> None:
    """End the ways that are not measured any more; they would only take part of the machine."""
    slow = (MID_5S, POLLER_5S, MID_40S)
    running.close(*slow, DIRECT)
    for way in slow:
        running.stop(way)
    installation.use_mids(running.platform.platform.admin, QUICK)


def _costs(running: Site, scale: Scale, found: Found) -> None:
    seconds = 10.0 if scale.trial else rest.MINUTE_S
    found.costs = rest.costs(running, MAIN, seconds)


def _crashes(running: Site, scale: Scale, found: Found) -> None:
    for way in MAIN:
        found.crashed[way.name] = crash.survived(running, way, scale.pick(1, 0, 4))


def _trips(running: Site, scale: Scale, found: Found) -> None:
    """Twenty sessions with other round trips, by the two main ways."""
    for round_trip_ms in _TRIPS_MS:
        plan = Plan(
            scale.pick(3, 20, 20),
            round_trip_ms,
            commands=scale.pick(6, 200, 200),
            keys=0,
            pauses=Pauses(1.5, 4.0),
        )
        found.cells.append(cell.run(running, plan, MAIN))


def _most(running: Site, scale: Scale, found: Found) -> None:
    """Fifty sessions by the two main ways."""
    plan = Plan(
        scale.pick(5, 50, 50),
        ROUND_TRIP_MS,
        commands=scale.pick(8, 300, 300),
        keys=0,
        pauses=Pauses(4.0, 10.0),
    )
    found.cells.append(cell.run(running, plan, MAIN))
    if scale.full:
        rest.of_pump(running, MAIN, found.rows, rest.MINUTE_S)
