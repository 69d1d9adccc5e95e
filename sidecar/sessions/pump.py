"""New output of many sessions in one waiting call, for the bridge that carries all of a MID's terminals."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sidecar.clock import Clock
from sidecar.model.output import Reading
from sidecar.model.session import Activity
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
    """One caller's series of calls: its latest call, and how fast it is answered."""

    call: int = 0
    delay_s: float = _FIRST_S
    answered_at: float = float("-inf")
    bell: Bell = field(default_factory=Bell)


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

    def collect(self, name: str, wanted: Mapping[Live, int], limit: int, wait_s: float) -> dict[Live, Share]:
        """Return what the sessions printed since their cursors, or how they changed; sessions with news only."""
        pump, call = self._begin(name)
        before = {live: live.state for live in wanted}
        deadline = self._clock.monotonic() + wait_s
        bells = [pump.bell, *(live.console.bell for live in wanted)]
        with listening(bells) as event:
            while not self._news(wanted, before) and self._goes_on(pump, call):
                left = deadline - self._clock.monotonic()
                if left <= 0:
                    return {}
                event.wait(left)
                event.clear()
            self._gather(pump, call, event)
        return self._shares(list(wanted), wanted, limit, before)

    def _begin(self, name: str) -> tuple[_Pump, int]:
        with self._lock:
            pump = self._pumps.setdefault(name, _Pump())
            self._pumps.move_to_end(name)
            if len(self._pumps) > _MOST:
                self._pumps.popitem(last=False)
            pump.call += 1
            if self._clock.monotonic() - pump.answered_at > 2 * _SLOWEST_S:
                pump.delay_s = _FIRST_S
        pump.bell.ring()
        return pump, pump.call

    def _news(self, wanted: Mapping[Live, int], before: Mapping[Live, object]) -> bool:
        return any(
            live.console.visible_end > at or live.state is not before[live] for live, at in wanted.items()
        )

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

    def _shares(
        self, lives: Sequence[Live], wanted: Mapping[Live, int], limit: int, before: Mapping[Live, object]
    ) -> dict[Live, Share]:
        found: dict[Live, Share] = {}
        for live in lives:
            if live.console.visible_end > wanted[live] or live.state is not before[live]:
                found[live] = Share(self._output.read(live, wanted[live], limit), live.activity())
        return found
