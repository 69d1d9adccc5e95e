"""The host's wall clock is set forward or back while sessions run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from sidecar import config
from sidecar.clock import SystemClock
from sidecar.model.session import SessionState
from sidecar.services import Services
from sidecar.sessions.desk import Query
from tests.fixtures.services import USER
from tests.integration.sessions.driver import Driver

DAYS = pytest.mark.parametrize("days", [-400, -2, 2, 400])


class JumpingClock(SystemClock):
    """The system's clock, whose wall time an administrator sets; the monotonic one goes on as it does."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return super().now() + self.ahead


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()


@pytest.fixture
def jumping(service_settings: config.Settings, clock: JumpingClock) -> Iterator[Services]:
    """Return services on the jumping clock that look after sessions all the time."""
    settings = replace(service_settings, session_idle_hibernate=60.0, session_idle_timeout=3600.0)
    services = Services(settings, clock)
    services.open()
    yield services
    services.close()


@DAYS
def test_nothing_sleeps_ends_or_stops_because_of_it(
    jumping: Services, clock: JumpingClock, days: int
) -> None:
    session = Driver.create(jumping)
    session.say("before")

    clock.ahead = timedelta(days=days)
    jumping._keeper.round()

    assert session.state() is SessionState.RUNNING
    session.say("after")
    page, total = jumping.sessions.page(Query(USER, None, 10, 0))
    assert (total, page[0].session.state) == (1, SessionState.RUNNING)


@DAYS
def test_output_and_recording_stay_in_order(jumping: Services, clock: JumpingClock, days: int) -> None:
    session = Driver.create(jumping)
    session.say("before")
    clock.ahead = timedelta(days=days)
    session.say("after")
    jumping._writer.store_all()

    assert session.everything().index(b"said: before") < session.everything().index(b"said: after")
    _, *events = [json.loads(line) for line in jumping.sessions.recording(session.access)]
    assert all(earlier[0] <= later[0] for earlier, later in pairwise(events))
    assert "You said: after" in "".join(event[2] for event in events)


def test_a_session_created_before_the_clock_went_back_ends_in_order(
    jumping: Services, clock: JumpingClock
) -> None:
    session = Driver.create(jumping)
    clock.ahead = timedelta(days=-400)

    session.terminate()
    jumping._keeper.tidy()

    assert session.state() is SessionState.TERMINATED


def test_a_clock_set_ahead_by_mistake_deletes_nothing(jumping: Services, clock: JumpingClock) -> None:
    session = Driver.create(jumping)
    session.say("to be kept")
    session.terminate()
    clock.ahead = timedelta(days=400)

    for _ in range(13):  # more than there are between two looks at what is too old
        jumping._keeper.round()

    assert b"You said: to be kept" in session.everything()
