"""A session: one Claude Code conversation in one terminal, of one user."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sidecar.errors import InvalidRequest

#: Characters of a user id; a leading dot and `..` are out because the id names a folder.
_USER_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")


#: The variable in the environment of every process of a session, with its id: so they are found again, also
#: those that left the process group.
SESSION_VARIABLE = "CLAUDE_SIDECAR_SESSION"


class SessionState(StrEnum):
    """Where a session is in its life.

    ::

        (create)──A──▶ starting ──B──▶ running ◀──C──▶ hibernated
                          │               │                │
                          └───────────────┴───────D────────┘──▶ interrupted ──E──▶ running
        any ──F──▶ terminated        any ──G──▶ failed

    A `Registry.create` · B the prompt is on the screen · C the idle sweep or a clean stop, and back
    by the next command · D found in storage without a process after a crash, or the program ended with another
    status than 0 · E the next command · F `Registry.terminate`, the program's own exit with 0, or
    `SESSION_IDLE_TIMEOUT` · G the program did not get to its first prompt.
    """

    STARTING = "starting"  #: the process is coming up
    RUNNING = "running"  #: the process lives
    HIBERNATED = "hibernated"  #: stopped to free memory; the next command wakes it
    INTERRUPTED = "interrupted"  #: its process died with the sidecar; the next command resumes it
    TERMINATED = "terminated"  #: ended for good
    FAILED = "failed"  #: never got to its first prompt

    @property
    def ended(self) -> bool:
        """Tell whether nothing can follow."""
        return self in (SessionState.TERMINATED, SessionState.FAILED)

    @property
    def live(self) -> bool:
        """Tell whether a process belongs to this state."""
        return self in (SessionState.STARTING, SessionState.RUNNING)

    def may_become(self, other: SessionState) -> bool:
        """Tell whether the transition is legal."""
        return other in TRANSITIONS[self]


_ENDS = {SessionState.TERMINATED, SessionState.FAILED}

#: The legal transitions, the only place that knows them.
TRANSITIONS: dict[SessionState, set[SessionState]] = {
    SessionState.STARTING: {SessionState.RUNNING, SessionState.INTERRUPTED} | _ENDS,
    SessionState.RUNNING: {SessionState.HIBERNATED, SessionState.INTERRUPTED} | _ENDS,
    SessionState.HIBERNATED: {SessionState.RUNNING, SessionState.INTERRUPTED} | _ENDS,
    SessionState.INTERRUPTED: {SessionState.RUNNING} | _ENDS,
    SessionState.TERMINATED: set(),
    SessionState.FAILED: set(),
}


class Activity(StrEnum):
    """What the program is doing, read from its screen."""

    BUSY = "busy"  #: it works, or prints
    IDLE = "idle"  #: it waits at its prompt
    AWAITING_INPUT = "awaiting_input"  #: a menu or a permission question is open


class WorkspaceType(StrEnum):
    """How long the session's files live."""

    ISOLATED = "isolated"  #: fresh, removed with the session
    PERSISTENT = "persistent"  #: kept per user and workspace name


class Renderer(StrEnum):
    """How the CLI paints its screen."""

    AUTO = "auto"  #: decided by the sidecar: classic
    CLASSIC = "classic"  #: scrolls in the normal screen
    FULLSCREEN = "fullscreen"  #: uses the alternate screen


@dataclass(frozen=True)
class Size:
    """A terminal's size in character cells, each 1–500."""

    columns: int = 120
    rows: int = 40


@dataclass(frozen=True)
class Session:
    """What is known and stored of one session; changes make a copy (`evolve`)."""

    id: UUID
    user_id: str
    state: SessionState
    workspace_type: WorkspaceType
    workspace_name: str
    size: Size
    renderer: Renderer
    created_at: datetime
    last_activity_at: datetime
    #: The conversation the CLI had last; differs from `id` after `/clear`.
    conversation_id: UUID
    model: str | None = None
    ended_at: datetime | None = None
    exit_code: int | None = None
    #: One sentence on why the session is in its state.
    reason: str | None = None
    claude_version: str | None = None
    #: Who created it, see `sidecar.origin.Origin.actor`; what another one reads is noted in the audit trail.
    created_by: str | None = None
    #: The stored key it pays with; None for a key of its own, or the host's.
    credential_id: UUID | None = None
    #: Absolute offset behind the last byte known to be stored.
    output_offset: int = 0
    #: Offsets below this may have been given out (see `Registry`); a restart goes on from here.
    reserved_offset: int = 0
    #: Offset of the first byte of the latest process; its screen starts empty there.
    process_offset: int = 0

    def evolve(self, **changes: Any) -> Session:
        """Return a copy with `changes`.

        Raises:
            ValueError: the state may not become the new one.
        """
        state = changes.get("state", self.state)
        if state != self.state and not self.state.may_become(state):
            raise ValueError(f"a session cannot go from {self.state} to {state}")
        return replace(self, **changes)


def check_user_id(value: str, field: str = "userId") -> str:
    """Return `value` if it is a legal user id.

    Raises:
        InvalidRequest: it is empty, longer than 64, climbs, or has other characters.
    """
    if not _USER_ID.fullmatch(value) or ".." in value:
        raise InvalidRequest.of(
            field, "use 1 to 64 of A-Z a-z 0-9 . _ -, not beginning with a dot, without '..'"
        )
    return value


def check_workspace_name(value: str) -> str:
    """Return `value` if it may name a workspace folder: the same rule as a user id."""
    return check_user_id(value, "workspaceName")
