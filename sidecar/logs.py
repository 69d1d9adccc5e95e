"""Logging: one line per event on standard error or in a file, never a secret or terminal output."""

from __future__ import annotations

from pathlib import Path
from typing import Any

_FORMAT = "%(asctime)s %(levelname)s %(name)s %(message)s"


def configuration(level: str, file: Path | None) -> dict[str, Any]:
    """Return a `logging.config` dictionary for this level and place."""
    handler: dict[str, Any] = {"class": "logging.StreamHandler", "formatter": "line"}
    if file is not None:
        handler = {"class": "logging.handlers.WatchedFileHandler", "formatter": "line", "filename": str(file)}
    quiet = {"level": "WARNING", "propagate": True, "handlers": []}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"format": _FORMAT}},
        "handlers": {"all": handler},
        "root": {"level": level.upper(), "handlers": ["all"]},
        "loggers": {
            "gunicorn.error": {"level": "INFO", "propagate": True, "handlers": []},
            "gunicorn.access": quiet,
            "alembic": quiet,
        },
    }
