"""The OpenAPI 3.1 document, generated from the views' operations and the schemas."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from sidecar import __version__
from sidecar.web import cookie, once, schemas
from sidecar.web.operation import Operation

_REFERENCE = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"<(\w+)>")
#: Statuses every operation may answer.
_COMMON = (400, 422, 429, 500)

#: Statuses of those that need a credential; without the database a key cannot be checked.
_SECURED = (401, 403, 503)

_SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "The service token, or an API key (`csk_…`).",
    },
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key", "description": "An API key."},
    "metrics": {"type": "http", "scheme": "bearer", "description": "`METRICS_TOKEN`."},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": cookie.NAME,
        "description": "Signed in to the pages with an API key. What changes something needs our own `Origin`.",
    },
}

_ELSEWHERE = {
    "description": "Another page.",
    "headers": {"Location": {"schema": {"type": "string"}}},
    "content": {},
}

_USER = {
    "name": "X-User-ID",
    "in": "header",
    "description": "The user the service token acts for, which needs it; an API key may only repeat its own.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"},
}

_KEY = {
    "name": once.KEY,
    "in": "header",
    "description": "Sent again with the same key within 24 h, the call is not executed again and gets the first answer.",
    "schema": {"type": "string", "pattern": once.PATTERN},
}

_REPLAYED = {
    once.REPLAY: {
        "description": "`true` on the answer to a repeat.",
        "schema": {"type": "string", "const": "true"},
    }
}

_RETRY_AFTER = {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer", "minimum": 1}}}

Json = dict[str, Any]


def document(app: Flask) -> Json:
    """Return the whole document."""
    declared = list(app.view_functions)
    found = sorted(_operations(app), key=lambda item: declared.index(item[0].endpoint))
    shapes = _shapes([operation for _, _, operation in found])
    paths: Json = {}
    for rule, method, operation in found:
        path = _PARAMETER.sub(r"{\1}", rule.rule)
        paths.setdefault(path, {})[method.lower()] = _operation(rule, operation, shapes)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Claude sidecar",
            "version": __version__,
            "description": "Claude Code sessions over HTTP. Errors are problem details (RFC 9457).",
        },
        "paths": paths,
        "components": {
            "schemas": shapes,
            "securitySchemes": _SCHEMES,
        },
    }


def _operations(app: Flask) -> list[tuple[Rule, str, Operation]]:
    rules = [
        (rule, getattr(app.view_functions[rule.endpoint], "operation", None))
        for rule in app.url_map.iter_rules()
    ]
    return [
        (rule, method, operation)
        for rule, operation in rules
        if operation is not None
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    ]


def _shapes(operations: list[Operation]) -> Json:
    used: set[type[BaseModel]] = {schemas.Problem}
    for operation in operations:
        used.update(
            shape for shape in (operation.answer, operation.body, operation.query) if shape is not None
        )
    listed = [(shape, "validation") for shape in sorted(used, key=lambda shape: shape.__name__)]
    _, definitions = models_json_schema(listed, by_alias=True, ref_template=_REFERENCE)  # type: ignore[arg-type]
    return dict(definitions["$defs"])


def _operation(rule: Rule, operation: Operation, shapes: Json) -> Json:
    described: Json = {
        "summary": operation.summary,
        "operationId": rule.endpoint.split(".")[-1],
        "parameters": _parameters(rule, operation, shapes),
        "responses": _responses(operation),
    }
    if operation.secured or operation.page or operation.scheme:
        described["security"] = _security(rule, operation)
    if operation.body is not None:
        content = _content(operation.body_media, operation.body)
        described["requestBody"] = {"required": True, "content": content}
    return described


def _security(rule: Rule, operation: Operation) -> list[Json]:
    if operation.scheme is not None:
        return [{operation.scheme: []}]
    if operation.page:
        return [{"cookie": []}]
    if operation.service_only:
        return [{"token": []}]
    keys: list[Json] = [{"key": []}] if rule.rule.startswith("/api/v1/") else []
    return [{"token": []}, *keys, {"cookie": []}]


def _parameters(rule: Rule, operation: Operation, shapes: Json) -> list[Json]:
    found: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
        for name in _PARAMETER.findall(rule.rule)
    ]
    if operation.user:
        found.append(_USER)
    if operation.once:
        found.append(_KEY)
    if operation.query is not None:
        properties = shapes[operation.query.__name__]["properties"]
        found += [{"name": name, "in": "query", "schema": schema} for name, schema in properties.items()]
    return found


def _responses(operation: Operation) -> Json:
    good: Json = {"description": operation.summary, "content": _content(operation.media, operation.answer)}
    if operation.once:
        good["headers"] = _REPLAYED
    bad = {"description": "Problem", "content": _content("application/problem+json", schemas.Problem)}
    problems = {*_COMMON, *operation.problems, *(_SECURED if operation.secured else ())}
    responses: Json = {str(operation.status): good}
    responses |= {str(status): bad for status in sorted(problems)}
    for status in problems & {429, 503}:
        responses[str(status)] = bad | {"headers": _RETRY_AFTER}
    responses |= {str(status): good for status in operation.also}
    return responses | ({"303": _ELSEWHERE} if operation.redirects else {})


def _content(media: str, shape: type[BaseModel] | None) -> Json:
    schema = {"$ref": _REFERENCE.format(model=shape.__name__)} if shape is not None else {}
    return {media: {"schema": schema}}
