"""The answer to a call that may be sent again."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True)
class Answer:
    """What a caller got."""

    status: int
    content_type: str
    body: bytes = field(repr=False)


@dataclass(frozen=True)
class Attempt:
    """A call with an Idempotency-Key, as it is stored: first without a status, then with its answer's."""

    user_id: str
    key: str
    created_at: datetime
    #: The digest of the request and, once there is one, the body of the answer.
    sealed: bytes
    #: What the call makes, if it makes something.
    resource_id: UUID | None = None
    status: int | None = None
    content_type: str | None = None
