"""How a child is confined, and how its processes are found and ended."""

from __future__ import annotations

from pathlib import Path

from sidecar.errors import ConfigurationError
from sidecar.isolation.bubblewrap import Bubblewrap
from sidecar.isolation.confinement import Confinement, Isolation, Launch, Limits, View
from sidecar.isolation.none import NoIsolation

__all__ = [
    "Bubblewrap",
    "Confinement",
    "Isolation",
    "Launch",
    "Limits",
    "NoIsolation",
    "View",
    "isolation_named",
]


def isolation_named(name: str, folder: Path) -> Isolation:
    """Return the isolation that the setting's value `name` stands for.

    `folder` belongs to the isolation alone; it keeps its few generated files there.

    Raises:
        ConfigurationError: the name is unknown. There is no default: `none` must be written out.
    """
    if name == Bubblewrap.name:
        return Bubblewrap(folder)
    if name == NoIsolation.name:
        return NoIsolation()
    raise ConfigurationError(f"ISOLATION is {name!r}: use {Bubblewrap.name!r} or {NoIsolation.name!r}.")
