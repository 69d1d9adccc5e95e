"""Wiring the log: every line of every library passes one handler with one redaction."""

from __future__ import annotations

import logging
import sys
import threading
from typing import Any

from sidecar.config import PollerSettings, Settings
from sidecar.logs.handlers import File, Stream
from sidecar.logs.lines import JsonLines, TextLines
from sidecar.logs.redaction import Redaction, secrets_of

log = logging.getLogger(__name__)


def configuration(settings: Settings | PollerSettings) -> dict[str, Any]:
    """Return a `logging.config` dictionary."""
    formatter = JsonLines if settings.log_format == "json" else TextLines
    handler: dict[str, Any] = {"()": Stream}
    if settings.log_file is not None:
        handler = {"()": File, "filename": str(settings.log_file), "encoding": "utf-8"}
    quiet = {"level": "WARNING", "propagate": True, "handlers": []}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"line": {"()": formatter, "redaction": Redaction(secrets_of(settings))}},
        "handlers": {"all": {**handler, "formatter": "line"}},
        "root": {"level": settings.log_level.upper(), "handlers": ["all"]},
        "loggers": {
            "gunicorn.error": {"level": "INFO", "propagate": True, "handlers": []},
            "gunicorn.access": quiet,
            "alembic": quiet,
            "urllib3": quiet,
        },
    }


def redact_commands(settings: Settings) -> None:
    """Redact also what is logged without any configuration, as commands do: Python prints it to standard error."""
    if logging.lastResort is not None:
        logging.lastResort.setFormatter(TextLines(Redaction(secrets_of(settings))))


def capture() -> None:
    """Log what Python itself would print past the handlers: warnings, and exceptions that nobody catches."""
    logging.captureWarnings(True)
    threading.excepthook = _on_thread
    sys.unraisablehook = _on_unraisable


def _on_thread(given: threading.ExceptHookArgs) -> None:
    name = given.thread.name if given.thread else "unknown"
    if given.exc_value is not None and not isinstance(given.exc_value, SystemExit):
        log.critical("the thread %s ended", name, exc_info=given.exc_value)


def _on_unraisable(given: sys.UnraisableHookArgs) -> None:
    """Log it without the object, whose text may hold anything."""
    log.error("an exception could not be raised", exc_info=given.exc_value)
