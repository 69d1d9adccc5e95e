"""The highest rate that the main reading endpoints sustain, beside that of a Flask view that does nothing.

All take turns at each step of the rate, until their p99 passes the bound; what lies between is then looked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from benchmarks import server
from benchmarks.client import USER
from benchmarks.figures import Figure, Outcome, Picture, Scale, percentile, summary
from benchmarks.load import Connections, Load
from benchmarks.progress import say
from benchmarks.service import Service

BARE = "empty Flask view"
#: A rate is sustained as long as 99 of 100 answers come within so many milliseconds.
BOUND_MS = 50.0
_FIRST, _LAST = 200.0, 6000.0
#: Between the last rate that was sustained and the first that was not, so many are tried.
_HALVINGS = 2
_WARM_UP_S = 0.5
#: Two failures are one too many: the first may be the machine's.
_FAILURES = 2


@dataclass(frozen=True)
class Plan:
    """How a scale looks for the rate: the factor between two steps, how long each is, where it ends."""

    factor: float
    seconds: float
    last: float = _LAST


_PLANS = {"trial": Plan(2, 0.5, 400), "short": Plan(1.5, 1.2), "full": Plan(1.25, 5)}


@dataclass
class Climb:
    """What one endpoint showed."""

    connections: Connections
    #: Rate → p99, of every step at which it did not fall behind; the better one of two tries.
    steps: dict[float, float] = field(default_factory=dict)
    sustained: float = 0.0
    #: The lowest that was not sustained.
    failed: float | None = None
    faults: list[str] = field(default_factory=list)
    busy_percent: float = 0.0

    def step(self, rate: float, seconds: float) -> None:
        """Try a rate; once more if it fails."""
        for _ in range(_FAILURES):
            load = self.connections.run(rate, seconds)
            self.busy_percent = max(self.busy_percent, load.busy_percent)
            if load.failed:
                self.faults.append(f"{load.failed} requests failed at {rate:.0f} a second")
            if self._passes(rate, load):
                self.sustained = rate
                return
        self.failed = rate

    def _passes(self, rate: float, load: Load) -> bool:
        if load.behind or not load.latencies_ms:
            return False
        p99 = percentile(load.latencies_ms, 0.99)
        self.steps[rate] = min(p99, self.steps.get(rate, p99))
        return p99 <= BOUND_MS and not load.failed


def measure(service: Service, plain: server.Plain, session: str, scale: Scale) -> Outcome:
    """Raise the rate of all in turns."""
    plan = _PLANS[scale.name]
    with _climbs(service, plain, session) as climbs:
        for climb in climbs.values():
            climb.connections.run(_FIRST / 2, _WARM_UP_S)
        climb_all(climbs, plan)
        return _outcome(climbs)


def climb_all(climbs: Mapping[str, Climb], plan: Plan) -> None:
    """Raise the rate step by step until all have failed, then look between the last two of each."""
    rate = _FIRST
    while rate <= plan.last and _standing(climbs):
        for climb in climbs.values():
            if climb.failed is None:
                climb.step(rate, plan.seconds)
        say(f"api: {rate:.0f} requests a second, {_standing(climbs)} of {len(climbs)} sustain it")
        rate *= plan.factor
    for _ in range(_HALVINGS):
        for climb in climbs.values():
            if climb.failed is not None:
                climb.step((climb.sustained + climb.failed) / 2, plan.seconds)


def _standing(climbs: Mapping[str, Climb]) -> int:
    return sum(climb.failed is None for climb in climbs.values())


@contextmanager
def _climbs(service: Service, plain: server.Plain, session: str) -> Iterator[dict[str, Climb]]:
    ours = {"Authorization": f"Bearer {service.address.token}", "X-User-ID": USER}
    here = f"/api/session/{session}"
    paths = {
        "health": "/health",
        "status": f"{here}/status",
        "output, nothing new": f"{here}/output?cursor={1 << 40}",
        "screen, unchanged": f"{here}/screen",
        "list of sessions": "/api/sessions",
    }
    found = {BARE: Climb(Connections(plain.address, "/bare", {}))}
    try:
        for name, path in paths.items():
            found[name] = Climb(Connections(service.address, path, ours))
        yield found
    finally:
        for climb in found.values():
            climb.connections.close()


def _outcome(climbs: dict[str, Climb]) -> Outcome:
    bare = climbs[BARE].sustained
    figures, faults = [], []
    for name, climb in climbs.items():
        faults += [f"{name}: {fault}" for fault in climb.faults]
        if not climb.sustained:
            faults.append(f"{name}: not even {_FIRST:.0f} requests a second are sustained")
        elif name != BARE and bare:
            share = 100 * climb.sustained / bare
            plain, mine = summary([bare]), summary([climb.sustained])
            what = "highest rate with p99 ≤ 50 ms, share of the bare one"
            figures.append(Figure(f"api, {name}, rate", "/s", plain, mine, what, share, "%", beside=BARE))
    title, x = "An endpoint under requests that arrive at random", "requests a second"
    curves = {name: sorted(climb.steps.items()) for name, climb in climbs.items() if climb.steps}
    picture = Picture("api-rate", title, x, "p99, ms (not drawn where it fell behind)", curves, log_x=True)
    busiest = max(climb.busy_percent for climb in climbs.values())
    return Outcome("api", figures, faults, {"busiest caller": f"{busiest:.0f} % of a core"}, [picture])
