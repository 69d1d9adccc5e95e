"""Programs beside an instance: start, wait until ready, end."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

_START_S = 60.0
_STOP_S = 20.0
_STEP_S = 0.02
_LAST_CHARACTERS = 2000


class ProgramError(Exception):
    """A program cannot be started or has ended; the text says why."""


class Program:
    """One program, which may be started, stopped and killed many times; what it prints goes to `log`.

    It inherits nothing but the path. It ends with the thread that started it, also when that is killed.
    """

    #: What its failures are.
    failure = ProgramError
    #: How long it may take to end in order, in seconds.
    patience = _STOP_S

    def __init__(self, name: str, log: Path, ready: str) -> None:
        """Describe the program; a line with the pattern `ready` says that it is up."""
        self.name = name
        self.log = log
        #: More of its environment, for the next start.
        self.environment: Mapping[str, str] = {}
        self._ready = re.compile(ready)
        self._process: subprocess.Popen[bytes] | None = None
        self._seen = 0

    def command(self) -> list[str]:
        """Return what is executed."""
        raise NotImplementedError

    @property
    def pid(self) -> int:
        """Return the process id; raise `ProgramError` when it does not run."""
        if self._process is None:
            raise self.failure(f"{self.name} is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        """Tell whether it runs now."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> re.Match[str]:
        """Start it; return the line that says it is up. Raise `ProgramError` when there is none."""
        self.launch()
        try:
            return self._await_ready()
        except BaseException:
            self.kill9()
            raise

    def launch(self) -> None:
        """Start the process and wait for nothing."""
        if self.running:
            raise self.failure(f"{self.name} is running already")
        self._seen = len(self._text())
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *self.command()],
                env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8", **self.environment},
                cwd=self.log.parent,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for whoever started it, who ends it in order
            )

    def again(self, restart: Callable[[], None]) -> re.Match[str]:
        """Make it begin again without a new process; return the line that says it is up."""
        self._seen = len(self._text())
        restart()
        return self._await_ready()

    def stop(self) -> int:
        """End it in order; return its exit status, 0 when it did not run."""
        return self._end(signal.SIGTERM)

    def kill9(self) -> int:
        """Kill it at once."""
        return self._end(signal.SIGKILL)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal; SIGSTOP and SIGCONT hold it and let it go on."""
        os.kill(self.pid, number)

    def said(self) -> str:
        """Return what it has printed since its last start."""
        return self._text()[self._seen :]

    def _await_ready(self) -> re.Match[str]:
        deadline = time.monotonic() + _START_S
        while time.monotonic() < deadline:
            running = self.running  # before the look: its last words may come in between
            if found := self._ready.search(self.said()):
                return found
            if not running:
                raise self.failure(f"it ended while starting:\n{self._last_words()}")
            time.sleep(_STEP_S)
        raise self.failure(f"it was not up within {_START_S:.0f} s:\n{self._last_words()}")

    def _last_words(self) -> str:
        """Return the end of what it printed, without Java's frames, which would fill it."""
        lines = [line for line in self.said().splitlines() if not line.startswith("\tat ")]
        return "\n".join(lines)[-_LAST_CHARACTERS:]

    def _end(self, number: signal.Signals) -> int:
        process, self._process = self._process, None
        if process is None:
            return 0
        if process.poll() is None:
            process.send_signal(number)
        try:
            return process.wait(self.patience)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def _text(self) -> str:
        return self.log.read_text(errors="replace") if self.log.exists() else ""
