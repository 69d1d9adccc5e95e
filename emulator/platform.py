"""The emulated instance as a process, on a data directory of its own."""

from __future__ import annotations

from pathlib import Path

from emulator.rhino import FOLDER, Program
from emulator.servicenow import Instance

MAIN = FOLDER / "instance" / "main.js"
READY = r"emulated instance listening on (http://127\.0\.0\.1:(\d+))"

#: The administrator an empty instance has; it listens on loopback only.
ADMIN, ADMIN_PASSWORD = "admin", "admin"


class Platform:
    """One instance; it may be started, stopped and killed many times, and keeps its data and its port."""

    def __init__(self, data: Path, port: int = 0, name: str = "") -> None:
        """Describe an instance whose database is in `data`; port 0 lets the system choose at the first start."""
        self.data = data
        self._port = port
        self._name = name
        self.program = Program(MAIN, self._arguments(), data / "instance.log", READY)
        self.url = ""

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.data.mkdir(parents=True, exist_ok=True)
        self.program.arguments = self._arguments()
        line = self.program.start()
        self.url, self._port = line[1], int(line[2])

    def move(self, data: Path) -> None:
        """Let the running process begin again on other data, at the same port: quicker than a new process."""
        self.program.again(lambda: self.admin.restart(data))
        self.data = data

    def stop(self) -> int:
        """End it in order; return its exit status."""
        return self.program.stop()

    def kill9(self) -> None:
        """Kill it at once."""
        self.program.kill9()

    @property
    def admin(self) -> Instance:
        """Return a client for the administrator."""
        return Instance(self.url, ADMIN, ADMIN_PASSWORD)

    def _arguments(self) -> list[str]:
        name = ["--name", self._name] if self._name else []
        return ["--data", str(self.data), "--port", str(self._port), *name]
