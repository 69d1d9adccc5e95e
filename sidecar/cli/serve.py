"""`claude-sidecar serve`."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from sidecar.cli import account
from sidecar.cli.form import command
from sidecar.services import Services

if TYPE_CHECKING:
    from sidecar.cli.form import Commands

_SERVE = """\
Start the service in the foreground: one gunicorn worker with threads. Started as root, it first becomes the
account SIDECAR_USER. SIGTERM ends it in order: sessions are put to sleep and go on with their next command.
"""


def add(commands: Commands) -> None:
    """Add the command."""
    command(commands, "serve", "start the service", _serve, _SERVE)


def _serve(_: argparse.Namespace) -> int:
    settings = account.become()
    Services(settings)  # a wrong setting is told here, in one line, not by a traceback of the server
    gunicorn = [sys.executable, "-m", "gunicorn", "-c", "python:sidecar.server", "sidecar.wsgi:app"]
    sys.stdout.flush()
    os.execv(sys.executable, gunicorn)  # noqa: S606  the interpreter we run in, with fixed arguments
