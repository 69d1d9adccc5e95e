"""A company in small: an instance, a MID Server or a poller beside a sidecar, and the people who use them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from emulator.installation import BRIDGE_ROLE, MID_ROLE, USER_ROLE, install, use_bridge, use_mids
from emulator.midserver import Account, MidServer, Sidecar
from emulator.platform import Platform
from emulator.poller import Poller
from emulator.servicenow import Instance

#: Everything listens on loopback, and each name is its own password, as `admin` is.
MID_USER = "mid.user"
POLLER_USER = "poller.user"
USER = "demo.user"


@dataclass(frozen=True)
class Site:
    """An instance, what carries rows between it and a sidecar, and who may sign in."""

    platform: Platform
    #: The name of the MID Server or the poller.
    carrier: str
    #: Which of the two it is: `mid` or `poller`.
    bridge: str = "mid"

    @property
    def admin(self) -> Instance:
        """Return the administrator."""
        return self.platform.admin

    def install(self, build_dir: Path) -> str:
        """Install the app, tell it what carries its rows, and let `USER` use it; return that user's sys_id."""
        install(self.admin, build_dir)
        use_mids(self.admin, self.carrier)
        use_bridge(self.admin, self.bridge)
        return ensure_user(self.admin, USER, [USER_ROLE])

    @property
    def user(self) -> Instance:
        """Return a client for `USER`."""
        return self.admin.signed_in(USER, USER)


@contextmanager
def instance(data: Path, port: int = 0, name: str = "") -> Iterator[Platform]:
    """Run an instance; end it in order afterwards."""
    platform = Platform(data, port, name)
    platform.start()
    try:
        yield platform
    finally:
        platform.stop()


@contextmanager
def mid_server(home: Path, name: str, admin: Instance, sidecar: Sidecar | None = None) -> Iterator[MidServer]:
    """Run a MID Server at an instance; end it in order afterwards."""
    ensure_user(admin, MID_USER, [MID_ROLE])
    mid = MidServer(home, name, Account(admin.url, MID_USER, MID_USER))
    mid.prepare(sidecar)
    mid.start()
    try:
        yield mid
    finally:
        mid.stop()


@contextmanager
def poller(home: Path, name: str, admin: Instance, sidecar: Sidecar) -> Iterator[Poller]:
    """Run a poller at an instance that has the app; end it in order afterwards."""
    ensure_user(admin, POLLER_USER, [BRIDGE_ROLE])
    made = Poller(home, name, Account(admin.url, POLLER_USER, POLLER_USER), sidecar)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def ensure_user(admin: Instance, user_name: str, roles: list[str]) -> str:
    """Return the sys_id of a user; made, with the name as password, if it is not there."""
    rows = admin.table("sys_user").rows(f"user_name={user_name}", fields="sys_id")
    return rows[0]["sys_id"] if rows else admin.create_user(user_name, user_name, roles)
