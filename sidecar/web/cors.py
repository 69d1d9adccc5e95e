"""Calls from pages of other origins: only those the operator lists, and never with a cookie."""

from __future__ import annotations

import re
from collections.abc import Sequence

from flask import Flask, Response
from flask_cors import CORS

_REQUEST_HEADERS = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "X-API-Key",
    "X-Request-ID",
    "X-User-ID",
)
_RESPONSE_HEADERS = ("Idempotent-Replay", "Retry-After", "X-Request-ID")
#: Time a browser may remember what is allowed; some take no longer one, in seconds.
_MAX_AGE_S = 600


def register(app: Flask, origins: Sequence[str]) -> None:
    """Let pages of `origins` call `app`. Without any nothing is said of other origins, so browsers refuse."""
    if not origins:
        return
    CORS(
        app,
        # Patterns of ours: a string that looks like one would be taken as one, and letters of any case for the same.
        origins=[re.compile(re.escape(origin) + r"\Z") for origin in origins],
        methods=["GET", "POST", "DELETE"],
        allow_headers=list(_REQUEST_HEADERS),
        expose_headers=list(_RESPONSE_HEADERS),
        max_age=_MAX_AGE_S,
        supports_credentials=False,
        always_send=False,
        vary_header=False,
        intercept_exceptions=False,
    )
    app.after_request(_vary)


def _vary(response: Response) -> Response:
    """Tell caches that the answer depends on the origin, also when it is none of ours."""
    response.vary.add("Origin")
    return response
