"""Events on their way into the database: a file, so that the end of the process does not lose them."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from sidecar.errors import ConfigurationError
from sidecar.model.event import Event

#: Bytes the spool may hold; some 200,000 events.
MOST_BYTES = 64 << 20
#: Events read at once.
_BATCH = 500


class SpoolRefused(Exception):  # caught in this folder
    """The spool did not take an event: it is full, closed, or the disk does not write."""


@dataclass
class Batch:
    """Some events of the spool, and with the last ones of a file how many of its lines were none."""

    events: list[Event] = field(default_factory=list)
    damaged: int = 0


class Spool:
    """Two files: events are appended to `spool`; it becomes `spool.moving`, and goes once everything in it is stored.

    A crash in between leaves it, and the next start gives it again: who stores must know the events it has.
    """

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        """Keep the files in `folder`; nothing is opened yet."""
        self._path = folder / "spool"
        self._moving = folder / "spool.moving"
        self._most = most_bytes
        self._lock = threading.Lock()
        self._descriptor = -1
        self._size = self._moving_size = 0
        #: Whether the file ends in the middle of a line, which a crash or a full disk cut off.
        self._torn = False

    @property
    def size(self) -> int:
        """Return the bytes that wait."""
        return self._size + self._moving_size

    def open(self) -> None:
        """Begin to take events, behind those an earlier process has left.

        Raises:
            ConfigurationError: the files cannot be made.
        """
        try:
            with self._lock:
                self._open()
        except OSError as exc:
            raise ConfigurationError(f"the audit trail cannot write {self._path}: {exc.strerror}") from exc

    def _open(self) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._descriptor = _opened(self._path)
        self._measure()
        self._moving_size = self._moving.stat().st_size if self._moving.exists() else 0

    def close(self) -> None:
        """Take no more events. What waits stays for the next process."""
        with self._lock:
            if self._descriptor >= 0:
                os.close(self._descriptor)
                self._descriptor = -1

    def append(self, event: Event) -> None:
        """Keep `event`, with one write: when this returns, the end of the process cannot lose it.

        Raises:
            SpoolRefused: it is not kept.
        """
        line = json.dumps(event.document(), separators=(",", ":")).encode() + b"\n"
        with self._lock:
            if self.size + len(line) > self._most:
                raise SpoolRefused(f"{self._most >> 20} MiB are waiting, which is the limit")
            try:
                self._write(b"\n" + line if self._torn else line)
            except OSError as exc:
                raise SpoolRefused(exc.strerror) from exc

    def _write(self, line: bytes) -> None:
        written = os.write(self._descriptor, line)
        self._torn = written < len(line)
        if self._torn:  # the disk is full
            os.ftruncate(self._descriptor, self._size)
            self._measure()
            raise OSError(0, "the disk is full")
        self._size += written

    def _measure(self) -> None:
        self._size = os.fstat(self._descriptor).st_size
        self._torn = self._size > 0 and os.pread(self._descriptor, 1, self._size - 1) != b"\n"

    def batches(self) -> Iterator[Batch]:
        """Give what waits, oldest first. Store each before asking for the next: then it may be gone.

        Raises:
            OSError: the files do not do what they should.
        """
        while self._set_aside():
            yield from self._moved()
            self._moving.unlink()
            self._moving_size = 0

    def _moved(self) -> Iterator[Batch]:
        """Give what was set aside. What is damaged comes last: a file is given again until all of it is stored."""
        damaged = 0
        with self._moving.open("rb") as file:
            while lines := list(islice(file, _BATCH)):
                batch = _batch(lines)
                damaged += batch.damaged
                yield Batch(batch.events)
        yield Batch(damaged=damaged)

    def _set_aside(self) -> bool:
        """Make sure that there is a file to be moved, and tell whether there is one."""
        if self._moving.exists():
            return True
        with self._lock:
            if self._size == 0:
                return False
            self._path.rename(self._moving)
            self._begin_anew()
            return True

    def _begin_anew(self) -> None:
        try:
            fresh = _opened(self._path)
        except OSError:
            self._moving.rename(self._path)
            raise
        os.dup2(fresh, self._descriptor, inheritable=False)  # its number stays, for whoever counts them
        os.close(fresh)
        self._moving_size, self._size, self._torn = self._size, 0, False


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)


def _batch(lines: Iterable[bytes]) -> Batch:
    batch = Batch()
    for line in lines:
        try:
            batch.events.append(Event.parse(json.loads(line)))
        except (ValueError, RecursionError):
            batch.damaged += bool(line.strip())
    return batch
