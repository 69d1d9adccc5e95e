"""Every command works as the service's account, so that it leaves no file behind that the service cannot use."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sidecar import config
from sidecar.clock import SystemClock
from sidecar.errors import ConfigurationError, DataDirectoryInUse
from sidecar.isolation.account import drop_root
from sidecar.logs.configuration import redact_commands
from sidecar.origin import Origin, acting
from sidecar.records import Records
from sidecar.sessions.ownership import Ownership
from sidecar.sessions.program import locate

#: What runs; every account we become has to read it.
PACKAGE = Path(__file__).resolve().parents[1]


def become() -> config.Settings:
    """Give up root, then read the settings.

    Raises:
        ConfigurationError: the account cannot work here, or a setting is wrong.
    """
    leave_root(config.identity())
    settings = config.load()
    redact_commands(settings)
    return settings


def leave_root(identity: config.Identity) -> None:
    """Become the service's account for good, if started as root.

    Raises:
        ConfigurationError: the account cannot work here.
    """
    cli = locate(identity.claude_path)
    # A missing one is told by what needs it: without it the service still serves what is stored.
    programs = [cli] if cli is not None and cli.exists() else []
    drop_root(identity.user, identity.data_dir, [PACKAGE, Path(sys.prefix), *programs])


def name() -> str:
    """Return the name of the account we are, or its number: in a container it may have no name."""
    number = os.getuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)


@contextmanager
def records() -> Iterator[Records]:
    """Give the open records, on behalf of whoever runs the command; the service may be running or not.

    Raises:
        ConfigurationError, StorageUnavailable: they cannot be used.
    """
    who = name()  # before root is given up: the trail should say who it was
    settings = become()
    found = Records(settings, SystemClock())
    _make(settings.data_dir)
    _open(found)
    try:
        with acting(Origin(f"cli:{who}")):
            yield found
    finally:
        found.close()


def _open(found: Records) -> None:
    """Open the records, which brings the schema up to date: not under a service that works with an older one."""
    found.database.open()
    ownership = Ownership(found.settings.data_dir, found.clock)
    if ownership.held() and found.database.outdated():
        found.close()
        raise DataDirectoryInUse(
            "The running service works with an older schema of the database: restart it with this version first."
        )
    found.open()


def _make(folder: Path) -> None:
    """Make the data directory: keys can be made before the first start, and SQLite's file has to lie somewhere."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigurationError(
            f"The data directory {folder} cannot be made: {error.strerror}. Set SIDECAR_DATA_DIR."
        ) from error
