"""The MID Server that the tests of a file share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator.midserver import MidServer
from emulator.servicenow import Instance
from tests.integration.emulator.probing import Desk


@pytest.fixture
def shared(instance: Instance, mid: MidServer) -> Iterator[Desk]:
    """Return the outputs of the file's `mid`, which runs, whatever the test before did."""
    if not mid.program.running:
        mid.start()
    yield Desk(instance, mid.name)
    instance.faults(amb=True, tooManyRequests=None, answers={"lose": 0})
