"""The command `claude-sidecar`: one module per verb or noun."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from sidecar import __version__
from sidecar.cli import (
    app,
    audit,
    doctor,
    drain,
    keys,
    migrate,
    poller,
    rotation,
    serve,
    sessions,
    settings,
)
from sidecar.errors import SidecarError

_ABOUT = """\
Run Claude Code sessions over HTTP, next to a ServiceNow MID Server.

Settings come from the environment and from a file .env in the current folder; docs/configuration.md lists them.
A first look, on loopback, with generated secrets:

  SIDECAR_ENV=debug claude-sidecar serve

Before the first start in earnest, and whenever something is wrong:

  claude-sidecar doctor

`claude-sidecar COMMAND --help` tells more, with examples.
"""

#: Every module adds its own commands, in the order of the help.
_MODULES = (serve, poller, doctor, migrate, sessions, drain, keys, rotation, audit, settings, app)

#: Exit statuses as a shell knows them: ended by Ctrl-C, or by a reader of our output that went away (`| head`).
_INTERRUPTED, _UNREAD = 130, 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    try:
        try:
            return _run(arguments)
        finally:
            sys.stdout.flush()  # here, where it can be told that nobody reads
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        # What is left in the buffer would be written at the exit, and fail once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _UNREAD


def _run(arguments: Sequence[str] | None) -> int:
    parsed = _parser().parse_args(arguments)
    try:
        return int(parsed.run(parsed))
    except SidecarError as error:
        print(f"claude-sidecar: {error.detail}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser("claude-sidecar", description=_ABOUT, formatter_class=form)
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in _MODULES:
        module.add(commands)
    return parser
