"""Bodies of requests as values of the core."""

from __future__ import annotations

import base64
import json
from typing import Any
from uuid import uuid4

import pytest

from sidecar.errors import InvalidRequest, TooLarge
from sidecar.model.command import Command, InputMode
from sidecar.model.credential import KeyChoice
from sidecar.model.session import Renderer, Size, WorkspaceType
from sidecar.web import schemas, shapes


def command(**body: Any) -> Command:
    return shapes.command(schemas.CommandBody.model_validate_json(json.dumps(body)))


def test_text_loses_one_newline_at_its_end() -> None:
    assert command(command="help\n").text == "help"
    assert command(command="a\nb\n\n").text == "a\nb\n"
    assert command(command="help\r\n").text == "help"


def test_keys_become_their_bytes() -> None:
    made = command(command=["Escape", "S-Tab", "C-c", "x", "ü"], mode="keys")
    assert (made.mode, made.data) == (InputMode.KEYS, b"\x1b\x1b[Z\x03x\xc3\xbc")
    assert command(command="Enter", mode="keys").data == b"\r"


def test_raw_input_becomes_its_bytes() -> None:
    assert command(command=base64.b64encode(b"\x00\xff").decode(), mode="raw").data == b"\x00\xff"


def test_the_limit_counts_bytes_of_the_input_and_not_of_the_request() -> None:
    assert len(command(command=base64.b64encode(b"x" * 16_384).decode(), mode="raw").data) == 16_384
    for body in ({"command": "ä" * 8_193}, {"command": ["x"] * 16_385, "mode": "keys"}):
        with pytest.raises(TooLarge):
            command(**body)


def test_half_of_a_surrogate_pair_is_refused() -> None:
    body = schemas.CommandBody(command="a\ud800")
    with pytest.raises(InvalidRequest):
        shapes.command(body)


def test_a_number_keeps_its_stream() -> None:
    made = command(command="x", stream="tab", seq=7)
    assert (made.stream, made.seq) == ("tab", 7)


def test_a_short_create_gets_the_defaults_of_the_contract() -> None:
    body, session_id = schemas.CreateBody.model_validate_json('{"userId": "jane"}'), uuid4()
    made = shapes.new_session(body, "jane", session_id)
    assert body.wait_ms == 15_000
    assert (made.id, made.user_id, made.workspace_type, made.workspace_name) == (
        session_id,
        "jane",
        WorkspaceType.ISOLATED,
        "default",
    )
    assert (made.size, made.renderer, made.model, made.key) == (
        Size(120, 40),
        Renderer.AUTO,
        None,
        KeyChoice(),
    )
