"""The states of a session, and what moves it from one to the next."""

from __future__ import annotations

import signal
from pathlib import Path
from uuid import uuid4

import pytest

from sidecar.errors import ConversationInUse, NotFound, SessionEnded, StartFailed
from sidecar.isolation import processes
from sidecar.model.session import Activity, SessionState, WorkspaceType
from sidecar.services import Services
from sidecar.sessions.desk import Access, Query
from sidecar.sessions.live import Live
from tests.fixtures.services import BOTH_ISOLATIONS, BOTH_TOGETHER, MakeServices, access, create, new_session
from tests.integration.sessions.driver import Driver
from tests.waiting import until


@BOTH_TOGETHER
def test_a_session_is_ready_without_a_key_press_answers_and_ends(services: Services) -> None:
    """M15: nothing was typed, and no first-run question is open."""
    session = Driver.create(services)
    assert session.state() is SessionState.RUNNING
    assert session.activity() is Activity.IDLE

    receipt = session.say("hello there")

    assert receipt.submitted
    assert receipt.cursor > 0
    session.terminate()
    assert session.state() is SessionState.TERMINATED
    assert session.session.reason == "Its user ended it."
    assert session.session.ended_at is not None


def test_a_slow_start_is_answered_as_starting_and_gets_ready(services: Services) -> None:
    session = Driver.create(services, wait_s=0, model="slow-0.5")

    assert session.opened.session.state is SessionState.STARTING
    assert session.becomes(SessionState.RUNNING)


def test_a_command_to_a_starting_session_waits_for_its_prompt(services: Services) -> None:
    session = Driver.create(services, wait_s=0, model="slow-0.5")

    session.say("early")

    assert session.state() is SessionState.RUNNING


def test_a_program_that_exits_by_itself_ends_the_session(services: Services) -> None:
    session = Driver.create(services)

    session.command("/exit")

    assert session.becomes(SessionState.TERMINATED)
    assert session.session.exit_code == 0
    assert session.session.reason == "Claude exited."


@pytest.mark.parametrize(("word", "code"), [("[[exit 3]]", 3), ("[[kill 9]]", 128 + 9)])
def test_a_program_that_breaks_is_interrupted_and_the_next_command_resumes_it(
    services: Services, word: str, code: int
) -> None:
    session = Driver.create(services)
    session.say("remember me")

    session.command(word)

    assert session.becomes(SessionState.INTERRUPTED)
    assert session.session.exit_code == code
    assert f"exit code {code}" in str(session.session.reason)
    session.say("and again")
    assert session.state() is SessionState.RUNNING
    assert session.session.reason is None
    assert "You said: remember me" in session.screen()


def test_killing_the_program_from_outside_interrupts_the_session(services: Services) -> None:
    session = Driver.create(services)
    process = session.live.console.process
    assert process is not None

    process.signal(signal.SIGKILL)

    assert session.becomes(SessionState.INTERRUPTED)
    session.say("back")


@BOTH_ISOLATIONS
def test_a_program_that_ends_before_its_prompt_fails_with_its_last_screen(services: Services) -> None:
    new = new_session(model="exit-7")

    with pytest.raises(StartFailed) as caught:
        services.sessions.create(new, 20)

    assert "exit code 7" in caught.value.detail
    failed = services.sessions.status(Access(new.user_id, new.id)).session
    assert failed.state is SessionState.FAILED
    assert failed.exit_code == 7


def test_a_program_that_never_gets_ready_fails_in_time_and_shows_what_it_said(
    make_services: MakeServices,
) -> None:
    services = make_services(session_start_timeout=0.6)
    new = new_session(model="never")

    with pytest.raises(StartFailed) as caught:
        services.sessions.create(new, 20)

    assert "did not get to its prompt in time" in caught.value.detail
    assert "still loading" in caught.value.detail
    assert until(lambda: not processes.tagged(new.id))


def test_a_program_that_only_floods_fails_in_time(make_services: MakeServices) -> None:
    services = make_services(session_start_timeout=0.6)

    with pytest.raises(StartFailed):
        create(services, model="flood")


