"""A child that prints 100 MB while it is read over HTTP, beside a bare read loop; every byte is checked."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks import bare, targets
from benchmarks.client import Client, waiting
from benchmarks.figures import Figure, Outcome, summary
from benchmarks.processes import Memory, cpu_s, peak
from benchmarks.program import pattern
from benchmarks.progress import say
from benchmarks.service import Service, serving

SIZE = 100_000_000
ROUNDS = 3


@dataclass(frozen=True)
class Kind:
    """A way of printing: what the scripted program is told, and how the figure is called."""

    name: str
    command: bytes


#: A line a write is what programs do on a terminal. 64 KiB a write is the worst a program could do; a bare loop that
#: looks at nothing is then limited by the kernel only.
KINDS = (
    Kind("flood, 100 MB, a line a write", b"show %d\n" % SIZE),
    Kind("flood, 100 MB, 64 KiB a write", b"print %d\n" % SIZE),
)


@dataclass
class Check:
    """Compares what arrives with what was printed, byte by byte at its offset."""

    expected: bytes
    faults: list[str] = field(default_factory=list)
    dropped: int = 0

    def take(self, offset: int, data: bytes) -> None:
        """Look at `data` that is said to stand at `offset`; note the first byte that differs."""
        wanted = self.expected[offset : offset + len(data)]
        if data != wanted:
            wrong = next(
                (place for place, pair in enumerate(zip(data, wanted, strict=False)) if pair[0] != pair[1]),
                len(wanted),
            )
            self.faults.append(f"the byte at offset {offset + wrong} is not the one printed there")

    def lose(self, count: int) -> None:
        """Note bytes that the service says were never kept."""
        if count:
            self.dropped += count
            self.faults.append(f"{count} bytes were dropped")


@dataclass(frozen=True)
class Sample:
    """One flood: megabytes per second, and the service's CPU seconds for it."""

    rate: float
    cpu_s: float = 0.0


def bare_flood(command: bytes) -> Sample:
    """Read a flood with nothing but `os.read`, looking at nothing."""
    with bare.program() as child:
        child.send(command)
        count = len(bare.read(child))
        begin = time.perf_counter()
        while count < SIZE:
            count += len(bare.read(child))
        return Sample(SIZE / (time.perf_counter() - begin) / 1e6)


def sidecar_flood(service: Service, client: Client, command: bytes, check: Check) -> Sample:
    """Read a flood over HTTP with waiting calls of up to a megabyte."""
    session = client.create()
    base = cursor = client.type(session, command)
    cpu = cpu_s(service.pids)
    begin = 0.0
    while cursor - base < SIZE:
        answer = client.call("GET", waiting(session, cursor))
        begin = begin or time.perf_counter()
        check.lose(answer["dropped"])
        check.take(cursor + answer["dropped"] - base, answer["data"].encode())
        if not answer["data"]:
            check.faults.append(f"nothing came any more at offset {cursor - base}")
            break
        cursor = answer["nextCursor"]
    rate = (cursor - base) / (time.perf_counter() - begin) / 1e6
    client.end(session)
    return Sample(rate, cpu_s(service.pids) - cpu)


@dataclass(frozen=True)
class Samples:
    """What was measured of one kind."""

    bare: list[Sample] = field(default_factory=list)
    ours: list[Sample] = field(default_factory=list)


def measure() -> Outcome:
    """Alternate bare and sidecar, and the kinds."""
    check = Check(pattern(0, SIZE))
    found = {kind: Samples() for kind in KINDS}
    with serving() as service, service.client() as client, peak(service.pids) as highest:
        for number in range(ROUNDS):
            for kind, samples in found.items():
                samples.bare.append(bare_flood(kind.command))
                samples.ours.append(sidecar_flood(service, client, kind.command, check))
                rates = f"{samples.bare[-1].rate:.0f} and {samples.ours[-1].rate:.1f} MB/s"
                say(f"{kind.name}: round {number + 1} of {ROUNDS}, {rates}")
        return _outcome(found, check, highest)


def _outcome(found: dict[Kind, Samples], check: Check, highest: Callable[[], Memory | None]) -> Outcome:
    figures = [figure for kind, samples in found.items() for figure in _figures(kind, samples)]
    faults = list(check.faults)
    if (top := highest()) is not None:
        figures.append(
            Figure("flood, peak memory", "MB", None, summary([top.pss]), "peak PSS", top.pss, "MB")
        )
    else:
        faults.append("the service's memory is hidden: run as root to see its peak")
    return Outcome("flood", figures, faults, {"isolation": "none", "dropped": check.dropped})


def _figures(kind: Kind, samples: Samples) -> list[Figure]:
    plain, over_http = (summary([one.rate for one in each]) for each in (samples.bare, samples.ours))
    share = 100 * over_http.p50 / plain.p50
    seconds = summary([sample.cpu_s for sample in samples.ours])
    return [
        Figure(
            kind.name, "MB/s", plain, over_http, "share of the bare rate", share, "%", targets.FLOOD_SHARE
        ),
        Figure(f"{kind.name}, CPU", "s", None, seconds, "CPU of the sidecar", seconds.p50, "s"),
    ]
