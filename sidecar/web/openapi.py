"""The OpenAPI 3.1 document, generated from the views' operations and the schemas."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule

from sidecar import __version__
from sidecar.web import schemas
from sidecar.web.operation import Operation

_REFERENCE = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"<(\w+)>")
#: Statuses every operation may answer.
_COMMON = (400, 422, 500)

_USER = {
    "name": "X-User-ID",
    "in": "header",
    "required": True,
    "description": "The user the call acts for.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$"},
}

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
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
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
    if operation.secured:
        described["security"] = [{"token": []}]
    if operation.body is not None:
        described["requestBody"] = {"required": True, "content": _content("application/json", operation.body)}
    return described


def _parameters(rule: Rule, operation: Operation, shapes: Json) -> list[Json]:
    found: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "format": "uuid"}}
        for name in _PARAMETER.findall(rule.rule)
    ]
    if operation.user:
        found.append(_USER)
    if operation.query is not None:
        properties = shapes[operation.query.__name__]["properties"]
        found += [{"name": name, "in": "query", "schema": schema} for name, schema in properties.items()]
    return found


def _responses(operation: Operation) -> Json:
    content = _content(operation.media, operation.answer)
    responses: Json = {str(operation.status): {"description": operation.summary, "content": content}}
    statuses = {*_COMMON, *operation.problems, *((401,) if operation.secured else ())}
    for status in sorted(statuses):
        shape = operation.answer if status == 503 and not operation.secured else schemas.Problem
        media = "application/json" if shape is operation.answer else "application/problem+json"
        responses[str(status)] = {"description": "Problem", "content": _content(media, shape)}
    return responses


def _content(media: str, shape: type[BaseModel] | None) -> Json:
    schema = {"$ref": _REFERENCE.format(model=shape.__name__)} if shape is not None else {}
    return {media: {"schema": schema}}
