"""A user's stored Anthropic API key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class Credential:
    """What may be told of a stored key."""

    id: UUID
    user_id: str
    #: The key's last four characters.
    hint: str
    created_at: datetime
