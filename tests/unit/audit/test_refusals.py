"""Refusals: the first of a kind at once, then how many more, and never many."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from sidecar.audit.refusals import Refusal, Refusals
from sidecar.model.event import Fact
from sidecar.origin import Origin, origin
from tests.fakes.clock import FakeClock

ROUTE = "/api/session/<session_id>/output"


class Noted(list[dict[str, Any]]):
    """Collects what is noted, with who was behind it."""

    def note(
        self, action: str, *, user: str | None = None, session: UUID | None = None, **detail: Fact
    ) -> None:
        who = {"user": user, "session": session, "actor": origin().actor, "address": origin().address}
        self.append({"action": action, **who, **detail})


@pytest.fixture
def noted() -> Noted:
    return Noted()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def refusals(noted: Noted, clock: FakeClock) -> Refusals:
    return Refusals(noted.note, clock)


def refusal(
    status: int = 401, address: str = "10.0.0.1", route: str = ROUTE, user: str | None = None
) -> Refusal:
    return Refusal(status, "GET", route, Origin("anonymous", "r1", address), user)


def test_the_first_is_noted_at_once(refusals: Refusals, noted: Noted) -> None:
    refusals.refused(refusal())

    who = {"user": None, "session": None, "actor": "anonymous", "address": "10.0.0.1"}
    assert noted == [{"action": "request.refuse", **who, "status": 401, "method": "GET", "route": ROUTE}]


def test_like_ones_of_a_minute_are_one_number(refusals: Refusals, noted: Noted, clock: FakeClock) -> None:
    for _ in range(50):
        refusals.refused(refusal())
        clock.advance(1)
    assert len(noted) == 1

    clock.advance(10)
    refusals.refused(refusal())

    assert [item.get("more") for item in noted] == [None, 49, None]


def test_the_number_is_told_without_a_next_one(refusals: Refusals, noted: Noted, clock: FakeClock) -> None:
    refusals.refused(refusal())
    refusals.refused(refusal())
    refusals.flush()
    assert len(noted) == 1
    clock.advance(60)
    refusals.flush()
    refusals.flush()

    assert [item.get("more") for item in noted] == [None, 1]
    assert noted[1]["address"] == "10.0.0.1"


def test_at_the_end_every_number_is_told(refusals: Refusals, noted: Noted) -> None:
    for _ in range(3):
        refusals.refused(refusal())
    refusals.flush(everything=True)

    assert [item.get("more") for item in noted] == [None, 2]


def test_other_statuses_addresses_routes_and_users_are_kept_apart(refusals: Refusals, noted: Noted) -> None:
    for other in (
        refusal(),
        refusal(403),
        refusal(address="10.0.0.2"),
        refusal(route="/health"),
        refusal(user="ann"),
    ):
        refusals.refused(other)

    assert len(noted) == 5


def test_made_up_addresses_do_not_fill_memory_or_the_trail(
    refusals: Refusals, noted: Noted, clock: FakeClock
) -> None:
    for number in range(20_000):
        refusals.refused(refusal(address=f"fd00::{number:x}"))
    assert len(noted) == 1001
    assert len(refusals._spells) <= 1001

    clock.advance(61)
    refusals.flush()

    assert len(refusals._spells) == 0
    assert sum(item.get("more", 1) for item in noted) == 20_000
