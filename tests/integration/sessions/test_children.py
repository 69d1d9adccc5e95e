"""What a session leaves behind when it ends: nothing but what it was asked to keep. M13."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from sidecar.errors import InvalidRequest, StartFailed
from sidecar.isolation import processes
from sidecar.model.session import SessionState, WorkspaceType
from sidecar.services import Services
from tests.fixtures.services import BOTH_ISOLATIONS, MakeServices, create, new_session
from tests.integration.sessions.driver import Driver
from tests.waiting import until


def gone(session: Driver) -> bool:
    """Wait until no process carries the session's mark; zombies of ours are the leak detector's to find."""
    return until(lambda: not processes.tagged(session.id))


@BOTH_ISOLATIONS
@pytest.mark.parametrize("words", ["", "[[stubborn]] [[spawn]] [[spawn]]"])
def test_nothing_of_a_session_outlives_its_end(services: Services, words: str) -> None:
    """M13: the predecessor killed the leader only and never waited."""
    session = Driver.create(services)
    session.say(f"do {words} now")
    assert len(processes.tagged(session.id)) > words.count("spawn")

    session.terminate()

    assert not processes.tagged(session.id)
    assert session.live.console.process is None


@BOTH_ISOLATIONS
@pytest.mark.parametrize("end", ["/exit", "[[kill 9]]"])
def test_what_a_program_left_running_ends_with_it(services: Services, end: str) -> None:
    """M13: also when the program ends by itself."""
    session = Driver.create(services)
    session.say("start [[spawn]]")

    session.command(end)

    assert until(lambda: session.state() is not SessionState.RUNNING)
    assert gone(session)


@BOTH_ISOLATIONS
@pytest.mark.parametrize("model", ["spawn:exit-2", "exit-0"])
def test_what_a_failed_start_left_running_ends(services: Services, model: str) -> None:
    """M13: children that exit at once."""
    new = new_session(model=model)

    with pytest.raises(StartFailed):
        services.sessions.create(new, 20)

    assert until(lambda: not processes.tagged(new.id))


@BOTH_ISOLATIONS
def test_nothing_outlives_an_orderly_stop(make_services: MakeServices) -> None:
    services = make_services()
    sessions = [Driver.create(services, user_id=f"user{number}") for number in range(2)]
    for session in sessions:
        session.say("hold [[stubborn]] on [[spawn]]")

    services.close()

    assert all(not processes.tagged(session.id) for session in sessions)


def test_the_child_gets_the_allow_list_of_variables_only(
    make_services: MakeServices, monkeypatch: pytest.MonkeyPatch
) -> None:
    """M5: the predecessor's children inherited the whole environment."""
    monkeypatch.setenv("A_SECRET_OF_THE_SIDECAR", "xyzzy")
    session = Driver.create(make_services())

    session.command("[[env]]")

    assert session.shows("You said: [[env]]")
    names = {line.removeprefix("env ") for line in session.screen().splitlines() if line.startswith("env ")}
    assert names == {
        "ANTHROPIC_API_KEY",
        "CLAUDE_CODE_DISABLE_ALTERNATE_SCREEN",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",
        "CLAUDE_SIDECAR_SESSION",
        "COLORTERM",
        "DISABLE_AUTOUPDATER",
        "HOME",
        "LANG",
        "PATH",
        "SHELL",
        "TERM",
        "USER",
    }


@BOTH_ISOLATIONS
def test_an_isolated_workspace_goes_and_a_persistent_one_stays(
    make_services: MakeServices, tmp_path: Path
) -> None:
    """M13: the predecessor always deleted the workspace."""
    services = make_services(session_idle_hibernate=0.4)  # so that the keeper makes its rounds quickly
    data = tmp_path / "data"
    isolated = Driver.create(services)
    kept = Driver.create(services, workspace_type=WorkspaceType.PERSISTENT, workspace_name="work")
    (data / "sessions" / str(isolated.id) / "workspace/mine.txt").write_text("x")
    (data / "users/ann/work/workspace/mine.txt").write_text("x")

    isolated.terminate()
    kept.terminate()

    assert until(lambda: not (data / "sessions" / str(isolated.id)).exists())
    assert (data / "users/ann/work/workspace/mine.txt").read_text() == "x"
    again = Driver.create(services, workspace_type=WorkspaceType.PERSISTENT, workspace_name="work")
    again.say("I see it still")
    assert (data / "users/ann/work/workspace/mine.txt").read_text() == "x"
    assert until(lambda: services._registry.known(isolated.id) is None)


def test_an_isolated_workspace_goes_also_when_the_child_closed_its_folders(
    make_services: MakeServices, tmp_path: Path
) -> None:
    services = make_services(session_idle_hibernate=0.4)
    session = Driver.create(services)
    place = tmp_path / "data/sessions" / str(session.id)
    (place / "workspace/closed/inner").mkdir(parents=True)
    (place / "workspace/closed/inner/file").write_text("x")
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o500)
    (place / "workspace/link").symlink_to(outside)
    (place / "workspace/closed/inner").chmod(0)
    (place / "workspace/closed").chmod(0)

    session.terminate()

    assert until(lambda: not place.exists())
    assert stat.S_IMODE(outside.stat().st_mode) == 0o500


def test_folders_of_sessions_are_for_the_service_alone(services: Services, tmp_path: Path) -> None:
    session = Driver.create(services)

    place = tmp_path / "data/sessions" / str(session.id)

    for folder in (place, place / "home", place / "workspace"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize("part", ["users", "users/ann", "users/ann/work", "users/ann/work/workspace"])
def test_a_link_in_the_place_of_a_folder_is_refused(services: Services, tmp_path: Path, part: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    planted = tmp_path / "data" / part
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.symlink_to(elsewhere)

    with pytest.raises(InvalidRequest):
        create(services, workspace_type=WorkspaceType.PERSISTENT, workspace_name="work")

    assert list(elsewhere.iterdir()) == []
