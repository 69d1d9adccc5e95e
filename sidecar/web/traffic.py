"""Every request once in the log: what was asked by its route, how it ended, how long it took; never a raw address."""

from __future__ import annotations

import logging
from uuid import UUID

from flask import Flask, Response, current_app, g, request

from sidecar.clock import Clock
from sidecar.model.caller import Caller
from sidecar.web.metrics import Metrics, Request

log = logging.getLogger(__name__)

#: Methods that are told by name; the caller may send any word.
_METHODS = frozenset({"DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"})
#: Operations that only read although they are posted.
_READING = frozenset({"read_outputs"})
_READS = frozenset({"GET", "HEAD", "OPTIONS"})
_UNKNOWN = "unknown"


def register(app: Flask, clock: Clock, metrics: Metrics) -> None:
    """Observe every request of `app`. Call it first: what is registered later happens inside."""

    @app.before_request
    def begin() -> None:
        g.began = clock.monotonic()

    @app.after_request
    def observe(response: Response) -> Response:
        seen = _seen(response, clock.monotonic() - g.get("began", clock.monotonic()))
        metrics.observe(seen)
        _tell(seen)
        return response


def _seen(response: Response, seconds: float) -> Request:
    rule = request.url_rule
    described = rule is not None and hasattr(current_app.view_functions[rule.endpoint], "operation")
    return Request(
        method=request.method if request.method in _METHODS else "other",
        route=rule.rule if rule is not None else _UNKNOWN,
        operation=rule.endpoint.split(".")[-1] if rule is not None and described else _UNKNOWN,
        status=response.status_code,
        seconds=seconds,
        waited=g.get("waited", False),
        problem=g.get("problem"),
    )


def _level(seen: Request) -> int:
    """Return how important the line is."""
    if seen.status >= 500:
        return logging.WARNING
    reads = seen.method in _READS or seen.operation in _READING
    return logging.DEBUG if reads and seen.status < 400 else logging.INFO


def _tell(seen: Request) -> None:
    level = _level(seen)
    if not log.isEnabledFor(level):
        return
    told = {
        "method": seen.method,
        "route": seen.route,
        "status": seen.status,
        "ms": round(seen.seconds * 1000, 1),
    }
    told |= {"session": _session(), "user": _user(), "problem": seen.problem}
    log.log(level, "%s %s %d", seen.method, seen.route, seen.status, extra=told)


def _session() -> UUID | None:
    try:
        return UUID((request.view_args or {}).get("session_id", ""))
    except ValueError:
        return None


def _user() -> str | None:
    """Return whom the call acted for, if that was found out."""
    proof = g.get("proof")
    caller: Caller | None = proof.caller if proof else None
    found: str | None = caller.user_id if caller and caller.user_id else g.get("user")
    return found
