"""A program on a pseudo-terminal; the only importer of pexpect."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pexpect

from sidecar.clock import Clock
from sidecar.errors import InputStalled, StartFailed
from sidecar.model.session import Size

#: Bytes per write: a PTY takes about 4 KiB at once, so larger slices only return short.
_WRITE_SLICE = 4096


@dataclass(frozen=True)
class Program:
    """What to run: absolute command, complete environment, folder, and the terminal's first size."""

    argv: Sequence[str]
    environment: Mapping[str, str] = field(repr=False)
    folder: Path
    size: Size


@dataclass(frozen=True)
class Exit:
    """How a process ended: `code` as a shell shows it (128 + n for signal n), and `signal` or None."""

    code: int
    signal: int | None


class Process:
    """One child on its own PTY. Does not read: the `Reader` owns the master's input side."""

    def __init__(self, child: pexpect.spawn[Any], clock: Clock) -> None:
        """Take over a spawned child; its master descriptor becomes non-blocking."""
        self._child = child
        self._clock = clock
        self._terminal: Any = child.ptyproc  # type: ignore[attr-defined]  # missing in the stubs
        self.pid: int = self._terminal.pid
        self.fd: int = child.child_fd
        os.set_blocking(self.fd, False)
        #: Becomes readable when the child ends, so that no thread has to wait for it.
        self.pidfd = os.pidfd_open(self.pid)
        self._exit: Exit | None = None
        #: Two threads that reap at once would each get half of the answer, and one an error.
        self._reaping = threading.Lock()

    def write(self, data: bytes, timeout_s: float = 5.0) -> None:
        """Write all of `data`, waiting while the program does not read.

        Raises:
            InputStalled: some of it was still unread after `timeout_s`, or the terminal is gone. It tells how much
                was put in: that cannot be taken back.
        """
        deadline = self._clock.monotonic() + timeout_s
        view = memoryview(data)
        while view:
            try:
                written = self._write_some(view[:_WRITE_SLICE])
            except OSError as error:
                raise InputStalled("The terminal is closed.", written=len(data) - len(view)) from error
            view = view[written:]
            if view and not written and not self._writable(deadline - self._clock.monotonic()):
                raise InputStalled(written=len(data) - len(view))

    def _write_some(self, view: memoryview) -> int:
        try:
            return os.write(self.fd, view)
        except BlockingIOError:
            return 0

    def _writable(self, timeout_s: float) -> bool:
        poller = select.poll()
        poller.register(self.fd, select.POLLOUT)
        return bool(poller.poll(max(0.0, timeout_s) * 1000))

    def read(self, limit: int) -> bytes | None:
        """Return what is there, at most `limit` bytes; None when nothing is, `b""` at the end."""
        try:
            return os.read(self.fd, limit)
        except BlockingIOError:
            return None
        except OSError:  # EIO: every holder of the other side has closed it
            return b""

    def resize(self, size: Size) -> None:
        """Set the terminal's size; the kernel tells the program (SIGWINCH)."""
        if not self._child.closed:
            self._child.setwinsize(size.rows, size.columns)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the child itself, if it still lives."""
        if self.poll() is None:
            signal.pidfd_send_signal(self.pidfd, number)

    def poll(self) -> Exit | None:
        """Reap the child if it has ended; return how, or None while it lives."""
        with self._reaping:
            if self._exit is None and not self._child.isalive():
                number = self._child.signalstatus
                code = self._child.exitstatus if number is None else 128 + number
                self._exit = Exit(code if code is not None else 1, number)
            return self._exit

    def wait(self, timeout_s: float) -> Exit | None:
        """Wait for the end; None if the child still lives after `timeout_s`."""
        if self._exit is None:
            poller = select.poll()
            poller.register(self.pidfd, select.POLLIN)
            poller.poll(max(0.0, timeout_s) * 1000)
        return self.poll()

    def close(self) -> None:
        """Close the descriptors. The child must have ended, and the reader let go of it."""
        if self.pidfd >= 0:
            os.close(self.pidfd)
            self.pidfd = -1
            self._terminal.fileobj.close()  # not `close()`: it sleeps, and the child is known to be gone
            self.fd = -1  # its number may soon mean another terminal
            self._terminal.closed = self._child.closed = True
            self._terminal.fd = self._child.child_fd = -1


class Launcher:
    """Starts every process from one thread that lives as long as the service.

    The kernel ties a parent-death signal to the *thread* that forked: started from a request thread, a child
    would be killed when that thread ends.
    """

    def __init__(self, clock: Clock) -> None:
        """Start the thread at the first launch."""
        self._clock = clock
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="launcher")

    def launch(self, program: Program) -> Process:
        """Run `program` on a new PTY.

        Raises:
            StartFailed: the command could not be executed.
        """
        return self._pool.submit(self._spawn, program).result()

    def _spawn(self, program: Program) -> Process:
        try:
            child = pexpect.spawn(
                program.argv[0],
                list(program.argv[1:]),
                env=dict(program.environment),
                cwd=str(program.folder),
                dimensions=(program.size.rows, program.size.columns),
            )
        except (pexpect.ExceptionPexpect, OSError) as error:
            raise StartFailed(f"{Path(program.argv[0]).name} could not be started.") from error
        return Process(child, self._clock)

    def close(self) -> None:
        """End the thread. Children with a parent-death signal die with it."""
        self._pool.shutdown(wait=True)
