"""A company in small: an instance, a MID Server beside a sidecar, and the people who use them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from emulator.installation import MID_ROLE, USER_ROLE, install, use_mids
from emulator.midserver import Account, MidServer, Sidecar
from emulator.platform import Platform
from emulator.servicenow import Instance

#: Everything listens on loopback, and each name is its own password, as `admin` is.
MID_USER = "mid.user"
USER = "demo.user"


@dataclass(frozen=True)
class Site:
    """What runs, and who may sign in."""

    platform: Platform
    mid: MidServer

    @property
    def admin(self) -> Instance:
        """Return the administrator."""
        return self.platform.admin

    def install(self, build_dir: Path) -> str:
        """Install the app, point it to the MID, and let `USER` use it; return that user's sys_id."""
        install(self.admin, build_dir)
        use_mids(self.admin, self.mid.name)
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


def ensure_user(admin: Instance, user_name: str, roles: list[str]) -> str:
    """Return the sys_id of a user; made, with the name as password, if it is not there."""
    rows = admin.table("sys_user").rows(f"user_name={user_name}", fields="sys_id")
    return rows[0]["sys_id"] if rows else admin.create_user(user_name, user_name, roles)
