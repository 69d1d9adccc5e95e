"""Reading programs that print faster than anybody reads."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.clock import SystemClock
from sidecar.model.session import Size
from sidecar.terminal.process import Exit, Launcher, Process, Program
from sidecar.terminal.reader import Reader

#: No sink is given more at once, so that it can say in time that it wants a pause.
LARGEST_DELIVERY = 65536
FLOOD = 300_000


class Sink:
    """Keep what was delivered."""

    holding = False

    def __init__(self) -> None:
        self.deliveries: list[bytes] = []
        self.over = threading.Event()

    def output(self, data: bytes) -> bool:
        self.deliveries.append(data)
        return True

    def paused(self) -> None:
        raise AssertionError("it holds nothing")

    def ended(self, _: Exit) -> None:
        self.over.set()


@pytest.fixture
def reader() -> Iterator[Reader]:
    reader = Reader()
    reader.start()
    yield reader
    reader.stop()


@pytest.fixture
def flooding() -> Iterator[Process]:
    launcher = Launcher(SystemClock())
    program = Program(["/usr/bin/head", "-c", str(FLOOD), "/dev/zero"], {}, Path("/"), Size(80, 24))
    process = launcher.launch(program)
    yield process
    process.close()
    launcher.close()


def test_a_flood_comes_whole_and_in_bounded_deliveries(reader: Reader, flooding: Process) -> None:
    sink = Sink()

    reader.add(flooding, sink)

    assert sink.over.wait(30)
    assert b"".join(sink.deliveries) == b"\0" * FLOOD
    assert max(len(data) for data in sink.deliveries) <= LARGEST_DELIVERY
