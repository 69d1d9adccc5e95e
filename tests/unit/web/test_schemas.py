"""What callers send is not shown when its shape is: the text of an error may hold one."""

from __future__ import annotations

import json

import pytest
from pydantic import BaseModel

from sidecar.web import schemas

MARKER = "sk-ant-marker-0123456789"


@pytest.mark.parametrize(
    ("shape", "body"),
    [
        (schemas.CreateBody, {"credentials": {"anthropicApiKey": MARKER}}),
        (schemas.CreateBody, {"credentials": {"sealed": MARKER}}),
        (schemas.CredentialBody, {"anthropicApiKey": MARKER}),
        (schemas.CredentialBody, {"sealed": MARKER}),
        (schemas.CommandBody, {"command": MARKER}),
        (schemas.SignInForm, {"key": MARKER}),
    ],
)
def test_a_shape_does_not_show_secrets(shape: type[BaseModel], body: object) -> None:
    parsed = shape.model_validate_json(json.dumps(body))

    assert MARKER in parsed.model_dump_json()
    assert MARKER not in repr(parsed) + str(parsed)
