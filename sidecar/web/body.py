"""Reading requests into schemas, and writing schemas as answers."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TypeVar

from flask import Response, current_app, g, request
from pydantic import BaseModel, ValidationError
from werkzeug.datastructures import MultiDict

from sidecar.errors import FieldProblem, InvalidRequest, MalformedBody, TooLarge, UnsupportedBody

Shape = TypeVar("Shape", bound=BaseModel)

#: What a browser sends a form as.
FORM = "application/x-www-form-urlencoded"

#: Broken rules told in one answer: a body with a hundred thousand unknown fields must not get one of megabytes.
_MOST_PROBLEMS = 20
#: Of more broken rules none is told: to list them takes longer than to find them.
_TOO_MANY_PROBLEMS = 1000
#: Names of fields that are repeated: words, places in a list, UUIDs. An unknown one is the caller's own text, and
#: could be a key or a token in the wrong place.
_NAME = re.compile(
    r"[A-Za-z_]{1,32}\d{0,3}|\d{1,6}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\[key\]"
)


def parse_body(shape: type[Shape]) -> Shape:
    """Return the JSON body as `shape`.

    Raises:
        UnsupportedBody, MalformedBody, TooLarge, InvalidRequest: it is none.
    """
    if request.mimetype != "application/json":
        raise UnsupportedBody
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        raise UnsupportedBody("The body must not be compressed.")
    data = g.sent = _whole_body()
    try:
        return shape.model_validate_json(data)
    except ValidationError as error:
        if error.error_count() == 1:
            only = error.errors(include_url=False, include_input=False)[0]
            if only["type"] in ("json_invalid", "model_type", "model_attributes_type") and not only["loc"]:
                raise MalformedBody from None
        raise _invalid(error) from None


def sent() -> bytes:
    """Return the body that was parsed in this request; nothing if none was."""
    found: bytes = g.get("sent", b"")
    return found


def _whole_body() -> bytes:
    """Return the body. Werkzeug cuts one of unknown length at the limit without a word, so look behind it."""
    data = request.get_data(cache=False)
    cut = request.content_length is None and len(data) == current_app.config["MAX_CONTENT_LENGTH"]
    if cut and request.environ["wsgi.input"].read(1):
        raise TooLarge("The body is larger than allowed.")
    return data


def parse_query(shape: type[Shape]) -> Shape:
    """Return the query parameters as `shape`.

    Raises:
        InvalidRequest: one is unknown, given twice, or wrong.
    """
    return _parsed(shape, request.args)


def parse_form(shape: type[Shape]) -> Shape:
    """Return the fields of a page's form as `shape`.

    Raises:
        UnsupportedBody: the body is no form.
        InvalidRequest: a field is unknown, given twice, or wrong.
    """
    if request.mimetype != FORM:
        raise UnsupportedBody(f"The body must be {FORM}.")
    return _parsed(shape, request.form)


def _parsed(shape: type[Shape], fields: MultiDict[str, str]) -> Shape:
    repeated = [name for name, values in fields.lists() if len(values) > 1]
    if repeated:
        raise InvalidRequest.of(_path((repeated[0],)), "is given more than once")
    try:
        return shape.model_validate(fields.to_dict())
    except ValidationError as error:
        raise _invalid(error) from None


def _invalid(error: ValidationError) -> InvalidRequest:
    """Translate, leaving the values out: one of them could be a key."""
    if error.error_count() > _TOO_MANY_PROBLEMS:
        return InvalidRequest.of("body", f"breaks more than {_TOO_MANY_PROBLEMS} rules")
    found = error.errors(include_url=False, include_input=False, include_context=False)[:_MOST_PROBLEMS]
    problems = [FieldProblem(_path(item["loc"]), item["msg"]) for item in found]
    return InvalidRequest(f"{problems[0].field}: {problems[0].message}", problems)


def _path(place: tuple[int | str, ...]) -> str:
    """Return a field's name; a rule over several fields has none but the body's."""
    return ".".join(str(part) if _NAME.fullmatch(str(part)) else "…" for part in place) or "body"


def reply(shape: BaseModel, status: int = 200) -> Response:
    """Return `shape` as JSON."""
    return Response(shape.model_dump_json(by_alias=True), status, content_type="application/json")


def decoded(text: str, field: str) -> bytes:
    """Return the bytes of strict base64.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidRequest.of(field, "is not base64") from None


def encoded(data: bytes, encoding: str) -> str:
    """Return output bytes as text in the encoding asked for."""
    return base64.b64encode(data).decode() if encoding == "base64" else data.decode("utf-8", "replace")
