from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from sidecar.sessions.calendar import Calendar
from tests.fakes.clock import FakeClock

DAY_S = 24 * 3600.0


class SetClock(FakeClock):
    """A clock whose wall time can be set apart from the monotonic one."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.mark.parametrize("seconds", [0, 5, DAY_S, 400 * DAY_S])
def test_time_that_passes_is_trusted(clock: SetClock, seconds: float) -> None:
    calendar = Calendar(clock)
    clock.advance(seconds)
    assert calendar.trusted()


@pytest.mark.parametrize("minutes", [-59, 59])
def test_a_correction_is_trusted(clock: SetClock, minutes: int) -> None:
    calendar = Calendar(clock)
    clock.ahead = timedelta(minutes=minutes)
    assert calendar.trusted()


@pytest.mark.parametrize("hours", [-9000, -2, 2, 9000])
def test_a_clock_that_was_set_is_doubted_until_it_is_set_back_or_a_day_has_passed(
    clock: SetClock, hours: int
) -> None:
    calendar = Calendar(clock)
    clock.ahead = timedelta(hours=hours)
    assert not calendar.trusted()
    clock.advance(DAY_S - 1)
    assert not calendar.trusted()
    clock.advance(2)
    assert calendar.trusted()
    assert calendar.trusted()


def test_a_clock_that_was_set_back_is_trusted_at_once(clock: SetClock) -> None:
    calendar = Calendar(clock)
    clock.ahead = timedelta(days=3)
    assert not calendar.trusted()
    clock.ahead = timedelta()
    assert calendar.trusted()
    clock.ahead = timedelta(days=3)
    assert not calendar.trusted()
