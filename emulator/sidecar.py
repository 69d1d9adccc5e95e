"""The real sidecar and the stand-in for Anthropic's API, as processes of a demonstration."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PATIENCE_S = 60.0
_STOP_S = 20.0


class PartError(Exception):
    """A part does not come up; the text says why."""


@dataclass(frozen=True)
class Running:
    """The service: where it listens, and its data directory, in which its token lies."""

    url: str
    data: Path

    @property
    def token(self) -> str:
        """Return the service token that debug mode has made up."""
        found = re.search(r"^API_AUTH_TOKEN=(\S+)$", (self.data / "debug.env").read_text(), re.MULTILINE)
        if found is None:
            raise PartError("the sidecar has written no token.")
        return found[1]


@contextmanager
def stand_in(logs: Path) -> Iterator[str]:
    """Run the stand-in API; give its address."""
    command = [sys.executable, "-m", "emulator.anthropic", "--port", "0"]
    with started(logs / "anthropic.log", command, {}) as log:
        yield await_line(log, r"listening on (http://\S+)")


@contextmanager
def serving(logs: Path, data: Path, base_url: str | None) -> Iterator[Running]:
    """Run the sidecar in debug mode on loopback, with `base_url` instead of Anthropic's API if given."""
    port = free_port()
    settings = {
        "SIDECAR_ENV": "debug",
        "SIDECAR_DATA_DIR": str(data),
        "SIDECAR_PORT": str(port),
        "LOG_FORMAT": "text",
        "ANTHROPIC_BASE_URL": base_url or os.environ.get("ANTHROPIC_BASE_URL", ""),
    }
    with started(logs / "sidecar.log", [sys.executable, "-m", "sidecar.cli", "serve"], settings) as log:
        await_line(log, r"(ready for sessions)")
        yield Running(f"http://127.0.0.1:{port}", data)


@contextmanager
def started(log: Path, command: list[str], settings: dict[str, str]) -> Iterator[Path]:
    """Run a part with its output in `log`; end it in order afterwards."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("SIDECAR_")}
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            env=inherited | settings,
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        yield log
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def await_line(log: Path, pattern: str) -> str:
    """Wait until the log has a line with `pattern`; return its first group."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        text = log.read_text()
        found = re.search(pattern, text)
        if found:
            return found[1]
        failure = re.search(r"^(claude-sidecar: .*|Traceback .*)$", text, re.MULTILINE)
        if failure:
            raise PartError(failure[1])
        time.sleep(0.05)
    raise PartError(f"it did not come up within {PATIENCE_S:.0f} s.")


def free_port(wanted: int = 3000) -> int:
    """Return `wanted` if it is free, else a port the system chooses."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise PartError("no port is free.")
