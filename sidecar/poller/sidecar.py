"""The sidecar as the poller sees it: one call for each row, with the answers ClaudeTerminalProbe would give."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from sidecar.poller import row
from sidecar.poller.answer import Answer, fitting, problem
from sidecar.poller.operations import OPERATIONS
from sidecar.poller.row import Call
from sidecar.poller.wire import Fault, Lost, Reply, Request, Wire

#: No answer of the sidecar is longer, in bytes.
LONGEST_ANSWER = 1 << 20
_SECONDS = re.compile(r"[0-9]{1,6}")
_TOLD = ("type", "title", "status", "detail", "errors")


class Sidecar:
    """Does what rows ask. It never raises: what fails is an answer too."""

    def __init__(self, wire: Wire, token: str) -> None:
        """Use this token; nothing is called yet."""
        self._wire = wire
        self._token = token

    def answer(self, payload: str | None) -> Answer:
        """Do what the payload of a row asks and return the answer, which fits into a row."""
        call = row.call(payload)
        return call if isinstance(call, Answer) else self._made(call)

    def asked(self, name: str) -> Answer:
        """Return the answer to an operation that is for no user and says nothing."""
        operation = OPERATIONS[name]
        return self._made(Call(operation, operation.path, {}, None, operation.timeout_ms / 1000))

    def close(self) -> None:
        """Close what is left of connections."""
        self._wire.close()

    def _made(self, call: Call) -> Answer:
        headers = {**call.headers, "Authorization": f"Bearer {self._token}"}
        if call.sent is not None:
            headers["Content-Type"] = "application/json"
        reply = self._wire.call(Request(call.operation.method, call.path, headers, call.sent, call.read_s))
        return _unanswered(call, reply) if isinstance(reply, Lost) else _interpreted(call, reply)


def _unanswered(call: Call, lost: Lost) -> Answer:
    # Only what was sent may have been done; what acts for no user leaves nothing behind.
    doubt = " Whether it was done is not known." if call.sent is not None and call.operation.user else ""
    if lost.fault is Fault.TOO_LONG:
        return problem(
            502, "Answer too large", f"The sidecar answered with more than {LONGEST_ANSWER} bytes."
        )
    if lost.fault is Fault.LATE:
        return problem(504, "Sidecar timed out", "The sidecar did not answer in time.")
    if lost.fault is Fault.TIMEOUT:
        return problem(504, "Sidecar timed out", f"The sidecar did not answer in time.{doubt}")
    if lost.fault is Fault.BROKEN and doubt:
        return problem(
            504,
            "Connection to the sidecar lost",
            f"The connection broke before the sidecar answered: {lost.kind}.{doubt}",
        )
    return problem(
        502,
        "Sidecar not reachable",
        f"The poller did not reach the sidecar (POLLER_SIDECAR_URL): {lost.kind}.",
    )


def _interpreted(call: Call, reply: Reply) -> Answer:
    if reply.status == 401:
        return problem(401, "Token refused", "The poller's API_AUTH_TOKEN is not the sidecar's.")
    body = _json(reply.content)
    if body is None or not (200 <= reply.status < 300 or reply.status >= 400):
        return problem(
            502,
            "Unexpected answer",
            f"What answers at POLLER_SIDECAR_URL with HTTP status {reply.status} is not the sidecar.",
        )
    if reply.status >= 400:
        return fitting(_refused(reply, body))
    return fitting(Answer(reply.status, body), call.operation.spare)


def _json(content: bytes) -> dict[str, Any] | None:
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


def _refused(reply: Reply, body: Mapping[str, Any]) -> Answer:
    told: dict[str, Any] = {name: body[name] for name in _TOLD if body.get(name) is not None}
    pause = reply.headers.get("Retry-After", "")
    if _SECONDS.fullmatch(pause):
        told["retryAfter"] = int(pause)
    told["status"] = reply.status
    told["title"] = told.get("title") or (
        "Sidecar not healthy" if body.get("checks") else "Refused by the sidecar"
    )
    told["detail"] = told.get("detail") or _health(body) or f"HTTP status {reply.status}."
    return Answer(reply.status, problem=told)


def _health(body: Mapping[str, Any]) -> str:
    """Return what is wrong: a sidecar that cannot serve answers its health, not a problem."""
    checks = body.get("checks")
    if not isinstance(checks, dict) or not checks:
        return ""
    faults = [
        f"{name}: {check.get('detail')}"
        for name, check in checks.items()
        if isinstance(check, dict) and not check.get("ok")
    ]
    return "; ".join(faults) or f"It is {body.get('status')}."
