"""Keys that users seal to this service: a compact JWE, opened once, by this service alone.

The plaintext is the API key itself. The protected header has exactly `alg`, `enc`, `kid`, `epk`, `userId` and `iat`.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwe
from joserfc.jwk import ECKey
from joserfc.registry import HeaderParameter
from joserfc.util import urlsafe_b64decode, urlsafe_b64encode

from sidecar.errors import InvalidRequest, SealRefused
from sidecar.model.credential import Seal, legal_api_key

#: Direct key agreement and one cipher. Everything else is refused, `zip` above all: a bomb would be unpacked.
ALGORITHM, ENCRYPTION = "ECDH-ES", "A256GCM"
#: How old a sealed key may be, and how far ahead the clock of whoever sealed it may go.
LONGEST_AGE = timedelta(hours=24)
_SKEW = timedelta(minutes=5)
#: Longest token in characters; one with the longest key and user id has about 1,300.
LONGEST_TOKEN = 2048
#: The only thing that is told of a failure, whatever it was: a difference would help to forge.
REFUSAL = "cannot be opened: seal the key again, for this user, with the public key of /api/credentials/key"

_SEGMENT = re.compile(rb"[A-Za-z0-9_-]*")
_HEADER = {"alg", "enc", "kid", "epk", "userId", "iat"}
_EPK = {"kty", "crv", "x", "y"}
_REGISTRY = jwe.JWERegistry(
    header_registry={
        "userId": HeaderParameter("User", "str", required=True),
        "iat": HeaderParameter("Issued at", "int", required=True),
    },
    algorithms=[ALGORITHM, ENCRYPTION],
)


@dataclass(frozen=True)
class Unsealed:
    """An API key that was sealed, and the seal it had."""

    key: str = field(repr=False)
    seal: Seal


class _Refused(Exception):
    """A check failed; leaves this module as `SealRefused`."""


def refusal(where: str) -> InvalidRequest:
    """Return the one error there is, for the field the token came in."""
    return SealRefused.of(where, REFUSAL)


def unseal(token: str, user_id: str, find: Callable[[str], ECKey | None], now: datetime) -> Unsealed | None:
    """Open a sealed key; None if it is not for this user, too old, damaged, or anything else is wrong.

    `find` gives the private key of a `kid`; what it raises is passed on.
    """
    try:
        header = _header(token)
        expires_at = _checked(header, user_id, now)
    except _Refused:
        return None
    key = find(header["kid"])
    opened = _opened(token, key) if key is not None else None
    if opened is None or not legal_api_key(opened):
        return None
    return Unsealed(opened, Seal(hashlib.sha256(token.encode()).digest(), expires_at))


def _header(token: str) -> dict[str, Any]:
    """Return the protected header of a token that has the right form; nothing of it is proven yet."""
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise _Refused
    segments = token.encode().split(b".")
    if len(segments) != 5 or not all(_canonical(segment) for segment in segments):
        raise _Refused
    try:
        header = json.loads(urlsafe_b64decode(segments[0]))
    except (ValueError, RecursionError):
        raise _Refused from None
    if not isinstance(header, dict) or header.keys() != _HEADER:
        raise _Refused
    return header


def _canonical(segment: bytes) -> bool:
    """Tell whether it is the only way to write its bytes: another one would pass for another token."""
    try:
        return (
            _SEGMENT.fullmatch(segment) is not None
            and urlsafe_b64encode(urlsafe_b64decode(segment)) == segment
        )
    except ValueError:
        return False


def _checked(header: dict[str, Any], user_id: str, now: datetime) -> datetime:
    """Return until when a token with this header may be used."""
    epk, issued = header["epk"], header["iat"]
    plain = isinstance(epk, dict) and epk.keys() == _EPK and isinstance(header["kid"], str)
    if not plain or type(issued) is not int or header["userId"] != user_id:
        raise _Refused
    age = int(now.timestamp()) - issued
    if not -_SKEW.total_seconds() <= age < LONGEST_AGE.total_seconds():
        raise _Refused
    return now + LONGEST_AGE - timedelta(seconds=age)


def _opened(token: str, key: ECKey) -> str | None:
    try:
        opened = jwe.decrypt_compact(token, key, registry=_REGISTRY)
        return (opened.plaintext or b"").decode("ascii")
    except Exception:  # noqa: BLE001  whatever the library stumbles over was made up by the sender
        return None
