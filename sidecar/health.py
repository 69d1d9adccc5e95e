"""How the service is: the report behind `/health`."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sidecar.errors import StorageUnavailable
from sidecar.storage.database import Database

#: Less free space than this in the data directory is reported.
_LEAST_FREE = 200 << 20


@dataclass(frozen=True)
class Check:
    """One part of the report; the detail holds no path and no secret."""

    ok: bool
    detail: str


@dataclass(frozen=True)
class Health:
    """The report. `able` means that sessions could be created, `draining` that they are refused all the same."""

    draining: bool
    able: bool
    uptime_s: float
    sessions: int
    checks: dict[str, Check]

    @property
    def status(self) -> Literal["ok", "degraded", "draining"]:
        """Return `ok`, `degraded` or `draining`."""
        if self.draining:
            return "draining"
        return "ok" if all(check.ok for check in self.checks.values()) else "degraded"

    @property
    def serving(self) -> bool:
        """Tell whether a load balancer should send requests here."""
        return self.able and not self.draining


def check_database(database: Database, *, healthy: bool, dropped: int) -> Check:
    """Ask the database, unless the writer knows already that it is away, which would take seconds to find out.

    `dropped` bytes of output were lost while it did not answer.
    """
    if not (healthy and _answers(database)):
        return Check(False, "does not answer; terminals go on, new sessions wait")
    return Check(
        True, f"answers; {dropped} bytes of output were lost while it was away" if dropped else "answers"
    )


def _answers(database: Database) -> bool:
    try:
        database.ping()
    except StorageUnavailable:
        return False
    return True


def check_disk(folder: Path) -> Check:
    """Look at the free space of the data directory."""
    free = free_bytes(folder)
    if free is None:
        return Check(False, "the data directory cannot be read")
    return Check(free >= _LEAST_FREE, f"{free >> 20} MiB free")


def free_bytes(folder: Path) -> int | None:
    """Return the free space where `folder` is, or None if that cannot be read."""
    try:
        return shutil.disk_usage(folder).free
    except OSError:
        return None
