"""What a value of the environment may look like: each parser returns the value, or says in one sentence what to use.

No sentence repeats the value.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from typing import NamedTuple

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)?")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_BYTES = re.compile(r"(\d+)\s*(KiB|MiB|GiB)?")
_FACTORS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_ORIGIN = re.compile(r"https?://([a-z0-9.-]+|\[[0-9a-f:]+\])(:\d{1,5})?")
_RATE = re.compile(r"([0-9]{1,5})\s*(?:/|\sper\s)\s*([0-9]{1,5})?\s*(second|minute|hour|day)s?")
_RATE_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
#: Each call of a caller costs memory while it counts.
_MOST_CALLS = 10_000


def text(value: str) -> str:
    """Any text."""
    return value


def duration(value: str) -> float:
    """Seconds, or a number with s, m, h or d."""
    match = _DURATION.fullmatch(value)
    if match is None:
        raise ValueError('use seconds, or a number with s, m, h or d, such as "15m"')
    return float(match[1]) * _SECONDS[match[2] or "s"]


def size(value: str) -> int:
    """Bytes, or a number with KiB, MiB or GiB."""
    match = _BYTES.fullmatch(value)
    if match is None:
        raise ValueError('use bytes, or a number with KiB, MiB or GiB, such as "1MiB"')
    return int(match[1]) * _FACTORS.get(match[2] or "", 1)


def count(value: str) -> int:
    """A whole number above 0."""
    if not value.isascii() or not value.isdigit() or int(value) < 1:
        raise ValueError("use a whole number above 0")
    return int(value)


def port(value: str) -> int:
    """A port number."""
    if not value.isascii() or not value.isdigit() or int(value) > 65535:
        raise ValueError("use a port number up to 65535")
    return int(value)


def flag(value: str) -> bool:
    """Yes or no, in one of the usual spellings."""
    if value.lower() not in ("true", "false", "1", "0", "yes", "no"):
        raise ValueError('use "true" or "false"')
    return value.lower() in ("true", "1", "yes")


def address(value: str) -> str:
    """One IP address."""
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise ValueError("use one IP address, such as 192.0.2.7") from None


def listed(value: str) -> tuple[str, ...]:
    """Texts with commas between."""
    return tuple(part.strip() for part in value.split(",") if part.strip())


def origins(value: str) -> tuple[str, ...]:
    """Origins as browsers send them: scheme, host, and a port that is not the scheme's own."""
    origins = listed(value)
    if not all(_ORIGIN.fullmatch(origin) for origin in origins):
        raise ValueError('use origins such as "https://portal.example"; patterns and "*" are not allowed')
    return origins


class Rate(NamedTuple):
    """So many calls in so many seconds."""

    amount: int
    seconds: int


def rates(value: str) -> tuple[Rate, ...]:
    """Read limits such as "20/second;100/10 seconds"; "off" has none."""
    if value.lower() == "off":
        return ()
    found = [_RATE.fullmatch(part.strip()) for part in value.split(";")]
    rates = [Rate(int(one[1]), int(one[2] or 1) * _RATE_SECONDS[one[3]]) for one in found if one]
    if len(rates) < len(found) or not all(0 < rate.amount <= _MOST_CALLS and rate.seconds for rate in rates):
        raise ValueError(
            f'use "off", or limits of up to {_MOST_CALLS} calls such as "20/second;100/10 seconds"'
        )
    return tuple(rates)


def one_of(*allowed: str) -> Callable[[str], str]:
    """Return the parser of a choice."""

    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError(f"use one of {', '.join(allowed)}")
        return value

    return parse


def is_loopback(host: str) -> bool:
    """Tell whether `host` is this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
