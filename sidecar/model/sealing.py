"""A key pair that users' keys are sealed to, as it is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class SealingPair:
    """The stored form of a pair; the private half is encrypted."""

    #: RFC 7638 thumbprint of the public half.
    kid: str
    created_at: datetime
    private: bytes = field(repr=False)
    #: When a newer one took its place; from then on it only opens, and not for long.
    retired_at: datetime | None = None
