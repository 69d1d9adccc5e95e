"""Values for the tests of storage."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

from sidecar.model.output import Chunk, Mark
from sidecar.model.session import Renderer, Session, SessionState, Size, WorkspaceType
from sidecar.storage.sessions import SessionStore

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def a_session(user_id: str = "ann", *, session_id: UUID | None = None, at: datetime = NOON) -> Session:
    """Return a session that was just created."""
    own_id = session_id or uuid4()
    return Session(
        id=own_id,
        user_id=user_id,
        state=SessionState.STARTING,
        workspace_type=WorkspaceType.ISOLATED,
        workspace_name="default",
        size=Size(),
        renderer=Renderer.AUTO,
        created_at=at,
        last_activity_at=at,
        conversation_id=own_id,
    )


def added(store: SessionStore, session: Session | None = None) -> Session:
    """Return a session that is stored."""
    session = session or a_session()
    store.add(session, max_per_user=1000, max_total=1000)
    return session


def a_chunk(offset: int, data: bytes, at: int = 1) -> Chunk:
    """Return a chunk that arrived at once."""
    return Chunk(offset, data, (Mark(at, len(data)),))
