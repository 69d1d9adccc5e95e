"""The fake clock keeps the protocol's promises, so that what passes with it passes with the real one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sidecar.clock import Clock, SystemClock
from tests.fakes.clock import FakeClock


def test_it_moves_only_when_told(clock: FakeClock) -> None:
    shared: Clock = clock
    start, tick = shared.now(), shared.monotonic()

    clock.advance(1.5)
    shared.sleep(0.5)

    assert shared.now() - start == timedelta(seconds=2)
    assert shared.monotonic() - tick == 2


def test_it_does_not_go_back(clock: FakeClock) -> None:
    with pytest.raises(ValueError, match="back"):
        clock.advance(-1)


def test_its_time_has_a_zone_as_the_real_one_has(clock: FakeClock) -> None:
    assert clock.now().utcoffset() == SystemClock().now().utcoffset() == timedelta(0)
