"""New output of many sessions in one waiting call, for the bridge that carries all of a MID's terminals."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sidecar.clock import Clock
from sidecar.model.output import Reading
from sidecar.model.session import Activity, SessionState
from sidecar.sessions.live import Live
from sidecar.sessions.output import Output
from sidecar.terminal.bell import Bell, listening

#: An answer comes so long after its first byte, so that what belongs together comes together.
_FIRST_S = 0.1
#: While output goes on answers become rarer, up to this: each is a row in a queue.
_SLOWEST_S = 1.0
#: Pumps remembered; the longest silent one is forgotten first.
_MOST = 1000


@dataclass
class _Pump:
    """One caller's series of calls: its latest call, how fast it is answered, and the states it was told."""

    call: int = 0
    delay_s: float = _FIRST_S
    answered_at: float = float("-inf")
    bell: Bell = field(default_factory=Bell)
    told: dict[UUID, SessionState | None] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """A session the caller watches, None if it does not exist, and the offset it has got to."""

    session_id: UUID
    live: Live | None
    cursor: int

    @property
    def state(self) -> SessionState | None:
        """Return the state of the moment."""
        return self.live.state if self.live else None


@dataclass(frozen=True)
class Share:
    """What one session has for the caller."""

    reading: Reading
    activity: Activity


class Pumps:
    """Answer `outputs` calls. A newer call of the same pump ends the older one at once."""

    def __init__(self, output: Output, clock: Clock) -> None:
        """Read through `output`."""
        self._output = output
        self._clock = clock
        self._pumps: OrderedDict[str, _Pump] = OrderedDict()
        self._lock = threading.Lock()

    def collect(
        self, name: str, wanted: Sequence[Wanted], limit: int, wait_s: float
    ) -> dict[UUID, Share | None]:
        """Return what the sessions printed since their cursors, or that their state is not the one told last.

        Sessions without news are left out; None stands for one that does not exist.
        """
        pump, call = self._begin(name, {item.session_id for item in wanted})
        deadline = self._clock.monotonic() + wait_s
        bells = [pump.bell, *(item.live.console.bell for item in wanted if item.live)]
        with listening(bells) as event:
            while not _news(pump, wanted) and self._goes_on(pump, call):
                left = deadline - self._clock.monotonic()
                if left <= 0:
                    return {}
                event.wait(left)
                event.clear()
            self._gather(pump, call, event)
        return self._shares(pump, call, _news(pump, wanted), limit)

    def wake(self) -> None:
        """Make every waiting call look up: the service is ending."""
        with self._lock:
            pumps = list(self._pumps.values())
        for pump in pumps:
            pump.bell.ring()

    def _begin(self, name: str, watched: set[UUID]) -> tuple[_Pump, int]:
        with self._lock:
            pump = self._pumps.setdefault(name, _Pump())
            self._pumps.move_to_end(name)
            if len(self._pumps) > _MOST:
                self._pumps.popitem(last=False)
            pump.call += 1
            pump.told = {key: state for key, state in pump.told.items() if key in watched}
            if self._clock.monotonic() - pump.answered_at > 2 * _SLOWEST_S:
                pump.delay_s = _FIRST_S
        pump.bell.ring()
        return pump, pump.call

    def _goes_on(self, pump: _Pump, call: int) -> bool:
        return pump.call == call and not self._output.closing()

    def _gather(self, pump: _Pump, call: int, event: threading.Event) -> None:
        """Let more output arrive before the answer; a newer call still ends it at once."""
        deadline = self._clock.monotonic() + pump.delay_s
        while self._goes_on(pump, call) and (left := deadline - self._clock.monotonic()) > 0:
            event.clear()
            event.wait(left)
        if pump.call == call:
            pump.delay_s = min(_SLOWEST_S, pump.delay_s * 2)
            pump.answered_at = self._clock.monotonic()

    def _shares(self, pump: _Pump, call: int, news: Sequence[Wanted], limit: int) -> dict[UUID, Share | None]:
        with self._lock:
            if pump.call != call:  # nobody reads this answer any more: what it says must be said again
                return {}
            pump.told.update({item.session_id: item.state for item in news})
        return {item.session_id: self._share(item.live, item.cursor, limit) for item in news}

    def _share(self, live: Live | None, cursor: int, limit: int) -> Share | None:
        if live is None:
            return None
        return Share(self._output.read(live, cursor, limit), live.activity())


def _news(pump: _Pump, wanted: Sequence[Wanted]) -> list[Wanted]:
    """Return the sessions with output behind the caller's cursor, or another state than it was told."""
    return [
        item for item in wanted if _printed(item) or pump.told.get(item.session_id, "unknown") != item.state
    ]


def _printed(item: Wanted) -> bool:
    return item.live is not None and item.live.console.visible_end > item.cursor
