"""The one thread that reads every PTY."""

from __future__ import annotations

import logging
import os
import selectors
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol

from sidecar.terminal.process import Exit, Process

log = logging.getLogger(__name__)

#: Bytes taken from one child per turn; the kernel gives about 4 KiB of a PTY at once.
_READ_SIZE = 65536
#: A read that brought so many bytes has probably left more behind.
_MUCH = 2048
#: Reads left to a child that has ended: what it printed last is still in the kernel's buffer.
_LAST_READS = 64


class Sink(Protocol):
    """Where one process's output goes. Called on the reader thread: must never wait."""

    def output(self, data: bytes) -> bool:
        """Take `data`; return False to pause reading until `Reader.resume`."""

    def ended(self, end: Exit) -> None:
        """Note that the process has ended and everything it printed was delivered."""


class _Watch:
    """A process and where its output goes."""

    def __init__(self, process: Process, sink: Sink) -> None:
        self.process = process
        self.sink = sink
        self.reading = False


class Reader:
    """Select over all PTYs, hand bytes on, notice ends. Never blocks on a client or the database.

    A child that floods gets one bounded turn per round, as every other, so it cannot starve its neighbours.
    """

    def __init__(self) -> None:
        """Prepare; `start` begins reading."""
        self._selector = selectors.DefaultSelector()
        self._orders: deque[Callable[[], None]] = deque()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._selector.register(self._wake, selectors.EVENT_READ, None)
        self._watches: dict[int, _Watch] = {}
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="pty-reader", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; processes are left as they are."""
        self._order(self._stop)
        self._thread.join()
        self._selector.close()
        os.close(self._wake)

    def add(self, process: Process, sink: Sink) -> None:
        """Begin to read `process` into `sink`, until it ends."""
        self._order(lambda: self._add(process, sink))

    def resume(self, process: Process) -> None:
        """Go on after a sink asked for a pause."""
        self._order(lambda: self._resume(process))

    def _order(self, call: Callable[[], None]) -> None:
        """Run `call` on the reader thread: selectors are not thread-safe."""
        self._orders.append(call)
        os.eventfd_write(self._wake, 1)

    def _stop(self) -> None:
        self._stopping = True

    def _add(self, process: Process, sink: Sink) -> None:
        watch = _Watch(process, sink)
        self._watches[process.pid] = watch
        self._selector.register(process.pidfd, selectors.EVENT_READ, watch)
        self._listen(watch)

    def _listen(self, watch: _Watch) -> None:
        if not watch.reading:
            self._selector.register(watch.process.fd, selectors.EVENT_READ, watch)
            watch.reading = True

    def _pause(self, watch: _Watch) -> None:
        if watch.reading:
            self._selector.unregister(watch.process.fd)
            watch.reading = False

    def _resume(self, process: Process) -> None:
        watch = self._watches.get(process.pid)
        if watch is not None and watch.process is process:
            self._listen(watch)

    def _run(self) -> None:
        while not self._stopping:
            for key, _ in self._selector.select():
                self._handle(key)

    def _handle(self, key: selectors.SelectorKey) -> None:
        watch: _Watch | None = key.data
        if watch is None:
            self._obey()
        elif self._watches.get(watch.process.pid) is watch:
            try:
                self._serve(watch, key.fd)
            except Exception:  # one session's fault must not stop the reading of all others
                log.exception("reading a terminal failed")
                with suppress(Exception):  # told above; what matters now is that it is not looked at again
                    self._finish(watch)

    def _obey(self) -> None:
        os.eventfd_read(self._wake)
        while self._orders:
            try:
                self._orders.popleft()()
            except Exception:  # see `_handle`
                log.exception("an order to the reader failed")

    def _serve(self, watch: _Watch, fd: int) -> None:
        if fd == watch.process.pidfd:
            self._drain(watch)
            self._finish(watch)
            return
        data = _taken(watch.process)
        if data == b"":
            self._pause(watch)  # closed before the end; the pidfd tells when it comes
        elif data and not watch.sink.output(data):
            self._pause(watch)

    def _drain(self, watch: _Watch) -> None:
        for _ in range(_LAST_READS):
            data = watch.process.read(_READ_SIZE)
            if not data:
                return
            watch.sink.output(data)

    def _finish(self, watch: _Watch) -> None:
        if self._watches.pop(watch.process.pid, None) is None:
            return
        self._pause(watch)
        self._selector.unregister(watch.process.pidfd)
        end = watch.process.poll()
        watch.sink.ended(end or Exit(1, None))


def _taken(process: Process) -> bytes | None:
    """Return what there is, None for nothing, `b""` at the end; in several reads while much comes.

    Each delivery wakes clients and writer, which then compete with this thread for the interpreter's lock.
    """
    data = process.read(_READ_SIZE)
    if data is None or len(data) < _MUCH:
        return data
    parts = [data]
    left = _READ_SIZE - len(data)
    while left > 0 and (more := process.read(left)):
        parts.append(more)
        left -= len(more)
    return b"".join(parts)
