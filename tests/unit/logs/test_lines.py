"""Each record is one line, whatever it carries."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.logs.configuration import capture
from sidecar.logs.handlers import File
from sidecar.logs.lines import JsonLines, TextLines
from sidecar.logs.redaction import Redaction
from sidecar.origin import Origin, acting

SECRET = "marker-token-0123456789"
FORMATS = pytest.mark.parametrize("form", [JsonLines, TextLines])
Form = type[JsonLines] | type[TextLines]


def record(
    message: object, *args: object, error: BaseException | None = None, **extra: Any
) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    logger = logging.getLogger("sidecar.tests")
    return logger.makeRecord(logger.name, logging.WARNING, __file__, 1, message, args, info, extra=extra)


def line(form: Form, *args: Any, **named: Any) -> str:
    return form(Redaction([SECRET])).format(record(*args, **named))


def parsed(*args: Any, **named: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(line(JsonLines, *args, **named))
    return found


def test_a_line_tells_when_what_where_and_on_whose_behalf() -> None:
    session = uuid4()
    with acting(Origin("key:0123456789abcdef", "request-1", "127.0.0.1")):
        told = parsed("%d bytes are gone", 7, session=session, route="/api/sessions")

    assert told.pop("time").endswith("Z")
    assert told == {
        "level": "warning",
        "logger": "sidecar.tests",
        "message": "7 bytes are gone",
        "route": "/api/sessions",
        "session": str(session),
        "request": "request-1",
        "actor": "key:0123456789abcdef",
    }


def test_the_time_is_rfc_3339_in_utc_with_milliseconds() -> None:
    entry = record("x")
    entry.created = 1_700_000_000.0
    told = json.loads(JsonLines(Redaction([])).format(entry))

    assert told["time"] == "2023-11-14T22:13:20.000Z"


def test_the_text_format_says_the_same_in_words() -> None:
    assert " warning sidecar.tests 7 bytes are gone route=/x actor=system" in line(
        TextLines, "%d bytes are gone", 7, route="/x"
    )


@FORMATS
def test_secrets_are_taken_out_of_message_arguments_extras_and_exceptions(form: Form) -> None:
    try:
        try:
            raise KeyError(SECRET)  # noqa: TRY301  the cause is the point
        except KeyError as cause:
            raise ValueError(f"Bearer {SECRET}") from cause
    except ValueError as error:
        told = line(form, f"{SECRET} %s %s", SECRET, {"a": SECRET}, error=error, more=[SECRET], **{SECRET: 1})

    assert SECRET not in told
    assert "ValueError" in told
    assert "KeyError" in told


@FORMATS
@given(st.text(), st.text(), st.text())
def test_nothing_makes_a_second_line_or_a_terminal_escape(
    form: Form, message: str, value: str, other: str
) -> None:
    told = line(form, "%s", message, value=value, other=other)

    assert told.splitlines() == [told]
    assert not [char for char in told if ord(char) < 32 or 127 <= ord(char) < 160]
    told.encode()


@pytest.mark.parametrize(
    "value", ["a\nb", "a\r\nb", "\x1b]0;owned\x07", "\x9b2J", "\u2028", "\u202e", "\ud800"]
)
def test_the_text_format_writes_control_characters_out(value: str) -> None:
    told = line(TextLines, "%s", value)

    assert "\\u" in told
    assert value not in told


def test_a_traceback_in_the_text_format_stands_behind_a_margin() -> None:
    told = line(TextLines, "failed", error=ValueError("one\n2026-01-01T00:00:00.000Z info forged\x1b[2J"))

    first, *others = told.split("\n")
    assert first.endswith("failed actor=system")
    assert others
    assert all(other.startswith("  | ") for other in others)
    assert "\x1b" not in told


@FORMATS
@pytest.mark.parametrize(
    ("message", "args"),
    [
        ("%d items", ("many",)),
        ("%s %s", ("one",)),
        ("plain", ("too many",)),
        ("%(name)s", ({"x": 1},)),
        (None, ()),
    ],
)
def test_a_record_that_cannot_be_formatted_is_not_lost(
    form: Form, message: object, args: tuple[object, ...]
) -> None:
    told = line(form, message, *args)

    assert "sidecar.tests" in told


@FORMATS
def test_an_argument_whose_text_fails_does_not_cost_the_line(form: Form) -> None:
    class Broken:
        def __str__(self) -> str:
            raise RuntimeError(SECRET)

    told = line(form, "a line about %s", Broken(), broken=Broken())

    assert "a line about" in told
    assert SECRET not in told


def test_an_extra_field_cannot_pretend_to_be_ours() -> None:
    told = parsed("x", time="then", level="none", logger="other")

    assert told["level"] == "warning"
    assert told["logger"] == "sidecar.tests"
    assert told["time"] != "then"


# -- where lines go --------------------------------------------------------------------------------------


@pytest.fixture
def logged() -> Iterator[io.StringIO]:
    """Collect what reaches the root logger, and put Python's own hooks back afterwards."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(Redaction([SECRET])))
    root, hooks = logging.getLogger(), (threading.excepthook, sys.unraisablehook)
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)
    logging.captureWarnings(False)
    threading.excepthook, sys.unraisablehook = hooks


