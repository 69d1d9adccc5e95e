"""The order of a session's inputs: one at a time, first come first served, numbered streams in their order."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sidecar.clock import Clock
from sidecar.errors import LimitReached, OutOfOrder
from sidecar.model.command import Command

#: Inputs that may wait for one session; one more is refused.
MOST_WAITING = 50
#: How long an early number waits for the ones before it.
GAP_S = 2.0
#: Senders remembered per session; the longest silent one is forgotten first.
_MOST_STREAMS = 64


@dataclass
class _Stream:
    """One sender: the last number that went in, and the numbers below it that never came."""

    last: int = 0
    missed: set[int] = field(default_factory=set)


class Turns:
    """A fair queue. Waiting in it holds no lock, so status and output answer meanwhile."""

    def __init__(self, clock: Clock) -> None:
        """Begin with nobody waiting."""
        self._clock = clock
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()
        self._streams: OrderedDict[str, _Stream] = OrderedDict()
        self._waiting = 0

    @contextmanager
    def turn(self, command: Command) -> Iterator[bool]:
        """Wait for the command's turn; give False when its number has been executed already.

        Raises:
            LimitReached: too many are waiting.
            OutOfOrder: the number's place was given up before it came.
        """
        with self._counted():
            if not self._in_order(command):
                yield False
                return
            ticket = self._ticket()
            try:
                self._await(lambda: self._queue[0] is ticket, None)
                yield True
            finally:
                with self._changed:
                    self._queue.remove(ticket)
                    self._changed.notify_all()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._changed:
            if self._waiting > MOST_WAITING:  # one is being executed, the others wait
                raise LimitReached(f"More than {MOST_WAITING} inputs are waiting for this session.")
            self._waiting += 1
        try:
            yield
        finally:
            with self._changed:
                self._waiting -= 1

    def _ticket(self) -> object:
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
        return ticket

    def _await(self, condition: Callable[[], bool], timeout_s: float | None) -> None:
        deadline = None if timeout_s is None else self._clock.monotonic() + timeout_s
        with self._changed:
            while not condition():
                left = None if deadline is None else deadline - self._clock.monotonic()
                if left is not None and left <= 0:
                    return
                self._changed.wait(left)

    def _in_order(self, command: Command) -> bool:
        """Wait until the number is next, or its gap is given up; False when it was executed already."""
        if command.stream is None or command.seq is None:
            return True
        stream, number = self._stream(command.stream), command.seq
        self._await(lambda: stream.last >= number - 1, GAP_S)
        with self._changed:
            if number in stream.missed:
                raise OutOfOrder
            if number <= stream.last:
                return False
            # A sender that skips a billion numbers must not cost a billion entries.
            stream.missed.update(range(max(stream.last + 1, number - 1000), number))
            stream.last = number
            self._changed.notify_all()
            return True

    def _stream(self, name: str) -> _Stream:
        with self._changed:
            stream = self._streams.setdefault(name, _Stream())
            self._streams.move_to_end(name)
            if len(self._streams) > _MOST_STREAMS:
                self._streams.popitem(last=False)
            return stream
