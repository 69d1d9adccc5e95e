"""Signing in to the pages: an API key is shown once, then a cookie stands for it."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import timedelta

from sidecar.access.keys import ApiKeys
from sidecar.clock import Clock
from sidecar.errors import Unauthenticated
from sidecar.model.caller import ApiKey
from sidecar.model.event import Note, unnoted
from sidecar.model.signin import SignIn
from sidecar.storage.signins import SignInStore

#: How long a browser stays signed in, if its key lives that long.
LIFETIME = timedelta(hours=12)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_TOKEN_BYTES = 32


class SignIns:
    """Let browsers in and out. A sign-in may do what its key may, and ends with it.

    The key itself is never in the cookie: a stolen one ends by signing out, and cannot be used as a key.
    """

    def __init__(self, store: SignInStore, keys: ApiKeys, clock: Clock, note: Note = unnoted) -> None:
        """Begin; nothing is read yet."""
        self._note = note
        self._store = store
        self._keys = keys
        self._clock = clock

    def enter(self, text: str) -> tuple[SignIn, str]:
        """Sign in with the text of a key; return the sign-in with its token, which cannot be had again.

        Raises:
            Unauthenticated: the text is no valid key.
        """
        key = self._keys.check(text)
        now = self._clock.now()
        ends = now + LIFETIME if key.expires_at is None else min(now + LIFETIME, key.expires_at)
        token = secrets.token_urlsafe(_TOKEN_BYTES)
        sign_in = SignIn(_digest(token), key.id, now, ends)
        self._store.add(sign_in)
        self._note("signin.create", user=key.user_id, key=key.id)
        return sign_in, token

    def check(self, token: str) -> ApiKey:
        """Return the key a token stands for.

        Raises:
            Unauthenticated: nobody is signed in with it, or no longer.
        """
        # Found by its hash: what a search by it could give away of that helps nobody to make a token.
        sign_in = self._store.find(_digest(token)) if _TOKEN.fullmatch(token) else None
        if sign_in is None or not sign_in.valid(self._clock.now()):
            raise Unauthenticated
        return self._keys.named(sign_in.key_id)

    def leave(self, token: str) -> bool:
        """Sign out; return whether somebody was signed in with the token."""
        sign_in = self._store.find(_digest(token)) if _TOKEN.fullmatch(token) else None
        if sign_in is None or not self._store.remove(sign_in.digest):
            return False
        self._note("signin.end", key=sign_in.key_id)
        return True

    def purge(self) -> None:
        """Forget what has expired."""
        self._store.purge(self._clock.now())


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
