"""How a command of the command line is declared."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from sidecar import config

if TYPE_CHECKING:  # a name argparse does not give out at run time
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001

Run = Callable[[argparse.Namespace], int]


def command(commands: Commands, name: str, about: str, run: Run, more: str = "") -> argparse.ArgumentParser:
    """Add the command `name` and return its parser.

    Args:
        commands: Where to add it.
        name: What is typed.
        about: One line for the list of commands, in small letters.
        run: Does it; returns the exit status.
        more: What `--help` says beside the arguments: what happens, and examples.
    """
    form = argparse.RawDescriptionHelpFormatter
    added = commands.add_parser(name, help=about, description=more or about, formatter_class=form)
    added.set_defaults(run=run)
    return added


def seconds(text: str) -> float:
    """Return a time span of the command line in seconds."""
    try:
        return config.duration(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
