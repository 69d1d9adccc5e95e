"""The real CLI behind the real server, against the stand-in API."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from emulator.anthropic import Server as Api
from sidecar.sessions.program import locate
from tests.acceptance.driver import User
from tests.fixtures.server import Server, serving


@pytest.fixture(scope="session")
def claude_path() -> str:
    """Return where the real CLI is; missing, it fails the test."""
    configured = os.environ.get("CLAUDE_PATH")
    path = locate(Path(configured) if configured else None)
    assert path is not None, "the CLI is missing: run make setup or set CLAUDE_PATH"
    assert path.is_file()
    return str(path)


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """Run the stand-in API."""
    with Api() as running:
        yield running


@pytest.fixture(scope="module")
def settings(api: Api, claude_path: str) -> dict[str, str]:
    """Return what makes a service use the real CLI, in the default isolation."""
    return {"CLAUDE_PATH": claude_path, "ISOLATION": "bubblewrap", "ANTHROPIC_BASE_URL": api.url}


@pytest.fixture(scope="module")
def shared_server(settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run one service on SQLite for all tests of a file that leave it as it was."""
    with serving(tmp_path_factory.mktemp("shared"), settings) as running:
        yield running


@pytest.fixture
def user(shared_server: Server) -> Iterator[User]:
    """Return a new user of the shared service; their sessions end with the test."""
    somebody = User(shared_server)
    yield somebody
    somebody.leave()


@pytest.fixture
def server(request: pytest.FixtureRequest, settings: dict[str, str], tmp_path: Path) -> Iterator[Server]:
    """Run a service that the test may kill; on the database it is parametrised with, SQLite by default."""
    if getattr(request, "param", "sqlite") == "postgresql":
        settings = {**settings, "DATABASE_URL": request.getfixturevalue("postgresql_url")}
    with serving(tmp_path, settings) as running:
        yield running
