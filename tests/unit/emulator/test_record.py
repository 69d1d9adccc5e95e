"""The request log, and counting attempts."""

from __future__ import annotations

import io
import json

from emulator.anthropic import attempts, record
from emulator.anthropic.attempts import Attempts
from emulator.anthropic.clock import SystemClock
from emulator.anthropic.record import Headers, Record

KEY = "sk-a-secret-of-the-test"


def test_the_log_names_the_credential_header_and_never_its_value() -> None:
    both = Headers.of({"x-api-key": KEY, "authorization": f"Bearer {KEY}-2"})

    assert both.credential == "x-api-key+authorization"
    assert Headers.of({"authorization": "Bearer x"}).credential == "authorization"
    assert Headers.of({}).credential == "none"
    assert KEY not in repr(both)


def test_a_key_in_the_text_is_masked_before_the_text_is_cut() -> None:
    headers = Headers.of({"x-api-key": KEY})

    assert headers.mask(f"key={KEY} end") == "key=*** end"
    assert headers.mask("x" * 195 + KEY) == "x" * 195 + "***"


def test_a_finished_request_is_one_line_in_the_file() -> None:
    file = io.StringIO()
    log = Record(SystemClock(), file)

    number = log.open("POST", "/v1/messages", Headers.of({}))
    log.update(number, status=200)
    log.update(number, done=True)

    (line,) = file.getvalue().splitlines()
    assert json.loads(line) == log.documents()[0]
    assert log.entries()[0].status == 200


def test_the_oldest_entries_are_forgotten() -> None:
    log = Record(SystemClock())
    for index in range(record.REMEMBERED + 1):
        log.open("GET", f"/{index}", Headers.of({}))

    log.update(1, done=True)

    assert len(log.entries()) == record.REMEMBERED
    assert log.entries()[0].path == "/1"


def test_waiting_ends_when_the_time_is_over() -> None:
    assert Record(SystemClock()).wait(lambda entries: len(entries) > 0, seconds=0) is False


def test_attempts_are_counted_for_each_session_and_prompt() -> None:
    counted = Attempts()

    assert [counted.count("a", "p"), counted.count("a", "p")] == [1, 2]
    assert counted.count("b", "p") == 1
    assert counted.count("a", "q") == 1
    assert counted.count("a", "\ud800") == 1


def test_the_oldest_prompts_are_forgotten() -> None:
    counted = Attempts()
    for index in range(attempts.REMEMBERED + 1):
        counted.count("a", str(index))

    assert counted.count("a", "1") == 2
    assert counted.count("a", "0") == 1
