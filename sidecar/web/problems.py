"""Every error as application/problem+json (RFC 9457): the one table from exception class to answer."""

from __future__ import annotations

import logging
import secrets
from typing import Any

from flask import Flask, Response, g, json, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from sidecar import errors
from sidecar.web.refusals import note_refusal

log = logging.getLogger(__name__)

#: Class → (status, title). A class not listed is answered as its nearest listed base.
STATUSES: dict[type[errors.SidecarError], tuple[int, str]] = {
    errors.SidecarError: (500, "Internal error"),
    errors.ConfigurationError: (503, "Not configured"),
    errors.IsolationUnavailable: (503, "Isolation unavailable"),
    errors.InvalidRequest: (422, "Invalid request"),
    errors.SealRefused: (422, "Seal refused"),
    errors.MalformedBody: (400, "Malformed body"),
    errors.UserRequired: (400, "User required"),
    errors.HostRefused: (400, "Host refused"),
    errors.UnsupportedBody: (415, "Unsupported content type"),
    errors.TooLarge: (413, "Too large"),
    errors.Unauthenticated: (401, "Unauthenticated"),
    errors.Forbidden: (403, "Forbidden"),
    errors.OriginRefused: (403, "Origin refused"),
    errors.NotFound: (404, "Not found"),
    errors.NotYours: (404, "Not found"),
    errors.Conflict: (409, "Conflict"),
    errors.SessionEnded: (409, "Session ended"),
    errors.SessionExists: (409, "Session exists"),
    errors.MenuOpen: (409, "Menu open"),
    errors.ConversationInUse: (409, "Conversation in use"),
    errors.CredentialGone: (409, "Credential gone"),
    errors.KeyReused: (409, "Key reused"),
    errors.OutcomeUnknown: (409, "Outcome unknown"),
    errors.OutOfOrder: (409, "Out of order"),
    errors.LimitReached: (429, "Limit reached"),
    errors.RateLimited: (429, "Rate limited"),
    errors.TooManyWaiting: (429, "Too many waiting"),
    errors.Unavailable: (503, "Unavailable"),
    errors.StorageUnavailable: (503, "Storage unavailable"),
    errors.CliUnavailable: (503, "Claude Code unavailable"),
    errors.InputStalled: (503, "Input stalled"),
    errors.Draining: (503, "Draining"),
    errors.ShuttingDown: (503, "Shutting down"),
    errors.StartFailed: (502, "Start failed"),
    errors.DecryptionFailed: (500, "Decryption failed"),
}

#: Seconds after which trying again makes sense.
_RETRY_AFTER = {429: "1", 503: "5"}


def lookup(error: errors.SidecarError) -> tuple[int, str]:
    """Return status and title of an error, by its class or the nearest base."""
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def problem(status: int, title: str, detail: str, **more: Any) -> Response:
    """Return a problem answer; `error` repeats the detail for clients of the predecessor."""
    g.problem = title.lower().replace(" ", "-")
    body = {
        "type": f"urn:claude-sidecar:problem:{g.problem}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "error": detail,
        **more,
    }
    return headed(Response(json.dumps(body), status, content_type="application/problem+json"))


def headed(response: Response) -> Response:
    """Add the headers that belong to an answer's status."""
    status = response.status_code
    if status in _RETRY_AFTER:
        response.headers["Retry-After"] = _RETRY_AFTER[status]
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def register(app: Flask) -> None:
    """Answer every exception of `app` as a problem."""
    app.register_error_handler(errors.SidecarError, respond)
    app.register_error_handler(RequestEntityTooLarge, _on_large_body)
    app.register_error_handler(HTTPException, _on_http_exception)
    app.register_error_handler(Exception, _on_unexpected)


def answer(error: Exception) -> Response:
    """Return the answer to any exception, as the application's handlers would."""
    if isinstance(error, errors.SidecarError):
        return respond(error)
    return _on_http_exception(error) if isinstance(error, HTTPException) else _on_unexpected(error)


def respond(error: errors.SidecarError) -> Response:
    """Return the answer to an error."""
    status, title = lookup(error)
    note_refusal(error, status)
    if status == 500:
        return _on_unexpected(error)
    if isinstance(error, errors.InvalidRequest):
        listed = [{"field": item.field, "message": item.message} for item in error.problems]
        return problem(status, title, error.detail, errors=listed)
    response = problem(status, title, error.detail)
    if isinstance(error, errors.RateLimited):
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def _on_large_body(_: RequestEntityTooLarge) -> Response:
    return problem(413, "Too large", "The body is larger than allowed.")


def _on_http_exception(error: HTTPException) -> Response:
    response = problem(error.code or 500, error.name, error.description or error.name)
    allowed = getattr(error, "valid_methods", None)
    if allowed:
        response.headers["Allow"] = ", ".join(sorted(allowed))
    return response


def _on_unexpected(error: Exception) -> Response:
    """Log the fault under an id and tell the caller only that id."""
    fault = secrets.token_hex(8)
    log.error("unexpected fault %s", fault, exc_info=error)
    return problem(500, "Internal error", f"An unexpected fault occurred; it is in the log as {fault}.")
