"""Who may call: the Host header, the credential, and the user a call acts for."""

from __future__ import annotations

import hmac
import ipaddress
import re
from collections.abc import Callable, Container
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial

from flask import Flask, Response, current_app, g, request

from sidecar.config import Settings
from sidecar.errors import (
    Forbidden,
    HostRefused,
    InvalidRequest,
    SidecarError,
    StorageUnavailable,
    Unauthenticated,
    UserRequired,
)
from sidecar.model.caller import SERVICE, ApiKey, Caller, Scope
from sidecar.model.session import check_user_id
from sidecar.origin import Origin, acting
from sidecar.web import cookie, limits, problems
from sidecar.web.context import services
from sidecar.web.operation import Operation

#: A request id of a caller is taken over if it looks like one; it goes into logs and headers.
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_PORT = re.compile(r":\d{1,5}$")
#: A credential is looked at again before an answer that comes later than this after the last look, in seconds.
_CHECKED_FOR_S = 1.0


@dataclass(frozen=True)
class Proof:
    """A checked credential. The service token does not change while the service runs, a key may be revoked."""

    caller: Caller
    again: Callable[[], ApiKey] | None = field(default=None, repr=False)


def register(app: Flask, settings: Settings) -> None:
    """Check every request of `app`: the Host first, then the credential for everything below /api/."""
    token = settings.api_auth_token.encode()
    hosts = {host.lower() for host in settings.allowed_hosts}

    @app.before_request
    def check() -> None:
        _act_as("anonymous")
        operation = current_operation()
        try:
            _check_host(hosts)
            _authenticate(operation, token)
        except SidecarError:
            limits.count_address(address())
            raise
        _count()
        if _needs_credential(operation):
            _check_allowed(caller(), operation)

    app.after_request(_check_late)
    app.teardown_request(_leave)


def _check_host(hosts: Container[str]) -> None:
    if _PORT.sub("", request.host.lower()) not in hosts:  # DNS rebinding
        raise HostRefused


def _authenticate(operation: Operation | None, token: bytes) -> None:
    if operation is not None and operation.page:
        with suppress(Unauthenticated):  # the view shows the way to the sign-in
            _admit(_by_cookie())
    elif _needs_credential(operation):
        _admit(_proven(token))


def _count() -> None:
    """Count the request for its key's user, or for its address. Whom the service token acts for is seen later."""
    proof: Proof | None = g.get("proof")
    if proof is None:
        limits.count_address(address())
    elif proof.caller.user_id is not None:
        limits.count_user(proof.caller.user_id)


def _needs_credential(operation: Operation | None) -> bool:
    if not request.path.startswith("/api/") or _is_preflight():
        return False
    return operation is None or operation.secured


def _is_preflight() -> bool:
    """Tell whether a browser asks what a page may do: without credentials, and nothing is done."""
    asks = "Origin" in request.headers and "Access-Control-Request-Method" in request.headers
    return request.method == "OPTIONS" and asks


# -- credentials -------------------------------------------------------------------------------------------


def _proven(token: bytes) -> Proof:
    """Return the credential of the request. One kind decides: a bad header is not rescued by a good cookie."""
    header = request.headers.get("Authorization")
    key = request.headers.get("X-API-Key") if request.path.startswith("/api/v1/") else None
    if key is None:
        return _by_cookie() if header is None else _by_text(_bearer(header), token)
    if header is not None and _bearer(header) != key:
        raise Unauthenticated
    return _by_key(key)


def _bearer(header: str) -> str:
    scheme, _, given = header.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated
    return given.strip()


def _by_text(given: str, token: bytes) -> Proof:
    """Compare with the service token, in constant time, then look among the keys."""
    return Proof(SERVICE) if hmac.compare_digest(given.encode(), token) else _by_key(given)


def _by_key(text: str) -> Proof:
    check = partial(services().records.api_keys.check, text)
    return Proof(check().caller, check)


def _by_cookie() -> Proof:
    given = cookie.presented()
    if given is None:
        raise Unauthenticated
    check = partial(services().records.sign_ins.check, given)
    proof = Proof(check().caller, check)
    cookie.require_own_origin()
    return proof


def _admit(proof: Proof) -> None:
    g.proof = proof
    g.checked_at = services().clock.monotonic()
    _act_as(proof.caller.actor)


