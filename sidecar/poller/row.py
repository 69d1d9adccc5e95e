"""From the payload of a row to the call it asks for. Everything is checked before anything is sent."""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn
from urllib.parse import quote
from xml.parsers import expat

from sidecar.poller.answer import VERSION, Answer, problem
from sidecar.poller.operations import OPERATIONS, Operation

_MAX_CHARS = 200_000
#: More elements than any row of ours has.
_MAX_ELEMENTS = 100
_MAX_OUTPUT_BYTES = 65_536  # twice in base64 that is 117 KB
#: No operation lets anybody wait longer; what asks for more is refused by the sidecar at once.
_MAX_WAIT_S = 120.0
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_USER = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}")
_KEY = re.compile(r"[A-Za-z0-9._-]{1,64}")

_Body = dict[str, Any]
_Parameters = Mapping[str, str]


@dataclass(frozen=True)
class Call:
    """One call of the sidecar; the token is still missing."""

    operation: Operation
    #: With the parameters.
    path: str
    headers: Mapping[str, str]
    sent: bytes | None = field(repr=False)
    #: How long the answer may take.
    read_s: float
    #: Whether the sidecar puts it in order, by its number in a stream.
    numbered: bool = False


class _RefusedError(Exception):
    """The row is not one of ours; the text says what is wrong and repeats nothing of it."""


def call(payload: str | None) -> Call | Answer:
    """Return what the row asks for, or the answer to one that cannot be understood; it never raises."""
    try:
        return _call(_parameters(payload))
    except _RefusedError as error:
        return problem(422, "Bad request", str(error))


def numbered(payload: str | None) -> bool:
    """Tell whether the sidecar itself puts what the row asks for in order."""
    found = call(payload)
    return isinstance(found, Call) and found.numbered


def _refuse(detail: str) -> NoReturn:
    raise _RefusedError(detail)


# -- XML -------------------------------------------------------------------------------------------------


def _parameters(payload: str | None) -> dict[str, str]:
    if payload is None or len(payload) > _MAX_CHARS:
        _refuse("The payload is too long.")
    reader = _Reader()
    try:
        return reader.read(payload)
    except (expat.ExpatError, ValueError):
        _refuse("The payload is not XML.")


class _Reader:
    """Reads `<parameters><parameter name= value=/>…`. Entities are none of ours, so no document type is let in."""

    def __init__(self) -> None:
        self._found: dict[str, str] = {}
        self._elements = 0

    def read(self, payload: str) -> dict[str, str]:
        # The payload is text already; a row that declares another encoding does not choose how it is read.
        parser = expat.ParserCreate("utf-8")
        parser.StartDoctypeDeclHandler = self._on_doctype
        parser.StartElementHandler = self._on_element
        # Lone halves of characters are no XML either.
        parser.Parse(payload.encode("utf-8"), True)
        return self._found

    def _on_doctype(self, *_: object) -> None:
        _refuse("The payload declares a document type.")

    def _on_element(self, name: str, attributes: dict[str, str]) -> None:
        self._elements += 1
        if self._elements > _MAX_ELEMENTS:
            _refuse("The payload has too many elements.")
        if name == "parameter":
            self._add(attributes.get("name", ""), attributes.get("value", ""))

    def _add(self, name: str, value: str) -> None:
        if name in self._found:
            _refuse("The payload has a parameter twice.")
        self._found[name] = value


# -- the call --------------------------------------------------------------------------------------------


def _call(given: _Parameters) -> Call:
    operation = _operation(given)
    body = _body(given.get("body", ""))
    _check_names(body, operation)
    path = _path(operation, body, given) + _query(operation, body)
    headers = _headers(operation, given)
    numbered = {"stream", "seq"} <= _picked(body, operation.body).keys()
    return Call(operation, path, headers, _sent(operation, body), _read_s(operation, body), numbered)


def _operation(given: _Parameters) -> Operation:
    if given.get("v") != str(VERSION):
        _refuse(f"v must be {VERSION}: the app and the poller have different versions.")
    operation = OPERATIONS.get(given.get("op", ""))
    if operation is None:
        _refuse("op is not one of the operations of this poller.")
    return operation


def _body(text: str) -> _Body:
    if not text:
        return {}
    try:
        body = json.loads(base64.b64decode(text, validate=True), parse_constant=_no_constant)
    except (ValueError, RecursionError):
        _refuse("body is not the base64 of JSON.")
    if not isinstance(body, dict):
        _refuse("body is not a JSON object.")
    return body


def _no_constant(_: str) -> NoReturn:
    raise ValueError


def _check_names(body: _Body, operation: Operation) -> None:
    if body.keys() - operation.known:
        _refuse("body has a field that this operation does not know.")
    if "maxBytes" in operation.known:
        body["maxBytes"] = min(_number(body.get("maxBytes")) or _MAX_OUTPUT_BYTES, _MAX_OUTPUT_BYTES)


def _number(value: object) -> int | float:
    """Return a number of the body; 0 for anything else, which the sidecar refuses where it matters."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0
    try:
        return value if math.isfinite(value) else 0
    except OverflowError:
        return 0  # hundreds of digits


def _path(operation: Operation, body: _Body, given: _Parameters) -> str:
    path = operation.path
    if "{session}" in path:
        path = path.replace("{session}", _uuid("session", given.get("session", "")))
    if "{id}" in path:
        path = path.replace("{id}", _uuid("credentialId", body.get("credentialId")))
    return path


def _uuid(name: str, value: object) -> str:
    if not isinstance(value, str) or not _UUID.fullmatch(value):
        _refuse(f"{name} is not a UUID.")
    return value


def _query(operation: Operation, body: _Body) -> str:
    pairs = [f"{name}={_plain(name, value)}" for name, value in _picked(body, operation.query).items()]
    return f"?{'&'.join(pairs)}" if pairs else ""


def _plain(name: str, value: object) -> str:
    if isinstance(value, dict | list):
        _refuse(f"{name} is not a plain value.")
    try:
        return quote(value if isinstance(value, str) else json.dumps(value, allow_nan=False), safe="")
    except ValueError:
        _refuse(f"{name} cannot be written.")


def _picked(body: _Body, names: tuple[str, ...]) -> _Body:
    """Return the values there are, in the order of `names`: the sidecar compares a repeated body byte by byte."""
    return {name: body[name] for name in names if body.get(name) is not None}


def _headers(operation: Operation, given: _Parameters) -> dict[str, str]:
    headers, key = {}, given.get("key", "")
    if operation.user:
        headers["X-User-ID"] = _matching("user", given.get("user", ""), _USER)
    # A row can be claimed twice; the key lets the sidecar do it once. The one POST that needs none is the pump's,
    # which acts for no user.
    if key or (operation.method != "GET" and operation.user):
        headers["Idempotency-Key"] = headers["X-Request-ID"] = _matching("key", key, _KEY)
    return headers


def _matching(name: str, value: str, pattern: re.Pattern[str]) -> str:
    if not pattern.fullmatch(value):
        _refuse(f"{name} is missing or malformed.")
    return value


def _sent(operation: Operation, body: _Body) -> bytes | None:
    if not operation.body:
        return None
    try:
        return json.dumps(_picked(body, operation.body), separators=(",", ":"), allow_nan=False).encode()
    except (ValueError, RecursionError):
        _refuse("body cannot be written.")


def _read_s(operation: Operation, body: _Body) -> float:
    waits = max(0.0, _number(body.get("waitMs")) / 1000) + max(0.0, _number(body.get("wait")))
    return operation.timeout_ms / 1000 + min(waits, _MAX_WAIT_S)
