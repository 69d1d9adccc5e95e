"""A host on which faults can be planted, and what the doctor finds there."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from sidecar import config
from sidecar.clock import Clock, SystemClock
from sidecar.doctor.finding import Finding, Level
from sidecar.doctor.round import Entrance, examine
from sidecar.storage.database import Database
from tests.fixtures.server import FAKE_CLAUDE

ROOT = Path(__file__).resolve().parents[3]
COMMAND = (sys.executable, "-m", "sidecar.cli")


class Machine:
    """Settings and folders of a service that was never started; a test breaks what it wants."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self.env_file = folder / ".env"
        self.environment = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONPATH": str(ROOT),
            "SIDECAR_PORT": str(port),
            "SIDECAR_DATA_DIR": str(self.data_dir),
            "API_AUTH_TOKEN": secrets.token_hex(16),
            "ENCRYPTION_KEY": secrets.token_hex(32),
            "CLAUDE_PATH": str(FAKE_CLAUDE),
            "ISOLATION": "none",
        }

    # -- looking ---------------------------------------------------------------------------------------

    def examine(self, clock: Clock | None = None, *, online: bool = False) -> dict[str, Finding]:
        """Return the doctor's findings by name, found in this process."""
        entrance = Entrance(self._identity, lambda _: None, self.settings, self.env_file)
        found = list(examine(entrance, clock or SystemClock(), online=online))
        assert len({finding.name for finding in found}) == len(found)
        return {finding.name: finding for finding in found}

    def settings(self) -> config.Settings:
        """Return the settings, as a start reads them."""
        return config.load(self.environment, self.env_file)

    def _identity(self) -> config.Identity:
        return config.Identity("claude-sidecar", self.data_dir, Path(self.environment["CLAUDE_PATH"]))

    def run(
        self, *arguments: str, before: Sequence[str] = (), stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the command in a process of its own, behind the words `before`."""
        return run([*before, *COMMAND, *arguments], self.environment, self.folder, stdin)

    def doctor(self, *before: str) -> dict[str, Finding]:
        """Return the findings of the command, run behind the words `before`."""
        ended = self.run("doctor", "--json", before=before)
        assert ended.stderr == ""
        document: dict[str, Any] = json.loads(ended.stdout)
        found = {
            item["name"]: Finding(**{**item, "level": Level(item["level"])}) for item in document["findings"]
        }
        healthy = all(finding.level is not Level.FAIL for finding in found.values())
        assert document["healthy"] is healthy
        assert ended.returncode == int(not healthy)
        return found

    # -- preparing -------------------------------------------------------------------------------------

    def make_data_dir(self) -> Path:
        """Make the data directory as the service does."""
        self.data_dir.mkdir(mode=0o700)
        return self.data_dir

    def make_database(self) -> Database:
        """Make the database with the newest schema; return it closed."""
        if not self.data_dir.exists():
            self.make_data_dir()
        database = Database(self.settings().database_url)
        database.open()
        database.migrate()
        database.close()
        return database

    def sql(self, statement: str) -> None:
        """Run a statement on the database."""
        database = Database(self.settings().database_url)
        database.open()
        try:
            with database.transaction() as connection:
                connection.exec_driver_sql(statement)
        finally:
            database.close()

    def secrets(self) -> set[str]:
        """Return what no output may hold."""
        return {self.environment["API_AUTH_TOKEN"], *self.environment["ENCRYPTION_KEY"].split(",")} - {""}


def run(
    command: Sequence[str], environment: dict[str, str], folder: Path, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a command with exactly this environment; without `stdin` nobody can be asked anything."""
    return subprocess.run(
        command,
        env=environment,
        cwd=folder,
        input="" if stdin is None else stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def script(machine: Machine, text: str) -> None:
    path = machine.folder / "claude"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    machine.environment["CLAUDE_PATH"] = str(path)
