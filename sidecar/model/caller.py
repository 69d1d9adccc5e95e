"""Who calls, and what that credential allows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Scope(StrEnum):
    """What an API key may be used for."""

    SESSIONS = "sessions"  #: terminals of its user, and the user's stored credentials
    JOBS = "jobs"  #: headless jobs of its user
    WORKFLOWS = "workflows"  #: workflows of its user
    ADMIN = "admin"  #: list and end anybody's sessions and jobs, never read their output


#: The actor of the service token, which names the user it acts for in every call.
SERVICE_ACTOR = "service"


@dataclass(frozen=True)
class Caller:
    """An authenticated credential. Without a user it is the service token."""

    actor: str
    user_id: str | None
    scopes: frozenset[Scope]

    @property
    def is_service(self) -> bool:
        """Tell whether this is the service token, which acts for any user."""
        return self.user_id is None

    def may(self, scope: Scope) -> bool:
        """Tell whether the credential has `scope`. The service token acts as its users, so it is no administrator."""
        return scope in self.scopes


#: The holder of the service token.
SERVICE = Caller(SERVICE_ACTOR, None, frozenset(set(Scope) - {Scope.ADMIN}))


@dataclass(frozen=True)
class ApiKey:
    """An issued API key, without its secret, which nobody can show again."""

    #: Public part, 16 hex digits; stands in the key itself, in lists and in the audit trail.
    id: str
    user_id: str
    #: What its owner calls it.
    name: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def caller(self) -> Caller:
        """Return who calls with this key."""
        return Caller(f"key:{self.id}", self.user_id, self.scopes)

    def valid(self, now: datetime) -> bool:
        """Tell whether it may be used at this time."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)
