"""The environment, and the file `.env` that fills what it lacks. Nothing else of the package reads either."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from sidecar.errors import ConfigurationError

#: Read in the working folder, where the environment leaves something out.
ENV_FILE = Path(".env")


def given(environ: Mapping[str, str] | None = None, env_file: Path | None = None) -> dict[str, str]:
    """Return what is set and not empty; the environment goes before the file."""
    found = dict(os.environ if environ is None else environ)
    path = env_file or ENV_FILE
    if path.is_file():
        found = {**read(path), **found}
    return {name: value for name, value in found.items() if value}


def read(path: Path) -> dict[str, str]:
    """Return what a file of settings says.

    Raises:
        ConfigurationError: it cannot be read, or another account may change it.
    """
    try:
        with path.open(encoding="utf-8") as file:
            _check_owner(path, os.fstat(file.fileno()))
            # Not interpolated: a generated secret may hold what looks like a variable.
            return {
                name: value or "" for name, value in dotenv_values(stream=file, interpolate=False).items()
            }
    except OSError:
        raise ConfigurationError(f"{path.name} cannot be read by this account: give it the file.") from None


def _check_owner(path: Path, status: os.stat_result) -> None:
    """Refuse what somebody else wrote: it names programs to run, and a folder that root gives away."""
    ours, root = os.geteuid(), os.geteuid() == 0
    if status.st_uid not in (0, ours) or (root and status.st_mode & 0o022):
        raise ConfigurationError(
            f"{path.name} in this folder can be changed by another account: read it, then chown and chmod go-w it."
        )
