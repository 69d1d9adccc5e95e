"""Ending a session's program with all it started."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from sidecar.clock import Clock
from sidecar.isolation import processes
from sidecar.sessions.live import Live
from sidecar.terminal.bell import listening

#: Time the program gets to end by itself: it stops its tools and restores the terminal (measured: 1.5 s).
GENTLE_S = 2.0
#: Time the kernel gets to end what is left.
_HARD_S = 5.0


class Ender:
    """Ask, then kill: the CLI first, then every process that carries the session's mark."""

    def __init__(self, clock: Clock) -> None:
        """Wait by `clock`."""
        self._clock = clock

    def end(self, lives: Sequence[Live]) -> None:
        """End the programs of `lives`, all at once, and return when they are gone."""
        running = [live for live in lives if _runs(live)]
        for live in running:
            _ask(live)
        deadline = self._clock.monotonic() + GENTLE_S
        for live in running:
            self._await_exit(live, deadline)
        for live in running:
            self._kill(live)

    def sweep(self, live: Live) -> None:
        """Kill what a program that ended by itself has left behind."""
        processes.kill_tagged(live.session.id, self._clock.monotonic() + _HARD_S, self._clock)

    def _kill(self, live: Live) -> None:
        process = live.console.process
        if process is not None and live.console.exit is None:
            process.signal(signal.SIGKILL)
        self.sweep(live)
        self._await_exit(live, self._clock.monotonic() + _HARD_S)
        if process is not None and live.console.exit is not None:
            live.console.detach()

    def _await_exit(self, live: Live, deadline: float) -> None:
        with listening([live.console.bell]) as event:
            while live.console.exit is None and (left := deadline - self._clock.monotonic()) > 0:
                event.wait(left)
                event.clear()


def _runs(live: Live) -> bool:
    return live.console.process is not None


def _ask(live: Live) -> None:
    process = live.console.process
    if process is not None and live.console.exit is None:
        processes.signal_program(process.pid, signal.SIGTERM)
