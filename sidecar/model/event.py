"""An entry of the audit trail."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

#: What an event may tell beside who and what.
Fact = str | int | bool | None

#: Characters kept of any text in an event; nothing an event tells is longer.
_LONGEST = 300
#: What the first entry of all is chained to.
GENESIS = bytes(32)


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
    detail: Mapping[str, Fact] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """Return the event as what JSON can hold."""
        return {
            "id": str(self.id),
            "at": self.at.astimezone(UTC).isoformat(timespec="microseconds"),
            "actor": self.actor,
            "action": self.action,
            "user": self.user_id,
            "session": None if self.session_id is None else str(self.session_id),
            "request": self.request_id,
            "detail": dict(self.detail),
        }

    @classmethod
    def parse(cls, document: Any) -> Event:
        """Return the event that a `document` tells of.

        Raises:
            ValueError: it tells of none.
        """
        try:
            return cls(
                id=UUID(document["id"]),
                at=_time(document["at"]),
                actor=plain(document["actor"]),
                action=plain(document["action"]),
                user_id=_maybe(document["user"]),
                session_id=None if document["session"] is None else UUID(document["session"]),
                request_id=_maybe(document["request"]),
                detail=facts(document["detail"]),
            )
        except (AttributeError, KeyError, TypeError, OverflowError) as exc:
            raise ValueError("not an event") from exc


@dataclass(frozen=True)
class Entry:
    """An event in its place in the trail, chained to the one before it."""

    #: Counts up by one.
    number: int
    event: Event
    #: Hash over `event`, `number` and the digest of the entry before.
    digest: bytes

    @classmethod
    def following(cls, number: int, digest: bytes, event: Event) -> Entry:
        """Return `event` as the entry after the one of this number and digest."""
        return cls(number + 1, event, digest_of(digest, number + 1, event))

    def document(self) -> dict[str, Any]:
        """Return the entry as what JSON can hold."""
        return {"number": self.number, **self.event.document(), "digest": self.digest.hex()}


@dataclass(frozen=True)
class Search:
    """Which entries are wanted; `action` and `actor` may hold `*` for anything."""

    since: datetime | None = None
    until: datetime | None = None
    user_id: str | None = None
    session_id: UUID | None = None
    action: str | None = None
    actor: str | None = None
    #: Only entries with a higher number.
    after: int | None = None


class Note(Protocol):
    """Puts an event into the audit trail; who is behind it is known from `sidecar.origin`."""

    def __call__(
        self, action: str, *, user: str | None = None, session: UUID | None = None, **detail: Fact
    ) -> None:
        """Note the event. It never fails and never waits for the database."""


def unnoted(action: str, *, user: str | None = None, session: UUID | None = None, **detail: Fact) -> None:
    """Note nothing: for work without a trail, as on a copy of the data."""


def digest_of(previous: bytes, number: int, event: Event) -> bytes:
    """Return the digest of an entry: SHA-256 over the previous one and the canonical JSON of this one."""
    document = {"number": number, **event.document()}
    canonical = json.dumps(document, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(previous + canonical.encode()).digest()


def plain(text: str) -> str:
    """Return `text` as every database gives it back: no NUL, no half of a surrogate pair, and not too long."""
    return text[:_LONGEST].replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def facts(detail: Mapping[str, Any]) -> dict[str, Fact]:
    """Return `detail` with its texts made plain.

    Raises:
        ValueError: a value is neither text nor a whole number nor a truth.
    """
    return {plain(name): _fact(value) for name, value in detail.items()}


def _fact(value: Any) -> Fact:
    if isinstance(value, str):
        return plain(value)
    if value is None or isinstance(value, int):  # a truth is one as well
        return value
    raise ValueError("not a fact")


def _maybe(text: str | None) -> str | None:
    return None if text is None else plain(text)


def _time(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("a time without a zone")
    return at.astimezone(UTC)
