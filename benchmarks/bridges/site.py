"""Everything that is compared, running side by side: one sidecar, one instance, its MID Servers and pollers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from benchmarks.bridges.load import together
from benchmarks.bridges.sight import Sight, looking
from benchmarks.bridges.terminal import Birth, Local, Maker, Terminal
from benchmarks.bridges.way import AMB, DIRECT, ROUND_TRIP_MS, Way
from benchmarks.emulated import MID, PASSWORD, Emulated, Person, emulated, until
from benchmarks.service import Service, scratch, serving
from emulator import installation
from emulator.anthropic import Server, Settings
from emulator.midserver import Account, MidServer, Sidecar, keep_token
from emulator.poller import Poller
from sidecar.sessions.program import locate

PROGRAM = Path(__file__).resolve().parent / "program.py"
#: Runs the real CLI in workspaces with such a name, and the scripted program in all others.
_LAUNCHER = """\
#!/bin/sh
case "$PWD" in
*/real-*/workspace) exec {real} "$@" ;;
*) exec {scripted} "$@" ;;
esac
"""
_ACCOUNTS = {
    "mid": ("mid.others", installation.MID_ROLE),
    "poller": ("poller.bench", installation.BRIDGE_ROLE),
}
_KNOWN_S = 90.0
#: Creates are asked for at this distance: a user who opens several tabs.
_APART_S = 0.25


class Missing(Exception):
    """Something the measurement needs is not installed."""


@dataclass
class Site:
    """What runs, and who uses it."""

    service: Service
    platform: Emulated
    sight: Sight
    folder: Path
    bridges: dict[str, MidServer | Poller] = field(default_factory=dict)
    persons: dict[str, Person] = field(default_factory=dict)
    terminals: dict[str, list[Terminal]] = field(default_factory=dict)
    _chosen: str = "mid"

    def open(self, way: Way, count: int) -> list[float]:
        """Open more sessions by a way until there are `count`, the first of the real CLI; return what each took in ms."""
        there = self.terminals.setdefault(way.name, [])
        wanted = range(len(there), count)
        if way is DIRECT:
            return [self._open_local(there, number) for number in wanted]
        self.choose(way)
        maker = Maker(self.platform, self.sight, self.persons[way.name], way)
        births: list[Birth] = []
        for number in wanted:
            births.append(maker.begin(real=number == 0))
            time.sleep(_APART_S)
        took = [maker.finish(birth) * 1000 for birth in births]
        there.extend(birth.remote for birth in births)
        return took

    def choose(self, way: Way) -> None:
        """Let new sessions take this way."""
        if way.bridge and way.bridge != self._chosen:
            installation.use_bridge(self.platform.platform.admin, way.bridge)
            self._chosen = way.bridge

    def far(self, round_trip_ms: int) -> None:
        """Put the instance at such a distance."""
        self.platform.platform.admin.faults(latencyMs=round_trip_ms)

    def close(self, *ways: Way) -> None:
        """End all sessions of these ways."""
        for way in ways:
            together([terminal.close for terminal in self.terminals.pop(way.name, [])])

    def bridge(self, way: Way, url: str = "") -> MidServer | Poller:
        """Return a way's MID Server or poller, not started, with the instance at `url` or where it is."""
        user, _ = _ACCOUNTS[way.bridge]
        account = Account(url or self.platform.platform.url, user, PASSWORD)
        home = self.folder / way.agent
        home.mkdir(exist_ok=True)
        address = f"http://127.0.0.1:{self.service.address.port}"
        sidecar = Sidecar(address, keep_token(home, self.service.address.token))
        if way.bridge == "poller":
            return Poller(home, way.mid, account, sidecar, **way.settings)
        mid = MidServer(home, way.mid, account)
        mid.prepare(sidecar, **way.settings)
        return mid

    def start(self, way: Way, url: str = "") -> None:
        """Start a way's MID Server or poller, in place of the one that runs."""
        self.stop(way)
        self.bridges[way.name] = self.bridge(way, url)
        self.bridges[way.name].start()

    def stop(self, way: Way) -> None:
        """End a way's MID Server or poller in order."""
        if way.name in self.bridges:
            self.bridges.pop(way.name).stop()

    def pid(self, way: Way) -> int:
        """Return the process id of a way's MID Server or poller."""
        return self.bridges[way.name].program.pid

    def await_known(self, way: Way) -> None:
        """Wait until the instance holds the sidecar for healthy by this way."""
        query = "SELECT count(*) FROM x_claude_terminal_mid_status WHERE mid_name = ? AND bridge = ? AND state = 'up'"
        self.choose(way)
        until(
            lambda: bool(self._checked(query, way)),
            f"{way.name}: the sidecar is known to be up",
            _KNOWN_S,
        )

    def _checked(self, query: str, way: Way) -> int:
        if not self.platform.value(query, way.mid, way.bridge):
            installation.check_health(self.platform.platform.admin)
            time.sleep(1)
        return int(self.platform.value(query, way.mid, way.bridge))

    def _open_local(self, there: list[Terminal], number: int) -> float:
        began = time.perf_counter()
        there.append(Local(self.service.address, f"bench-direct-{number}", real=number == 0))
        return (time.perf_counter() - began) * 1000


@contextmanager
def site(ways: Sequence[Way]) -> Iterator[Site]:
    """Run everything; every way has a user, and its MID Server or poller runs.

    Raises:
        Missing: Claude Code is not installed.
    """
    executable = locate(None)
    if executable is None:
        raise Missing("Claude Code is not installed: run make setup")
    with ExitStack() as stack:
        api = stack.enter_context(Server(Settings()))
        folder = stack.enter_context(scratch())
        settings = {
            "CLAUDE_PATH": str(_launcher(folder, executable)),
            "ANTHROPIC_BASE_URL": api.url,
            "MAX_SESSIONS": "200",
        }
        service = stack.enter_context(serving(**settings))
        platform = stack.enter_context(emulated(service, latency_ms=ROUND_TRIP_MS))
        sight = stack.enter_context(looking(platform.platform.data / "instance.db"))
        found = Site(service, platform, sight, folder)
        stack.callback(_end, found)
        _prepare(found, ways)
        yield found


def _launcher(folder: Path, real: Path) -> Path:
    path = folder / "claude"
    path.write_text(_LAUNCHER.format(real=real, scripted=PROGRAM))
    path.chmod(0o755)
    return path


def _prepare(found: Site, ways: Sequence[Way]) -> None:
    admin = found.platform.platform.admin
    remote = [way for way in ways if way.bridge]
    names = list(dict.fromkeys(way.mid for way in remote))
    for user, role in _ACCOUNTS.values():
        admin.create_user(user, PASSWORD, [role])
    installation.use_mids(admin, *names)
    # With push at first, or storing the keys would take minutes.
    swift = [replace(way, name=f"{way.name}, at first", settings={}) for way in remote if way.bridge == "mid"]
    for way in swift:
        if way.mid != MID:
            found.start(way)
            found.await_known(way)
    for way in remote:
        found.persons[way.name] = found.platform.person(f"bench.{way.agent}", way.mid)
    for way in swift:
        found.stop(way)
    found.bridges[AMB.name] = found.platform.mid
    for way in remote:
        if way is not AMB:
            found.start(way)
            found.await_known(way)


def _end(found: Site) -> None:
    for terminal in found.terminals.get(DIRECT.name, []):  # the others end with the service
        with suppress(Exception):  # what has failed is told already; everything has to end
            terminal.close()
    for bridge in found.bridges.values():
        bridge.stop()
