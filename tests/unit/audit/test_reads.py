"""Reading of a session by another credential than the one that created it."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from sidecar.audit.reads import Reads
from sidecar.model.event import Fact
from sidecar.model.session import Renderer, Session, SessionState, Size, WorkspaceType
from sidecar.origin import Origin, acting
from tests.fakes.clock import FakeClock

AT = FakeClock().now()


def session(created_by: str | None) -> Session:
    return Session(
        id=(chosen := uuid4()),
        user_id="ann",
        state=SessionState.RUNNING,
        workspace_type=WorkspaceType.ISOLATED,
        workspace_name="default",
        size=Size(),
        renderer=Renderer.CLASSIC,
        created_at=AT,
        last_activity_at=AT,
        conversation_id=chosen,
        created_by=created_by,
    )


class Noted(list[dict[str, Any]]):
    def note(
        self, action: str, *, user: str | None = None, session: UUID | None = None, **detail: Fact
    ) -> None:
        self.append({"action": action, "user": user, "session": session, **detail})


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def noted() -> Noted:
    return Noted()


@pytest.fixture
def reads(noted: Noted, clock: FakeClock) -> Reads:
    return Reads(noted.note, clock)


def see(reads: Reads, seen: Session, actor: str) -> None:
    with acting(Origin(actor)):
        reads.saw(seen, "output")


def test_its_own_credential_is_not_noted(reads: Reads, noted: Noted) -> None:
    see(reads, session("service"), "service")

    assert noted == []


def test_another_one_is(reads: Reads, noted: Noted) -> None:
    read = session("key:aa")
    see(reads, read, "service")

    expected = {
        "action": "session.read",
        "user": "ann",
        "session": read.id,
        "what": "output",
        "creator": "key:aa",
    }
    assert noted == [expected]


def test_not_at_every_poll_but_again_after_a_quarter_of_an_hour(
    reads: Reads, noted: Noted, clock: FakeClock
) -> None:
    read = session("key:aa")
    for _ in range(16):
        see(reads, read, "service")
        clock.advance(60)

    assert len(noted) == 2


def test_every_reader_and_every_session_by_itself(reads: Reads, noted: Noted) -> None:
    first, second = session("key:aa"), session("key:aa")
    for read, actor in ((first, "service"), (second, "service"), (first, "key:bb"), (first, "key:bb")):
        see(reads, read, actor)

    assert len(noted) == 3


def test_memory_is_bounded(reads: Reads) -> None:
    for _ in range(10_050):
        see(reads, session("key:aa"), "service")

    assert len(reads._noted) == 10_000
