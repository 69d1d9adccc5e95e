"""Hibernation and waking."""

from __future__ import annotations

import threading
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from sidecar.isolation import processes
from sidecar.model.session import Activity, SessionState, Size
from sidecar.services import Services
from tests.fixtures.services import BOTH_TOGETHER, MakeServices
from tests.integration.sessions.driver import Driver
from tests.waiting import until

IDLE_S = 0.4


@pytest.fixture
def services(make_services: MakeServices) -> Services:
    """Return services that put sessions to sleep quickly."""
    return make_services(session_idle_hibernate=IDLE_S)


def several_rounds(services: Services) -> bool:
    """Wait until the keeper has looked at all sessions some times more than it takes to hibernate one."""
    keeper = services._keeper
    enough = keeper._rounds + 10
    return until(lambda: keeper._rounds >= enough)


@BOTH_TOGETHER
def test_an_idle_session_sleeps_and_a_command_wakes_its_conversation(services: Services) -> None:
    session = Driver.create(services)
    session.say("before")
    end = session.read(0).next_cursor

    assert session.becomes(SessionState.HIBERNATED)
    assert until(lambda: not processes.tagged(session.id))
    assert session.activity() is Activity.IDLE
    assert "You said: before" in session.screen()
    session.say("after")

    assert session.state() is SessionState.RUNNING
    screen = session.screen()
    assert screen.index("You said: before") < screen.index("You said: after")
    assert session.read(0).next_cursor > end


def test_a_busy_session_does_not_sleep_even_when_it_is_silent(services: Services) -> None:
    session = Driver.create(services)
    session.command("think [[deaf 2]]")

    assert several_rounds(services)

    assert session.state() is SessionState.RUNNING
    assert session.becomes(SessionState.HIBERNATED)
    assert b"You said: think" in session.everything()


def test_a_session_that_asks_does_not_sleep(services: Services) -> None:
    session = Driver.create(services)
    session.command("[[menu]]")
    assert until(lambda: session.activity() is Activity.AWAITING_INPUT)

    assert several_rounds(services)

    assert session.state() is SessionState.RUNNING
    session.keys("Enter")
    assert session.becomes(SessionState.HIBERNATED)


def test_a_watched_session_does_not_sleep(services: Services) -> None:
    session = Driver.create(services)
    watching = threading.Event()

    def watch() -> None:
        while not watching.is_set():
            session.read(0)
            watching.wait(IDLE_S / 10)

    viewer = threading.Thread(target=watch)
    viewer.start()
    assert several_rounds(services)
    state = session.state()
    watching.set()
    viewer.join()

    assert state is SessionState.RUNNING
    assert session.becomes(SessionState.HIBERNATED)


def test_a_waiting_reader_keeps_a_session_awake(services: Services) -> None:
    session = Driver.create(services)
    end = session.read(0).next_cursor
    waiting = threading.Thread(target=session.read, args=(end,), kwargs={"wait_s": 3})
    waiting.start()

    assert several_rounds(services)
    state = session.state()
    session.command("go on")
    waiting.join()

    assert state is SessionState.RUNNING


def test_a_session_without_a_question_yet_starts_anew_under_its_own_id(services: Services) -> None:
    session = Driver.create(services)
    assert session.becomes(SessionState.HIBERNATED)

    session.say("first words")

    assert session.session.conversation_id == session.id


def test_waking_resumes_the_conversation_the_session_had_last(services: Services) -> None:
    session = Driver.create(services)
    session.say("old talk")
    session.command("/clear")
    session.say("new talk")
    assert session.becomes(SessionState.HIBERNATED)

    session.say("more")

    assert session.session.conversation_id != session.id
    assert "new talk" in session.screen()
    assert "old talk" not in session.screen()


@pytest.mark.parametrize("note", ["not json", '{"session_id": "../../x"}'])
def test_a_broken_note_of_the_conversation_means_the_first_one(
    services: Services, tmp_path: Path, note: str
) -> None:
    session = Driver.create(services)
    session.say("here")
    assert session.becomes(SessionState.HIBERNATED)
    _note(tmp_path, session.id).write_text(note)

    session.say("again")

    assert session.session.conversation_id == session.id
    assert "You said: here" in session.screen()


def test_a_note_of_a_conversation_without_a_transcript_starts_that_one(
    services: Services, tmp_path: Path
) -> None:
    session = Driver.create(services)
    assert session.becomes(SessionState.HIBERNATED)
    other = uuid4()
    _note(tmp_path, session.id).write_text(f'{{"session_id": "{other}"}}')

    session.say("hello")

    assert session.session.conversation_id == other


def _note(tmp_path: Path, session_id: UUID) -> Path:
    home = tmp_path / "data/sessions" / str(session_id) / "home"
    return home / ".claude/conversations" / f"{session_id}.json"


def test_a_size_set_in_sleep_holds_after_waking(services: Services) -> None:
    session = Driver.create(services)
    session.say("wide")
    assert session.becomes(SessionState.HIBERNATED)

    services.sessions.resize(session.access, Size(60, 20))
    session.say("narrow")

    assert "─" * 60 in session.screen().splitlines()


def test_a_stubborn_program_is_put_to_sleep_too(services: Services) -> None:
    session = Driver.create(services)
    session.say("never [[stubborn]] give up [[spawn]]")

    assert session.becomes(SessionState.HIBERNATED)

    assert until(lambda: not processes.tagged(session.id))


def test_commands_that_come_at_the_moment_of_sleep_are_all_served(services: Services) -> None:
    session = Driver.create(services)
    for number in range(3):
        assert until(lambda: session.live.idle_s() > IDLE_S * 0.9)

        session.say(f"again {number}")


def test_a_session_idle_for_too_long_ends(make_services: MakeServices) -> None:
    services = make_services(session_idle_timeout=IDLE_S, session_idle_hibernate=0)
    session = Driver.create(services)

    assert session.becomes(SessionState.TERMINATED)

    assert session.session.reason == "It was idle for too long."


def test_a_sleeping_session_ends_too_when_nobody_comes_back(make_services: MakeServices) -> None:
    services = make_services(session_idle_timeout=IDLE_S * 3, session_idle_hibernate=IDLE_S)
    session = Driver.create(services)

    assert session.becomes(SessionState.HIBERNATED)

    assert session.becomes(SessionState.TERMINATED)


def test_zero_means_never(make_services: MakeServices) -> None:
    services = make_services(session_idle_timeout=0, session_idle_hibernate=0)
    session = Driver.create(services)

    services._keeper.round()
    services._keeper.round()

    assert session.state() is SessionState.RUNNING
