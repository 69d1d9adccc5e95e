"""Calls that are sent again: each is executed at most once, and every repeat gets the first answer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from uuid import UUID, uuid4

from sidecar.access.ledger import Call, Ledger
from sidecar.errors import (
    CliUnavailable,
    Draining,
    InvalidRequest,
    IsolationUnavailable,
    KeyReused,
    LimitReached,
    OutcomeUnknown,
    ShuttingDown,
    SidecarError,
    StorageUnavailable,
    TooLarge,
    Unavailable,
)
from sidecar.model.answer import Answer

#: Time a repeat waits for the first call.
_PATIENCE_S = 60.0

#: Refusals of which nothing was done.
_REFUSALS = (InvalidRequest, TooLarge, LimitReached, Draining, ShuttingDown)
#: Nothing was put in, but what the call makes may have been made.
_BROKEN_HOST = (CliUnavailable, IsolationUnavailable)


@dataclass(frozen=True)
class Reserved:
    """The id for what a call makes; `again` when a run with the same id was cut short, so it may exist."""

    id: UUID = field(default_factory=uuid4)
    again: bool = False


@dataclass(frozen=True)
class Outcome:
    """The answer to an executed call, and the error it tells of."""

    answer: Answer
    error: Exception | None = None


@dataclass(frozen=True)
class Given:
    """The answer a call gets; `replayed` when it is a repeat."""

    answer: Answer
    replayed: bool


Run = Callable[[Reserved], Outcome]
Waiting = Callable[[], AbstractContextManager[None]]


@dataclass
class _Flight:
    """A call that is being executed, and how it ended."""

    digest: bytes
    landed: bool = False
    answer: Answer | None = None
    error: SidecarError = field(default_factory=OutcomeUnknown)


class Repeats:
    """Executes calls once. One that is begun but neither finished nor in flight here was cut short."""

    def __init__(self, ledger: Ledger, patience_s: float = _PATIENCE_S) -> None:
        """Begin with nothing in flight."""
        self._ledger = ledger
        self._patience_s = patience_s
        self._flights: dict[tuple[str, str], _Flight] = {}
        self._changed = threading.Condition()
        self._closing = False

    def once(self, call: Call, run: Run, waiting: Waiting) -> Given:
        """Return the first answer to `call`, executing it by `run` if that has not been done.

        A repeat of a call in flight waits for it, inside `waiting`.

        Raises:
            KeyReused: the key was used for something else.
            OutcomeUnknown: the first run was cut short.
            LimitReached: the user has too many keys.
            StorageUnavailable: nothing was executed.
            Unavailable: the first run takes too long.
        """
        flight, mine = self._board(call)
        if not mine:
            with waiting():
                return Given(self._landed(flight), replayed=True)
        try:
            given = self._fly(call, run)
            flight.answer = given.answer
            return given
        except SidecarError as error:
            flight.error = error
            raise
        finally:
            self._land(call, flight)

    def stop_waiting(self) -> None:
        """Make waiting repeats return: the service is ending."""
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def _board(self, call: Call) -> tuple[_Flight, bool]:
        flight = _Flight(call.digest)
        with self._changed:
            found = self._flights.setdefault((call.user_id, call.key), flight)
        if found.digest != call.digest:
            raise KeyReused
        return found, found is flight

    def _landed(self, flight: _Flight) -> Answer:
        """Wait for the answer of another thread's call."""
        with self._changed:
            self._changed.wait_for(lambda: flight.landed or self._closing, self._patience_s)
        if flight.answer is not None:
            return flight.answer
        if flight.landed:
            raise flight.error
        raise ShuttingDown if self._closing else Unavailable("The first request is still being executed.")

    def _land(self, call: Call, flight: _Flight) -> None:
        with self._changed:
            del self._flights[call.user_id, call.key]
            flight.landed = True
            self._changed.notify_all()

    def _fly(self, call: Call, run: Run) -> Given:
        known = self._ledger.begin(call)
        if known is None:
            reserved = Reserved(call.makes) if call.makes else Reserved()
            return Given(self._execute(call, run, reserved), replayed=False)
        if known.digest != call.digest:
            raise KeyReused
        if known.answer is not None:
            return Given(known.answer, replayed=True)
        if known.makes is None:
            raise OutcomeUnknown
        return Given(self._execute(call, run, Reserved(known.makes, again=True)), replayed=True)

    def _execute(self, call: Call, run: Run, reserved: Reserved) -> Answer:
        outcome = run(reserved)
        if _final(call, outcome.error):
            self._ledger.finish(call, outcome.answer)
        elif _undone(call, outcome.error) and not reserved.again:
            self._ledger.forget(call)
        return outcome.answer


def _undone(call: Call, error: Exception | None) -> bool:
    """Tell whether nothing was done: the key is free again."""
    return isinstance(error, _REFUSALS) or (call.makes is None and isinstance(error, _BROKEN_HOST))


def _final(call: Call, error: Exception | None) -> bool:
    """Tell whether this is the answer for good. One that perhaps made something runs again, with the same id."""
    if call.makes is not None and isinstance(error, StorageUnavailable):
        return False
    return not isinstance(error, _REFUSALS + _BROKEN_HOST)
