"""Started as root, with the real CLI: root is given up, and a full disk is survived."""

from __future__ import annotations

import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.isolation.processes import descendants
from tests.acceptance.driver import User
from tests.fixtures.server import Server
from tests.waiting import until

pytestmark = pytest.mark.root

ACCOUNT = "claude-sidecar"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder of root's that the account can enter."""
    with tempfile.TemporaryDirectory(prefix="sidecar-root-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture
def server(folder: Path, settings: dict[str, str]) -> Iterator[Server]:
    """Run a service that is started as root."""
    running = Server(folder, settings)
    running.start()
    yield running
    running.stop()


def uids(pid: int) -> set[int]:
    """Return all of a process's user ids: real, effective, saved, and of the file system."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {int(uid) for line in lines if line.startswith("Uid:") for uid in line.split()[1:]}


def test_nothing_of_a_service_started_as_root_runs_as_root(server: Server) -> None:
    user = User(server)
    terminal = user.create()
    terminal.run_tool("id -u; tail -f /dev/null")
    account = {pwd.getpwnam(ACCOUNT).pw_uid}
    assert server.process is not None

    def tails() -> list[int]:
        everything = descendants(server.process.pid) if server.process else []
        return [pid for pid in everything if b"tail\0-f" in Path(f"/proc/{pid}/cmdline").read_bytes()]

    assert until(tails), terminal.text()
    everything = [server.process.pid, *descendants(server.process.pid)]
    assert len(everything) >= 6
    assert {pid: uids(pid) for pid in everything} == dict.fromkeys(everything, account)
    assert (server.data_dir.stat().st_uid, server.data_dir.stat().st_mode & 0o777) == (*account, 0o700)
    terminal.keys("Escape")
    user.leave()


@pytest.mark.parametrize("name", ["no-such-account-here", "root"])
def test_an_account_that_is_missing_or_root_is_refused(
    folder: Path, settings: dict[str, str], name: str
) -> None:
    server = Server(folder, {**settings, "SIDECAR_USER": name})

    server.launch()

    assert server.wait() == 1
    assert "SIDECAR_USER" in server.said()
    assert "Traceback" not in server.said()
    assert not server.data_dir.exists() or not list(server.data_dir.iterdir())


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a small file system where the data directory will be."""
    place = folder / "data"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_a_full_disk_stops_no_session_and_is_told(small_disk: Path, server: Server) -> None:
    user = User(server)
    terminal = user.create()
    terminal.say("before")
    terminal.await_reply("You said: before")

    filler = small_disk / "filler"
    fill(filler)
    # Read and typed as before; what cannot be stored stays in memory.
    terminal.say("[[long 20000]]")
    terminal.await_text("End of 20000 characters.")
    health = user.call("GET", "/health")
    assert health.status_code == 200
    assert health.json()["status"] == "degraded"
    assert health.json()["checks"]["disk"]["ok"] is False
    assert str(small_disk) not in health.text
    refusal = user.post_create()
    assert refusal.status_code == 503, refusal.text
    assert str(small_disk) not in refusal.text
    end = terminal.status()["outputOffset"]
    assert len(terminal.recorded().encode()) < end
    assert len(terminal.all_output()) >= end

    filler.unlink()
    assert until(lambda: len(terminal.recorded().encode()) >= end)
    assert terminal.output(0)["dropped"] == 0
    terminal.say("after")
    terminal.await_reply("You said: after")
    user.leave()


def fill(path: Path) -> None:
    """Write until not a byte is left."""
    with path.open("wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                continue
    assert shutil.disk_usage(path).free < 4096
