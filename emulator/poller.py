"""The ECC poller as a process, in a home of its own, beside an emulated instance."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from emulator.midserver import Account, Sidecar
from emulator.program import Program

_ROOT = Path(__file__).resolve().parents[1]
_END_S = 60.0
#: The line that says the instance was asked for the first time.
_READY = r"(?m)^.*poller .* asks.*$"


class Poller:
    """One poller; it may be started, stopped and killed many times, and keeps nothing but its log."""

    def __init__(self, home: Path, name: str, account: Account, sidecar: Sidecar, **settings: str) -> None:
        """Describe a poller.

        Args:
            home: Where it runs and logs.
            name: What the instance knows it by.
            account: The instance, and how it signs in there; without a user, `settings` say it.
            sidecar: Where the sidecar is, and the file that holds its token.
            settings: More of its settings, or others, by their names.
        """
        self.home = home
        self.name = name
        self.program = _Process(home / "poller.log")
        self.program.environment = _environment(home, name, account, sidecar) | settings

    def configure(self, **settings: str) -> None:
        """Change settings for the next start."""
        self.program.environment = {**self.program.environment, **settings}

    @property
    def pid(self) -> int:
        """Return the process id; raise `ProgramError` when it does not run."""
        return self.program.pid

    def start(self) -> None:
        """Start it and wait until the instance has answered it; raise `ProgramError` when it gives up."""
        self.program.start()

    def stop(self) -> int:
        """End it in order; return its exit status."""
        return self.program.stop()

    def launch(self) -> None:
        """Start the process and wait for nothing."""
        self.program.launch()

    def wait(self) -> int:
        """Return the exit status of one that ends by itself; raise `ProgramError` when it does not."""
        return self.program.wait()

    def kill9(self) -> None:
        """Kill it at once."""
        self.program.kill9()

    def log(self) -> str:
        """Return what it has logged."""
        return self.program.log.read_text(errors="replace") if self.program.log.exists() else ""


class _Process(Program):
    """The command; the settings are in its environment, because arguments can be read by everybody."""

    #: It hands in what it holds, and that may be a call which waits for output.
    patience = _END_S

    def __init__(self, log: Path) -> None:
        super().__init__("poller", log, _READY)

    def command(self) -> list[str]:
        return [sys.executable, "-m", "sidecar.cli", "poller"]

    def wait(self) -> int:
        process = self._process
        if process is None:
            raise self.failure("poller is not running")
        try:
            return process.wait(_END_S)
        except subprocess.TimeoutExpired:
            raise self.failure(f"it did not end within {_END_S:.0f} s:\n{self._last_words()}") from None


def _environment(home: Path, name: str, account: Account, sidecar: Sidecar) -> dict[str, str]:
    signing_in = {"SERVICENOW_API_USER": account.user, "SERVICENOW_API_PASSWORD": account.password}
    return {
        "HOME": str(home),
        "PYTHONPATH": str(_ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
        "LOG_FORMAT": "text",
        "SERVICENOW_INSTANCE": account.url,
        **(signing_in if account.user else {}),
        "POLLER_NAME": name,
        "POLLER_SIDECAR_URL": sidecar.url,
        "API_AUTH_TOKEN": sidecar.token_file.read_text().strip(),
    }
