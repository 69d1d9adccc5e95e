"""The order of a session's inputs: one at a time, first come first served, numbered streams in their order."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sidecar.clock import Clock
from sidecar.errors import InputStalled, LimitReached, OutcomeUnknown, OutOfOrder
from sidecar.model.command import Command

#: Inputs that may wait for one session; one more is refused.
MOST_WAITING = 50
#: How long an early number waits for the ones before it.
GAP_S = 2.0
#: Pause between two looks of a number that must let a lower one give up first.
_LOOK_S = 0.1
#: Numbers behind a sender's newest that are remembered, so that one that skips, or fails, for ever costs little.
_REMEMBERED = 1000
#: Senders remembered per session; the longest silent one is forgotten first.
_MOST_STREAMS = 64


@dataclass
class _Stream:
    """One sender: what became of its numbers."""

    #: The highest number that went in.
    last: int = 0
    #: Numbers below it that were given up.
    missed: set[int] = field(default_factory=set)
    #: Numbers that wait for the ones before them.
    waiting: set[int] = field(default_factory=set)
    #: Numbers that are being executed.
    running: set[int] = field(default_factory=set)
    #: Numbers whose execution failed: they may come again.
    failed: set[int] = field(default_factory=set)
    #: Of these, the ones the program did not read whole, and how many bytes of each it has.
    stalled: dict[int, int] = field(default_factory=dict)

    def next_is(self, number: int) -> bool:
        """Tell whether nothing before `number` is outstanding."""
        return self.last >= number - 1 and not self.held(number)

    def held(self, number: int) -> list[int]:
        """Return the numbers before, of which the rest must be put in first: keys would change places."""
        return [other for other in self.stalled if other < number and other not in self.running]

    def take(self, number: int) -> bool:
        """Begin to execute `number`; False when it has been executed already.

        Raises:
            OutOfOrder: it was given up, or is so old that nobody knows.
        """
        if number in self.missed or number <= self.last - _REMEMBERED:
            raise OutOfOrder
        if number <= self.last and number not in self.failed:
            return False
        self.failed.discard(number)
        for other in self.held(number):
            self.give_up(other)
        self._move_on(number)
        self.running.add(number)
        return True

    def give_up(self, number: int) -> None:
        """Take `number` no more: what it was to come before has been put in, or nobody knows what was."""
        self.stalled.pop(number, None)
        self.failed.discard(number)
        self.missed.add(number)

    def left(self, number: int, error: BaseException | None) -> None:
        """Note how the execution of `number` ended."""
        self.running.discard(number)
        if isinstance(error, OutcomeUnknown):
            self.give_up(number)
        elif error is not None:
            self.failed.add(number)
        if isinstance(error, InputStalled):
            self.stalled[number] = self.stalled.get(number, 0) + error.written
        elif error is None:
            self.stalled.pop(number, None)

    def _move_on(self, number: int) -> None:
        before, self.last = self.last, max(self.last, number)
        oldest = self.last - _REMEMBERED + 1
        self.missed.update(range(max(before + 1, oldest), number))
        for numbers in (self.missed, self.failed):
            numbers.difference_update([known for known in numbers if known < oldest])
        self.stalled = {known: written for known, written in self.stalled.items() if known >= oldest}


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

        A number whose execution fails may come again. After one the program did not read whole, later ones of
        the stream wait for it; those that are in the queue already come back.

        Raises:
            LimitReached: too many are waiting.
            OutOfOrder: the number's place was given up before it came.
            InputStalled: the program has not read the number before.
        """
        with self._counted():
            ticket = self._ticket(command)
            if ticket is None:
                yield False
                return
            error: BaseException | None = None
            try:
                self._await_turn(ticket, command)
                yield True
            except BaseException as raised:
                error = raised
                raise
            finally:
                self._leave(ticket, command, error)

    def written(self, command: Command) -> int:
        """Return how many bytes of the command are in from an earlier time, when the program stopped reading."""
        with self._changed:
            stream = self._streams.get(command.stream or "")
            return stream.stalled.get(command.seq or 0, 0) if stream else 0

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

    def _ticket(self, command: Command) -> object | None:
        """Take a place in the queue, a numbered command in its order; None when it was executed already."""
        ticket = object()
        with self._changed:  # one lock for number and place, or the next number could get in between
            if command.stream is not None and command.seq is not None:
                stream = self._stream(command.stream)
                self._await_order(stream, command.seq)
                if not stream.take(command.seq):
                    return None
                self._changed.notify_all()
            self._queue.append(ticket)
        return ticket

    def _await_order(self, stream: _Stream, number: int) -> None:
        """Wait for the numbers before, or until the gap is given up; for a repeat, until the first one is through."""
        self._changed.wait_for(lambda: number not in stream.running)
        if stream.next_is(number) or number in stream.missed:
            return
        stream.waiting.add(number)
        deadline = self._clock.monotonic() + GAP_S
        try:
            while not stream.next_is(number):
                left = deadline - self._clock.monotonic()
                # Only the lowest one gives up: the numbers between it and a higher one are here, not missing.
                if left <= 0 and number == min(stream.waiting):
                    return
                self._changed.wait(left if left > 0 else _LOOK_S)
        finally:
            stream.waiting.discard(number)

    def _await_turn(self, ticket: object, command: Command) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._queue[0] is ticket)
            stream = self._streams.get(command.stream or "")
            if stream is not None and command.seq is not None and stream.held(command.seq):
                raise InputStalled("The program has not read what was sent before.")

    def _leave(self, ticket: object, command: Command, error: BaseException | None) -> None:
        with self._changed:
            self._queue.remove(ticket)
            stream = self._streams.get(command.stream or "")
            if stream is not None and command.seq is not None:
                stream.left(command.seq, error)
            self._changed.notify_all()

    def _stream(self, name: str) -> _Stream:
        stream = self._streams.setdefault(name, _Stream())
        self._streams.move_to_end(name)
        if len(self._streams) > _MOST_STREAMS:
            self._streams.popitem(last=False)
        return stream
