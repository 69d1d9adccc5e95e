"""HTTP with one address, and the only importer of the library that speaks it.

Never follows a redirect, never repeats a call, and reads no more than a bound. What goes wrong is a value: the
callers have to tell it, each in its own words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ReadTimeoutError,
)

from sidecar import __version__
from sidecar.clock import Clock

_CONNECT_S = 5.0
_PIECE = 1 << 16
#: Connections that are open at once; above it the library would complain of each.
_PLACES = 100


class Fault(StrEnum):
    """Why there is no answer."""

    UNREACHED = "unreached"  #: nobody takes the call
    LATE = "late"  #: no connection came up in time
    UNTRUSTED = "untrusted"  #: the certificate, or TLS at all
    TIMEOUT = "timeout"  #: it took too long; whether the call was taken is not known
    BROKEN = "broken"  #: the connection ended in the middle
    TOO_LONG = "too long"  #: there is one, and it does not end


@dataclass(frozen=True)
class Lost:
    """A call without an answer."""

    fault: Fault
    #: The name of the error; its text may hold addresses and is not kept.
    kind: str


@dataclass(frozen=True)
class Request:
    """One call."""

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    sent: bytes | None = field(repr=False)
    read_s: float


@dataclass(frozen=True)
class Reply:
    """The answer to a call."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def error(self) -> object:
        """Return what its JSON names as the error, as the platform and OAuth do; a proxy's page has none."""
        try:
            body = json.loads(self.content)
        except (ValueError, RecursionError):
            return None
        return body.get("error") if isinstance(body, dict) else None

    @property
    def retry_after_s(self) -> float | None:
        """Return the pause it asks for; a date counts from its own, because our clock may be wrong."""
        text = self.headers.get("Retry-After", "").strip()
        if re.fullmatch(r"[0-9]{1,6}", text):
            return float(text)
        then, now = _date(text), _date(self.headers.get("Date", ""))
        return max(0.0, (then - now).total_seconds()) if then and now else None


@dataclass(frozen=True)
class Manner:
    """How an address is called."""

    #: Connections that are kept open for the next call; 0 closes each.
    kept: int
    #: No answer is longer, in bytes.
    longest: int
    #: Whether the proxies and the certificates that the environment names are used.
    proxies: bool = False
    #: Certificates that vouch for the other side, in place of the usual ones.
    authorities: Path | None = None


class Wire:
    """Calls at one address; threads may share it."""

    def __init__(self, base: str, clock: Clock, manner: Manner) -> None:
        """Open no connection yet; `base` has no slash at its end, and `clock` measures how long an answer takes."""
        self.base = base
        self._clock = clock
        self._longest = manner.longest
        self._session = _session(manner)

    def call(self, request: Request) -> Reply | Lost:
        """Make the call once."""
        deadline = self._clock.monotonic() + _CONNECT_S + request.read_s
        try:
            with closing(self._sent(request)) as response:
                return self._read(response, deadline)
        except (requests.RequestException, HTTPError, OSError, ValueError) as error:
            return _lost(error)

    def close(self) -> None:
        """Close the connections that were kept."""
        self._session.close()

    def _sent(self, request: Request) -> requests.Response:
        return self._session.request(
            request.method,
            self.base + request.path,
            headers=dict(request.headers),
            data=request.sent,
            timeout=(_CONNECT_S, request.read_s),
            # Given, so that no .netrc of the account is looked into.
            auth=_as_it_is,
            allow_redirects=False,
            stream=True,
        )

    def _read(self, response: requests.Response, deadline: float) -> Reply | Lost:
        content = bytearray()
        # What has arrived at each turn, however little: a whole piece may take as long as its sender likes.
        while piece := response.raw.read1(_PIECE, decode_content=True):
            content += piece
            if len(content) > self._longest:
                return Lost(Fault.TOO_LONG, "TooLong")
            if self._clock.monotonic() > deadline:
                return Lost(Fault.TIMEOUT, "Deadline")
        return Reply(response.status_code, response.headers, bytes(content))


def _session(manner: Manner) -> requests.Session:
    session = requests.Session()
    session.trust_env = manner.proxies
    session.verify = str(manner.authorities) if manner.authorities else True
    session.headers = _headers(manner.kept)
    # Each call signs in by itself. An instance would work off calls with one session's cookie one after the other.
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(pool_connections=1, pool_maxsize=max(_PLACES, manner.kept)))
    return session


def _headers(kept: int) -> requests.structures.CaseInsensitiveDict[str | bytes]:
    # A connection that was kept may die under the next POST; the sidecar is near enough for a new one.
    given = {"Accept": "application/json", "User-Agent": f"claude-sidecar/{__version__}"}
    return requests.structures.CaseInsensitiveDict(given | ({} if kept else {"Connection": "close"}))


def _date(text: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError):
        return None
    return found if found.tzinfo else None


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    return request


def _lost(error: Exception) -> Lost:
    cause = _cause(error)
    kind = type(cause).__name__
    if isinstance(error, requests.exceptions.SSLError):
        return Lost(Fault.UNTRUSTED, kind)
    if isinstance(error, requests.exceptions.ProxyError):
        return Lost(Fault.UNREACHED, "ProxyError")
    if isinstance(cause, NewConnectionError | NameResolutionError | ConnectionRefusedError):
        return Lost(Fault.UNREACHED, kind)
    if isinstance(error, requests.exceptions.ConnectTimeout) or isinstance(cause, ConnectTimeoutError):
        return Lost(Fault.LATE, "ConnectTimeout")
    if isinstance(error, requests.exceptions.Timeout) or isinstance(cause, ReadTimeoutError | TimeoutError):
        return Lost(Fault.TIMEOUT, kind)
    return Lost(Fault.BROKEN, kind)


def _cause(error: Exception) -> BaseException:
    """Return what the library has wrapped, which tells more than the wrapping."""
    inner = error.args[0] if error.args and isinstance(error.args[0], BaseException) else error
    reason = getattr(inner, "reason", None)
    return reason if isinstance(reason, BaseException) else inner
