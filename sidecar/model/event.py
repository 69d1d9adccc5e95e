"""An entry of the audit trail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class Event:
    """One security-relevant act or change of state. It holds no secret, no text that was typed, and no output."""

    id: UUID
    at: datetime
    #: Who did it, see `sidecar.origin.Origin.actor`.
    actor: str
    #: What was done, as `noun.verb`: `session.create`, `session.command`, `key.revoke`, `request.refuse`.
    action: str
    user_id: str | None = None
    session_id: UUID | None = None
    request_id: str | None = None
    #: What else is worth knowing: lengths, states, reasons, statuses.
    detail: Mapping[str, str | int | bool | None] = field(default_factory=dict)
