"""A trail over a real database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sidecar.audit.spool import Spool
from sidecar.audit.trail import Trail
from sidecar.clock import SystemClock
from sidecar.storage.audit import AuditStore
from sidecar.storage.database import Database


@pytest.fixture
def store(database: Database) -> AuditStore:
    return AuditStore(database)


@pytest.fixture
def make_trail(store: AuditStore, tmp_path: Path) -> Iterator[Callable[..., Trail]]:
    """Return a maker of started trails on one spool; one at a time."""
    with ExitStack() as stack:

        def make(most_bytes: int = 1 << 20) -> Trail:
            trail = Trail(store, Spool(tmp_path / "audit", most_bytes), SystemClock())
            trail.start()
            stack.callback(trail.stop)
            return trail

        yield make
