"""Memory of master and worker: idle, and what each session adds; beside a bare server and bare PTYs.

Measured as PSS: the worker is a fork of the master, and RSS would count the pages they share twice.
"""

from __future__ import annotations

import multiprocessing
import time
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from benchmarks import bare, server, targets
from benchmarks.client import Client
from benchmarks.figures import Figure, Outcome, Scale, Target, summary
from benchmarks.processes import Memory, memory, settled
from benchmarks.progress import say
from benchmarks.service import Service, is_root, serving

PRINTED = 64 << 10
#: More than a ring holds, so that every ring is full.
FULL = (1 << 20) + PRINTED


def bare_terminals(count: int, pipe: Any) -> None:
    """Hold programs on PTYs of pexpect with what they printed; tell when there, end when told."""
    with ExitStack() as stack:
        children = [stack.enter_context(bare.program()) for _ in range(count)]
        kept = []
        for child in children:
            child.send(b"print %d\n" % PRINTED)
            data = b""
            while len(data) < PRINTED:
                data += bare.read(child)
            kept.append(data)
        pipe.send(None)
        pipe.recv()


def _bare_step(count: int) -> Memory:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=bare_terminals, args=(count, theirs))
    process.start()
    ours.recv()
    assert process.pid is not None
    pids = (process.pid,)
    found = settled(lambda: memory(pids))
    ours.send(None)
    process.join()
    return found


def _fill(client: Client, sessions: list[str], size: int) -> None:
    """Let every session print, and wait until it is there."""
    ends = {session: client.type(session, b"print %d\n" % size) + size for session in sessions}
    for session, end in ends.items():
        while int(client.call("GET", f"/api/session/{session}/status")["outputOffset"]) < end:
            time.sleep(0.05)


def _more(after: Memory, before: Memory, count: int) -> float:
    """Return what a session adds, in megabytes: by PSS, or by its unshared part if that says more.

    Pages of the interpreter's file are shared with the scripted programs, so that more of them make PSS smaller.
    """
    return max(after.pss - before.pss, after.anonymous - before.anonymous) / count


def measure(scale: Scale) -> Outcome:
    """Measure bare and sidecar step by step."""
    if not is_root():
        return Outcome("density", [], ["the service's memory is hidden: run as root"])
    with server.serving() as plain:
        empty = settled(lambda: memory(plain.pids))
    say(f"memory: a bare server has {empty.pss:.1f} MB")
    with serving() as service, service.client() as client:
        client.call("GET", "/health")
        return _measure(service, client, empty, _steps(scale))


def _steps(scale: Scale) -> tuple[int, ...]:
    """Return the numbers of sessions, rising."""
    if scale.trial:
        return (2,)
    return (20, 50, 100) if scale.full else (20, 50)


def _measure(service: Service, client: Client, plain: Memory, steps: tuple[int, ...]) -> Outcome:
    idle = settled(lambda: memory(service.pids))
    say(f"memory: the idle sidecar has {idle.pss:.1f} MB")
    figures = [_figure("memory, idle", plain.pss, idle.pss, "PSS of master and worker", targets.MEMORY_IDLE)]
    sessions: list[str] = []
    nothing = _bare_step(0)
    for count in steps:
        fresh = [client.create() for _ in range(count - len(sessions))]
        sessions += fresh
        _fill(client, fresh, PRINTED)
        more = _more(settled(lambda: memory(service.pids)), idle, count)
        plain_more = _more(_bare_step(count), nothing, count)
        figures.append(_session_figure(f"{count} sessions, 64 KB each", plain_more, more))
    _fill(client, sessions, FULL)
    more = _more(settled(lambda: memory(service.pids)), idle, len(sessions))
    figures.append(replace(_session_figure(f"{len(sessions)} sessions, rings full", None, more), target=None))
    return Outcome("density", figures, [], {"isolation": "none"})


def _session_figure(name: str, plain: float | None, more: float) -> Figure:
    say(f"memory: {name}, {more:.2f} MB more per session")
    return _figure(f"memory, {name}", plain, more, "more per session", targets.MEMORY_SESSION)


def _figure(name: str, plain: float | None, ours: float, compared: str, target: Target) -> Figure:
    bares = None if plain is None else summary([plain])
    return Figure(name, "MB", bares, summary([ours]), compared, ours, "MB", target)
