"""Moving windows of calls, with a clock that only the test moves."""

from __future__ import annotations

import pytest

from sidecar.access.rates import Rates
from sidecar.config import Rate
from sidecar.errors import RateLimited
from tests.fakes.clock import FakeClock


def refused(rates: Rates, caller: str) -> int:
    """Return the seconds after which the refused caller may come again."""
    with pytest.raises(RateLimited) as caught:
        rates.hit(caller)
    return caught.value.retry_after_s


def test_as_many_calls_as_allowed_pass_and_one_more_does_not(clock: FakeClock) -> None:
    rates = Rates([Rate(3, 1)], clock)
    for _ in range(3):
        rates.hit("ann")
    assert refused(rates, "ann") == 1
    clock.advance(1)
    rates.hit("ann")


def test_the_window_moves_and_does_not_jump(clock: FakeClock) -> None:
    """With windows that begin anew twice the amount would pass around a beginning."""
    rates = Rates([Rate(2, 10)], clock)
    rates.hit("ann")
    clock.advance(9)
    rates.hit("ann")
    clock.advance(1)
    rates.hit("ann")
    assert refused(rates, "ann") == 9


def test_every_limit_holds(clock: FakeClock) -> None:
    rates = Rates([Rate(2, 1), Rate(3, 10)], clock)
    rates.hit("ann")
    rates.hit("ann")
    assert refused(rates, "ann") == 1
    clock.advance(1)
    rates.hit("ann")
    assert refused(rates, "ann") == 9


def test_a_refused_call_does_not_count(clock: FakeClock) -> None:
    rates = Rates([Rate(1, 10)], clock)
    rates.hit("ann")
    for _ in range(9):
        clock.advance(1)
        refused(rates, "ann")
    clock.advance(1)
    rates.hit("ann")


def test_the_time_to_come_again_is_never_zero(clock: FakeClock) -> None:
    rates = Rates([Rate(1, 1)], clock)
    rates.hit("ann")
    clock.advance(0.999)
    assert refused(rates, "ann") == 1


def test_callers_do_not_limit_each_other(clock: FakeClock) -> None:
    rates = Rates([Rate(1, 10)], clock)
    rates.hit("ann")
    rates.hit("bob")
    refused(rates, "ann")


def test_without_limits_nothing_is_counted(clock: FakeClock) -> None:
    rates = Rates([], clock)
    for _ in range(1000):
        rates.hit("ann")
    assert len(rates) == 0


def test_ten_thousand_made_up_callers_are_forgotten_when_their_calls_no_longer_count(
    clock: FakeClock,
) -> None:
    rates = Rates([Rate(20, 1), Rate(100, 10)], clock)
    for number in range(10_000):
        rates.hit(f"made up {number}")
    assert len(rates) == 10_000
    clock.advance(10)
    rates.hit("ann")
    assert len(rates) == 1


def test_of_more_callers_than_are_remembered_the_longest_silent_goes_first(clock: FakeClock) -> None:
    rates = Rates([Rate(1, 86_400)], clock)
    rates.hit("ann")
    for number in range(100_000):
        rates.hit(f"made up {number}")
    assert len(rates) == 100_000
    rates.hit("ann")
