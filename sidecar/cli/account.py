"""Every command works as the service's account, so that it leaves no file behind that the service cannot use."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getuser
from pathlib import Path

from sidecar import config
from sidecar.clock import SystemClock
from sidecar.isolation.account import drop_root
from sidecar.origin import Origin, acting
from sidecar.records import Records
from sidecar.sessions.program import locate


def become() -> config.Settings:
    """Give up root, then read the settings.

    Raises:
        ConfigurationError: the account cannot work here, or a setting is wrong.
    """
    identity = config.identity()
    package = Path(__file__).resolve().parents[1]
    cli = locate(identity.claude_path)
    drop_root(identity.user, identity.data_dir, [package, Path(sys.prefix), *([cli] if cli else [])])
    return config.load()


@contextmanager
def records() -> Iterator[Records]:
    """Give the open records, on behalf of whoever runs the command; the service may be running or not.

    Raises:
        ConfigurationError, StorageUnavailable: they cannot be used.
    """
    who = getuser()  # before root is given up: the trail should say who it was
    found = Records(become(), SystemClock())
    found.open()
    try:
        with acting(Origin(f"cli:{who}")):
            yield found
    finally:
        found.close()
