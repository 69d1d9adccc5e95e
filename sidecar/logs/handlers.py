"""Where lines go. A failure to write is told without the record, whose arguments nobody has redacted."""

from __future__ import annotations

import logging
import sys
from contextlib import suppress
from logging.handlers import WatchedFileHandler


class Stream(logging.StreamHandler):  # type: ignore[type-arg]  # generic only for the type checker
    """Write to standard error."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        """Say nothing: standard error is what failed."""


class File(WatchedFileHandler):
    """Write to a file; one that was renamed by a log rotation is opened anew."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line; also a file that cannot be opened again must not hurt whoever logs."""
        try:
            super().emit(record)
        except Exception:  # noqa: BLE001  see `handleError`
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  logging's name
        """Tell on standard error that a line is missing."""
        kind = sys.exc_info()[0] or OSError
        with suppress(OSError):
            sys.stderr.write(
                f"claude-sidecar: a line of {record.name} could not be logged: {kind.__name__}\n"
            )
