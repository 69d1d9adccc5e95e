"""A log record as one line: JSON for machines, or plain text for a terminal; both redacted."""

from __future__ import annotations

import logging
import re
import traceback
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.core import RESERVED_ATTRS
from pythonjsonlogger.json import JsonFormatter

from sidecar.logs.redaction import Redaction
from sidecar.origin import origin

#: What a record has by itself; anything else was given with `extra`. Gunicorn's lines of text have colours.
_OWN = frozenset({*RESERVED_ATTRS, "taskName", "color_message"})
#: What a terminal would act on, or takes for the end of a line.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]")
#: Begins every line of a traceback in the text format; no entry begins so.
_MARGIN = "\n  | "

Fields = dict[str, Any]


class JsonLines(JsonFormatter):
    """Write each record as a JSON object in ASCII, so that nothing in it can end the line or steer a terminal."""

    def __init__(self, redaction: Redaction) -> None:
        """Redact with `redaction`."""
        super().__init__()
        self._redaction = redaction

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return self.serialize_log_record(_redacted(record, self._redaction)).replace("\x7f", "\\u007f")


class TextLines(logging.Formatter):
    """Write each record as a line a person reads; a traceback follows behind a margin."""

    def __init__(self, redaction: Redaction) -> None:
        """Redact with `redaction`."""
        super().__init__()
        self._redaction = redaction

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, control characters written out."""
        fields = _redacted(record, self._redaction)
        error = fields.pop("error", "")
        head = [_visible(fields.pop(name)) for name in ("time", "level", "logger", "message")]
        more = [f"{_visible(name)}={_visible(value)}" for name, value in fields.items()]
        tail = "".join(_MARGIN + _visible(line) for line in str(error).splitlines())
        return " ".join([*head, *more]) + tail


def _redacted(record: logging.LogRecord, redaction: Redaction) -> Fields:
    """Return the fields without secrets. Never fails: a line that is lost would be missed when it matters."""
    try:
        return {redaction.text(str(name)): redaction.value(value) for name, value in _fields(record).items()}
    except Exception as error:  # noqa: BLE001  whatever a record carries
        told = f"{record.msg if isinstance(record.msg, str) else type(record.msg).__name__} (not formatted: {type(error).__name__})"
        return {**_head(record), "message": redaction.text(told)}


def _head(record: logging.LogRecord) -> Fields:
    at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
    return {"time": at.replace("+00:00", "Z"), "level": record.levelname.lower(), "logger": record.name}


def _fields(record: logging.LogRecord) -> Fields:
    where = origin()
    given = {name: value for name, value in vars(record).items() if name not in _OWN}
    fields = {
        **_head(record),
        "message": record.getMessage(),
        "request": given.pop("request", where.request_id),
        "session": given.pop("session", None),
        "actor": given.pop("actor", where.actor),
        "error": _error(record),
    }
    return {name: value for name, value in {**given, **fields}.items() if value is not None}


def _error(record: logging.LogRecord) -> str | None:
    if record.exc_info and record.exc_info[1] is not None:
        return "".join(traceback.format_exception(record.exc_info[1])).rstrip()
    return record.exc_text or record.stack_info


def _visible(value: Any) -> str:
    return _CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", str(value))
