"""How long an instance that does not answer is left alone."""

from __future__ import annotations

from sidecar.poller.patience import Patience
from tests.fakes.clock import FakeClock


def most(_: float, longest: float) -> float:
    return longest


def least(shortest: float, _: float) -> float:
    return shortest


def failing(patience: Patience, clock: FakeClock, times: int) -> list[float]:
    """Return the pauses when every call fails as soon as it may be made."""
    pauses = []
    for _ in range(times):
        patience.failed(clock.monotonic(), None)
        pauses.append(patience.left_s())
        clock.advance(pauses[-1] + 2**-10)
    return pauses


def test_pauses_grow_up_to_15_seconds(clock: FakeClock) -> None:
    assert failing(Patience(clock, most), clock, 8) == [0.5, 1, 2, 4, 8, 15, 15, 15]


def test_pauses_are_drawn_by_lot_but_never_nothing(clock: FakeClock) -> None:
    assert failing(Patience(clock, least), clock, 8) == [0.25, 0.5, 1, 2, 4, 7.5, 7.5, 7.5]


def test_an_answer_begins_anew(clock: FakeClock) -> None:
    patience = Patience(clock, most)
    failing(patience, clock, 5)
    patience.answered()

    assert failing(patience, clock, 1) == [0.5]


def test_only_the_first_failure_in_a_row_is_worth_telling(clock: FakeClock) -> None:
    patience = Patience(clock, most)

    told = [patience.failed(clock.monotonic(), None)]
    clock.advance(1)
    told.append(patience.failed(clock.monotonic(), None))

    assert told == [True, False]


def test_calls_that_fail_together_are_one_failure(clock: FakeClock) -> None:
    patience, began = Patience(clock, most), clock.monotonic()
    clock.advance(3)
    for _ in range(32):
        patience.failed(began, None)

    assert patience.left_s() == 0.5


def test_a_pause_that_is_asked_for_is_kept_up_to_two_minutes(clock: FakeClock) -> None:
    patience = Patience(clock, most)

    patience.failed(0, 60)
    assert patience.left_s() == 60
    patience.answered()
    assert patience.left_s() == 60
    patience.failed(1, 86_400)
    assert patience.left_s() == 120
    clock.advance(120)
    assert patience.left_s() == 0


def test_a_pause_asked_for_that_is_shorter_does_not_hurry(clock: FakeClock) -> None:
    patience = Patience(clock, most)
    patience.failed(0, 0)

    assert patience.left_s() == 0.5
