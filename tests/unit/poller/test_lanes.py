"""Rows of one order one after the other, different ones side by side, and none that is not ours any more."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from sidecar.poller.instance import Outcome, Row
from sidecar.poller.lanes import Lanes
from tests.fakes.clock import FakeClock
from tests.waiting import until


class Site:
    """Lanes whose work waits until the test lets it go."""

    def __init__(self, clock: FakeClock, workers: int) -> None:
        self.clock = clock
        self.began: list[str] = []
        self.gates: dict[str, threading.Event] = {}
        self.outcome = Outcome.ANSWERED
        self.lanes = Lanes(self._work, self._numbered, workers, clock)

    def _numbered(self, row: Row) -> bool:
        if row.payload == "unreadable":
            raise LookupError
        return row.payload == "numbered"

    def _work(self, row: Row) -> Outcome:
        self.began.append(row.id)
        if row.id in self.gates:
            assert self.gates[row.id].wait(60)
        if row.payload == "crash":
            raise ZeroDivisionError
        return self.outcome

    def hold(self, *rows: Row) -> None:
        """Let these rows wait in their work."""
        self.gates |= {row.id: threading.Event() for row in rows}

    def take(self, *rows: Row, lease_s: float = 30) -> None:
        """Take rows as a claim brings them that began when nothing was let go any more."""
        self.lanes.claiming()
        self.lanes.take(rows, self.clock.monotonic() + lease_s)

    def free(self) -> None:
        """Let everything go."""
        for gate in self.gates.values():
            gate.set()

    def ended(self) -> list[str]:
        """Return what was begun, once all has ended."""
        assert self.lanes.wait(60)
        return self.began


@pytest.fixture
def site(clock: FakeClock) -> Iterator[Site]:
    site = Site(clock, workers=4)
    yield site
    site.free()
    site.lanes.close()


def rows(order: str, count: int) -> list[Row]:
    return [Row(f"{order}{number}", 1, order) for number in range(count)]


def test_rows_of_an_order_keep_it(site: Site) -> None:
    first, *others = rows("a", 8)
    site.hold(first)
    site.take(first, *others)
    assert until(lambda: site.began)

    assert site.began == ["a0"]
    site.free()
    assert site.ended() == [f"a{number}" for number in range(8)]


def test_rows_with_numbers_do_not_wait_for_each_other_but_all_others_do(site: Site) -> None:
    """The sidecar puts them in order; the first number may stand behind the others."""
    names = ["2", "1", "status", "4", "3"]
    lane = [Row(name, 1, "a", "numbered" if name.isdigit() else None) for name in names]
    site.hold(*lane)
    site.take(*lane)
    assert until(lambda: len(site.began) == 2)
    assert sorted(site.began) == ["1", "2"]

    site.gates["2"].set()
    site.gates["1"].set()
    assert until(lambda: len(site.began) == 3)
    assert site.began[2] == "status"

    site.gates["status"].set()
    assert until(lambda: len(site.began) == 5)
    assert sorted(site.began[3:]) == ["3", "4"]


def test_behind_a_row_with_a_number_that_is_not_ours_nothing_more_begins(site: Site) -> None:
    one, two = (Row(name, 1, "a", "numbered") for name in "12")
    site.hold(one, two)
    site.outcome = Outcome.LOST
    site.take(one, two, Row("status", 1, "a"))
    assert until(lambda: len(site.began) == 2)
    site.free()

    assert sorted(site.ended()) == ["1", "2"]


def test_different_orders_go_side_by_side_and_rows_without_one_too(site: Site) -> None:
    all_at_once = [*rows("a", 1), *rows("b", 1), Row("c", 1), Row("d", 1)]
    site.hold(*all_at_once)
    site.take(*all_at_once)

    assert until(lambda: len(site.began) == 4)


def test_no_more_than_the_workers_are_at_work(site: Site) -> None:
    many = [Row(f"r{number}", 1) for number in range(9)]
    site.hold(*many)
    site.take(*many)
    assert until(lambda: len(site.began) == 4)

    site.gates[site.began[0]].set()
    assert until(lambda: len(site.began) == 5)
    assert len(site.lanes.held()) == 8
    assert site.lanes.room == 0


def test_a_long_lane_does_not_hold_up_the_others(clock: FakeClock) -> None:
    site = Site(clock, workers=1)
    long = rows("a", 5)
    site.hold(long[0])
    site.take(*long, *rows("b", 1))
    site.free()

    assert site.ended().index("b0") < 3
    site.lanes.close()


def test_a_row_whose_lease_ran_out_is_not_begun_nor_what_waits_behind_it(site: Site) -> None:
    first, second, third = rows("a", 3)
    site.hold(first)
    site.take(first, second, lease_s=30)
    site.take(third, lease_s=90)
    assert until(lambda: site.began)
    site.clock.advance(30)
    site.free()

    assert site.ended() == ["a0"]


@pytest.mark.parametrize("lost", [frozenset(), frozenset({"a1"})], ids=["ran out", "lost"])
def test_what_a_claim_brings_does_not_overtake_what_was_let_go_meanwhile(
    site: Site, lost: frozenset[str]
) -> None:
    """The instance gives all of it again, in order, at the next claim."""
    first, second, third = rows("a", 3)
    site.hold(first)
    site.take(first, second)
    assert until(lambda: site.began)
    held = site.lanes.claiming()
    if not lost:
        site.clock.advance(30)
        site.free()
        assert site.ended() == ["a0"]
    site.lanes.keep(held, lost, site.clock.monotonic() + 30)
    site.lanes.take([third, *rows("b", 1)], site.clock.monotonic() + 30)
    site.free()
    assert sorted(site.ended()) == ["a0", "b0"]

    site.take(second, third)
    assert site.ended()[2:] == ["a1", "a2"]


def test_a_lease_that_is_renewed_lasts_on(site: Site) -> None:
    first, second = rows("a", 2)
    site.hold(first)
    site.take(first, second)
    assert until(lambda: site.began)
    site.clock.advance(20)
    site.lanes.keep(site.lanes.held(), frozenset(), site.clock.monotonic() + 30)
    site.clock.advance(20)
    site.free()

    assert site.ended() == ["a0", "a1"]


def test_a_row_somebody_else_has_is_not_begun_nor_what_waits_behind_it(site: Site) -> None:
    first, second, third = rows("a", 3)
    site.hold(first)
    site.take(first, second, third)
    assert until(lambda: site.began)
    site.lanes.keep(site.lanes.held(), frozenset({"a1"}), site.clock.monotonic() + 30)
    site.free()

    assert site.ended() == ["a0"]


def test_nothing_is_left_of_a_row_somebody_else_has_that_was_the_only_one(clock: FakeClock) -> None:
    """Or a poller that was told to end would wait for it."""
    site = Site(clock, workers=1)
    busy, row = Row("b", 1), Row("a", 1)
    site.hold(busy)
    site.take(busy)
    assert until(lambda: site.began)
    site.take(row)
    site.lanes.keep(site.lanes.held(), frozenset({"a"}), site.clock.monotonic() + 30)
    assert site.lanes.held() == [busy]
    site.free()

    assert site.ended() == ["b"]
    site.take(Row("a", 3))
    assert site.ended() == ["b", "a"]
    site.lanes.close()


def test_what_waits_behind_a_row_that_could_not_be_answered_is_let_go(site: Site) -> None:
    site.outcome = Outcome.LOST
    first, *others = rows("a", 3)
    site.hold(first)
    site.take(first, *others, *rows("b", 1))
    site.free()

    assert sorted(site.ended()) == ["a0", "b0"]
    assert site.lanes.held() == []


def test_a_failure_of_our_own_ends_its_lane_only(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    bad = Row("a0", 1, "a", "crash")
    site.hold(bad)
    site.take(bad, Row("a1", 1, "a"), *rows("b", 1))
    site.free()

    assert sorted(site.ended()) == ["a0", "b0"]
    assert "a row failed" in caplog.text
    site.take(Row("a1", 2, "a"))
    assert site.ended()[-1] == "a1"


def test_a_row_that_cannot_be_looked_at_is_worked_off_with_all_others(site: Site) -> None:
    site.take(Row("a0", 1, "a", "unreadable"), *rows("b", 1))

    assert sorted(site.ended()) == ["a0", "b0"]


def test_a_row_that_is_given_again_is_done_once(site: Site) -> None:
    row, other = Row("a", 1, "a"), Row("b", 1)
    site.hold(row, other)
    site.take(row, other, row, other)
    site.free()

    assert sorted(site.ended()) == ["a", "b"]


@pytest.mark.parametrize("payload", [None, "crash"], ids=["refused", "crashed"])
def test_a_row_whose_answer_nobody_takes_is_left_until_its_lease_has_ended(
    site: Site, payload: str | None
) -> None:
    row = Row("a", 1, "", payload)
    site.outcome = Outcome.REFUSED
    site.take(row)
    assert site.ended() == ["a"]
    assert (site.lanes.held(), site.lanes.left(), site.lanes.room) == ([], [row], 7)

    site.clock.advance(60)
    assert (site.lanes.left(), site.lanes.room) == ([], 8)


def test_an_idle_one_has_no_threads(clock: FakeClock) -> None:
    before = threading.active_count()
    lanes = Lanes(lambda _: Outcome.ANSWERED, lambda _: False, 32, clock)

    assert threading.active_count() == before
    lanes.close()
