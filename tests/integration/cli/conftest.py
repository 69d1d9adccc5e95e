"""A machine to examine, and the command as a process of its own."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.server import Server, serving
from tests.integration.cli.machine import Machine

_numbers = itertools.count(1)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Return a machine where all is well."""
    return Machine(tmp_path, free_port())


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a service that all tests here share, each as a user of its own."""
    with serving(tmp_path_factory.mktemp("service"), {"MAX_SESSIONS": "100"}) as running:
        yield running


@pytest.fixture
def user() -> str:
    """Return a user nobody has been before."""
    return f"user-{next(_numbers)}"


def free_port() -> int:
    """Return a port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
