"""Payloads as the app writes them."""

from __future__ import annotations

import base64
import json
from typing import Any
from xml.sax.saxutils import quoteattr

SESSION = "0b6f5c1e-8f2b-4c59-9a55-0c7d3b1f2a10"
USER = "c2f1e0d9b8a7968574635241302f1e0d"
KEY = "40c7f0e1db2a3410a1b2c3d4e5f60718"


def encoded(body: Any) -> str:
    """Return a body as a parameter carries it."""
    return base64.b64encode(json.dumps(body).encode()).decode()


def parameters(op: str, body: Any = None, **more: str) -> dict[str, str]:
    """Return the parameters of a row; "-" leaves one out, and a body that is a text is taken as it is."""
    given = {"skip_sensor": "true", "v": "1", "op": op, "user": USER, "session": SESSION, "key": KEY}
    coded = body if isinstance(body, str) else encoded({} if body is None else body)
    given |= {"body": coded} | more
    return {name: value for name, value in given.items() if value != "-"}


def written(given: dict[str, str]) -> str:
    """Return parameters as XML."""
    told = "".join(f"<parameter name={_attribute(name)} value={_attribute(given[name])}/>" for name in given)
    return f'<?xml version="1.0" encoding="UTF-8"?><parameters>{told}</parameters>'


def payload(op: str, body: Any = None, **more: str) -> str:
    """Return the payload of a row that asks for an operation."""
    return written(parameters(op, body, **more))


def _attribute(value: str) -> str:
    return quoteattr(value, {"\t": "&#9;", "\n": "&#10;", "\r": "&#13;"})
