"""The real Claude Code CLI, headless, against the stand-in for its API."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from emulator.anthropic import Server

ROOT = Path(__file__).resolve().parents[2]
INSTALLED = ROOT / "node_modules" / "@anthropic-ai" / "claude-code-linux-x64" / "claude"
KEY = "sk-a-secret-of-the-test"


@dataclass(frozen=True)
class Run:
    """How one run of the CLI ended."""

    status: int
    events: list[dict[str, Any]]

    @property
    def result(self) -> dict[str, Any]:
        """Return the last event."""
        return self.events[-1]


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def claude(server: Server, tmp_path: Path) -> Callable[..., Run]:
    """Run the CLI with a home and a working folder of its own and nothing of our environment."""
    program = Path(os.environ.get("CLAUDE_PATH") or INSTALLED)
    assert program.is_file(), f"{program} is missing: run make setup or set CLAUDE_PATH"
    home, folder = tmp_path / "home", tmp_path / "folder"
    home.mkdir()
    folder.mkdir()
    environment = {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": str(home),
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": server.url,
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        "CLAUDE_CODE_MAX_RETRIES": "0",
    }

    def run(prompt: str, *options: str) -> Run:
        ended = subprocess.run(
            [program, "-p", "--output-format", "stream-json", "--verbose", *options],
            input=prompt,
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert ended.stdout, ended.stderr
        return Run(ended.returncode, [json.loads(line) for line in ended.stdout.splitlines()])

    return run


def behaviours(server: Server) -> list[str]:
    return [entry.behaviour for entry in server.requests.entries() if entry.path == "/v1/messages"]


def test_the_cli_gets_an_answer(claude: Callable[..., Run], server: Server) -> None:
    run = claude("hello there")

    assert run.status == 0
    assert run.result["result"] == "You said: hello there"
    assert run.result["is_error"] is False
    assert run.result["usage"]["output_tokens"] == 6
    assert {entry.credential for entry in server.requests.entries()} == {"x-api-key"}
    assert {entry.session for entry in server.requests.entries()} == {run.result["session_id"]}


def test_the_cli_gets_exactly_the_text_asked_for(claude: Callable[..., Run]) -> None:
    assert claude("[[echo Grüße, 🎉]]").result["result"] == "Grüße, 🎉"


def test_the_cli_runs_a_tool_and_its_result_comes_back(claude: Callable[..., Run], server: Server) -> None:
    run = claude("[[tool bash: echo marker-$((40 + 2))]]")

    assert run.result["result"] == "The tool answered: marker-42"
    assert behaviours(server) == ["tool", "tool_result"]


def test_a_key_that_a_tool_prints_is_not_in_the_log(claude: Callable[..., Run], server: Server) -> None:
    # Allowed by name: the CLI does not run a command with a variable unasked.
    run = claude("[[tool bash: echo $ANTHROPIC_API_KEY]]", "--allowedTools", "Bash")

    assert run.result["result"] == f"The tool answered: {KEY}"
    assert [entry.text for entry in server.requests.entries()][-1] == "***"
    assert KEY not in json.dumps(server.requests.documents())


def test_a_refused_key_is_reported(claude: Callable[..., Run], server: Server) -> None:
    run = claude("[[error 401]]")

    assert run.status == 1
    assert run.result["is_error"] is True
    assert run.result["api_error_status"] == 401
    assert behaviours(server) == ["error"]


def test_a_dropped_connection_is_reported(claude: Callable[..., Run], server: Server) -> None:
    run = claude("[[drop]] [[echo abcdefghijklmnopqrstuvwxyz]]")

    assert run.status == 1
    assert run.result["is_error"] is True
    assert run.result["terminal_reason"] == "api_error"
    assert run.result["api_error_status"] is None
    assert behaviours(server)[0] == "drop+echo"


def test_a_very_long_answer_comes_whole(claude: Callable[..., Run]) -> None:
    assert len(claude("[[long 200000]]").result["result"]) == 200_000
