"""`claude-sidecar settings`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sidecar import config
from sidecar.cli.form import command

if TYPE_CHECKING:
    from sidecar.cli.form import Commands


def add(commands: Commands) -> None:
    """Add the command."""
    command(commands, "settings", "print every setting with its default, as Markdown", _settings)


def _settings(_: argparse.Namespace) -> int:
    print(config.table())
    print("\nOf the poller:\n")
    print(config.poller.table())
    return 0
