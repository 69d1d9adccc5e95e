"""Terminals that print 2 KB/s each with a waiting reader each: print → seen, CPU and memory of who serves them.

Each program prints one stamped record of 1 KB twice a second, at a phase of its own (seeded, so it is the same each
time). A record's delay is from before its `write` to when a reader has the parsed answer with its last byte.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from benchmarks import targets
from benchmarks.crowd import Crowd, Round
from benchmarks.figures import ENOUGH, Figure, Outcome, Picture, Scale, Target, summary
from benchmarks.host import BARE, SIDECAR
from benchmarks.processes import memory, settled
from benchmarks.progress import bar
from benchmarks.service import is_root

#: The number of terminals the targets are for.
TARGETED = 50
#: What a picture shows of a host; None where it is not known.
Reading = Callable[["Found"], float | None]
#: Records of a program in a round: half as many seconds.
_RECORDS = 20


def counts(scale: Scale) -> tuple[int, ...]:
    """Return the numbers of terminals, rising."""
    if scale.trial:
        return (1, 3)
    return (1, 20, TARGETED, 100) if scale.full else (1, 20, TARGETED)


def _plan(scale: Scale, count: int) -> tuple[int, int]:
    """Return rounds, and records of each program in a round: few terminals need more of them for a median."""
    if scale.trial:
        return 1, 2
    if not scale.full:
        return 1, _RECORDS // 2
    return 2, max(_RECORDS, math.ceil(ENOUGH / 2 / count))


@dataclass
class Found:
    """What one host showed with one number of terminals."""

    rounds: list[Round] = field(default_factory=list)
    #: PSS of the server after them, in megabytes; None where it is hidden.
    memory: float | None = None

    @property
    def delays_ms(self) -> list[float]:
        """Return the delays of all rounds."""
        return [delay for one in self.rounds for delay in one.delays_ms]

    @property
    def cpu_percent(self) -> list[float]:
        """Return what each round took of a core."""
        return [one.cpu_percent for one in self.rounds]


@dataclass
class Fleet:
    """What all hosts showed, by number of terminals and host."""

    found: dict[int, dict[str, Found]] = field(default_factory=lambda: defaultdict(dict))

    def measure(self, crowds: Sequence[Crowd], count: int, scale: Scale) -> None:
        """Let all print in turns, host by host and round by round; then look at the servers' memory."""
        rounds, records = _plan(scale, count)
        here = self.found[count] = {each.host.name: Found() for each in crowds}
        with bar(f"fleet of {count}", rounds * len(crowds)) as step:
            for _ in range(rounds):
                for each in crowds:
                    here[each.host.name].rounds.append(each.tick(records))
                    step()
        for each in crowds:
            here[each.host.name].memory = _memory(each)

    def outcome(self) -> Outcome:
        """Return the figures; those of the targeted number are held to the targets."""
        figures = [figure for count, hosts in self.found.items() for figure in _figures(count, hosts)]
        faults = [
            fault
            for hosts in self.found.values()
            for one in hosts.values()
            for done in one.rounds
            for fault in done.faults
        ]
        if not is_root():
            faults.append("the sidecar's memory is hidden: run as root to compare it")
        return Outcome("terminal", figures, faults, {}, self._pictures())

    def _pictures(self) -> list[Picture]:
        x = "open terminals that print 2 KB/s each"
        cpu = self._curves(lambda found: summary(found.cpu_percent).p50)
        delay = self._curves(lambda found: summary(found.delays_ms).p99)
        memory = self._curves(lambda found: found.memory)
        return [
            Picture("terminal-cpu", "CPU of who serves the terminals", x, "CPU, % of one core", cpu),
            Picture("terminal-delay", "From print to seen, p99", x, "time, ms", delay),
            Picture("terminal-memory", "Memory of who serves the terminals", x, "PSS, MB", memory),
        ]

    def _curves(self, value: Reading) -> dict[str, list[tuple[float, float]]]:
        curves: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for count, hosts in self.found.items():
            for name, found in hosts.items():
                if (read := value(found)) is not None:
                    curves[name].append((count, read))
        return dict(curves)


def _memory(each: Crowd) -> float | None:
    """Return what the server takes. The sidecar hides its memory from all but root."""
    if each.host.name == SIDECAR and not is_root():
        return None
    return settled(lambda: memory(each.pids)).pss


def _figures(count: int, hosts: dict[str, Found]) -> list[Figure]:
    ours = hosts[SIDECAR]
    targeted = count == TARGETED
    return [
        figure
        for name, theirs in hosts.items()
        if name != SIDECAR
        for figure in _against(count, name, theirs, ours, targeted and name == BARE)
    ]


def _against(count: int, name: str, theirs: Found, ours: Found, targeted: bool) -> list[Figure]:
    fleet = f"fleet of {count}"
    seen, cpu = summary(ours.delays_ms), summary(ours.cpu_percent)
    figures = [
        Figure(
            f"{fleet}, print → seen", "ms", summary(theirs.delays_ms), seen, "p99", seen.p99, "ms",
            _if(targeted, targets.FLEET_P99), name,
        ),
        Figure(
            f"{fleet}, CPU", "%", summary(theirs.cpu_percent), cpu, "CPU of master and worker, of one core", cpu.p99, "%",
            _if(targeted, targets.FLEET_CPU), name,
        ),
    ]  # fmt: skip
    if ours.memory is not None and theirs.memory is not None:
        mine, other = summary([ours.memory]), summary([theirs.memory])
        what = "PSS of master and worker"
        figures.append(Figure(f"{fleet}, memory", "MB", other, mine, what, mine.p50, "MB", beside=name))
    return figures


def _if(wanted: bool, target: Target) -> Target | None:
    return target if wanted else None