def _check_allowed(caller: Caller, operation: Operation | None) -> None:
    if operation is None or operation.scope is None:
        return
    if operation.service_only and not caller.is_service:
        raise Forbidden("Only the service token may do this.")
    if not (caller.may(operation.scope) or (operation.admin and caller.may(Scope.ADMIN))):
        raise Forbidden(f"The credential needs the scope {operation.scope.value}.")


def recheck() -> None:
    """Look at the credential again, for a call that has waited: its key may have been revoked meanwhile.

    Raises:
        Unauthenticated: it is no longer valid.
        StorageUnavailable: that cannot be found out now.
    """
    proof: Proof | None = g.get("proof")
    if proof is not None and proof.again is not None:
        proof.again()
        g.checked_at = services().clock.monotonic()


def _check_late(response: Response) -> Response:
    """Look again before an answer that was waited for, or took long; what was done by then stays done."""
    try:
        if g.get("waited", False) or services().clock.monotonic() - g.get("checked_at", 0) > _CHECKED_FOR_S:
            recheck()
    except (Unauthenticated, StorageUnavailable) as error:
        response.close()
        return problems.respond(error)
    return response


# -- who, for the log and the audit trail --------------------------------------------------------------------


def _act_as(actor: str) -> None:
    """Let everything this request does be done in the name of `actor`."""
    if "origin" not in g:
        g.origin = ExitStack()
    g.origin.enter_context(acting(Origin(actor, request_id(), address())))


def _leave(_: BaseException | None) -> None:
    g.pop("origin", ExitStack()).close()


def address() -> str | None:
    """Return the caller's network address; of the proxy we trust we believe whom it speaks for."""
    given = request.remote_addr
    peer = _address(given) or given
    if peer is None or peer != services().settings.trusted_proxy:
        return peer
    # The proxy adds its own caller at the end; what stands before came from that one.
    return _address(request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()) or peer


def _address(text: str | None) -> str | None:
    """Return an address in its one spelling, if it is one: not IPv4 in IPv6, as a socket for both tells it."""
    try:
        found = ipaddress.ip_address((text or "").partition("%")[0])  # behind it anything may stand
    except ValueError:
        return None
    return str(getattr(found, "ipv4_mapped", None) or found)


def request_id() -> str:
    """Return the id of the current request: the caller's if it is sane, else one of ours."""
    if "request_id" not in g:
        given = request.headers.get("X-Request-ID", "")
        g.request_id = given if _REQUEST_ID.fullmatch(given) else current_app.config["NEW_ID"]()
    return str(g.request_id)


# -- for the views -------------------------------------------------------------------------------------------


def current_operation() -> Operation | None:
    """Return what is declared of the view the request is for; None when there is no such view."""
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, "operation", None)


def caller() -> Caller:
    """Return the credential of the current request, which has been checked."""
    found: Proof = g.proof
    return found.caller


def visitor() -> Caller | None:
    """Return who is signed in to a page, if anybody is."""
    found: Proof | None = g.get("proof")
    return found.caller if found is not None else None


def acting_user(named: str | None = None) -> str:
    """Return the user the call acts for: the key's own; with the service token that of the body or of `X-User-ID`.

    Raises:
        UserRequired: the service token names nobody.
        InvalidRequest: the name is no legal user id, or there are two.
        Forbidden: a key names another user than its own.
        RateLimited: the user calls too often.
    """
    header = request.headers.get("X-User-ID")
    given = [(named, "userId"), (header, "X-User-ID")]
    names = [check_user_id(value, field) for value, field in given if value is not None]
    own = caller().user_id
    if own is not None and any(name != own for name in names):
        raise Forbidden("The credential belongs to another user.")
    if own is None and not names:
        raise UserRequired
    if len(set(names)) > 1:  # one of the two was put in by somebody the other one does not know of
        raise InvalidRequest.of("userId", "X-User-ID names another user")
    user = g.user = own if own is not None else names[0]
    limits.count_user(user)
    return user


def listed_user(owner: str | None) -> str | None:
    """Return whose things are to be listed; None is everybody's. Another owner is for administrators.

    Raises:
        Forbidden: an owner is named, and the credential has not the scope `admin`.
    """
    own = acting_user()
    if owner is None:
        return own
    if not is_administrator():
        raise Forbidden("Only a key with the scope admin may name an owner.")
    return None if owner == "*" else check_user_id(owner, "owner")


def is_administrator() -> bool:
    """Tell whether the credential may list and end what belongs to others."""
    return caller().may(Scope.ADMIN)
