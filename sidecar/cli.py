"""The command `claude-sidecar`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from sidecar import __version__, config
from sidecar.errors import SidecarError
from sidecar.isolation.account import drop_root
from sidecar.services import Services
from sidecar.sessions.program import locate

_ABOUT = """\
Run Claude Code sessions over HTTP, next to a ServiceNow MID Server.

Settings come from the environment and from a file .env in the current folder; docs/configuration.md lists them.
A first look, on loopback, with generated secrets:

  SIDECAR_ENV=debug claude-sidecar serve
"""

_SERVE = """\
Start the service in the foreground: one gunicorn worker with threads. Started as root, it first becomes the
account SIDECAR_USER. SIGTERM ends it in order: sessions are put to sleep and go on with their next command.
"""


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
    serve = commands.add_parser("serve", help="start the service", description=_SERVE, formatter_class=form)
    serve.set_defaults(run=_serve)
    settings = commands.add_parser("settings", help="print every setting with its default, as Markdown")
    settings.set_defaults(run=_settings)
    return parser


def _serve(_: argparse.Namespace) -> int:
    identity = config.identity()
    package = Path(__file__).resolve().parent
    cli = locate(identity.claude_path)
    drop_root(identity.user, identity.data_dir, [package, Path(sys.prefix), *([cli] if cli else [])])
    Services(config.load())  # a wrong setting is told here, in one line, not by a traceback of the server
    gunicorn = [sys.executable, "-m", "gunicorn", "-c", "python:sidecar.server", "sidecar.wsgi:app"]
    sys.stdout.flush()
    os.execv(sys.executable, gunicorn)  # noqa: S606  the interpreter we run in, with fixed arguments


def _settings(_: argparse.Namespace) -> int:
    print(config.table())
    return 0


if __name__ == "__main__":
    sys.exit(main())
