"""The key pairs that users' keys are sealed to: the newest is given out, those before it go on opening for a while."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from joserfc.jwk import ECKey

from sidecar.clock import Clock
from sidecar.errors import DecryptionFailed
from sidecar.model import purpose
from sidecar.model.event import Note, unnoted
from sidecar.model.sealing import SealingPair
from sidecar.vault.cipher import Cipher

log = logging.getLogger(__name__)

#: How long a pair goes on opening after it was replaced: what is sealed to it may be a day old, and whoever
#: sealed it may have held the public half for another day.
OVERLAP = timedelta(hours=48)
#: Shortest pause between two looks into storage for unknown pairs: made-up ones must not keep the database busy.
_LOOK_EVERY_S = 1.0
#: P-256, because it is the curve of ECDH that every browser's WebCrypto has.
_CURVE = "P-256"


class PairStore(Protocol):
    """Where the pairs are kept."""

    def pairs(self) -> Sequence[SealingPair]:
        """Return all, oldest first; the newest is the one that is not retired."""

    def replace(self, known: str | None, fresh: SealingPair) -> bool:
        """Retire the newest and store `fresh` in its place, if `known` still is the newest; tell whether it was."""

    def purge(self, before: datetime) -> int:
        """Delete those that were retired before a time; return how many."""


@dataclass(frozen=True)
class _Pair:
    """A pair, opened."""

    created_at: datetime
    retired_at: datetime | None
    key: ECKey = field(repr=False)


@dataclass(frozen=True)
class _Ring:
    """What was found at one look into storage."""

    #: Of the newest in storage, also if it cannot be opened.
    newest_kid: str | None = None
    pairs: Mapping[str, _Pair] = field(default_factory=dict)

    @property
    def newest(self) -> _Pair | None:
        return self.pairs.get(self.newest_kid or "")


class Keyring:
    """Makes, keeps and replaces key pairs. Threads may share it, and several processes one store."""

    def __init__(
        self, store: PairStore, cipher: Cipher, clock: Clock, lifetime_s: float, note: Note = unnoted
    ) -> None:
        """Look at nothing yet."""
        self._store = store
        self._note = note
        self._cipher = cipher
        self._clock = clock
        self._lifetime = timedelta(seconds=lifetime_s)
        #: Replaced as a whole, never changed, so that readers need no lock.
        self._ring = _Ring()
        #: Pairs that cannot be opened, and have been complained of.
        self._closed: set[str] = set()
        self._looking = threading.Lock()
        self._next_look = clock.monotonic()

    def public(self) -> Mapping[str, str]:
        """Return the public half of the newest pair as a JWK; the first call makes one.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        newest = self._ring.newest or self._look().newest or self._replaced()
        key = newest.key.as_dict(private=False)
        return {name: str(key[name]) for name in ("kty", "crv", "x", "y", "use", "alg", "kid")}

    def find(self, kid: str) -> ECKey | None:
        """Return the pair of this name; None if there is none, or it was replaced too long ago.

        Raises:
            StorageUnavailable: it is not known here, and the database does not answer.
        """
        pair = self._ring.pairs.get(kid)
        if pair is None and self._may_look():  # another process may have made it
            pair = self._look().pairs.get(kid)
        if pair is None or (pair.retired_at and pair.retired_at + OVERLAP <= self._clock.now()):
            return None
        return pair.key

    def rotate(self) -> None:
        """Make a new pair and give that one out from now on.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        self._look()
        self._replaced()

    def renew(self) -> None:
        """Replace the newest pair if it is old enough, forget those that open no more, and see what others made."""
        now = self._clock.now()
        newest = self._look().newest
        if newest is not None and newest.created_at + self._lifetime <= now:
            self._replaced()
        if self._store.purge(now - OVERLAP):
            self._look()

    def _replaced(self) -> _Pair:
        """Put a fresh pair in the place of the newest one; if somebody else was faster, take theirs."""
        while True:
            fresh = self._fresh()
            if self._store.replace(self._ring.newest_kid, fresh):
                self._note("sealing.rotate", kid=fresh.kid)
                log.info("a new sealing key pair is in use")
            newest = self._look().newest
            if newest is not None:
                return newest

    def _fresh(self) -> SealingPair:
        key = ECKey.generate_key(_CURVE)
        kid = key.thumbprint()
        private = json.dumps(key.as_dict(private=True)).encode()
        return SealingPair(kid, self._clock.now(), self._cipher.encrypt(private, purpose.sealing_key(kid)))

    def _may_look(self) -> bool:
        with self._looking:
            now = self._clock.monotonic()
            if now < self._next_look:
                return False
            self._next_look = now + _LOOK_EVERY_S
            return True

    def _look(self) -> _Ring:
        stored = self._store.pairs()
        newest = next((pair.kid for pair in reversed(stored) if pair.retired_at is None), None)
        self._ring = _Ring(newest, {pair.kid: found for pair in stored if (found := self._open(pair))})
        return self._ring

    def _open(self, pair: SealingPair) -> _Pair | None:
        try:
            private = json.loads(self._cipher.decrypt(pair.private, purpose.sealing_key(pair.kid)))
        except DecryptionFailed:
            self._complain(pair.kid)
            return None
        key = ECKey.import_key(private, {"kid": pair.kid, "use": "enc", "alg": "ECDH-ES"})
        return _Pair(pair.created_at, pair.retired_at, key)

    def _complain(self, kid: str) -> None:
        if kid not in self._closed:  # it is met again at every look
            self._closed.add(kid)
            log.warning(
                "a sealing key pair cannot be opened: ENCRYPTION_KEY lacks the key it is stored under"
            )