def test_what_python_would_print_itself_is_logged(logged: io.StringIO) -> None:
    def fail() -> None:
        raise ValueError(SECRET)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        capture()
        warnings.warn(f"mind {SECRET}", UserWarning, stacklevel=1)
        thread = threading.Thread(target=fail, name="worker-7")
        thread.start()
        thread.join()
        logging.captureWarnings(False)

    told = logged.getvalue()
    assert SECRET not in told
    assert "UserWarning: mind [redacted]" in told
    assert "the thread worker-7 ended" in told
    assert "ValueError" in told


def test_a_line_that_cannot_be_written_is_told_without_its_arguments_and_the_next_one_comes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, away = tmp_path / "logs", tmp_path / "away"
    folder.mkdir()
    handler = File(folder / "log")
    handler.setFormatter(JsonLines(Redaction([])))
    folder.rename(away)
    handler.handle(record("a user typed %s", "private words"))
    away.rename(folder)
    handler.handle(record("after"))
    handler.close()

    said = capsys.readouterr().err
    assert said == "claude-sidecar: a line of sidecar.tests could not be logged: FileNotFoundError\n"
    assert "after" in (folder / "log").read_text()


def test_a_renamed_file_is_opened_anew(tmp_path: Path) -> None:
    handler = File(tmp_path / "log")
    handler.setFormatter(JsonLines(Redaction([])))
    handler.handle(record("before"))
    (tmp_path / "log").rename(tmp_path / "log.1")
    handler.handle(record("after"))
    handler.close()

    assert "before" in (tmp_path / "log.1").read_text()
    assert "after" in (tmp_path / "log").read_text()
    assert "before" not in (tmp_path / "log").read_text()


def test_what_a_command_logs_is_redacted_too(tmp_path: Path) -> None:
    """In a process of its own: it changes what Python does when nobody has configured the log."""
    script = (
        "import logging; from pathlib import Path; from sidecar import config;"
        "from sidecar.logs.configuration import redact_commands;"
        f"redact_commands(config.load({{'API_AUTH_TOKEN': '{SECRET}', 'ENCRYPTION_KEY': 'ab' * 32}}, Path('no')));"
        f"logging.getLogger('x').warning('mind %s', '{SECRET}')"
    )
    command = [sys.executable, "-B", "-c", script]
    environment = {"PYTHONPATH": str(Path(__file__).resolve().parents[3]), "HOME": str(tmp_path)}
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)

    assert "warning x mind [redacted] actor=system" in ran.stderr
    assert SECRET not in ran.stderr
