"""What is noted of a change."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from sidecar.model.event import Fact
from sidecar.model.session import Renderer, Session, SessionState, Size, WorkspaceType
from sidecar.sessions.live import note_change
from tests.fakes.clock import FakeClock

AT = FakeClock().now()


class Noted(list[dict[str, Any]]):
    def note(
        self, action: str, *, user: str | None = None, session: UUID | None = None, **detail: Fact
    ) -> None:
        self.append({"action": action, "user": user, "session": session, **detail})


def failed(reason: str | None) -> Session:
    return Session(
        id=(chosen := uuid4()),
        user_id="ann",
        state=SessionState.FAILED,
        workspace_type=WorkspaceType.ISOLATED,
        workspace_name="default",
        size=Size(),
        renderer=Renderer.CLASSIC,
        created_at=AT,
        last_activity_at=AT,
        conversation_id=chosen,
        reason=reason,
    )


def test_only_the_first_line_of_a_reason_is_noted() -> None:
    """What follows is the last screen of the program, which may show anything."""
    noted = Noted()
    session = failed("It ended.\n> my secret\nmore")
    note_change(noted.note, SessionState.STARTING, session)

    change = {"before": "starting", "after": "failed", "reason": "It ended."}
    assert noted == [{"action": "session.state", "user": "ann", "session": session.id, **change}]


def test_a_change_of_something_else_is_not_noted() -> None:
    noted = Noted()
    note_change(noted.note, SessionState.FAILED, failed(None))

    assert noted == []
