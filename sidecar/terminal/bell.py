"""Waking everybody who waits for something to happen."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


class Bell:
    """A set of waiting events; one waiter may listen to many bells."""

    def __init__(self) -> None:
        """Begin with nobody listening."""
        self._listeners: set[threading.Event] = set()
        self._lock = threading.Lock()

    @property
    def heard(self) -> bool:
        """Tell whether anybody listens."""
        return bool(self._listeners)

    def ring(self) -> None:
        """Wake every listener."""
        if self._listeners:  # cheap for the reader thread, which rings at every read
            with self._lock:
                for event in self._listeners:
                    event.set()

    def add(self, event: threading.Event) -> None:
        """Let `event` be set at each ring."""
        with self._lock:
            self._listeners.add(event)

    def discard(self, event: threading.Event) -> None:
        """Stop setting `event`."""
        with self._lock:
            self._listeners.discard(event)


@contextmanager
def listening(bells: Sequence[Bell]) -> Iterator[threading.Event]:
    """Give one event that any of the bells sets.

    Check the condition after entering: what rang before is not remembered.
    """
    event = threading.Event()
    for bell in bells:
        bell.add(event)
    try:
        yield event
    finally:
        for bell in bells:
            bell.discard(event)
