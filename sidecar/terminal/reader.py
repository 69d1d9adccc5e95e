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

from sidecar.clock import Clock, SystemClock
from sidecar.terminal.process import Exit, Process

log = logging.getLogger(__name__)

#: Bytes taken from one child per turn; the kernel gives about 4 KiB of a PTY at once.
_READ_SIZE = 65536
#: A read that brought so many bytes has probably left more behind.
_MUCH = 2048
#: Reads left to a child that has ended: what it printed last is still in the kernel's buffer.
_LAST_READS = 64
#: What a sink holds back comes out when nothing has followed for so long: programs write their lines at once.
_PAUSE_S = 0.05


class Sink(Protocol):
    """Where one process's output goes. Called on the reader thread: must never wait."""

    def output(self, data: bytes) -> bool:
        """Take `data`; return False to pause reading until `Reader.resume`."""

    @property
    def holding(self) -> bool:
        """Tell whether `paused` should be called if nothing more comes for a moment."""

    def paused(self) -> None:
        """Note that nothing more has come."""

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

    def __init__(self, clock: Clock | None = None) -> None:
        """Prepare; `start` begins reading."""
        self._clock = clock or SystemClock()
        self._selector = selectors.DefaultSelector()
        self._orders: deque[Callable[[], None]] = deque()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._selector.register(self._wake, selectors.EVENT_READ, None)
        self._watches: dict[int, _Watch] = {}
        #: Whose sinks hold something back, and when they are told that nothing has followed.
        self._holding: dict[_Watch, float] = {}
        self._stopping = False
        #: Bytes read from all terminals.
        self.printed = 0
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
            for key, _ in self._selector.select(self._patience()):
                self._handle(key)
            self._tell_pauses()

    def _patience(self) -> float | None:
        """Return how long nothing may happen before somebody has to be told."""
        if not self._holding:
            return None
        return max(0.0, min(self._holding.values()) - self._clock.monotonic())

    def _tell_pauses(self) -> None:
        now = self._clock.monotonic() if self._holding else 0.0
        for watch in [watch for watch, at in self._holding.items() if at <= now]:
            del self._holding[watch]
            self._guarded(watch, watch.sink.paused)

    def _handle(self, key: selectors.SelectorKey) -> None:
        watch: _Watch | None = key.data
        if watch is None:
            self._obey()
        elif self._watches.get(watch.process.pid) is watch:
            self._guarded(watch, lambda: self._serve(watch, key.fd))

    def _guarded(self, watch: _Watch, call: Callable[[], None]) -> None:
        """Make one session's fault not stop the reading of all others."""
        try:
            call()
        except Exception:
            log.exception("reading a terminal failed")
            with suppress(Exception):  # told above; what matters now is that it is not looked at again
                self._finish(watch)

    def _obey(self) -> None:
        os.eventfd_read(self._wake)
        while self._orders:
            try:
                self._orders.popleft()()
            except Exception:  # see `_guarded`
                log.exception("an order to the reader failed")

    def _serve(self, watch: _Watch, fd: int) -> None:
        if fd == watch.process.pidfd:
            self._drain(watch)
            self._finish(watch)
            return
        data = _taken(watch.process)
        if data == b"":
            self._pause(watch)  # closed before the end; the pidfd tells when it comes
        elif data and not self._deliver(watch, data):
            self._pause(watch)
        self._note_holding(watch)

    def _note_holding(self, watch: _Watch) -> None:
        if watch.sink.holding:
            self._holding[watch] = self._clock.monotonic() + _PAUSE_S
        else:
            self._holding.pop(watch, None)

    def _drain(self, watch: _Watch) -> None:
        for _ in range(_LAST_READS):
            data = watch.process.read(_READ_SIZE)
            if not data:
                return
            self._deliver(watch, data)

    def _deliver(self, watch: _Watch, data: bytes) -> bool:
        self.printed += len(data)
        return watch.sink.output(data)

    def _finish(self, watch: _Watch) -> None:
        if self._watches.pop(watch.process.pid, None) is None:
            return
        self._holding.pop(watch, None)
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
