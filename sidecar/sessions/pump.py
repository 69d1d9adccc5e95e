"""New output of many sessions in one waiting call, for the bridge that carries all of a MID's terminals."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from uuid import UUID

from sidecar.clock import Clock
from sidecar.model.output import Reading
from sidecar.model.session import Activity, SessionState
from sidecar.sessions.carriage import Carriage
from sidecar.sessions.live import Live
from sidecar.sessions.output import Output
from sidecar.sessions.submit import FRAME_S
from sidecar.terminal.bell import Bell, listening

#: An answer comes at most so long after its first byte, so that what belongs together comes together.
_FIRST_S = 0.1
#: Pause between two looks whether that has come.
_LOOK_S = 0.01
#: While output goes on answers become rarer, up to this: each is a row in a queue.
_SLOWEST_S = 1.0
#: Pumps remembered; the longest silent one is forgotten first.
_MOST = 1000
#: What a session with news gets at least of a shared answer, so that each makes headway.
_LEAST_BYTES = 256


@dataclass
class _Pump:
    """One caller's series of calls: its latest, how fast it is answered, what it was told and gets otherwise."""

    call: int = 0
    delay_s: float = _FIRST_S
    answered_at: float = float("-inf")
    bell: Bell = field(default_factory=Bell)
    told: dict[UUID, SessionState | None] = field(default_factory=dict)
    carriage: Carriage = field(default_factory=Carriage)


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

    @property
    def end(self) -> int:
        """Return where its output ends at the moment."""
        return self.live.console.visible_end if self.live else 0


@dataclass(frozen=True)
class Load:
    """What a command's answer carries: where its reader wants it to begin, and whom to tell what it was."""

    begin: int
    carried: Callable[[int, int], None]


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

        Sessions without news are left out; None stands for one that does not exist. `limit` is in bytes, shared
        by the sessions with news. When the time is up, also what a command's answer has carried is told: that
        answer may have been lost.
        """
        pump, call = self._begin(name, {item.session_id: item.cursor for item in wanted})
        deadline = self._clock.monotonic() + wait_s
        bells = [pump.bell, *(item.live.console.bell for item in wanted if item.live)]
        with listening(bells) as event:
            while self._goes_on(pump, call):
                if self._news(pump, wanted):
                    self._gather(pump, call, event, wanted, limit)
                    if news := self._news(pump, wanted):  # else a command's answer has carried it meanwhile
                        return self._shares(pump, call, news, limit)
                left = deadline - self._clock.monotonic()
                if left <= 0:
                    return self._shares(pump, call, [item for item in wanted if _printed(item)], limit)
                event.wait(min(left, pump.carriage.held_s(self._clock.monotonic())))
                event.clear()
        return self._shares(pump, call, self._news(pump, wanted), limit)

    @contextmanager
    def carrying(self, name: str | None, live: Live, *, quick: bool = False) -> Iterator[Load]:
        """While a command's answer is awaited that the reader of the pump `name` gets too, do not say it twice.

        A `quick` answer comes with the first bytes, so that they need not be told before it.
        """
        end, now = live.console.visible_end, self._clock.monotonic()
        if name is None:
            yield Load(end, lambda *_: None)
            return
        with self._lock:
            pump = self._known(name)
            pump.delay_s = _FIRST_S
        begin = pump.carriage.since(live.session.id, end) if quick else end
        ticket = pump.carriage.begin(live.session.id, begin, now, quick=quick)
        try:
            yield Load(begin, partial(pump.carriage.carried, live.session.id))
        finally:
            pump.carriage.end(ticket)
            pump.bell.ring()

    def wake(self) -> None:
        """Make every waiting call look up: the service is ending."""
        with self._lock:
            pumps = list(self._pumps.values())
        for pump in pumps:
            pump.bell.ring()

    def _begin(self, name: str, cursors: Mapping[UUID, int]) -> tuple[_Pump, int]:
        with self._lock:
            pump = self._known(name)
            pump.call += 1
            pump.told = {key: state for key, state in pump.told.items() if key in cursors}
            pump.carriage.keep(cursors)
        pump.bell.ring()
        return pump, pump.call

    def _known(self, name: str) -> _Pump:
        """Return the pump of this name, with the lock held."""
        pump = self._pumps.setdefault(name, _Pump())
        self._pumps.move_to_end(name)
        if len(self._pumps) > _MOST:
            self._pumps.popitem(last=False)
        return pump

    def _goes_on(self, pump: _Pump, call: int) -> bool:
        return pump.call == call and not self._output.closing()

    def _gather(
        self, pump: _Pump, call: int, event: threading.Event, wanted: Sequence[Wanted], limit: int
    ) -> None:
        """Let more output arrive before the answer, unless it is full; a newer call still ends it at once."""
        began = self._clock.monotonic()
        if began - pump.answered_at > 2 * _SLOWEST_S:
            pump.delay_s = _FIRST_S
        earliest = pump.answered_at + pump.delay_s
        latest = max(began + _FIRST_S, earliest)
        while self._goes_on(pump, call) and not _full(wanted, limit):
            now = self._clock.monotonic()
            if now >= latest or (now >= earliest and all(map(_rests, wanted))):
                return
            event.clear()
            event.wait(min(latest - now, _LOOK_S) if now >= earliest else earliest - now)

    def _shares(self, pump: _Pump, call: int, news: Sequence[Wanted], limit: int) -> dict[UUID, Share | None]:
        with self._lock:
            if pump.call != call:  # nobody reads this answer any more: what it says must be said again
                return {}
            pump.told.update({item.session_id: item.state for item in news})
            pump.delay_s = min(_SLOWEST_S, pump.delay_s * 2)
            pump.answered_at = self._clock.monotonic()
        each = max(_LEAST_BYTES, limit // max(1, len(news)))
        return {item.session_id: self._share(item.live, item.cursor, each) for item in news}

    def _news(self, pump: _Pump, wanted: Sequence[Wanted]) -> list[Wanted]:
        """Return the sessions with output behind the caller's cursor, or another state than it was told."""
        now = self._clock.monotonic()
        return [
            item
            for item in wanted
            if pump.told.get(item.session_id, "unknown") != item.state
            or (_printed(item) and not pump.carriage.has(item.session_id, item.cursor, item.end, now))
        ]

    def _share(self, live: Live | None, cursor: int, limit: int) -> Share | None:
        if live is None:
            return None
        return Share(self._output.read(live, cursor, limit), live.activity())


def _printed(item: Wanted) -> bool:
    return item.end > item.cursor


def _rests(item: Wanted) -> bool:
    """Tell whether what it has printed is a whole frame."""
    return not _printed(item) or item.live is None or item.live.console.quiet() >= FRAME_S


def _full(wanted: Sequence[Wanted], limit: int) -> bool:
    """Tell whether the answer is as long as it may be, so that waiting would only delay what comes after."""
    return sum(max(0, item.end - item.cursor) for item in wanted) >= limit
