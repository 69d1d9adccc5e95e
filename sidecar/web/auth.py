"""Who may call: the Host header, the credential, and the user a call acts for."""

from __future__ import annotations

import hmac
import re

from flask import Flask, current_app, g, request

from sidecar.config import Settings
from sidecar.errors import Forbidden, HostRefused, Unauthenticated, UserRequired
from sidecar.model.caller import SERVICE, Caller
from sidecar.model.session import check_user_id
from sidecar.web.operation import Operation

#: A request id of a caller is taken over if it looks like one; it goes into logs and headers.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PORT = re.compile(r":\d{1,5}$")


def register(app: Flask, settings: Settings) -> None:
    """Check every request of `app`: the Host first, then the credential for everything below /api/."""
    token = settings.api_auth_token.encode()
    hosts = {host.lower() for host in settings.allowed_hosts}

    @app.before_request
    def check() -> None:
        if _PORT.sub("", request.host.lower()) not in hosts:  # DNS rebinding
            raise HostRefused
        operation = current_operation()
        if request.path.startswith("/api/") and (operation is None or operation.secured):
            g.caller = check_token(request.headers.get("Authorization", ""), token)
            _check_allowed(g.caller, operation)


def check_token(header: str, token: bytes) -> Caller:
    """Compare a bearer token in constant time, and return whose it is.

    Raises:
        Unauthenticated: it is missing or wrong.
    """
    scheme, _, given = header.partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token):
        raise Unauthenticated
    return SERVICE


def current_operation() -> Operation | None:
    """Return what is declared of the view the request is for; None when there is no such view."""
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, "operation", None)


def _check_allowed(caller: Caller, operation: Operation | None) -> None:
    if operation is None or operation.scope is None:
        return
    if operation.service_only and not caller.is_service:
        raise Forbidden("Only the service token may do this.")
    if not caller.may(operation.scope):
        raise Forbidden(f"The credential needs the scope {operation.scope.value}.")


def caller() -> Caller:
    """Return the credential of the current request, which has been checked."""
    found: Caller = g.caller
    return found


def acting_user(named: str | None = None) -> str:
    """Return the user the call acts for: the key's own; with the service token that of the body or of `X-User-ID`.

    Raises:
        UserRequired: the service token names nobody.
        InvalidRequest: the name is no legal user id.
        Forbidden: a key names another user than its own.
    """
    header = request.headers.get("X-User-ID")
    given = [(named, "userId"), (header, "X-User-ID")]
    names = [check_user_id(value, field) for value, field in given if value is not None]
    own = caller().user_id
    if own is not None and any(name != own for name in names):
        raise Forbidden("The credential belongs to another user.")
    if own is None and not names:
        raise UserRequired
    return own if own is not None else names[0]


def request_id() -> str:
    """Return the id of the current request: the caller's if it is sane, else one of ours."""
    if "request_id" not in g:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else current_app.config["NEW_ID"]()
    return str(g.request_id)
