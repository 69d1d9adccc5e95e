"""API keys: given out once, then known by their hash only."""

from __future__ import annotations

import hashlib
import hmac
import logging
import re
import secrets
import threading
from collections.abc import Iterable, Sequence
from datetime import datetime

from sidecar.clock import Clock
from sidecar.errors import InvalidRequest, StorageUnavailable, Unauthenticated
from sidecar.model.caller import ApiKey, Scope
from sidecar.model.event import Note, unnoted
from sidecar.model.session import check_user_id
from sidecar.storage.api_keys import ApiKeyStore

log = logging.getLogger(__name__)

#: What every key begins with, so that people and scanners recognise one that lies about.
PREFIX = "csk_"
#: `csk_<id>_<secret>`: 16 hex digits, then 32 random bytes in base64url.
_TEXT = re.compile(r"csk_([0-9a-f]{16})_[A-Za-z0-9_-]{43}")
_SECRET_BYTES = 32
#: Compared with when there is no key of the id, so that the answer takes the same way. Nothing has this hash.
_NOBODY = bytes(32)
#: The time of the last use is stored once in this time, in seconds: not a write for every call.
_NOTED_EVERY_S = 60.0
_LONGEST_NAME = 100


class ApiKeys:
    """Give out, check and revoke API keys.

    Only a SHA-256 of a key is stored. A slow hash would add nothing: it is for passwords that can be guessed, and
    a key holds 256 random bits. Nothing is cached, so a key that was revoked by another process is refused at once.
    """

    def __init__(self, store: ApiKeyStore, clock: Clock, note: Note = unnoted) -> None:
        """Begin; nothing is read yet."""
        self._store = store
        self._clock = clock
        self._note = note
        #: When the use of a key was last noted; as many entries as keys were used since the start.
        self._noted: dict[str, float] = {}
        self._lock = threading.Lock()

    def issue(
        self, user_id: str, name: str, scopes: Iterable[Scope], expires_at: datetime | None
    ) -> tuple[ApiKey, str]:
        """Make a key of a user; return it with its text, which cannot be had again.

        Raises:
            InvalidRequest: the user, the name, the scopes or the time cannot be.
        """
        key = ApiKey(
            id=secrets.token_hex(8),
            user_id=check_user_id(user_id),
            name=_checked_name(name),
            scopes=_checked_scopes(scopes),
            created_at=self._clock.now(),
            expires_at=expires_at,
        )
        if not key.valid(key.created_at):
            raise InvalidRequest.of("expires", "lies in the past")
        text = f"{PREFIX}{key.id}_{secrets.token_urlsafe(_SECRET_BYTES)}"
        self._store.add(key, _digest(text))
        self._note(
            "key.create",
            user=user_id,
            key=key.id,
            name=key.name,
            scopes=" ".join(sorted(key.scopes)),
            expires=expires_at.isoformat() if expires_at else None,
        )
        return key, text

    def check(self, text: str) -> ApiKey:
        """Return the key of this text.

        Raises:
            Unauthenticated: it is none, or is revoked or expired; which of these is not told.
            StorageUnavailable: that cannot be found out now.
        """
        match = _TEXT.fullmatch(text)
        if match is None:
            raise Unauthenticated
        key, expected = self._store.find(match[1]) or (None, _NOBODY)
        same = hmac.compare_digest(_digest(text), expected)
        if key is None or not same or not key.valid(self._clock.now()):
            raise Unauthenticated
        self._note_use(key)
        return key

    def named(self, key_id: str) -> ApiKey:
        """Return the key of this id, for one who has shown its text before.

        Raises:
            Unauthenticated: there is none, or it is revoked or expired.
        """
        key, _ = self._store.find(key_id) or (None, _NOBODY)
        if key is None or not key.valid(self._clock.now()):
            raise Unauthenticated
        self._note_use(key)
        return key

    def revoke(self, key_id: str) -> bool:
        """End a key at once, with the sign-ins that came from it; return whether it was not revoked before.

        Raises:
            NotFound: there is no such key.
        """
        revoked = self._store.revoke(key_id, self._clock.now())
        if revoked:
            found = self._store.find(key_id)
            self._note("key.revoke", user=found[0].user_id if found else None, key=key_id)
        return revoked

    def list(self, user_id: str | None = None) -> Sequence[ApiKey]:
        """Return the keys of a user, or of all, oldest first; also revoked and expired ones."""
        return self._store.list(user_id)

    def _note_use(self, key: ApiKey) -> None:
        """Store the time of the use. It is for people to look at, so a call does not fail with it."""
        now = self._clock.monotonic()
        with self._lock:
            if now - self._noted.get(key.id, -_NOTED_EVERY_S) < _NOTED_EVERY_S:
                return
            self._noted[key.id] = now
        try:
            self._store.used(key.id, self._clock.now())
        except StorageUnavailable:
            log.debug("the last use of a key was not stored")


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _checked_name(name: str) -> str:
    if not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InvalidRequest.of("name", f"use 1 to {_LONGEST_NAME} printable characters")
    return name


def _checked_scopes(scopes: Iterable[Scope]) -> frozenset[Scope]:
    found = frozenset(scopes)
    if not found:
        raise InvalidRequest.of("scopes", "name at least one")
    return found
