"""Real programs on real PTYs, read by the one reader."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sidecar.clock import SystemClock
from sidecar.model.session import Size
from sidecar.sessions.responder import Responder
from sidecar.terminal.console import Console, Hooks
from sidecar.terminal.process import Exit, Launcher, Program
from sidecar.terminal.reader import Reader
from sidecar.terminal.ring import Ring
from tests.waiting import until

Start = Callable[..., Console]
PYTHON = "/usr/bin/python3"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Return a starter of Python scripts on terminals in raw mode; all end with the test."""
    clock, reader, responder = SystemClock(), Reader(), Responder()
    launcher = Launcher(clock)
    consoles: list[Console] = []
    reader.start()
    responder.start()

    def begin(
        script: str, *, ring: int = 4 << 20, lossless: bool = False, secret: bytes | None = None
    ) -> Console:
        ends: list[Exit] = []
        hooks = Hooks(lambda: None, lambda asked: responder.ask(console, asked), ends.append)
        console = Console(Size(80, 24), Ring(ring), clock, hooks)
        console.lossless = lossless
        console.reserved = 1 << 60
        whole = f"import os, sys, time, tty, signal\ntty.setraw(0)\n{script}"
        environment = {"PATH": "/usr/bin:/bin", "TERM": "xterm-256color", "LANG": "C.UTF-8"}
        program = Program((PYTHON, "-c", whole), environment, tmp_path, console.size)
        console.attach(launcher.launch(program), reader, secret)
        consoles.append(console)
        return console

    yield begin
    for console in consoles:
        assert console.process is not None
        console.let_go()
        console.process.signal(signal.SIGKILL)
    for console in consoles:
        assert until(lambda console=console: console.exit is not None)  # type: ignore[misc]
        console.detach()
    responder.stop()
    reader.stop()
    launcher.close()