@pytest.mark.parametrize(
    ("word", "state"), [("brief-0", SessionState.TERMINATED), ("brief-5", SessionState.INTERRUPTED)]
)
def test_a_program_that_ends_right_at_its_prompt_does_not_stay_running(
    make_services: MakeServices, monkeypatch: pytest.MonkeyPatch, word: str, state: SessionState
) -> None:
    services = make_services(session_idle_hibernate=0.4)  # so that the keeper makes its rounds quickly
    starter = services._registry._crew.starter
    start = starter.start

    def slowly(live: Live, api_key: str) -> None:
        """Come back from the start only when the end was looked at already."""
        start(live, api_key)
        assert until(lambda: live.console.exit is not None and services._keeper._ended.empty())
        rounds = services._keeper._rounds
        assert until(lambda: services._keeper._rounds > rounds)

    monkeypatch.setattr(starter, "start", slowly)

    session = Driver.create(services, model=word)

    assert session.becomes(state)


def test_a_session_may_be_ended_while_it_starts(services: Services) -> None:
    session = Driver.create(services, wait_s=0, model="slow-60")

    session.terminate()

    assert session.state() is SessionState.TERMINATED
    assert until(lambda: not processes.tagged(session.id))


def test_an_ended_session_takes_no_command_and_can_be_read(services: Services) -> None:
    session = Driver.create(services)
    session.say("last words")
    session.terminate()

    with pytest.raises(SessionEnded):
        session.command("more")

    assert b"You said: last words" in session.everything()
    assert "You said: last words" in session.screen()


def test_ending_twice_is_fine(services: Services) -> None:
    session = Driver.create(services)

    session.terminate()
    before = session.session.ended_at
    session.terminate()

    assert session.session.ended_at == before


def test_a_session_of_somebody_else_is_not_found(services: Services) -> None:
    session = Driver.create(services)

    with pytest.raises(NotFound):
        services.sessions.status(Access("bob", session.id))
    with pytest.raises(NotFound):
        services.sessions.terminate(Access("bob", session.id))

    assert session.state() is SessionState.RUNNING


def test_two_sessions_do_not_resume_one_conversation_at_once(services: Services, tmp_path: Path) -> None:
    room = {"workspace_type": WorkspaceType.PERSISTENT, "workspace_name": "shared"}
    first = Driver.create(services, **room)
    first.say("mine")
    second = Driver.create(services, **room)
    second.command("[[exit 3]]")
    assert second.becomes(SessionState.INTERRUPTED)
    notes = tmp_path / "data/users/ann/shared/home/.claude/conversations"
    (notes / f"{second.id}.json").write_text(f'{{"session_id": "{first.id}"}}')

    with pytest.raises(ConversationInUse):
        second.command("hello")

    assert second.state() is SessionState.INTERRUPTED
    first.terminate()
    second.say("now it is free")
    assert "You said: mine" in second.screen()


def test_closing_puts_sessions_to_sleep_and_the_next_run_wakes_them(make_services: MakeServices) -> None:
    first = make_services()
    session = Driver.create(first)
    session.say("before")
    end = session.read(0).next_cursor
    first.close()

    session.services = make_services()

    assert session.state() is SessionState.HIBERNATED
    assert "You said: before" in session.screen()
    assert session.read(end).dropped == 0
    session.say("after")
    assert "You said: before" in session.screen()


def test_a_start_under_way_when_the_service_closes_is_resumed_by_the_next_run(
    make_services: MakeServices,
) -> None:
    first = make_services()
    session = Driver.create(first, wait_s=0, model="slow-1")
    first.close()

    session.services = make_services()

    assert session.state() is SessionState.INTERRUPTED
    session.say("hello")


def test_the_list_shows_the_users_sessions_newest_first(services: Services) -> None:
    ids = [create(services).session.id for _ in range(2)]
    create(services, user_id="bob")

    page, total = services.sessions.page(Query("ann", None, 10, 0))

    assert [status.session.id for status in page] == ids[::-1]
    assert total == 2
    services.sessions.terminate(access(page[0]))
    page, total = services.sessions.page(Query("ann", SessionState.RUNNING, 10, 0))
    assert [status.session.id for status in page] == ids[:1]
    assert total == 1


def test_an_unknown_session_is_not_found(services: Services) -> None:
    with pytest.raises(NotFound):
        services.sessions.status(Access("ann", uuid4()))
