"""The clients of one host in a process of their own: so many terminals, which print, echo, and are read.

Whoever measures tells the crowds of all hosts what to do, one after the other; those whose turn it is not only wait.
"""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from benchmarks.check import Check, Track
from benchmarks.host import Host
from benchmarks.line import Dropped, Line, Seat
from benchmarks.processes import cpu_s
from benchmarks.program import END, PERIOD_S, SIGN, pattern

#: Before each sample, of all hosts alike: lets a waiting call arrive and everything come to rest.
_REST_S = 0.015
_ENDS_S = 30.0


@dataclass(frozen=True)
class Round:
    """What all terminals of a host together have shown while they printed."""

    delays_ms: list[float]
    faults: list[str]
    #: CPU the host took, as a share of one core.
    cpu_percent: float


@dataclass(frozen=True)
class Flood:
    """A large output: megabytes per second, and the host's CPU seconds for it."""

    rate: float
    faults: list[str]
    cpu_s: float


class Crowd:
    """The side of whoever measures."""

    def __init__(self, host: Host, process_id: int, pipe: Connection) -> None:
        """Speak to the process at the other end of the pipe."""
        self.host = host
        #: Of the server; the process that reads is the server of a bare PTY.
        self.pids = host.pids or (process_id,)
        self._pipe = pipe

    def grow(self, count: int) -> None:
        """Open terminals until there are so many."""
        self._ask("grow", count)

    def begin_echo(self) -> None:
        """Let the first terminal echo from now on."""
        self._ask("begin_echo")

    def echo(self, token: bytes) -> tuple[float, list[str]]:
        """Return the seconds from the first byte typed to the last byte seen, and what was wrong."""
        found: tuple[float, list[str]] = self._ask("echo", token)
        return found

    def end_echo(self) -> None:
        """Let the first terminal take commands again."""
        self._ask("end_echo")

    def tick(self, records: int) -> Round:
        """Let every terminal print two records a second, and read them."""
        before = cpu_s(self.pids)
        delays, faults = self._ask("tick", records)
        percent = 100 * (cpu_s(self.pids) - before) / (records * PERIOD_S)
        return Round(delays, [f"{self.host.name}: {fault}" for fault in faults], percent)

    def flood(self, command: bytes, size: int) -> Flood:
        """Let the first terminal print `size` bytes of the pattern, and check every one."""
        before = cpu_s(self.pids)
        seconds, took, faults = self._ask("flood", command, size)
        # The bare loop's own: comparing the bytes is no part of it.
        used = cpu_s(self.pids) - before if self.host.pids else seconds
        return Flood(size / took / 1e6, [f"{self.host.name}: {fault}" for fault in faults], used)

    def _ask(self, name: str, *arguments: Any) -> Any:
        self._pipe.send((name, arguments))
        found, error = self._pipe.recv()
        if error is not None:
            raise NotServed(f"{self.host.name}: {error}")
        return found


class NotServed(Exception):
    """A host did not do what it should; the text says which and why."""


@contextmanager
def crowd(host: Host) -> Iterator[Crowd]:
    """Run the clients of a host; end them, and with them the terminals, afterwards."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_obey, args=(host.seat, theirs))
    process.start()
    theirs.close()
    assert process.pid is not None
    try:
        yield Crowd(host, process.pid, ours)
    finally:
        ours.close()
        process.join(_ENDS_S)
        if process.is_alive():
            process.kill()
            process.join()


def _obey(seat: Seat, pipe: Connection) -> None:
    """Do what comes through the pipe until it is closed."""
    terminals = Terminals(seat)
    try:
        while True:
            name, arguments = pipe.recv()
            try:
                answer: tuple[Any, str | None] = (getattr(terminals, name)(*arguments), None)
            except Exception as error:  # noqa: BLE001  it is told to who asked, in the other process
                answer = (None, f"{type(error).__name__}: {error}")
            pipe.send(answer)
    except (EOFError, BrokenPipeError, KeyboardInterrupt):
        pass
    finally:
        terminals.close()


class Terminals:
    """What a crowd's process holds; a method for each that can be asked of it."""

    def __init__(self, seat: Seat) -> None:
        """Hold nothing yet."""
        self._seat = seat
        self._lines: list[Line] = []

    def close(self) -> None:
        """End all."""
        for line in self._lines:
            line.close()

    def grow(self, count: int) -> None:
        """Open terminals until there are so many."""
        while len(self._lines) < count:
            self._lines.append(self._seat.open(len(self._lines)))

    def begin_echo(self) -> None:
        """Let the first terminal echo.

        Raises:
            ValueError: it does something else.
        """
        self._signed(b"echo\n")

    def end_echo(self) -> None:
        """Let it take commands again.

        Raises:
            ValueError: it does something else.
        """
        self._signed(END)

    def echo(self, token: bytes) -> tuple[float, list[str]]:
        """Return the seconds from the first byte typed to the last byte seen, and what was wrong."""
        line = self._lines[0]
        line.arm()
        time.sleep(_REST_S)
        begin = time.perf_counter()
        line.send(token)
        seen = self._seen(len(token))
        took = time.perf_counter() - begin
        line.settle()
        return took, [] if seen == token else [f"{token!r} came back as {seen!r}"]

    def _signed(self, data: bytes) -> None:
        self._type(data)
        seen = self._seen(len(SIGN))
        if seen != SIGN:
            raise ValueError(f"{data!r} is answered with {seen!r}")

    def _type(self, data: bytes) -> None:
        self._lines[0].send(data)
        self._lines[0].settle()

    def _seen(self, length: int) -> bytes:
        found = b""
        while len(found) < length and (data := self._lines[0].receive()):
            found += data
        return found

    def tick(self, records: int) -> tuple[list[float], list[str]]:
        """Let all print records; return the delays in milliseconds, and what was wrong."""
        tracks = [Track(records) for _ in self._lines]
        readers = [
            threading.Thread(target=_follow, args=(line, track))
            for line, track in zip(self._lines, tracks, strict=True)
        ]
        for reader in readers:
            reader.start()
        for seed, line in enumerate(self._lines):
            line.send(b"tick %d %d\n" % (records, seed))
            line.settle()
        for reader in readers:
            reader.join()
        return [delay for track in tracks for delay in track.delays_ms], [
            fault for track in tracks for fault in track.faults
        ]

    def flood(self, command: bytes, size: int) -> tuple[float, float, list[str]]:
        """Return CPU seconds of this process while it read, the time it took, and what was wrong."""
        line = self._lines[0]
        self._type(b"%s %d\n" % (command, size))
        pieces = [line.receive()]
        count, cpu, begin = len(pieces[0]), time.process_time(), time.perf_counter()
        while count < size and (data := line.receive()):
            pieces.append(data)
            count += len(data)
        took, cpu = time.perf_counter() - begin, time.process_time() - cpu
        check = Check(pattern(0, size))
        check.take(0, b"".join(pieces))
        lost = [f"{size - count} of {size} bytes never came"] if count < size else []
        return cpu, took, check.faults + lost


def _follow(line: Line, track: Track) -> None:
    try:
        while not track.complete and (data := line.receive()):
            track.take(data, time.monotonic_ns())
    except Dropped as error:
        track.faults.append(str(error))
    track.close()
