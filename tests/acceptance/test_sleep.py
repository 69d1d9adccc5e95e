"""Hibernation and waking, with the real CLI's own memory of the conversation."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator.anthropic import Entry
from emulator.anthropic import Server as Api
from sidecar.isolation import processes
from tests.acceptance.driver import Terminal, User
from tests.fixtures.server import Server, serving
from tests.waiting import until


@pytest.fixture(scope="module")
def shared_server(settings: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a service whose sessions fall asleep soon."""
    with serving(tmp_path_factory.mktemp("sleepy"), {**settings, "SESSION_IDLE_HIBERNATE": "1s"}) as running:
        yield running


def call(api: Api, text: str) -> Entry:
    """Return the model call for the prompt `text`."""
    return next(entry for entry in api.requests.entries() if entry.text == text)


def fall_asleep(terminal: Terminal) -> None:
    # Only status is asked: a look at the screen would keep it awake.
    assert until(lambda: terminal.status()["state"] == "hibernated"), terminal.text()
    assert until(lambda: not processes.tagged(terminal.uuid))


def test_a_sleeping_session_is_woken_by_a_command_and_knows_the_conversation(user: User, api: Api) -> None:
    terminal = user.create()
    terminal.say("my name is Ada")
    terminal.await_reply("You said: my name is Ada")

    fall_asleep(terminal)
    assert "You said: my name is Ada" in terminal.text()
    offset = terminal.status()["outputOffset"]
    terminal.say("who am I")

    terminal.await_reply("You said: who am I")
    assert "my name is Ada" in call(api, "who am I").earlier
    assert terminal.status()["outputOffset"] > offset
    assert b"my name is Ada" in terminal.all_output(0)


def test_after_clear_the_new_conversation_is_resumed(user: User, api: Api) -> None:
    terminal = user.create()
    terminal.say("the old subject")
    terminal.await_reply("You said: the old subject")
    terminal.say("/clear")
    terminal.await_screen(lambda text: "the old subject" not in text, "an empty conversation")
    terminal.say("the new subject")
    terminal.await_reply("You said: the new subject")

    fall_asleep(terminal)
    terminal.say("which subject")

    terminal.await_reply("You said: which subject")
    earlier = call(api, "which subject").earlier
    assert "the new subject" in earlier
    assert "the old subject" not in earlier


def test_a_session_without_a_conversation_wakes_too(user: User) -> None:
    terminal = user.create()
    fall_asleep(terminal)

    terminal.say("first words")

    terminal.await_reply("You said: first words")


def test_a_busy_or_asking_session_stays_awake(user: User) -> None:
    busy, asking = user.create(), user.create()
    busy.say("[[delay 5]] slow")
    asking.say("[[tool write: /workspace/x | y]]")
    assert until(lambda: asking.status()["activity"] == "awaiting_input")
    assert until(lambda: busy.status()["activity"] == "busy")

    # It answers after five seconds, five times the idle time.
    assert until(lambda: busy.status()["activity"] == "idle")
    assert busy.status()["state"] in ("running", "hibernated")
    assert asking.status()["state"] == "running"
    assert asking.status()["activity"] == "awaiting_input"


def test_the_cli_keeps_its_state_over_a_sleep(user: User) -> None:
    """M15: the file is merged with what the CLI put there, never overwritten."""
    terminal = user.create()
    terminal.say("hello")
    terminal.await_reply("You said: hello")
    fall_asleep(terminal)
    before = terminal.state()
    assert before["hasCompletedOnboarding"] is True
    own = {name: before[name] for name in ("userID", "firstStartTime", "numStartups") if name in before}
    assert own, f"the CLI wrote nothing of its own: {sorted(before)}"

    terminal.edit_state(markerOfTheTest="kept", theme="light")
    terminal.say("again")
    terminal.await_reply("You said: again")

    after = terminal.state()
    assert after["markerOfTheTest"] == "kept"
    assert after["theme"] == "light"
    assert after["userID"] == before["userID"]
