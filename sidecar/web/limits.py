"""How often somebody may call: each request counts once, for its user or, where nobody is known, for its address."""

from __future__ import annotations

import ipaddress

from flask import Flask, current_app, g

from sidecar.access.rates import Rates
from sidecar.clock import Clock
from sidecar.config import Settings

#: One customer's network; somebody with one has 2^64 addresses in it.
_NETWORK_BITS = 64


def register(app: Flask, settings: Settings, clock: Clock) -> None:
    """Give `app` its limits."""
    app.extensions["rates"] = Rates(settings.rate_limit, clock)


def count_user(user: str) -> None:
    """Count the request for its user, if it is not counted yet.

    Raises:
        RateLimited: it is one too many.
    """
    _count(f"user {user}")


def count_address(address: str | None) -> None:
    """Count the request for the network address it comes from, if it is not counted yet.

    Raises:
        RateLimited: it is one too many.
    """
    _count(f"address {_network(address or '')}")


def _count(caller: str) -> None:
    if "counted" not in g:
        g.counted = True
        rates: Rates = current_app.extensions["rates"]
        rates.hit(caller)


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    return address if found.version == 4 else str(ipaddress.ip_network((found, _NETWORK_BITS), strict=False))
