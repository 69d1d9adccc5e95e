"""Requests at a given rate against the plain server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks import server
from benchmarks.load import Connections


@pytest.fixture(scope="module")
def plain() -> Iterator[server.Plain]:
    """Run the plain server."""
    with server.serving() as found:
        yield found


@pytest.mark.parametrize(("path", "good"), [("/bare", True), ("/nothing", False)])
def test_every_request_is_answered_and_its_status_counts(plain: server.Plain, path: str, good: bool) -> None:
    connections = Connections(plain.address, path, {})
    try:
        load = connections.run(100, 0.5)
        again = connections.run(100, 0.5)
    finally:
        connections.close()

    asked = len(load.latencies_ms) + load.failed
    assert asked > 10
    assert bool(load.failed) is not good
    assert len(again.latencies_ms) + again.failed == asked  # the same arrivals each time
