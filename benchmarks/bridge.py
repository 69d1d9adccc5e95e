"""A command through the ECC queue of the emulated instance until its first output is there, beside the same over HTTP.

The instance answers with a round trip of 50 ms, pushes over AMB, and runs the MID Server's part as a process of its
own. The real CLI answers, from the stand-in API. What the queue holds is counted afterwards.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from benchmarks import targets
from benchmarks.client import Client, waiting
from benchmarks.emulated import Emulated, Person, emulated, until
from benchmarks.figures import Figure, Outcome, Summary, Target, summary
from benchmarks.progress import say
from benchmarks.service import Service, serving
from emulator.anthropic import Server, Settings
from sidecar.claude.version import PINNED
from sidecar.sessions.program import locate

LATENCY_MS = 50
SAMPLES = 60
_WARM_UP = 3
#: Between two commands, so that each begins on a screen at rest and with the pump waiting.
_REST_S = 1.2
#: Before a direct command: the screen is at rest, there is no pump.
_SETTLED_S = 0.5
WATCHED = 20
_MINUTE_S = 30.0
#: How long a viewer counts after it was last heard of: the app's default.
_VIEWER_S = 60.0
#: Records of a printing terminal, two a second: enough for both minutes and what lies between.
_RECORDS = 600
#: Nobody watches and nobody types for so long.
_IDLE_S = 60.0
#: A heartbeat of a viewer is due more often than its time to live of a minute.
_HEARTBEAT_S = 20.0
#: A pump's last call ends within its longest wait.
_PUMP_ENDS_S = 30.0


@dataclass
class Asked:
    """What the commands of one way took, and the rows each cost."""

    first_ms: list[float] = field(default_factory=list)
    settled_s: list[float] = field(default_factory=list)
    rows: list[float] = field(default_factory=list)


class Queue:
    """Commands through the instance."""

    def __init__(self, platform: Emulated, person: Person) -> None:
        """Create a session and look at it."""
        self._platform, self._person = platform, person
        self.session = person.create()
        person.look(self.session)
        time.sleep(_REST_S)
        self.asked = Asked()

    def ask(self, text: str) -> None:
        """Send a command; note when its first output is readable, when its answer came, and the rows it cost."""
        rows, end = self._platform.rows(), self._platform.end(self.session)
        begin = time.perf_counter()
        self._person.call("POST", f"/sessions/{self.session}/commands", {"command": text})
        until(lambda: self._platform.end(self.session) > end, "the first output is on the instance")
        first = time.perf_counter() - begin
        until(lambda: self._platform.pending() == 0, "the command is answered")
        settled = time.perf_counter() - begin
        self._person.look(self.session)
        time.sleep(_REST_S)  # what the pump still has to say; then it waits
        self.asked.first_ms.append(first * 1000)
        self.asked.settled_s.append(settled)
        self.asked.rows.append(self._platform.rows() - rows)


class Direct:
    """The same commands over HTTP, without an instance: the floor."""

    def __init__(self, typist: Client, watcher: Client) -> None:
        """Create a session."""
        self._typist, self._watcher = typist, watcher
        self.session = typist.create()
        self.asked = Asked()

    def ask(self, text: str) -> None:
        """Send a command; note when its first output has come."""
        time.sleep(_SETTLED_S)
        status = self._typist.call("GET", f"/api/session/{self.session}/status")
        self._watcher.send("GET", waiting(self.session, int(status["outputOffset"])))
        time.sleep(0.02)
        begin = time.perf_counter()
        self._typist.send("POST", f"/api/session/{self.session}/command", {"command": text})
        self._watcher.receive()
        self.asked.first_ms.append((time.perf_counter() - begin) * 1000)
        self._typist.receive()


def measure() -> Outcome:
    """Ask by both ways in turns, then count the rows of watched and of idle terminals."""
    executable = locate(None)
    if executable is None:
        return Outcome("bridge", [], ["Claude Code is not installed: run make setup"])
    with (
        Server(Settings()) as api,
        _system(CLAUDE_PATH=str(executable), ANTHROPIC_BASE_URL=api.url) as system,
    ):
        queue, direct, started_s, idle = _conversations(*system)
    with _system() as (_, platform):
        quiet, printing = _watched(platform)
    pumps = [_pump("nothing", *quiet), _pump("2 KB/s each", *printing)]
    figures = [*_figures(queue, direct, started_s), _idle(idle), *pumps]
    conditions = {"instance": "emulated", "round trip": f"{LATENCY_MS} ms", "AMB": "on", "CLI": PINNED}
    return Outcome("bridge", figures, [], conditions)


@contextmanager
def _system(**settings: str) -> Iterator[tuple[Service, Emulated]]:
    with serving(**settings) as service, emulated(service, latency_ms=LATENCY_MS) as platform:
        yield service, platform


def _conversations(service: Service, platform: Emulated) -> tuple[Asked, Asked, float, int]:
    with ExitStack() as stack:
        queue = Queue(platform, platform.person("bench.queue"))
        direct = Direct(*(stack.enter_context(service.client("bench-direct")) for _ in range(2)))
        for number in range(_WARM_UP + SAMPLES):
            for way in (queue, direct):
                way.ask(f"Question {number}")
            if number % 10 == 0:
                say(f"bridge: {number} of {SAMPLES} commands by each way, {queue.asked.first_ms[-1]:.0f} ms")
    for asked in (queue.asked, direct.asked):
        for samples in (asked.first_ms, asked.settled_s, asked.rows):
            del samples[:_WARM_UP]
    return queue.asked, direct.asked, platform.started_s, _idle_rows(platform)


def _idle_rows(platform: Emulated) -> int:
    """Return the rows that come while nobody looks and nobody types."""
    viewers = (
        "SELECT count(*) FROM x_claude_terminal_session WHERE viewed_at > datetime('now', '-60 seconds')"
    )
    say("bridge: nobody looks any more")
    until(lambda: platform.value(viewers) == 0, "nobody looks", 90)
    time.sleep(_PUMP_ENDS_S)
    rows = platform.rows()
    time.sleep(_IDLE_S)
    return platform.rows() - rows


def _watched(platform: Emulated) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the pump's rows in a minute with one watched terminal and with many: silent ones, then printing ones."""
    people = [platform.person(f"bench.{number}") for number in range(WATCHED)]
    sessions = [(person, person.create()) for person in people]
    quiet = _minute(platform, sessions[:1]), _minute(platform, sessions)
    for number, (person, session) in enumerate(sessions):
        ticking = base64.b64encode(b"tick %d %d\n" % (_RECORDS, number)).decode()
        person.call("POST", f"/sessions/{session}/commands", {"command": ticking, "mode": "raw"})
    many = _minute(platform, sessions)
    return quiet, (_minute(platform, sessions[:1]), many)


