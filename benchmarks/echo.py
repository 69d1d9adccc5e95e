"""A key → its echo, seen by who waits for output, with few and with many terminals open; sample by sample in turns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from benchmarks import targets
from benchmarks.crowd import Crowd
from benchmarks.figures import Figure, Outcome, Picture, Scale, Summary, Target, summary
from benchmarks.host import BARE, SIDECAR
from benchmarks.progress import bar

_WARM_UP = 20


def samples(scale: Scale) -> int:
    """Return how many echoes of each host, for each number of terminals."""
    return scale.pick(5, 200, 500)


@dataclass
class Echoes:
    """What the hosts took, by number of terminals and host, in milliseconds."""

    found: dict[int, dict[str, list[float]]] = field(default_factory=lambda: defaultdict(dict))
    faults: list[str] = field(default_factory=list)

    def measure(self, crowds: Sequence[Crowd], count: int, scale: Scale) -> None:
        """Let the first of `count` terminals echo."""
        took: dict[str, list[float]] = {each.host.name: [] for each in crowds}
        for each in crowds:
            each.begin_echo()
        total = samples(scale) + _WARM_UP
        with bar(_named(count), total) as step:
            for number in range(total):
                for each in crowds:
                    seconds, faults = each.echo(b"<%06d>" % number)
                    took[each.host.name].append(seconds * 1000)
                    self.faults += [f"echo, {each.host.name}: {fault}" for fault in faults]
                step()
        for each in crowds:
            each.end_echo()
        self.found[count] = {name: taken[_WARM_UP:] for name, taken in took.items()}

    def outcome(self) -> Outcome:
        """Return the figures: the echo of one terminal is held to targets, the others are reported."""
        figures = [figure for count in self.found for figure in self._figures(count)]
        return Outcome("terminal", figures, self.faults, {}, [self._picture()])

    def _figures(self, count: int) -> list[Figure]:
        found = {name: summary(taken) for name, taken in self.found[count].items()}
        ours, bare = found.pop(SIDECAR), found.pop(BARE)
        name = _named(count)
        alone = count == 1
        against_bare = [
            _more(f"{name}, p50", "p50", bare, ours, targets.ECHO_MORE_P50 if alone else None),
            _more(f"{name}, p99", "p99", bare, ours, targets.ECHO_MORE_P99 if alone else None),
        ]
        peers = [
            Figure(name, "ms", theirs, ours, "× at p50", ours.p50 / theirs.p50, "", beside=peer)
            for peer, theirs in found.items()
        ]
        return against_bare + peers

    def _picture(self) -> Picture:
        drawn = {
            f"{name}, {_open(count)}": taken
            for count in (min(self.found), max(self.found))
            for name, taken in self.found[count].items()
        }
        title, x = "From a key to its echo, over loopback", "time, ms"
        return Picture(
            "terminal-echo", title, x, "share of samples up to it, %", distributions=drawn, log_x=True
        )


def _named(count: int) -> str:
    return f"echo, {_open(count)}"


def _open(count: int) -> str:
    return "1 terminal" if count == 1 else f"{count} terminals"


def _more(name: str, share: str, bare: Summary, ours: Summary, target: Target | None) -> Figure:
    more: float = getattr(ours, share) - getattr(bare, share)
    return Figure(name, "ms", bare, ours, f"more at {share}", more, "ms", target)
