"""What serves terminals: the sidecar, terminado, ttyd, or nothing at all (a bare PTY)."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from benchmarks import account
from benchmarks.line import BareSeat, Seat, SidecarSeat, TerminadoSeat, TtydSeat
from benchmarks.service import PROGRAM, awaited, scratch, serving, started

SIDECAR, BARE, TERMINADO, TTYD = "sidecar", "bare", "terminado", "ttyd"
_ROOT = Path(__file__).resolve().parents[1]
_LISTENING = re.compile(r"Listening at: http://127\.0\.0\.1:(\d+)")
_TTYD_READY = re.compile(r"Listening on port")


@dataclass(frozen=True)
class Host:
    """A running server of terminals."""

    name: str
    seat: Seat
    #: Its processes, without the programs in the terminals; none where the process that uses them is the server.
    pids: tuple[int, ...] = ()
    version: str = ""


@contextmanager
def sidecar() -> Iterator[Host]:
    """Run the sidecar."""
    with serving() as service:
        yield Host(SIDECAR, SidecarSeat(service.address), service.pids)


@contextmanager
def bare() -> Iterator[Host]:
    """Run nothing."""
    yield Host(BARE, BareSeat())


@contextmanager
def terminado() -> Iterator[Host]:
    """Run a terminado server."""
    command = [sys.executable, "-m", "benchmarks.peer", str(PROGRAM)]
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(_ROOT)}
    with scratch() as folder, started(command, environment, folder, account.identity()) as (process, log):
        port = int(awaited(process, log, _LISTENING)[1])
        yield Host(TERMINADO, TerminadoSeat(port), (process.pid,), version("terminado"))


def has_ttyd() -> bool:
    """Tell whether ttyd is installed."""
    return shutil.which(TTYD) is not None


@contextmanager
def ttyd() -> Iterator[Host]:
    """Run a ttyd server that lets its clients type."""
    port = _free_port()
    command = [TTYD, "--port", str(port), "--interface", "127.0.0.1", "--writable", str(PROGRAM)]
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin"}
    told = subprocess.run([TTYD, "--version"], capture_output=True, text=True, check=True).stdout
    with scratch() as folder, started(command, environment, folder, account.identity()) as (process, log):
        awaited(process, log, _TTYD_READY)
        _await_port(port)
        yield Host(TTYD, TtydSeat(port), (process.pid,), told.split()[-1])


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _await_port(port: int) -> None:
    """Wait until it can be reached: it says that it listens before it does."""
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
