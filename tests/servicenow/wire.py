"""A loop whose MID Server reaches the sidecar through a tap."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from emulator.midserver import Sidecar, keep_token
from tests.fakes.tap import Tap, tapped
from tests.fixtures.loop import Loop


@contextmanager
def wired(loop: Loop) -> Iterator[Tap]:
    """Listen to what the MID Server says to the sidecar until the end."""
    with tapped(loop.sidecar.url) as tap:
        loop.mid.stop()
        loop.mid.prepare(Sidecar(tap.url, keep_token(loop.mid.home, loop.sidecar.token)))
        loop.mid.start()
        loop.alice.await_mid(loop.mid.name)  # the health job may have found it down
        yield tap
        loop.mid.stop()
