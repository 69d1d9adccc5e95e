"""A user's stored Anthropic API key, and the ways to name a key."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

#: Characters an API key may have: visible ASCII, so that it fits into a header and an environment variable.
SHORTEST_API_KEY, LONGEST_API_KEY = 8, 512
API_KEY_CHARACTERS = r"^[\x21-\x7e]+$"
_HINT = 4


@dataclass(frozen=True)
class Credential:
    """What may be told of a stored key."""

    id: UUID
    user_id: str
    #: The key's last four characters.
    hint: str
    created_at: datetime


@dataclass(frozen=True)
class Seal:
    """The JWE a stored key came in: its hash, and until when it could be sent again."""

    digest: bytes
    expires_at: datetime


@dataclass(frozen=True)
class KeyChoice:
    """The key a user wants to work with: at most one of the three; without any, the only one the user has stored."""

    #: The key itself, for this once.
    plain: str | None = field(default=None, repr=False)
    #: The key as a JWE, which is stored first.
    sealed: str | None = field(default=None, repr=False)
    credential_id: UUID | None = None


@dataclass(frozen=True)
class ChosenKey:
    """The key to work with, and where it lies."""

    key: str = field(repr=False)
    #: The stored key it is, if it is one.
    credential_id: UUID | None = None
    #: Whether it was given for this once, so that whoever needs it later has to keep it.
    plain: bool = False


def legal_api_key(text: str) -> bool:
    """Tell whether `text` may be an API key."""
    fits = SHORTEST_API_KEY <= len(text) <= LONGEST_API_KEY
    return fits and re.fullmatch(r"[\x21-\x7e]+", text) is not None


def hint_of(key: str) -> str:
    """Return what may be shown of a key."""
    return key[-_HINT:]
