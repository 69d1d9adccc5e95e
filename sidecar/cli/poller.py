"""`claude-sidecar poller`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sidecar import config
from sidecar.cli import account
from sidecar.cli.form import command
from sidecar.isolation.account import drop_root

if TYPE_CHECKING:
    from sidecar.cli.form import Commands

_ABOUT = """\
Work off the ECC queue of a ServiceNow instance without a MID Server: claim rows, do what they ask at the sidecar,
answer them. It runs in the foreground beside the sidecar, and needs nothing but to reach both over HTTP.

On the instance: the app, the property x_claude_terminal.bridge = poller, POLLER_NAME among the names in
x_claude_terminal.mids, and an account with the role x_claude_terminal.bridge and no other.

Here, in the environment or in .env:

  SERVICENOW_INSTANCE=https://acme.example                    # or the bare name of the instance
  SERVICENOW_API_USER=claude.poller                           # or SERVICENOW_CLIENT_ID
  SERVICENOW_API_PASSWORD=...                                 # and SERVICENOW_CLIENT_SECRET
  POLLER_NAME=poller-a                                        # the host's name by default
  API_AUTH_TOKEN=...                                          # the sidecar's

docs/configuration.md has the others. `claude-sidecar doctor` looks at all of it and says how to mend it.

Started as root, it first becomes the account SIDECAR_USER. Two pollers may have one name: each row is worked off
once. SIGTERM ends it in order: it claims nothing more, and answers what it holds; a second one ends it at once.

Exit status: 0 after SIGTERM; 1 for a wrong setting, or ended at once; 78 when the instance refuses the account or the
name, which trying again would not change. For systemd:

  [Service]
  ExecStart=/opt/claude-sidecar/.venv/bin/claude-sidecar poller
  EnvironmentFile=/etc/claude-sidecar/poller.env
  User=claude-sidecar
  Restart=on-failure
  RestartPreventExitStatus=78
"""


def add(commands: Commands) -> None:
    """Add the command."""
    command(
        commands, "poller", "work off a ServiceNow instance's ECC queue, without a MID Server", _poll, _ABOUT
    )


def _poll(_: argparse.Namespace) -> int:
    # It keeps nothing and starts no CLI.
    drop_root(config.identity().user, None, [account.PACKAGE, Path(sys.prefix)])
    config.poller.load()  # a wrong setting is told here, by the command that was typed
    sys.stdout.flush()
    # A program of its own, which loads nothing of the service: a fifth of the memory.
    os.execv(sys.executable, [sys.executable, "-m", "sidecar.poller"])  # noqa: S606  with fixed arguments
