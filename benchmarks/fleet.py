"""50 sessions that print 2 KB/s each with a waiting reader each, beside a bare loop over 50 PTYs.

Each program prints one stamped record of 1 KB twice a second, at a phase of its own (seeded, so it is the same each
time). A record's delay is from before its `write` to when a reader has the parsed answer with its last byte.
"""

from __future__ import annotations

import multiprocessing
import select
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pexpect

from benchmarks import bare, targets
from benchmarks.client import Address, Client, waiting
from benchmarks.figures import Figure, Outcome, Summary, summary
from benchmarks.processes import cpu_s
from benchmarks.program import PERIOD_S, parse_record
from benchmarks.progress import say
from benchmarks.service import Service, serving

SESSIONS = 50
ROUNDS = 2
#: Records of a program in a round: 10 s, so 20 s of each kind.
RECORDS = 20
_ROUND_S = RECORDS * PERIOD_S
#: How long a record may be missing before it counts as lost, in seconds.
_PATIENCE_S = 10.0


@dataclass
class Track:
    """What one reader has seen of one program's records."""

    delays_ms: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    _next: int = 0
    _rest: bytes = b""

    def take(self, data: bytes, now_ns: int) -> None:
        """Look at what arrived: every record in its order and whole."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            try:
                number, at_ns = parse_record(line)
            except ValueError as error:
                self.faults.append(str(error))
                continue
            if number != self._next:
                self.faults.append(f"record {number} came where {self._next} was due")
            self._next = number + 1
            self.delays_ms.append((now_ns - at_ns) / 1e6)

    @property
    def complete(self) -> bool:
        """Tell whether the last record of a round is there."""
        return self._next >= RECORDS

    def close(self) -> None:
        """Note what never came."""
        if len(self.delays_ms) != RECORDS and not self.faults:
            self.faults.append(f"{RECORDS - len(self.delays_ms)} of {RECORDS} records are lost")


@dataclass(frozen=True)
class Round:
    """What all readers together have seen, and the CPU seconds it took the one who carried it."""

    delays_ms: list[float]
    faults: list[str]
    cpu_s: float


def _gathered(tracks: Sequence[Track], cpu: float) -> Round:
    for track in tracks:
        track.close()
    delays = [delay for track in tracks for delay in track.delays_ms]
    return Round(delays, [fault for track in tracks for fault in track.faults], cpu)


# -- bare ----------------------------------------------------------------------------------------------


def bare_round(children: Sequence[pexpect.spawn[Any]]) -> Round:
    """Read all programs with one loop of `poll` and `os.read`."""
    tracks = {child.child_fd: Track() for child in children}
    poller = select.poll()
    for seed, child in enumerate(children):
        poller.register(child.child_fd, select.POLLIN)
        child.send(b"tick %d %d\n" % (RECORDS, seed))
    cpu, deadline = time.process_time(), time.monotonic() + _ROUND_S + _PATIENCE_S
    by_fd = {child.child_fd: child for child in children}
    while not all(track.complete for track in tracks.values()) and time.monotonic() < deadline:
        for fd, _ in poller.poll(1000):
            data = bare.read(by_fd[fd])
            tracks[fd].take(data, time.monotonic_ns())
    return _gathered(list(tracks.values()), time.process_time() - cpu)


# -- the readers, in a process of their own --------------------------------------------------------------


def user_of(number: int) -> str:
    """Return the user of one session: only a few calls of one user may wait at the same time."""
    return f"bench-{number}"


def _follow(client: Client, session: str, cursor: int, track: Track) -> None:
    deadline = time.monotonic() + _ROUND_S + _PATIENCE_S
    while not track.complete and time.monotonic() < deadline:
        answer = client.call("GET", waiting(session, cursor, wait_s=5))
        track.take(answer["data"].encode(), time.monotonic_ns())
        if answer["dropped"]:
            track.faults.append(f"{answer['dropped']} bytes were dropped")
        cursor = answer["nextCursor"]
    client.close()


def readers(address: Address, cursors: dict[str, int], pipe: Any) -> None:
    """Follow every session with a thread and a connection of its own; send back the tracks."""
    tracks = [Track() for _ in cursors]
    threads = [
        threading.Thread(target=_follow, args=(Client(address, user_of(number)), session, cursor, track))
        for number, ((session, cursor), track) in enumerate(zip(cursors.items(), tracks, strict=True))
    ]
    for thread in threads:
        thread.start()
    pipe.send(None)
    for thread in threads:
        thread.join()
    pipe.send(tracks)


def sidecar_round(service: Service, clients: Sequence[Client], cursors: dict[str, int]) -> Round:
    """Let all sessions print and the readers read; `cursors` move on."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=readers, args=(service.address, cursors, theirs)
    )
    process.start()
    ours.recv()  # all readers are about to wait
    cpu = cpu_s(service.pids)
    for seed, (client, session) in enumerate(zip(clients, cursors, strict=True)):
        client.type(session, b"tick %d %d\n" % (RECORDS, seed))
    tracks: list[Track] = ours.recv()
    cpu = cpu_s(service.pids) - cpu
    process.join()
    for client, session in zip(clients, cursors, strict=True):
        cursors[session] = int(client.call("GET", f"/api/session/{session}/status")["outputOffset"])
    return _gathered(tracks, cpu)


# -- together --------------------------------------------------------------------------------------------


def measure() -> Outcome:
    """Alternate the two; both keep their 50 programs all the time."""
    with ExitStack() as stack:
        service = stack.enter_context(serving())
        clients = [stack.enter_context(service.client(user_of(number))) for number in range(SESSIONS)]
        say(f"fleet: starting {SESSIONS} programs of each kind")
        children = [stack.enter_context(bare.program()) for _ in range(SESSIONS)]
        cursors = {session: client.type(session, b"") for client in clients for session in [client.create()]}
        bares: list[Round] = []
        ours: list[Round] = []
        for number in range(ROUNDS):
            say(f"fleet: round {number + 1} of {ROUNDS}, {2 * _ROUND_S:.0f} s")
            bares.append(bare_round(children))
            ours.append(sidecar_round(service, clients, cursors))
        return _outcome(bares, ours)


def _outcome(bares: list[Round], ours: list[Round]) -> Outcome:
    plain, over_http = (
        summary([delay for found in rounds for delay in found.delays_ms]) for rounds in (bares, ours)
    )
    loops, carried = (summary([100 * found.cpu_s / _ROUND_S for found in rounds]) for rounds in (bares, ours))
    faults = [f"bare: {fault}" for found in bares for fault in found.faults]
    faults += [fault for found in ours for fault in found.faults]
    figures = [
        Figure("fleet, print → seen", "ms", plain, over_http, "p99", over_http.p99, "ms", targets.FLEET_P99),
        _cpu_figure(loops, carried),
    ]
    conditions = {"isolation": "none", "sessions": SESSIONS, "records": over_http.n}
    return Outcome("fleet", figures, faults, conditions)


def _cpu_figure(loops: Summary, carried: Summary) -> Figure:
    name, what = "fleet, CPU", "CPU of master and worker, of one core"
    return Figure(name, "%", loops, carried, what, carried.p99, "%", targets.FLEET_CPU)
