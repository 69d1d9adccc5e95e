"""A session's processes, read from /proc.

Programs started in the background leave their parent's group and session, and survive it. What stays with them is
the environment they were started with: the spawner puts the session variable in it. A child that wipes its own
environment gets away from this; in a sandbox the end of the process namespace ends that one too.
"""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from uuid import UUID

from sidecar.clock import Clock
from sidecar.model.session import SESSION_VARIABLE

_PREFIX = f"{SESSION_VARIABLE}=".encode()
#: Name of the processes bubblewrap keeps above the program: its monitor outside and the first process inside.
_SANDBOX = b"bwrap"


def descendants(pid: int) -> list[int]:
    """Return the children of `pid`, theirs, and so on, parents first; not `pid` itself."""
    children: dict[int, list[int]] = {}
    for child in _pids():
        children.setdefault(_parent(child), []).append(child)
    found = list(children.get(pid, ()))
    for each in found:  # grows while it is walked
        found += children.get(each, ())
    return found


def tagged(session_id: UUID) -> list[int]:
    """Return our account's processes that were started for the session, except this one."""
    return [pid for pid in _pids() if _tag(pid) == session_id]


def orphans() -> set[UUID]:
    """Return every session our account has processes of.

    Another service of the same account counts too: look up which ids are one's own before ending any.
    """
    return {tag for tag in map(_tag, _pids()) if tag is not None}


def kill_tagged(session_id: UUID, deadline: float, clock: Clock) -> int:
    """End the session's processes without asking, also those started meanwhile; return how many were killed.

    `deadline` is a time of `clock.monotonic`. What outlives it (waiting for a broken disk, say) is still in `tagged`.
    """
    killed = 0
    while (pids := tagged(session_id)) and clock.monotonic() < deadline:
        with ExitStack() as stack:
            held = _hold(pids, session_id, stack)
            killed += sum(map(_kill, held))
            _wait(held, deadline, clock)
    return killed


def signal_program(pid: int, number: signal.Signals) -> bool:
    """Send a signal to the confined program itself, `pid` being what was spawned; return whether it could be.

    Asked to end, a sandbox's own processes do so at once and take the program along unasked.
    """
    program = _program(pid)
    try:
        pidfd = os.pidfd_open(program)
    except ProcessLookupError:
        return False
    try:
        # The descriptor is of the right process only if the number still means it.
        if _program(pid) != program:
            return False
        signal.pidfd_send_signal(pidfd, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(pidfd)
    return True


def _program(pid: int) -> int:
    chain = (each for each in (pid, *descendants(pid)) if _read(each, "comm").strip() != _SANDBOX)
    return next(chain, pid)


def _hold(pids: list[int], session_id: UUID, stack: ExitStack) -> list[int]:
    # A number can come to mean another process at any time. A descriptor cannot: open it, then look again.
    held = []
    for pid in pids:
        with suppress(ProcessLookupError):
            held.append(os.pidfd_open(pid))
            stack.callback(os.close, held[-1])
            if _tag(pid) != session_id:
                held.pop()
    return held


def _kill(pidfd: int) -> bool:
    try:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _wait(pidfds: list[int], deadline: float, clock: Clock) -> None:
    poller = select.poll()
    waiting = set(pidfds)
    for pidfd in waiting:
        poller.register(pidfd, select.POLLIN)
    while waiting and (left := deadline - clock.monotonic()) > 0:
        for pidfd, _ in poller.poll(left * 1000):
            poller.unregister(pidfd)
            waiting.discard(pidfd)


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdecimal())  # noqa: PTH208  names only


def _tag(pid: int) -> UUID | None:
    if pid == os.getpid() or _owner(pid) != os.getuid():
        return None
    for variable in _read(pid, "environ").split(b"\0"):
        if variable.startswith(_PREFIX):
            with suppress(ValueError):
                return UUID(variable.removeprefix(_PREFIX).decode("ascii", "replace"))
    return None


def _owner(pid: int) -> int | None:
    # Not the owner of the /proc folder: that is root for a process which refuses dumps.
    for line in _read(pid, "status").splitlines():
        if line.startswith(b"Uid:"):
            return int(line.split()[1])
    return None


def _parent(pid: int) -> int:
    # The name in brackets may hold blanks and brackets; the fields after the last one are numbers.
    fields = _read(pid, "stat").rpartition(b")")[2].split()
    return int(fields[1]) if len(fields) > 1 else 0


def _read(pid: int, name: str) -> bytes:
    # Ended meanwhile, or not ours to read: nothing to say about it.
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""
