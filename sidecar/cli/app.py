"""`claude-sidecar app`: build and check the ServiceNow app."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from sidecar.app import manifest
from sidecar.app.build import build
from sidecar.app.lint import faults
from sidecar.cli.form import command

if TYPE_CHECKING:
    from sidecar.cli.form import Commands

_NOUN = """\
Build and check the ServiceNow app. Both work on the sources, so they need a checkout of this project, with the npm
packages that `make setup` brings.

  claude-sidecar app lint
  claude-sidecar app build --output dist
"""

_BUILD = """\
Write the update set and the fix scripts that an administrator installs; docs/servicenow.md says how. The same sources
give the same bytes, whenever and wherever they are built.

  claude-sidecar app build --output dist
  claude-sidecar app build --output /tmp/app --source ~/claude-sidecar
"""

_LINT = """\
Check the sources: the scripts with ESLint (ES5, free names, house rules), whether scripts and manifest fit
together, and that widgets fetch nothing from other hosts. Prints one line for each fault; exit status 1 if
there are any.

  claude-sidecar app lint
"""


def add(commands: Commands) -> None:
    """Add the commands."""
    noun = command(commands, "app", "build and check the ServiceNow app", _lint, _NOUN)
    verbs = noun.add_subparsers(required=True, metavar="VERB")
    make = command(verbs, "build", "write the update set and the fix scripts", _build, _BUILD)
    make.add_argument("--output", type=Path, required=True, metavar="DIR", help="the folder to write to")
    check = command(verbs, "lint", "check the sources", _lint, _LINT)
    for verb in (make, check):
        verb.add_argument("--source", type=Path, default=Path(), metavar="DIR", help="the checkout (.)")


def _build(arguments: argparse.Namespace) -> int:
    for path in build(manifest.read(arguments.source), arguments.output):
        print(path)
    return 0


def _lint(arguments: argparse.Namespace) -> int:
    found = faults(arguments.source)
    for fault in found:
        print(fault)
    return 1 if found else 0
