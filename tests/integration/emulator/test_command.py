"""The command `python -m emulator.anthropic`."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.request import urlopen

import pytest

from emulator.anthropic.words import WORDS

ROOT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "-m", "emulator.anthropic"]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_listens_and_ends_cleanly(ending: signal.Signals) -> None:
    with subprocess.Popen(
        [*COMMAND, "--port", "0"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip().removeprefix("listening on ")
        with urlopen(f"{url}/requests") as answer:
            assert answer.read() == b"[]"
        process.send_signal(ending)
        rest, errors = process.communicate(timeout=30)

    assert (process.returncode, rest, errors) == (0, "", "")


def test_the_help_teaches_every_word() -> None:
    text = run("--help").stdout

    assert [word.name for word in WORDS.values() if word.example not in text] == []


def test_a_bad_script_is_a_clear_error_at_start(tmp_path: Path) -> None:
    path = tmp_path / "rules.json"
    path.write_text('[{"match": "x"}]', encoding="utf-8")

    ended = run("--port", "0", "--script", str(path))

    assert ended.returncode == 2
    assert ended.stderr == f"emulator: {path}: rule 1: reply is missing\n"


def test_a_foreign_host_is_a_clear_error_at_start() -> None:
    ended = run("--host", "0.0.0.0")

    assert (ended.returncode, ended.stderr) == (2, "emulator: host 0.0.0.0 is not a loopback address\n")


def test_a_taken_port_is_a_clear_error_at_start() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run("--port", str(taken.getsockname()[1]))

    assert ended.returncode == 2
    assert "in use" in ended.stderr
    assert "Traceback" not in ended.stderr
