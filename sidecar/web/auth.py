"""Who may call: the Host header, the service token, and the user a call acts for."""

from __future__ import annotations

import hmac
import re

from flask import Flask, current_app, g, request

from sidecar.config import Settings
from sidecar.errors import HostRefused, Unauthenticated, UserRequired
from sidecar.model.session import check_user_id

#: A request id of a caller is taken over if it looks like one; it goes into logs and headers.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PORT = re.compile(r":\d{1,5}$")


def register(app: Flask, settings: Settings) -> None:
    """Check every request of `app`: the Host first, then the token for everything below /api/."""
    token = settings.api_auth_token.encode()
    hosts = {host.lower() for host in settings.allowed_hosts}

    @app.before_request
    def check() -> None:
        if _PORT.sub("", request.host.lower()) not in hosts:  # DNS rebinding
            raise HostRefused
        if request.path.startswith("/api/"):
            check_token(request.headers.get("Authorization", ""), token)


def check_token(header: str, token: bytes) -> None:
    """Compare a bearer token in constant time.

    Raises:
        Unauthenticated: it is missing or wrong.
    """
    scheme, _, given = header.partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token):
        raise Unauthenticated


def acting_user() -> str:
    """Return the user the call acts for, from `X-User-ID`.

    Raises:
        UserRequired: the header is missing.
        InvalidRequest: it holds no legal user id.
    """
    value = request.headers.get("X-User-ID")
    if value is None:
        raise UserRequired
    return check_user_id(value, "X-User-ID")


def request_id() -> str:
    """Return the id of the current request: the caller's if it is sane, else one of ours."""
    if "request_id" not in g:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else current_app.config["NEW_ID"]()
    return str(g.request_id)
