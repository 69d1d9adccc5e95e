"""Who owns the data directory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.errors import DataDirectoryInUse
from sidecar.sessions.ownership import Ownership
from tests.fakes.clock import FakeClock


class Alarm(FakeClock):
    """Calls somebody once that much time was slept."""

    def __init__(self, after_s: float, ring: Callable[[], None]) -> None:
        super().__init__()
        self._after_s = after_s
        self._ring = ring

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.monotonic() >= self._after_s:
            self._ring()


def test_a_worker_waits_as_long_as_its_predecessor_may_take_to_end(tmp_path: Path, clock: FakeClock) -> None:
    """30 s for clients that are slow, and 30 for programs and a database that are."""
    predecessor = Ownership(tmp_path, clock)
    predecessor.acquire()
    worker = Ownership(tmp_path, Alarm(60, predecessor.release))

    worker.acquire()
    worker.release()


def test_a_predecessor_that_does_not_end_is_told_before_the_master_gives_the_worker_up(
    tmp_path: Path, clock: FakeClock
) -> None:
    predecessor = Ownership(tmp_path, clock)
    predecessor.acquire()

    with pytest.raises(DataDirectoryInUse):
        Ownership(tmp_path, clock).acquire()

    assert clock.monotonic() < 115  # gunicorn's `timeout` is 120 s, and the program is yet to load
    predecessor.release()
