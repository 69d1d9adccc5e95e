"""The command `claude-sidecar`: one module per verb or noun."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from sidecar import __version__
from sidecar.cli import serve, settings
from sidecar.errors import SidecarError

_ABOUT = """\
Run Claude Code sessions over HTTP, next to a ServiceNow MID Server.

Settings come from the environment and from a file .env in the current folder; docs/configuration.md lists them.
A first look, on loopback, with generated secrets:

  SIDECAR_ENV=debug claude-sidecar serve
"""

#: Every module adds its own commands, in the order of the help.
_MODULES = (serve, settings)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
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