def _minute(platform: Emulated, sessions: Sequence[tuple[Person, str]]) -> int:
    say(f"bridge: {_MINUTE_S:.0f} s with {len(sessions)} watched terminals")
    until(lambda: platform.watched() <= len(sessions), "nobody looks at the others", 2 * _VIEWER_S)
    for person, session in sessions:
        person.look(session)
    time.sleep(5)  # the pump of this set has begun
    rows, deadline = platform.rows("outputs"), time.monotonic() + _MINUTE_S
    while (left := deadline - time.monotonic()) > 0:
        time.sleep(min(left, _HEARTBEAT_S))
        for person, session in sessions:
            person.look(session)
    return platform.rows("outputs") - rows


def _figures(queue: Asked, direct: Asked, started_s: float) -> list[Figure]:
    floor, ours = summary(direct.first_ms), summary(queue.first_ms)

    def figure(share: str, value: float, target: Target) -> Figure:
        return Figure(f"command → first output, {share}", "ms", floor, ours, share, value, "ms", target)

    quick = [rows for rows, settled in zip(queue.rows, queue.settled_s, strict=True) if settled <= _QUICK_S]
    found = [
        figure("p50", ours.p50, targets.BRIDGE_P50),
        figure("p99", ours.p99, targets.BRIDGE_P99),
        _of("instance and MID up", "s", [started_s], "time", started_s, targets.EMULATOR_START_S),
    ]
    if quick:
        found.append(_of("rows of a short command", "rows", quick, "most", max(quick), targets.BRIDGE_ROWS))
    return found


#: A command answered within a second, and half a second for its way there and back.
_QUICK_S = 1.5


def _idle(rows: int) -> Figure:
    name = f"rows in {_IDLE_S:.0f} s with nobody there, health checks aside"
    return _of(name, "rows", [rows], "rows", rows, targets.BRIDGE_IDLE)


def _pump(printing: str, one: int, many: int) -> Figure:
    name = f"rows of the pump in {_MINUTE_S:.0f} s, 1 and {WATCHED} watched terminals that print {printing}"
    few, lots = (Summary(1, rows, rows, rows) for rows in (one, many))
    more = many - one
    return Figure(name, "rows", few, lots, "more", more, "rows", targets.BRIDGE_MORE_ROWS)


def _of(
    name: str, unit: str, samples: list[float] | list[int], what: str, value: float, target: Target
) -> Figure:
    return Figure(name, unit, None, summary(samples), what, value, unit, target)
