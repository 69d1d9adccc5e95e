"""A page that somebody has signed in to with an API key."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class SignIn:
    """One signed-in browser. Of the token it holds only the hash is known."""

    #: SHA-256 of the token.
    digest: bytes
    #: The API key it came from, and acts as.
    key_id: str
    created_at: datetime
    expires_at: datetime

    def valid(self, now: datetime) -> bool:
        """Tell whether it still holds at this time."""
        return now < self.expires_at
