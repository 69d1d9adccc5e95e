"""How much memory open sessions take, awake and asleep, and how long it takes to start and to wake one.

With the real CLI, beside the bare CLI on PTYs; and with the scripted program, where only the service counts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pexpect

from benchmarks import memory, start
from benchmarks.cli import Cli, NotMeasured
from benchmarks.client import Client
from benchmarks.figures import Figure, Outcome, Picture, Scale, joined, summary
from benchmarks.processes import family, family_memory, settled
from benchmarks.progress import bar
from benchmarks.service import Service, is_root, scratch, serving
from emulator.anthropic import Server, Settings
from sidecar.sessions.program import locate

#: How the sessions are kept.
BARE, AWAKE, ASLEEP = "bare CLI", "awake", "asleep"
_HIBERNATE = "1s"
_PATIENCE_S = 60.0
_LOOK_S = 0.1

Points = list[tuple[float, float]]


def measure(scale: Scale) -> Outcome:
    """Count the memory of sessions of the real CLI, then of the service alone; then time starts and wakes."""
    return joined("density", [_sessions(scale), memory.measure(scale), start.measure(scale)])


def _counts(scale: Scale) -> tuple[int, ...]:
    if scale.trial:
        return (1, 2)
    return (1, 4, 8, 16) if scale.full else (1, 4, 8)


@dataclass
class Readings:
    """PSS in megabytes by number of sessions; for each number one kind after the other, each alone on the machine."""

    found: dict[str, Points] = field(default_factory=lambda: {BARE: [], AWAKE: [], ASLEEP: []})

    def note(self, kind: str, count: int, pids: Sequence[int]) -> None:
        """Read the memory of a kind's processes, and of all they have started, once it is at rest."""
        self.found[kind].append((count, settled(lambda: family_memory(pids)).pss))


def _sessions(scale: Scale) -> Outcome:
    executable = locate(None)
    if executable is None:
        return Outcome("density", [], ["Claude Code is not installed: run make setup"])
    if not is_root():
        return Outcome("density", [], ["the memory of sessions is hidden: run as root"])
    readings = Readings()
    with Server(Settings()) as api, ExitStack() as stack:
        settings = {"CLAUDE_PATH": str(executable), "ANTHROPIC_BASE_URL": api.url, "ISOLATION": "bubblewrap"}
        awake = stack.enter_context(serving(**settings))
        asleep = stack.enter_context(serving(SESSION_IDLE_HIBERNATE=_HIBERNATE, **settings))
        counts = _counts(scale)
        step = stack.enter_context(bar("sessions of the CLI", 3 * len(counts)))
        for count in counts:
            with _bare(executable, api.url, count) as children:
                readings.note(BARE, count, children)
            step()
            with _open(awake, count):
                readings.note(AWAKE, count, awake.pids)
            step()
            with _open(asleep, count) as sessions:
                _await_sleep(asleep, sessions)
                readings.note(ASLEEP, count, asleep.pids)
            step()
    return _outcome(readings)


@contextmanager
def _bare(executable: Path, base_url: str, count: int) -> Iterator[Sequence[int]]:
    """Run so many bare CLIs, each in a home of its own; give their process ids."""
    with ExitStack() as stack:
        children: list[pexpect.spawn[Any]] = []
        for _ in range(count):
            cli = Cli(executable, stack.enter_context(scratch()), base_url)
            cli.prepare()
            children.append(stack.enter_context(cli.running(uuid4())))
        for child in children:
            child.expect([pexpect.TIMEOUT], timeout=_LOOK_S)  # reads what they print after their prompt
        yield [child.pid for child in children if child.pid is not None]


@contextmanager
def _open(service: Service, count: int) -> Iterator[Sequence[str]]:
    """Open so many sessions; end them afterwards."""
    with service.client() as client:
        sessions = [client.create() for _ in range(count)]
        yield sessions
        for session in sessions:
            client.end(session)
        _await(lambda: len(family(service.pids)) == len(service.pids), "the sessions do not end")


def _await_sleep(service: Service, sessions: Sequence[str]) -> None:
    with service.client() as client:
        _await(
            lambda: all(_sleeps(client, session) for session in sessions), "the sessions do not go to sleep"
        )
        _await(lambda: len(family(service.pids)) == len(service.pids), "the sleeping sessions have processes")


def _sleeps(client: Client, session: str) -> bool:
    return bool(client.call("GET", f"/api/session/{session}/status")["state"] == "hibernated")


def _await(condition: Callable[[], bool], fault: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while not condition():
        if time.monotonic() > deadline:
            raise NotMeasured(fault)
        time.sleep(_LOOK_S)


def _outcome(readings: Readings) -> Outcome:
    figures = []
    for place, (count, bare) in enumerate(readings.found[BARE]):
        awake, asleep = readings.found[AWAKE][place][1], readings.found[ASLEEP][place][1]
        name = f"{count:g} sessions of the CLI" if count > 1 else "1 session of the CLI"
        plain = summary([bare])
        figures += [
            Figure(f"{name}, awake", "MB", plain, summary([awake]), "× bare", awake / bare, "", beside=BARE),
            Figure(
                f"{name}, asleep", "MB", summary([awake]), summary([asleep]), "freed per session",
                (awake - asleep) / count, "MB", beside=AWAKE,
            ),
        ]  # fmt: skip
    title, x = "Memory of sessions of the real CLI", "open sessions"
    picture = Picture("density-memory", title, x, "PSS of service and CLIs together, MB", readings.found)
    return Outcome("density", figures, [], {}, [picture])
