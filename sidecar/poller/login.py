"""How the poller signs in to the instance: with an account, or as an OAuth client."""

from __future__ import annotations

import base64
import json
import math
import threading
from typing import Protocol
from urllib.parse import urlencode

from sidecar.clock import Clock
from sidecar.config import PollerSettings
from sidecar.errors import AccountRefused, InstanceAway
from sidecar.poller.wire import Lost, Reply, Request, Wire

_TOKEN_PATH = "/oauth_token.do"  # noqa: S105  a path
_TIMEOUT_S = 15.0
#: A token is renewed so long before it ends: a call that is on its way with it must arrive.
_MARGIN_S = 30.0
#: Of a token whose lifetime is not told; the instance's own default is half an hour.
_LIFETIME_S = 600.0
#: What is told of the account.
REFUSED = (
    "The instance refuses the poller's account (HTTP status 401): the name, the password or the OAuth client is wrong, "
    "or the account is locked."
)
#: Answers about the client itself, which another try does not change, when a proxy has not given them.
_REFUSALS = frozenset({400, 401, 403})


class Login(Protocol):
    """What gives the Authorization header."""

    def header(self) -> str:
        """Return the header for the next call.

        Raises:
            InstanceAway, AccountRefused: there is none.
        """

    def renew(self, refused: str) -> bool:
        """Tell whether another header than the `refused` one may help; the next `header` returns it."""


class Account:
    """A name and a password. Shows neither in its `repr`."""

    def __init__(self, user: str, password: str) -> None:
        """Encode them, as UTF-8."""
        self._header = f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode('ascii')}"
        self._refused = False

    def header(self) -> str:
        """Return the header.

        Raises:
            AccountRefused: it was refused once. A thread that does not know would bring the account nearer its lock.
        """
        if self._refused:
            raise AccountRefused(REFUSED)
        return self._header

    def renew(self, refused: str) -> bool:  # noqa: ARG002  the protocol's
        """Note the refusal, and tell that the same password would be refused again."""
        self._refused = True
        return False


class Client:
    """An OAuth client with its own credentials [RFC 6749, 4.4]; its token is fetched when it is needed."""

    def __init__(self, wire: Wire, identity: str, secret: str, clock: Clock) -> None:
        """Fetch nothing yet."""
        self._wire = wire
        self._form = {"grant_type": "client_credentials", "client_id": identity, "client_secret": secret}
        self._clock = clock
        self._lock = threading.Lock()
        self._header = ""
        self._until = 0.0
        #: How often a token was asked for, and why the last time brought none.
        self._asked = 0
        self._failure: InstanceAway | AccountRefused | None = None

    def header(self) -> str:
        """Return the header with a token that is still good, fetching one if there is none.

        Raises:
            InstanceAway, AccountRefused: none was given.
        """
        asked = self._asked
        # Held while waiting: whoever else needs a token would only fetch a second one, or wait as long for none.
        with self._lock:
            if self._failure and (self._asked > asked or isinstance(self._failure, AccountRefused)):
                raise self._failure.with_traceback(None)
            if not self._header or self._clock.monotonic() >= self._until:
                self._fetch_locked()
            return self._header

    def renew(self, refused: str) -> bool:
        """Forget the token that was refused; of several calls with it the first does."""
        with self._lock:
            if self._header == refused:
                self._header = ""
        return True

    def _fetch_locked(self) -> None:
        began = self._clock.monotonic()
        reply = self._wire.call(
            Request(
                "POST",
                _TOKEN_PATH,
                {"Content-Type": "application/x-www-form-urlencoded"},
                urlencode(self._form).encode("ascii"),
                _TIMEOUT_S,
            )
        )
        self._asked += 1
        try:
            token, lifetime_s = _token(reply)
        except (InstanceAway, AccountRefused) as error:
            self._failure = error
            raise
        self._failure = None
        self._header = f"Bearer {token}"
        self._until = began + max(lifetime_s - _MARGIN_S, lifetime_s / 2)


def _token(reply: Reply | Lost) -> tuple[str, float]:
    if isinstance(reply, Lost):
        raise InstanceAway(f"The instance gave no OAuth token: {reply.fault} ({reply.kind}).")
    if reply.status == 401 or (reply.status in _REFUSALS and reply.error is not None):
        raise AccountRefused(
            f"The instance refuses the OAuth client (HTTP status {reply.status}): SERVICENOW_CLIENT_ID or "
            "SERVICENOW_CLIENT_SECRET is wrong, or the client may not use client credentials."
        )
    try:
        body = json.loads(reply.content)
        token, lifetime_s = body["access_token"], float(body.get("expires_in", _LIFETIME_S))
        fit = isinstance(token, str) and token.isascii() and token.isprintable() and math.isfinite(lifetime_s)
        if reply.status == 200 and fit:
            return token, lifetime_s
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        pass  # told below
    raise InstanceAway(
        f"What answers at {_TOKEN_PATH} of the instance with HTTP status {reply.status} is no token.",
        retry_after_s=reply.retry_after_s,
    )


def login_of(settings: PollerSettings, wire: Wire, clock: Clock) -> Login:
    """Return how these settings sign in."""
    if settings.user and settings.password:
        return Account(settings.user, settings.password)
    return Client(wire, settings.client_id or "", settings.client_secret or "", clock)
