"""The sidecar as it is run: `claude-sidecar serve`, gunicorn with its worker, on loopback, on SQLite."""

from __future__ import annotations

import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.client import USER, Address, Client

#: The scripted program that most figures use in the CLI's place.
PROGRAM = Path(__file__).resolve().parent / "program.py"
_LISTENING = re.compile(r"Listening at: http://127\.0\.0\.1:(\d+)")
_READY = "ready for sessions"
_PATIENCE_S = 60.0


class NotServing(Exception):
    """The service did not come up; the text is its log."""


@dataclass(frozen=True)
class Service:
    """A running service."""

    address: Address
    pids: tuple[int, ...]
    folder: Path
    #: The service's own, for commands beside it.
    environment: Mapping[str, str]

    def api_key(self, user: str) -> str:
        """Issue an API key by the command line."""
        command = [
            sys.executable,
            "-m",
            "sidecar.cli",
            "keys",
            "create",
            "--user",
            user,
            "--name",
            "benchmark",
        ]
        command += ["--scope", "sessions"]
        done = subprocess.run(
            command, env=self.environment, cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    @contextmanager
    def client(self, user: str = USER) -> Iterator[Client]:
        """Give a connection of its own, which acts for `user`."""
        client = Client(self.address, user)
        try:
            yield client
        finally:
            client.close()


@contextmanager
def scratch() -> Iterator[Path]:
    """Give an empty folder that the service's account may pass through."""
    with tempfile.TemporaryDirectory(prefix="bench.", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)
        yield folder


@contextmanager
def serving(**settings: str) -> Iterator[Service]:
    """Run the service in a folder of its own; end it in order afterwards. `settings` are its variables."""
    with scratch() as folder:
        token = secrets.token_hex(16)
        environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder),
            "SIDECAR_PORT": "0",
            "SIDECAR_DATA_DIR": str(folder / "data"),
            "API_AUTH_TOKEN": token,
            "RATE_LIMIT": "off",
            "ENCRYPTION_KEY": secrets.token_hex(32),
            "CLAUDE_PATH": str(PROGRAM),
            "ISOLATION": "none",
            "MAX_SESSIONS": "100",
            "MAX_SESSIONS_PER_USER": "100",
            **settings,
        }
        command = [sys.executable, "-m", "sidecar.cli", "serve"]
        with started(command, environment, folder) as (process, log):
            port = int(awaited(process, log, _LISTENING)[1])
            awaited(process, log, re.compile(_READY))
            yield Service(Address(port, token), tree(process.pid), folder, environment)


@contextmanager
def started(
    command: list[str],
    environment: Mapping[str, str],
    folder: Path,
    identity: Mapping[str, Any] | None = None,
) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """Run a server with its output in a log; end it in order afterwards. As whom, is ours by default."""
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            **(identity or {}),
        )
    try:
        yield process, log
    finally:
        process.terminate()
        try:
            process.wait(_PATIENCE_S)
        finally:
            process.kill()


def awaited(process: subprocess.Popen[bytes], log: Path, pattern: re.Pattern[str]) -> re.Match[str]:
    """Wait until the log has `pattern`.

    Raises:
        NotServing: it ended first, or it takes too long.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        if found := pattern.search(log.read_text()):
            return found
        time.sleep(0.02)
    raise NotServing(log.read_text()[-2000:])


def tree(pid: int) -> tuple[int, ...]:
    """Return a master's process id and those of its workers, once there are any."""
    children = Path(f"/proc/{pid}/task/{pid}/children")
    return (pid, *(int(child) for child in children.read_text().split()))


def is_root() -> bool:
    """Tell whether the service's memory can be looked at."""
    return os.geteuid() == 0
