"""Refused requests, for the audit trail."""

from __future__ import annotations

from uuid import UUID

from flask import current_app, g, request

from sidecar import errors
from sidecar.audit.refusals import Refusal, Refusals
from sidecar.model.caller import Caller
from sidecar.model.session import check_user_id
from sidecar.origin import origin

#: What is a refusal. A thing that does not exist, or a mistake in a value, is none.
_REFUSALS = (
    errors.HostRefused,
    errors.Unauthenticated,
    errors.Forbidden,
    errors.NotYours,
    errors.LimitReached,
)
#: Methods that are told by name; the caller may send any word.
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})


def note_refusal(error: errors.SidecarError, status: int) -> None:
    """Note that the current request is answered with `error`, if that is a refusal."""
    found: Refusals | None = current_app.extensions.get("refusals")
    if found is None or not isinstance(error, _REFUSALS):
        return
    found.refused(
        Refusal(
            status=status,
            method=request.method if request.method in _METHODS else "other",
            route=request.url_rule.rule if request.url_rule else "unknown",
            origin=origin(),
            user_id=_user(),
            session_id=_session(),
        )
    )


def _user() -> str | None:
    """Return the user the caller acts for, or says to act for, if that is known."""
    proof = g.get("proof")
    caller: Caller | None = proof.caller if proof else None
    if caller is None:
        return None
    try:
        return caller.user_id or check_user_id(request.headers.get("X-User-ID", ""))
    except errors.InvalidRequest:
        return None


def _session() -> UUID | None:
    try:
        return UUID((request.view_args or {}).get("session_id", ""))
    except ValueError:
        return None
