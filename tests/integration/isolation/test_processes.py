"""How a session's processes are found and end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from sidecar.clock import SystemClock
from sidecar.isolation import Confinement, Isolation
from sidecar.isolation.processes import descendants, kill_tagged, orphans, tagged
from sidecar.model.session import SESSION_VARIABLE as TAG
from tests.waiting import until

#: What a Bash tool leaves behind: processes in sessions of their own, deaf to a hang-up.
BACKGROUND = "setsid nohup sleep 300 >/dev/null 2>&1 & (setsid sh -c 'sleep 300; :' &) ; touch /workspace/up 2>/dev/null || touch up; "

#: Starts what it is told to and waits; killed in the middle of it, as the service may be.
SPAWNER = "import subprocess, sys; subprocess.Popen(sys.argv[1:]).wait()"


@pytest.fixture
def spawned(isolation: Isolation, confinement: Confinement) -> Iterator[subprocess.Popen[bytes]]:
    """Return a spawner whose sandboxed child has background processes."""
    launch = isolation.launch(confinement, ["/bin/bash", "-c", f"{BACKGROUND} sleep 300; :"])
    env = {"PATH": "/usr/bin:/bin", TAG: str(confinement.session_id)}
    # The spawner itself has no tag, as the service has none.
    starter = ["/usr/bin/env", f"--chdir={launch.cwd}", *(f"{name}={value}" for name, value in env.items())]
    spawner = subprocess.Popen([sys.executable, "-c", SPAWNER, *starter, *launch.argv])
    try:
        assert until((confinement.workspace / "up").exists)
        assert until(lambda: len(sleeps(confinement)) == 3), tagged(confinement.session_id)
        yield spawner
    finally:
        spawner.kill()
        spawner.wait()
        kill_tagged(confinement.session_id, time.monotonic() + 5, SystemClock())


def sleeps(confinement: Confinement) -> list[int]:
    return [pid for pid in tagged(confinement.session_id) if name(pid) == "sleep"]


def name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


@pytest.mark.parametrize("isolation", ["bubblewrap"], indirect=True)
def test_all_that_a_sandbox_started_dies_with_a_killed_spawner(
    spawned: subprocess.Popen[bytes], confinement: Confinement
) -> None:
    os.kill(spawned.pid, signal.SIGKILL)

    assert until(lambda: not tagged(confinement.session_id))


@pytest.mark.parametrize("isolation", ["none"], indirect=True)
def test_without_a_sandbox_the_child_dies_with_a_killed_spawner_and_the_rest_is_found(
    spawned: subprocess.Popen[bytes], confinement: Confinement
) -> None:
    child = next(pid for pid in tagged(confinement.session_id) if name(pid) == "bash")

    os.kill(spawned.pid, signal.SIGKILL)

    assert until(lambda: name(child) != "bash")
    assert confinement.session_id in orphans()
    assert kill_tagged(confinement.session_id, time.monotonic() + 5, SystemClock()) >= 2
    assert not tagged(confinement.session_id)
    assert confinement.session_id not in orphans()


@pytest.mark.parametrize("isolation", ["bubblewrap"], indirect=True)
def test_background_processes_end_when_the_command_of_a_sandbox_does(
    isolation: Isolation, confinement: Confinement
) -> None:
    launch = isolation.launch(confinement, ["/bin/bash", "-c", BACKGROUND])

    subprocess.run(
        launch.argv,
        cwd=launch.cwd,
        env={"PATH": "/usr/bin:/bin", TAG: str(confinement.session_id)},
        check=True,
    )

    assert (confinement.workspace / "up").exists()
    assert until(lambda: not tagged(confinement.session_id))


def test_the_whole_session_is_found_and_killed(
    spawned: subprocess.Popen[bytes], confinement: Confinement
) -> None:
    assert tagged(uuid4()) == []
    assert confinement.session_id in orphans()

    assert kill_tagged(confinement.session_id, time.monotonic() + 5, SystemClock()) >= 1

    assert tagged(confinement.session_id) == []
    assert until(lambda: spawned.poll() is not None)


def test_after_the_deadline_nothing_is_killed(
    spawned: subprocess.Popen[bytes], confinement: Confinement
) -> None:
    assert kill_tagged(confinement.session_id, time.monotonic() - 1, SystemClock()) == 0

    assert len(sleeps(confinement)) == 3
    assert spawned.poll() is None


def test_descendants_are_found(spawned: subprocess.Popen[bytes]) -> None:
    below = descendants(spawned.pid)

    assert "bash" in map(name, below)


def test_a_process_that_is_gone_has_no_descendants() -> None:
    with subprocess.Popen(["/bin/true"]) as gone:
        pass

    assert descendants(gone.pid) == []


def test_a_tag_that_is_no_uuid_is_nobodys() -> None:
    before = orphans()
    with subprocess.Popen(["/bin/sleep", "60"], env={TAG: "../../etc"}) as process:
        assert until(lambda: name(process.pid) == "sleep")

        assert orphans() == before
        process.kill()


def test_a_tag_in_a_longer_name_is_nobodys() -> None:
    session_id = uuid4()
    with subprocess.Popen(["/bin/sleep", "60"], env={f"X{TAG}": str(session_id)}) as process:
        assert until(lambda: name(process.pid) == "sleep")

        assert tagged(session_id) == []
        process.kill()


def test_signals_the_service_was_started_to_ignore_reach_its_sessions(
    isolation: Isolation, confinement: Confinement
) -> None:
    """A shell's background job ignores Ctrl-C, nohup ignores the hang-up, and every program inherits that."""
    launch = isolation.launch(confinement, ["/bin/grep", "SigIgn", "/proc/self/status"])
    started = ["/usr/bin/env", "--ignore-signal=INT,QUIT,HUP", *launch.argv]

    said = subprocess.run(started, cwd=launch.cwd, env={}, capture_output=True, text=True, check=True).stdout

    ignored = int(said.split()[1], 16)
    assert not any(ignored & 1 << number - 1 for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP))
