"""The service is killed with -9 and started again. M14."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from sidecar.isolation import processes
from sidecar.model.session import Activity, SessionState
from sidecar.services import Services
from sidecar.sessions.desk import Access
from sidecar.sessions.offsets import WINDOW
from tests.fixtures.services import (
    BOTH_TOGETHER,
    ENCRYPTION_KEY,
    FAKE_CLAUDE,
    TOKEN,
    USER,
    MakeServices,
    new_session,
)
from tests.integration.sessions.driver import Driver
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[3]


class Doomed:
    """Services in another process."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.integration.sessions.service"],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def order(self, name: str, session_id: UUID, text: str = "") -> int:
        """Give an order; return how far the session's output was known outside then."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{name} {session_id} {text}\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def kill(self) -> None:
        """End it as a crash does."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


@pytest.fixture
def doomed(service_database: str, service_isolation: str, tmp_path: Path) -> Iterator[Doomed]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "API_AUTH_TOKEN": TOKEN,
        "ENCRYPTION_KEY": ENCRYPTION_KEY,
        "DATABASE_URL": service_database,
        "SIDECAR_DATA_DIR": str(tmp_path / "data"),
        "CLAUDE_PATH": str(FAKE_CLAUDE),
        "ISOLATION": service_isolation,
    }
    running = Doomed(environment)
    yield running
    running.kill()


@pytest.fixture
def again(make_services: MakeServices) -> Callable[[UUID], Driver]:
    """Return a maker of the services after the crash, seen through one session."""

    def make(session_id: UUID) -> Driver:
        services: Services = make_services()
        right = Access(USER, session_id)
        return Driver(services, right, services.sessions.status(right))

    return make


@BOTH_TOGETHER
def test_a_crash_interrupts_sessions_and_the_next_command_resumes_them(
    doomed: Doomed, again: Callable[[UUID], Driver]
) -> None:
    """M14: a restart of the predecessor ended every session."""
    session_id = uuid4()
    doomed.order("create", session_id)
    known = doomed.order("say", session_id, "before the crash [[spawn]]")
    assert until(lambda: len(processes.tagged(session_id)) > 1)

    doomed.kill()

    session = again(session_id)
    assert session.state() is SessionState.INTERRUPTED
    assert session.activity() is Activity.IDLE
    assert not processes.tagged(session_id)
    assert "next command resumes" in str(session.session.reason)
    cursor = session.say("after the crash").cursor
    assert cursor >= known
    assert session.state() is SessionState.RUNNING
    assert "You said: before the crash" in session.screen()


def test_after_a_crash_screen_output_and_recording_can_be_read(
    doomed: Doomed, again: Callable[[UUID], Driver]
) -> None:
    """M14: what was stored, before anybody wakes the session."""
    session_id = uuid4()
    doomed.order("create", session_id)
    doomed.order("say", session_id, "to be remembered")
    # Said to be visible later than it was stored: the next answer comes when this text is in the database.
    doomed.order("say", session_id, "last [[work 1]]")
    doomed.kill()

    session = again(session_id)

    assert "You said: to be remembered" in session.screen()
    assert b"You said: to be remembered" in session.everything()
    header, *events = (json.loads(line) for line in session.services.sessions.recording(session.access))
    assert header["version"] == 2
    assert "You said: to be remembered" in "".join(text for _, _, text in events)
    assert session.state() is SessionState.INTERRUPTED


def test_no_offset_is_used_twice_and_the_gap_counts_as_dropped(
    doomed: Doomed, again: Callable[[UUID], Driver]
) -> None:
    """M7, M14: bytes given out but not stored yet must not be followed by others under their offsets."""
    session_id = uuid4()
    doomed.order("create", session_id)
    known = doomed.order("type", session_id, "[[flood 300000]] [[endless 1000]]")
    doomed.kill()

    session = again(session_id)
    stored = len(session.everything())
    cursor = session.say("after").cursor

    assert cursor >= known
    assert cursor - stored <= 2 * WINDOW
    reading = session.read(stored)
    assert reading.dropped > 0
    assert reading.next_cursor - len(reading.data) == stored + reading.dropped
    assert stored + reading.dropped >= known
    assert session.everything(stored).startswith(reading.data)


def test_crash_after_crash_offsets_only_grow(
    doomed: Doomed, again: Callable[[UUID], Driver], make_services: MakeServices
) -> None:
    """M14: also when nothing was printed in between."""
    session_id = uuid4()
    doomed.order("create", session_id)
    ends = [doomed.order("say", session_id, "one")]
    doomed.kill()
    session = again(session_id)
    ends.append(session.live.console.end)
    ends.append(session.say("two").cursor)
    session.services.close()
    session.services = make_services()
    ends.append(session.read(0).next_cursor)
    ends.append(session.live.console.end)
    ends.append(session.say("three").cursor)

    assert sorted(ends[:3]) == ends[:3]
    assert ends[4] <= ends[5]
    assert ends[2] < ends[4]


def test_a_crash_right_after_a_create_leaves_the_session_to_be_resumed(
    doomed: Doomed, service_database: str, make_services: MakeServices
) -> None:
    session_id = uuid4()
    doomed.order("create", session_id)
    doomed.kill()
    services = make_services()
    status = services.sessions.status(Access(USER, session_id))
    session = Driver(services, Access(USER, session_id), status)
    assert service_database.startswith("sqlite")

    session.say("first words")

    assert session.state() is SessionState.RUNNING


def test_files_of_a_session_that_ended_before_the_crash_are_removed(
    make_services: MakeServices, tmp_path: Path
) -> None:
    services = make_services()
    new = new_session()
    ended = services.sessions.create(new, 20)
    services.sessions.terminate(Access(USER, ended.session.id))
    services.close()
    left = tmp_path / "data/sessions" / str(new.id)
    left.mkdir(parents=True, exist_ok=True)
    unknown = tmp_path / "data/sessions" / str(uuid4())
    unknown.mkdir()

    make_services()

    assert not left.exists()
    assert not unknown.exists()
