"""What a bridge costs beside latency: requests and rows while nobody is there, and while somebody looks; memory, CPU."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from benchmarks.bridges import cell
from benchmarks.bridges.census import Census, counting
from benchmarks.bridges.load import Pauses, Taken, conversation, in_turns, watched
from benchmarks.bridges.site import Site
from benchmarks.bridges.terminal import Terminal
from benchmarks.bridges.way import Way
from benchmarks.emulated import until
from benchmarks.processes import cpu_s, memory
from benchmarks.progress import say
from benchmarks.service import is_root

MINUTE_S = 60.0
#: A viewer counts for a minute, the pump's last call ends within 20 s.
_GONE_S = 30.0
#: A command whose answer settles so soon is a short one.
_QUICK_MS = 1500.0
#: Between two commands whose rows are counted: what the pump still has to say; then it waits.
_REST_S = 1.5


@dataclass
class Cost:
    """Of one way, all per minute but memory (MB) and CPU (% of a core)."""

    idle_requests: float = 0.0
    idle_rows: float = 0.0
    busy_requests: float = 0.0
    busy_commands: float = 0.0
    idle_cpu: float = 0.0
    memory: float | None = None
    faults: list[str] = field(default_factory=list)


@dataclass
class Rows:
    """Rows of single short commands, and of the pump in a minute while nobody types."""

    short: list[float] = field(default_factory=list)
    #: By the number of watched terminals that are silent.
    pump: dict[int, float] = field(default_factory=dict)
    #: By the number of watched terminals that print 2 KB/s each.
    printing: dict[int, float] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def of_commands(site: Site, way: Way, count: int, found: Rows) -> None:
    """Submit commands one by one in one terminal and count the rows each costs."""
    terminal = site.terminals[way.name][-1]
    taken = Taken()
    with watched(site.terminals[way.name]):
        time.sleep(_REST_S)
        for _ in range(count):
            before = cell.rows(site, way)
            taken.note(terminal.command(), terminal.stream)
            time.sleep(_REST_S)
            if taken.settled and taken.settled[-1] <= _QUICK_MS:
                found.short.append(float(cell.rows(site, way) - before))
    found.faults += taken.faults


def of_pump(site: Site, ways: Sequence[Way], found: dict[str, Rows], seconds: float) -> None:
    """Count the rows while all terminals of these ways are watched and print nothing."""
    with watched([terminal for way in ways for terminal in site.terminals[way.name]]):
        for way, rows in _in_a_minute(site, ways, seconds).items():
            found[way].pump[len(site.terminals[way])] = rows


def of_printing(site: Site, ways: Sequence[Way], found: dict[str, Rows], seconds: float) -> None:
    """Count the rows while all terminals of these ways but that of the real CLI print 2 KB/s each for a minute."""
    with watched([terminal for way in ways for terminal in site.terminals[way.name]]):
        asked = {
            way.name: [one.command("tick") for one in site.terminals[way.name] if one.stream.strict]
            for way in ways
        }
        for way, rows in _in_a_minute(site, ways, seconds).items():
            found[way].printing[len(asked[way])] = rows
        for way, under_way in asked.items():
            lost = sum(not one.wait() for one in under_way)
            found[way].faults += [f"{lost} terminals did not print to their end"] if lost else []


def _in_a_minute(site: Site, ways: Sequence[Way], seconds: float) -> dict[str, float]:
    time.sleep(5)  # the pump of this set has begun
    before = {way.name: cell.rows(site, way) for way in ways}
    time.sleep(seconds)
    return {way.name: (cell.rows(site, way) - before[way.name]) * MINUTE_S / seconds for way in ways}


def costs(site: Site, ways: Sequence[Way], seconds: float) -> dict[str, Cost]:
    """Start the bridges anew behind counting proxies; look at them with nobody there, then with somebody typing."""
    found = {way.name: Cost() for way in ways}
    with ExitStack() as stack:
        censuses = {way.name: stack.enter_context(counting(site.platform.platform.url)) for way in ways}
        for way in ways:
            site.start(way, censuses[way.name].url)
        _idle(site, ways, censuses, found, seconds)
        for way in ways:
            _busy(site, way, censuses[way.name], found[way.name], seconds / 2)
        for way in ways:
            site.start(way)
    return found


def _idle(
    site: Site, ways: Sequence[Way], censuses: dict[str, Census], found: dict[str, Cost], seconds: float
) -> None:
    say("bridges: nobody looks any more")
    until(lambda: site.platform.watched() == 0, "nobody looks", 2 * MINUTE_S)
    time.sleep(_GONE_S)
    pids = {way.name: (site.pid(way),) for way in ways}
    before = {
        way.name: (censuses[way.name].requests, cell.rows(site, way), cpu_s(pids[way.name])) for way in ways
    }
    began = time.monotonic()
    time.sleep(seconds)
    for way in ways:
        passed = time.monotonic() - began
        asked, rows, used = before[way.name]
        cost = found[way.name]
        cost.idle_requests = (censuses[way.name].requests - asked) * MINUTE_S / passed
        cost.idle_rows = (cell.rows(site, way) - rows) * MINUTE_S / passed
        cost.idle_cpu = (cpu_s(pids[way.name]) - used) * 100 / passed
        cost.memory = memory(pids[way.name]).pss if is_root() else None


def _busy(site: Site, way: Way, census: Census, cost: Cost, seconds: float) -> None:
    terminals: list[Terminal] = site.terminals[way.name]
    taken = Taken()
    with watched(terminals):
        asked, began = census.requests, time.monotonic()
        in_turns(
            terminals, taken, conversation(1, 0), Pauses(2.0, 5.0), lambda: time.monotonic() > began + seconds
        )
        passed = time.monotonic() - began
        cost.busy_requests = (census.requests - asked) * MINUTE_S / passed
        cost.busy_commands = len(taken.command) * MINUTE_S / passed
        cost.faults += taken.faults
