"""What the keeper does for other parts."""

from __future__ import annotations

from sidecar.errors import StorageUnavailable
from sidecar.services import Services
from sidecar.sessions.keeper import Keeper


def test_chores_are_done_now_and_then_and_one_that_fails_holds_up_no_other(services: Services) -> None:
    done: list[str] = []

    def away() -> None:
        raise StorageUnavailable

    def broken() -> None:
        raise ZeroDivisionError

    own = services._keeper
    chores = (away, lambda: done.append("first"), broken, lambda: done.append("second"))
    keeper = Keeper(services._registry, own._archive, own._rules, services.clock, chores)
    for _ in range(13):
        keeper.round()

    assert done == ["first", "second"] * 2
