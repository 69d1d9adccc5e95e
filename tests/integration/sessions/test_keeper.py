"""What the keeper does for other parts."""

from __future__ import annotations

from datetime import datetime, timedelta

from sidecar.errors import StorageUnavailable
from sidecar.services import Services
from sidecar.sessions.keeper import Chores, Keeper
from tests.fakes.clock import FakeClock


class JumpingClock(FakeClock):
    """One whose wall time an administrator sets."""

    ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


def away() -> None:
    raise StorageUnavailable


def broken() -> None:
    raise ZeroDivisionError


def keeping(services: Services, chores: Chores, clock: FakeClock) -> Keeper:
    own = services._keeper
    return Keeper(services._registry, own._archive, own._rules, clock, chores)


def rounds(keeper: Keeper) -> None:
    """Make as many as come in a minute."""
    for _ in range(12):
        keeper.round()


def test_chores_are_done_now_and_then_and_one_that_fails_holds_up_no_other(
    services: Services, clock: FakeClock
) -> None:
    done: list[str] = []
    chores = Chores([lambda: done.append("first"), broken], [broken, lambda: done.append("second")])
    keeper = keeping(services, chores, clock)
    rounds(keeper)
    rounds(keeper)

    assert done == ["first", "second"] * 2


def test_one_that_finds_the_database_away_puts_the_others_off(services: Services, clock: FakeClock) -> None:
    """Each would wait for it as long, and so would programs that end meanwhile."""
    done: list[str] = []
    chores = Chores([lambda: done.append("first"), away], [lambda: done.append("second")])
    rounds(keeping(services, chores, clock))

    assert done == ["first"]


def test_only_what_goes_by_age_is_put_off_while_the_wall_clock_is_in_doubt(
    services: Services,
) -> None:
    clock = JumpingClock()
    done: list[str] = []
    chores = Chores([lambda: done.append("always")], [lambda: done.append("by age")])
    keeper = keeping(services, chores, clock)
    clock.ahead = timedelta(days=400)
    rounds(keeper)

    assert done == ["always"]
