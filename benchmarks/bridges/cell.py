"""One comparison: some ways at so many sessions and one round trip, in turns, and what each took."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from benchmarks.bridges.load import (
    Pauses,
    Taken,
    at_random,
    conversation,
    in_turns,
    long_answers,
    together,
    watched,
)
from benchmarks.bridges.site import Site
from benchmarks.bridges.terminal import Asked, Terminal
from benchmarks.bridges.way import Way
from benchmarks.emulated import Overdue, until
from benchmarks.progress import bar

_OURS = "SELECT count(*) FROM ecc_queue WHERE name = 'ClaudeTerminalProbe' AND agent = ? "
_NOT_HEALTH = " ".join(
    f'AND payload NOT LIKE \'%name="op" value="{op}"%\'' for op in ("health", "sealing_key")
)


@dataclass(frozen=True)
class Plan:
    """How much is asked of each way in a cell."""

    sessions: int
    round_trip_ms: int
    commands: int
    keys: int
    pauses: Pauses
    #: Seconds on average between two things asked of a way that looks seldom.
    gap_s: float = 1.0
    #: At one session the ways' users type at the same time; with many, a way has the machine for a while.
    at_once: bool = False


@dataclass
class Cell:
    """What a plan gave."""

    plan: Plan
    taken: dict[str, Taken] = field(default_factory=dict)
    #: By way: rows of ours while it was busy, and for how many seconds.
    rows: dict[str, tuple[int, float]] = field(default_factory=dict)


def run(site: Site, plan: Plan, ways: Sequence[Way], cell: Cell | None = None) -> Cell:
    """Open what sessions are missing, and ask everything of all ways."""
    found = cell or Cell(plan)
    for way in ways:
        taken = found.taken.setdefault(way.name, Taken())
        taken.create.extend(site.open(way, plan.sessions))
    site.far(plan.round_trip_ms)
    with watched(_all(site, ways)):
        time.sleep(1)
        patient = [way for way in ways if way.patient]
        swift = [way for way in ways if not way.patient]
        tasks = [_counted(site, found, way, _seldom(site, found, way)) for way in patient]
        if plan.at_once:
            together([*tasks, *(_counted(site, found, way, _often(site, found, way)) for way in swift)])
        else:
            _in_slices(site, found, swift)
            together(tasks)
    for way in ways:
        judge(site.terminals[way.name], found.taken[way.name])
    return found


def rows(site: Site, way: Way) -> int:
    """Return how many rows of ours the queue holds for a way, health checks aside."""
    return int(site.platform.value(_OURS + _NOT_HEALTH, way.agent))


def judge(terminals: Sequence[Terminal], taken: Taken) -> None:
    """Note what is lost, double or out of order in these terminals."""
    for terminal in terminals:
        stream = terminal.stream
        with suppress(Overdue):  # the last words of an answer may come behind its first
            until(partial(_through, terminal), "the last answer", _LAST_S)
        taken.faults += [*stream.faults, *(f"{stream.name}: {one} never showed" for one in stream.missing())]
        if stream.strict and stream.answered() != terminal.commands:
            told = f"{stream.answered()} of {terminal.commands} commands were answered"
            taken.faults.append(f"{stream.name}: {told}")
        stream.faults = []


def _through(terminal: Terminal) -> bool:
    return not terminal.stream.strict or terminal.stream.answered() == terminal.commands


#: How long the last answer may take beyond the others.
_LAST_S = 15.0
#: A slice of a way at a time: the machine's moods fall on all of them.
_SLICE_S = 15.0
#: Commands, and then keys, of a terminal before it is looked whether more are wanted.
_ROUND = 3


def _in_slices(site: Site, found: Cell, ways: Sequence[Way]) -> None:
    chance = random.Random(found.plan.sessions)
    left = list(ways)
    with bar(f"bridges: {found.plan.sessions} sessions, {found.plan.round_trip_ms} ms", len(ways)) as step:
        while left:
            for way in chance.sample(left, len(left)):
                end = time.monotonic() + _SLICE_S
                _counted(site, found, way, _often(site, found, way, partial(_past, end)))()
                if _enough(found, way):
                    left.remove(way)
                    step()


def _past(moment: float) -> bool:
    return time.monotonic() > moment


def _often(site: Site, found: Cell, way: Way, over: Callable[[], bool] = lambda: False) -> Callable[[], None]:
    plan, taken = found.plan, found.taken[way.name]

    def once(terminal: Terminal) -> Generator[Asked, None, None]:
        commands = _ROUND if len(taken.command) < plan.commands else 0
        keys = _ROUND if len(taken.key) < plan.keys else 0
        yield from conversation(commands, keys)(terminal)

    def ask() -> None:
        terminals = site.terminals[way.name]
        in_turns(terminals, taken, once, plan.pauses, lambda: over() or _enough(found, way))

    return ask


def _enough(found: Cell, way: Way) -> bool:
    taken = found.taken[way.name]
    # A fault ends it: what never comes would be waited for again and again.
    return bool(taken.faults) or (
        len(taken.command) >= found.plan.commands and len(taken.key) >= found.plan.keys
    )


def _seldom(site: Site, found: Cell, way: Way) -> Callable[[], None]:
    plan, taken = found.plan, found.taken[way.name]

    def ask() -> None:
        at_random(site.terminals[way.name], taken, "command", plan.commands, plan.gap_s)
        if not way.rare:
            at_random(site.terminals[way.name], taken, "key", plan.keys, plan.gap_s / 2)

    return ask


def _counted(site: Site, found: Cell, way: Way, task: Callable[[], None]) -> Callable[[], None]:
    """Return the task with its rows counted."""

    def run_it() -> None:
        before, began = rows(site, way), time.monotonic()
        task()
        counted, seconds = found.rows.get(way.name, (0, 0.0))
        found.rows[way.name] = (counted + rows(site, way) - before, seconds + time.monotonic() - began)

    return run_it


def long(site: Site, found: Cell, ways: Sequence[Way], count: int) -> None:
    """Let each way bring answers of 200 KB, one at a time."""
    with watched(_all(site, ways)):
        for way in ways:
            taken = found.taken[way.name]
            one = site.terminals[way.name][1:2]
            in_turns(
                one,
                taken,
                long_answers(1),
                Pauses(0.3, 1.0),
                partial(_has_long, taken, count),
            )
            judge(one, taken)


def _has_long(taken: Taken, count: int) -> bool:
    return len(taken.long) >= count or bool(taken.faults)


def _all(site: Site, ways: Sequence[Way]) -> list[Terminal]:
    return [terminal for way in ways for terminal in site.terminals[way.name]]
