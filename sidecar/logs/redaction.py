"""Taking secrets out of what is logged: this service's own by their values, all others by their looks."""

from __future__ import annotations

import json
import math
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs, quote, quote_plus, unquote, urlsplit

from sidecar.config import PollerSettings, Settings

#: What stands where a secret was.
REDACTED = "[redacted]"

#: A shorter value is looked for by patterns only: it could be part of ordinary words.
_SHORTEST = 6
#: Characters kept of one value; of a longer one the begin and the end.
_LONGEST = 16_384
#: Collections in collections are shown so deep.
_DEPTH = 4

#: Headers that carry credentials: `Cookie: a=b; c=d`, `'X-API-Key': 'abc'`, `("Cookie", "a=b")`. A quoted value ends
#: with its quote, any other with the line.
_HEADERS = (
    r"((?:(?:proxy[-_])?authorization|(?:set[-_])?cookie|x[-_]api[-_]key)(?:[\"']?\s*[:=]\s*|[\"'],\s*))"
    r"(?:b?([\"'])(?:\\.|(?!\2)[^\\\r\n])*|[^\r\n]+)"
)
#: Secrets of others, and those of ours in forms that are not foreseen. Group 1 is kept.
_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        _HEADERS,
        r"()sk-ant-[\w-]+",
        r"()csk_[0-9a-f]{16}_[\w-]+",
        r"()(?<![\w-])eyJ[\w-]*(?:\.[\w-]*){2,4}",  # compact JWEs, and tokens of the same make
        r"\b(bearer\s+)\S+",
        r"(://[^\s:/@]{0,256}:)\S{0,512}(?=@)",
        r"(claude_sidecar=)[^\s;,\"']+",
        r"([?&](?:ticket|token|key)=)[^\s&\"']+",
        r"\b(password[\"']?\s*[=:]\s*)\S+",
    )
)


class Redaction:
    """Replace secrets in texts and values. Shows none of them in its own `repr`."""

    def __init__(self, secrets: Iterable[str]) -> None:
        """Know these exact secrets, in the spellings they take inside other texts."""
        spellings = {form for secret in secrets for form in _spellings(secret) if len(form) >= _SHORTEST}
        # The longest first: one may be part of another.
        listed = sorted(spellings, key=len, reverse=True)
        self._exact = re.compile("|".join(map(re.escape, listed))) if listed else None

    def text(self, text: str) -> str:
        """Return `text` without secrets, shortened in the middle if it is very long."""
        if self._exact is not None:
            text = self._exact.sub(REDACTED, text)
        for pattern in _PATTERNS:
            text = pattern.sub(_keep, text)
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} […] {text[-_LONGEST // 2 :]}"

    def value(self, value: Any, depth: int = _DEPTH) -> Any:
        """Return `value` as what JSON knows, without secrets; what it does not know becomes text."""
        if (
            value is None
            or isinstance(value, bool | int)
            or (isinstance(value, float) and math.isfinite(value))
        ):
            return value
        if depth and isinstance(value, Mapping):
            return {self.text(_told(key)): self.value(item, depth - 1) for key, item in value.items()}
        if depth and isinstance(value, list | tuple | set | frozenset):
            return [self.value(item, depth - 1) for item in value]
        return self.text(_told(value))


def _keep(match: re.Match[str]) -> str:
    return f"{match[1]}{REDACTED}"


def secrets_of(settings: Settings | PollerSettings) -> tuple[str, ...]:
    """Return every secret among the settings."""
    found = _of_poller(settings) if isinstance(settings, PollerSettings) else _of_service(settings)
    return tuple(secret.strip() for secret in found if secret)


def _of_poller(settings: PollerSettings) -> list[str | None]:
    return [settings.api_auth_token, settings.password, settings.client_secret, *_basic(settings)]


def _basic(settings: PollerSettings) -> list[str]:
    """Return what the account becomes in a header."""
    return [b64encode(f"{settings.user}:{settings.password}".encode()).decode()] if settings.user else []


def _of_service(settings: Settings) -> list[str | None]:
    return [
        settings.api_auth_token,
        *settings.encryption_key.split(","),
        settings.anthropic_api_key,
        settings.metrics_token,
        *_passwords(settings.database_url),
    ]


def _passwords(url: str) -> list[str]:
    parts = urlsplit(url)
    return [unquote(parts.password or ""), parts.password or "", *parse_qs(parts.query).get("password", ())]


def _spellings(secret: str) -> set[str]:
    """Return a secret as it stands by itself, in URLs, in JSON and in what `repr` shows."""
    forms = {secret, quote(secret, safe=""), quote(secret), quote_plus(secret)}
    return forms | {json.dumps(secret)[1:-1], repr(secret)[1:-1], repr(secret.encode())[2:-1]}


def _told(value: Any) -> str:
    """Return `value` as text; one whose own text fails must not cost the line."""
    try:
        return str(value)
    except Exception:  # noqa: BLE001  any object may be logged
        return f"[{type(value).__name__} without a text]"
