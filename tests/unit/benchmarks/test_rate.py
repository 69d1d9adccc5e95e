"""How the highest rate is looked for."""

from __future__ import annotations

from typing import cast

from benchmarks.load import Connections, Load
from benchmarks.rate import Climb, Plan, climb_all


class _Server:
    """Sustains a rate, and answers late beyond it."""

    def __init__(self, highest: float, *, refuses: bool = False) -> None:
        self._highest, self._refuses = highest, refuses
        self.asked: list[float] = []

    def run(self, rate: float, seconds: float) -> Load:
        self.asked.append(rate)
        late = rate > self._highest
        return Load(
            [80.0 if late else 2.0] * int(rate * seconds), int(self._refuses), behind=False, busy_percent=5
        )


def climb(server: _Server) -> Climb:
    return Climb(cast(Connections, server))


PLAN = Plan(factor=2, seconds=1, last=3000)


def test_a_rate_is_found_between_the_last_that_is_sustained_and_the_first_that_is_not() -> None:
    found = climb(_Server(1000))

    climb_all({"a": found}, PLAN)

    assert (found.sustained, found.failed) == (1000, 1200)
    assert found.faults == []


def test_a_failure_is_tried_once_more() -> None:
    server = _Server(350)

    climb_all({"a": climb(server)}, PLAN)

    assert server.asked == [200, 400, 400, 300, 350]


def test_each_goes_on_by_itself_when_the_other_has_failed() -> None:
    slow, quick = climb(_Server(300)), climb(_Server(1_000_000))

    climb_all({"slow": slow, "quick": quick}, PLAN)

    assert (slow.sustained, quick.sustained, quick.failed) == (300, 1600, None)


def test_one_that_is_slower_than_the_first_rate_is_found_below_it() -> None:
    found = climb(_Server(150))

    climb_all({"a": found}, PLAN)

    assert found.sustained == 150


def test_requests_that_fail_are_faults_and_no_rate_is_sustained() -> None:
    found = climb(_Server(1000, refuses=True))

    climb_all({"a": found}, PLAN)

    assert found.sustained == 0
    assert "1 requests failed at 200 a second" in found.faults
