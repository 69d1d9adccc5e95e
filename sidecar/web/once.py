"""The header Idempotency-Key: what is sent again is executed once, and gets the first answer."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from uuid import UUID

from flask import Response, request

from sidecar.access.ledger import Call
from sidecar.access.repeats import Outcome, Reserved
from sidecar.errors import InvalidRequest
from sidecar.model.answer import Answer
from sidecar.web import problems
from sidecar.web.body import sent
from sidecar.web.context import services
from sidecar.web.waiting import waiting

#: The header, as callers send it, and what marks the answer to a repeat.
KEY, REPLAY = "Idempotency-Key", "Idempotent-Replay"
#: What a key consists of.
PATTERN = "^[\\x21-\\x7e]{1,128}$"

Run = Callable[[Reserved], Response]


def once(user: str, run: Run, *, makes: UUID | None = None) -> Response:
    """Return the answer of `run`, which is called once for each key of a user; without a key, always.

    Args:
        user: For whom the call acts; others may use the same keys.
        run: Does what is asked and returns the answer.
        makes: The id of what the call makes. `run` gets it, or the one reserved by an earlier run that was cut short.

    Raises:
        InvalidRequest: the key has another form.
        KeyReused, OutcomeUnknown, StorageUnavailable, LimitReached, Unavailable: see `Repeats.once`.
    """
    key = request.headers.get(KEY)
    if key is None:
        return run(Reserved(makes) if makes else Reserved())
    if not re.fullmatch(PATTERN, key):
        raise InvalidRequest.of(KEY, "use 1 to 128 visible ASCII characters")
    call = Call(user, key, _digest(), makes)
    given = services().repeats.once(call, lambda reserved: _outcome(run, reserved), lambda: waiting(user, 1))
    response = problems.headed(
        Response(given.answer.body, given.answer.status, content_type=given.answer.content_type)
    )
    if given.replayed:
        response.headers[REPLAY] = "true"
    return response


def _outcome(run: Run, reserved: Reserved) -> Outcome:
    try:
        return Outcome(_answer(run(reserved)))
    except Exception as error:  # noqa: BLE001  whatever it is, it is the answer of this call
        return Outcome(_answer(problems.answer(error)), error)


def _answer(response: Response) -> Answer:
    return Answer(response.status_code, response.content_type or "", response.get_data())


def _digest() -> bytes:
    """Return a digest of what is asked for."""
    head = f"{request.method} {request.path}\n".encode()
    return hashlib.sha256(head + sent()).digest()
