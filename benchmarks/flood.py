"""A program that prints 100 MB while it is read, by each host in turns; every byte is checked."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from benchmarks import targets
from benchmarks.crowd import Crowd, Flood
from benchmarks.figures import Figure, Outcome, Scale, summary
from benchmarks.host import BARE, SIDECAR
from benchmarks.processes import peak
from benchmarks.progress import bar, say
from benchmarks.service import is_root

_SIZE, _TRIED = 100_000_000, 1_000_000
#: A line a write is what programs do on a terminal. 64 KiB a write is the worst a program could do; a bare loop that
#: looks at nothing is then limited by the kernel only. Each with what the scripted program is told.
_KINDS = {"a line a write": b"show", "64 KiB a write": b"print"}


@dataclass
class Floods:
    """What the hosts did, by kind of printing and host."""

    found: dict[str, dict[str, list[Flood]]] = field(default_factory=dict)
    highest_mb: float | None = None
    size: int = _SIZE

    def measure(self, crowds: Sequence[Crowd], scale: Scale) -> None:
        """Alternate the hosts, and the kinds."""
        self.size = scale.pick(_TRIED, _SIZE, _SIZE)
        rounds = scale.pick(1, 2, 5)
        self.found = {kind: {each.host.name: [] for each in crowds} for kind in _KINDS}
        ours = next(each for each in crowds if each.host.name == SIDECAR)
        with ExitStack() as stack:
            highest = stack.enter_context(peak(ours.pids))
            step = stack.enter_context(bar("floods", rounds * len(_KINDS) * len(crowds)))
            for _ in range(rounds):
                for kind, command in _KINDS.items():
                    for each in crowds:
                        self.found[kind][each.host.name].append(each.flood(command, self.size))
                        step()
            top = highest()
        self.highest_mb = top.pss if top else None

    def outcome(self) -> Outcome:
        """Return the rates, held to the bare one's."""
        figures = [figure for kind in self.found for figure in self._figures(kind)]
        faults = [
            fault
            for hosts in self.found.values()
            for floods in hosts.values()
            for one in floods
            for fault in one.faults
        ]
        if self.highest_mb is not None:
            top = self.highest_mb
            figures.append(
                Figure("flood, peak memory", "MB", None, summary([top]), "peak PSS", top, "MB")
            )  # fmt: skip
        elif not is_root():
            say("terminal: the sidecar's memory is hidden: run as root to see its peak")
        return Outcome("terminal", figures, faults)

    def _figures(self, kind: str) -> list[Figure]:
        name = f"flood, {self.size / 1e6:g} MB, {kind}"
        hosts = self.found[kind]
        rates = {host: summary([one.rate for one in floods]) for host, floods in hosts.items()}
        used = {host: summary([one.cpu_s for one in floods]) for host, floods in hosts.items()}
        mine, seconds = rates[SIDECAR], used[SIDECAR]
        figures = []
        for host, theirs in rates.items():
            if host != SIDECAR:
                target = targets.FLOOD_SHARE if host == BARE else None
                share, what = 100 * mine.p50 / theirs.p50, f"share of the {host} rate"
                figures += [
                    Figure(name, "MB/s", theirs, mine, what, share, "%", target, host),
                    Figure(f"{name}, CPU", "s", used[host], seconds, "CPU of the sidecar", seconds.p50, "s", beside=host),
                ]  # fmt: skip
        return figures
