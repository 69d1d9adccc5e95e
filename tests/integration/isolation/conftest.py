"""Real sandboxes, on pipes and on a real terminal."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from uuid import UUID, uuid4

import pexpect
import pytest

from sidecar.isolation import Bubblewrap, Confinement, Isolation, Limits, NoIsolation
from sidecar.model.session import SESSION_VARIABLE as TAG

#: Larger than any test needs; a test of a limit brings its own.
LIMITS = Limits(memory_bytes=4 * 2**30, processes=300, file_bytes=2**30, scratch_bytes=64 * 2**20)

ENVIRONMENT = {
    "PATH": "/opt/claude/bin:/usr/bin:/bin",
    "HOME": "/home/claude",
    "TERM": "xterm-256color",
    "LANG": "C.UTF-8",
}

Confine = Callable[..., Confinement]


def environment(confinement: Confinement) -> dict[str, str]:
    """Return the allow-list a spawner would give, with the session's tag."""
    return ENVIRONMENT | {TAG: str(confinement.session_id)}


@pytest.fixture
def confine(tmp_path: Path) -> Confine:
    """Return a maker of sessions, each with folders of its own."""

    def make(limits: Limits = LIMITS, executable: Path = Path("/usr/bin/true")) -> Confinement:
        session_id: UUID = uuid4()
        home, workspace = tmp_path / f"{session_id}-home", tmp_path / f"{session_id}-workspace"
        home.mkdir(mode=0o700)
        workspace.mkdir(mode=0o700)
        return Confinement(session_id, home, workspace, executable, limits)

    return make


@pytest.fixture
def confinement(confine: Confine) -> Confinement:
    return confine()


@pytest.fixture
def bubblewrap(tmp_path: Path) -> Bubblewrap:
    isolation = Bubblewrap(tmp_path / "isolation")
    isolation.check()
    return isolation


@pytest.fixture(params=["bubblewrap", "none"])
def isolation(request: pytest.FixtureRequest, tmp_path: Path) -> Isolation:
    made: Isolation = NoIsolation() if request.param == "none" else Bubblewrap(tmp_path / "isolation")
    made.check()
    return made


class Sandbox:
    """Runs commands in a session to their end."""

    def __init__(self, isolation: Isolation) -> None:
        self._isolation = isolation

    def run(
        self, confinement: Confinement, *command: str, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        launch = self._isolation.launch(confinement, command)
        return subprocess.run(
            launch.argv,
            cwd=launch.cwd,
            env=environment(confinement) if env is None else env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def shell(self, confinement: Confinement, script: str) -> subprocess.CompletedProcess[str]:
        return self.run(confinement, "/bin/bash", "-c", script)


@pytest.fixture
def sandbox(bubblewrap: Bubblewrap) -> Sandbox:
    return Sandbox(bubblewrap)


@pytest.fixture
def terminal(isolation: Isolation) -> Iterator[Callable[[Confinement, str], pexpect.spawn[str]]]:
    """Return a starter of shell scripts on a terminal, once for each isolation."""
    spawned = []

    def start(confinement: Confinement, script: str) -> pexpect.spawn[str]:
        launch = isolation.launch(confinement, ["/bin/bash", "-c", script])
        child = pexpect.spawn(
            launch.argv[0],
            list(launch.argv[1:]),
            cwd=str(launch.cwd),
            env=environment(confinement),
            encoding="utf-8",
            dimensions=(40, 120),
            timeout=10,
        )
        spawned.append(child)
        return child

    yield start
    for child in spawned:
        child.close(force=True)


@pytest.fixture(scope="session")
def claude() -> Path:
    """Return the real CLI."""
    here = Path(__file__).resolve().parents[3]
    packaged = here / "node_modules/@anthropic-ai/claude-code-linux-x64/claude"
    path = Path(os.environ.get("CLAUDE_PATH", packaged))
    assert path.exists(), f"{path} is missing: run `make setup`, or set CLAUDE_PATH"
    return path
