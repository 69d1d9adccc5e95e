"""What the kernel counts for processes: CPU time and memory."""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")
#: How often the peak is looked for, in seconds: a look costs the process about a millisecond.
_LOOK_S = 0.1
#: Memory is at rest when nothing has changed for so long, in seconds; and when to stop waiting for that.
_STILL_S = 1.0
_PATIENCE_S = 30.0


@dataclass(frozen=True)
class Memory:
    """Proportional set size in megabytes (10⁶ bytes): the whole, and the part that is not backed by files."""

    pss: float
    anonymous: float


def cpu_s(pids: Sequence[int]) -> float:
    """Return the CPU seconds that processes have used so far, all their threads together."""
    return sum(_cpu_s(pid) for pid in pids)


def _cpu_s(pid: int) -> float:
    # The name, in parentheses, may hold blanks; user and system time are the 14th and 15th fields.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * _TICK_S


def memory(pids: Sequence[int]) -> Memory:
    """Return the memory of processes together.

    Raises:
        PermissionError: the service hides its memory from other processes of its account; only root may look.
    """
    texts = [Path(f"/proc/{pid}/smaps_rollup").read_text() for pid in pids]
    return Memory(sum(_field("Pss", text) for text in texts), sum(_field("Pss_Anon", text) for text in texts))


def settled(look: Callable[[], Memory]) -> Memory:
    """Return what `look` finds once it does not change any more, or after a while."""
    deadline = time.monotonic() + _PATIENCE_S
    before = look()
    while time.monotonic() < deadline:
        time.sleep(_STILL_S)
        now = look()
        if abs(now.anonymous - before.anonymous) < 0.05:
            return now
        before = now
    return before


def _field(name: str, text: str) -> float:
    found = re.search(rf"^{name}: +(\d+) kB$", text, re.MULTILINE)
    return int(found[1]) * 1024 / 1e6 if found else 0.0


def machine_busy() -> tuple[float, float]:
    """Return how long the machine's processors were busy and in total since its start, in ticks."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    return float(sum(fields) - fields[3] - fields[4]), float(sum(fields))


def family(pids: Sequence[int]) -> tuple[int, ...]:
    """Return processes and all that descend from them."""
    found = list(pids)
    for pid in found:  # grows meanwhile
        found += _children(pid)
    return tuple(dict.fromkeys(found))


def family_memory(pids: Sequence[int]) -> Memory:
    """Return the memory of processes and all that descend from them; some of these may end meanwhile."""
    found = []
    for pid in family(pids):
        with suppress(ProcessLookupError, FileNotFoundError):
            found.append(memory([pid]))
    return Memory(sum(one.pss for one in found), sum(one.anonymous for one in found))


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(ProcessLookupError, FileNotFoundError):
            found += [int(child) for child in path.read_text().split()]
    return found


@contextmanager
def peak(pids: Sequence[int]) -> Iterator[Callable[[], Memory | None]]:
    """Look at the memory every now and then; give a function for the largest so far, None if it is hidden."""
    found: list[Memory] = []
    ended = threading.Event()

    def look() -> None:
        while not ended.wait(_LOOK_S):
            found.append(memory(pids))
            found[:] = [max(found, key=lambda item: item.pss)]

    if os.geteuid() != 0:
        yield lambda: None
        return
    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield lambda: found[0] if found else None
    finally:
        ended.set()
        thread.join()
