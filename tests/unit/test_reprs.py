"""Values that carry secrets, input or output do not show them: a `repr` ends up in errors and logs."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from sidecar.claude.command import Account, Place
from sidecar.claude.home import Seed
from sidecar.model.answer import Answer
from sidecar.model.caller import SERVICE
from sidecar.model.command import Command, InputMode
from sidecar.model.session import Size
from sidecar.terminal.process import Program
from sidecar.web.auth import Proof

MARKER = "marker-0123456789"
PLACE = Place(Path("/h"), Path("/w"), Path("/x"))


@pytest.mark.parametrize(
    "value",
    [
        Account(MARKER),
        Answer(200, "text/plain", MARKER.encode()),
        Command(InputMode.TEXT, MARKER, MARKER.encode()),
        Program(("/x",), {"ANTHROPIC_API_KEY": MARKER}, Path("/"), Size(80, 24)),
        Proof(SERVICE, partial(lambda _: None, MARKER)),  # type: ignore[arg-type]  # any call will do
        Seed(PLACE, MARKER),
    ],
    ids=lambda value: type(value).__name__,
)
def test_it_is_not_shown(value: object) -> None:
    assert MARKER not in repr(value)
