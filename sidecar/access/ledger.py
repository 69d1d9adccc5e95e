"""What became of calls with an Idempotency-Key: sealed in storage, and in memory while storage is away."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from sidecar.clock import Clock
from sidecar.errors import DecryptionFailed, LimitReached, OutcomeUnknown, StorageUnavailable
from sidecar.model import purpose
from sidecar.model.answer import Answer, Attempt
from sidecar.storage.answers import AnswerStore
from sidecar.vault.cipher import Cipher

log = logging.getLogger(__name__)

#: How long an answer is kept.
KEPT = timedelta(hours=24)
_DIGEST_BYTES = hashlib.sha256().digest_size


@dataclass(frozen=True)
class Call:
    """One call: whose, its key, a digest of what it asks for, and the id of what it makes, if it makes something."""

    user_id: str
    key: str
    digest: bytes
    makes: UUID | None = None


@dataclass(frozen=True)
class Known:
    """What is known of the first call with a key; without an answer it was not finished."""

    digest: bytes
    makes: UUID | None
    answer: Answer | None


@dataclass(frozen=True)
class Bounds:
    """What may be kept, so that nobody fills the disk or the memory."""

    #: Keys of one user, and bytes of their answers; a user who has more gets no new key.
    keys: int = 100_000
    bytes: int = 256 << 20
    #: Bytes of answers in memory while the database is away; beyond it the oldest are lost, and count as cut short.
    pending_bytes: int = 32 << 20


class Ledger:
    """Notes calls before they are executed and their answers after. One process owns it."""

    def __init__(
        self, store: AnswerStore, cipher: Cipher, clock: Clock, bounds: Bounds | None = None
    ) -> None:
        """Begin with nothing in memory."""
        self._store = store
        self._cipher = cipher
        self._clock = clock
        self._bounds = bounds or Bounds()
        self._lock = threading.Lock()
        #: Finished attempts the database has still to get, by user and key.
        self._pending: OrderedDict[tuple[str, str], Attempt] = OrderedDict()
        self._hoarders: frozenset[str] = frozenset()

    def begin(self, call: Call) -> Known | None:
        """Note a new call, or return what is known of the first one with its key.

        Raises:
            LimitReached: the user has too many keys for a new one.
            OutcomeUnknown: the stored answer cannot be opened.
            StorageUnavailable: it is not noted, so it must not be executed.
        """
        attempt = self._attempt(call)
        found = self._pending.get((call.user_id, call.key)) or self._stored(attempt)
        return self._opened(found) if found is not None else None

    def finish(self, call: Call, answer: Answer) -> None:
        """Note the answer of a call that was begun; while the database is away it stays in memory."""
        sealed = self._seal(call, answer.body)
        attempt = self._attempt(call)
        attempt = replace(attempt, status=answer.status, content_type=answer.content_type, sealed=sealed)
        try:
            self._store.finish(attempt)
        except StorageUnavailable:
            log.warning("an answer is stored later: the database is away")
            self._keep(attempt)

    def forget(self, call: Call) -> None:
        """Drop a call that was begun and of which nothing was done."""
        try:
            self._store.forget(self._attempt(call))
        except StorageUnavailable:
            log.warning("a call that was refused stays noted as cut short: the database is away")

    def flush(self) -> None:
        """Store what the database missed while it was away.

        Raises:
            StorageUnavailable: it is still away.
        """
        for place, attempt in list(self._pending.items()):
            self._store.finish(attempt)
            with self._lock:
                self._pending.pop(place, None)

    def tidy(self) -> None:
        """Delete what is too old, and look who has too much."""
        self._store.purge(self._clock.now() - KEPT)
        self._hoarders = self._store.hoarders(self._bounds.keys, self._bounds.bytes)

    def _stored(self, attempt: Attempt) -> Attempt | None:
        if attempt.user_id not in self._hoarders:
            return self._store.begin(attempt)
        found = self._store.find(attempt)
        if found is None:
            raise LimitReached("The user has too many Idempotency-Keys of the last 24 hours.")
        return found

    def _attempt(self, call: Call) -> Attempt:
        return Attempt(call.user_id, call.key, self._clock.now(), self._seal(call), call.makes)

    def _seal(self, call: Call, body: bytes = b"") -> bytes:
        return self._cipher.encrypt(call.digest + body, purpose.answer(call.user_id, call.key))

    def _opened(self, attempt: Attempt) -> Known:
        try:
            opened = self._cipher.decrypt(attempt.sealed, purpose.answer(attempt.user_id, attempt.key))
        except DecryptionFailed:
            log.error("a stored answer cannot be opened: was an encryption key removed without rotation?")
            raise OutcomeUnknown from None
        digest, body = opened[:_DIGEST_BYTES], opened[_DIGEST_BYTES:]
        answer = Answer(attempt.status, attempt.content_type or "", body) if attempt.status else None
        return Known(digest, attempt.resource_id, answer)

    def _keep(self, attempt: Attempt) -> None:
        with self._lock:
            self._pending[attempt.user_id, attempt.key] = attempt
            while sum(len(item.sealed) for item in self._pending.values()) > self._bounds.pending_bytes:
                self._pending.popitem(last=False)
