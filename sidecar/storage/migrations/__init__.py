"""The steps that build the schema, oldest first; forward only."""

from __future__ import annotations

from pathlib import Path


def revisions() -> list[str]:
    """Return the numbers of all steps, oldest first, from the file names: `0001_sessions.py`.

    Asking Alembic would load it, which costs memory for good.
    """
    versions = Path(__file__).with_name("versions")
    return sorted(path.name.partition("_")[0] for path in versions.glob("[0-9]*_*.py"))
