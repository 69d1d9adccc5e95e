"""How often the instance is asked: often while somebody is there, seldom when nobody is."""

from __future__ import annotations

import pytest

from sidecar.poller.instance import Claim, Row
from sidecar.poller.interval import Interval

#: A row of a session, and one that belongs to none.
TYPED, CHECK = Row("a" * 32, 1, "session"), Row("b" * 32, 1)


def claimed(*rows: Row, viewers: int = 0) -> Claim:
    return Claim(rows, frozenset(), 30.0, viewers)


def pauses(interval: Interval, claim: Claim, seconds: float, start: float = 0.0) -> list[float]:
    """Return the pauses of so many seconds in which every claim brings the same."""
    now, found = start, []
    while now < start + seconds:
        found.append(interval.after(claim, now))
        now += found[-1]
    return found


def test_idle_it_asks_at_most_15_times_a_minute_with_a_health_check_in_it() -> None:
    interval = Interval(None)
    assert pauses(interval, claimed(), 8) == [1, 2, 5]

    asked = len(pauses(interval, claimed(), 60, start=8))
    assert interval.after(claimed(CHECK), 70) == 5

    assert asked + 2 <= 15  # and what the check's answer takes


def test_while_rows_of_sessions_come_it_asks_again_at_once() -> None:
    assert Interval(None).after(claimed(CHECK, TYPED), 100) == 0.25


@pytest.mark.parametrize("rows", [(), (CHECK,)], ids=["nothing", "a check"])
def test_while_somebody_looks_it_asks_twice_a_second(rows: tuple[Row, ...]) -> None:
    assert set(pauses(Interval(None), claimed(*rows, viewers=1), 60)) == {0.5}


def test_who_has_just_typed_is_waited_for() -> None:
    interval = Interval(None)
    interval.after(claimed(TYPED), 100)

    assert interval.after(claimed(), 129) == 0.5
    assert pauses(interval, claimed(), 8, start=131) == [1, 2, 5]


def test_it_begins_anew_after_somebody_was_there() -> None:
    interval = Interval(None)
    pauses(interval, claimed(), 60)
    interval.after(claimed(viewers=1), 60)

    assert pauses(interval, claimed(), 3, start=61) == [1, 2]


def test_a_fixed_one_is_fixed() -> None:
    interval = Interval(5.0)

    assert interval.after(claimed(TYPED, viewers=3), 0) == 5.0
    assert interval.after(claimed(), 5) == 5.0
