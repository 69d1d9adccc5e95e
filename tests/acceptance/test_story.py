"""The main job from create to delete, on each database, with the service killed in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.anthropic import Server as Api
from sidecar.isolation import processes
from tests.acceptance.driver import Terminal, User
from tests.fixtures.server import Server
from tests.waiting import until


@pytest.fixture
def settings(settings: dict[str, str]) -> dict[str, str]:
    """Let idle sessions fall asleep soon."""
    return {**settings, "SESSION_IDLE_HIBERNATE": "3s"}


@pytest.mark.parametrize("server", ["sqlite", "postgresql"], indirect=True)
def test_a_session_is_created_driven_lost_found_and_ended(server: Server, api: Api) -> None:
    user = User(server)
    terminal = user.create()
    assert terminal.status()["activity"] == "idle"

    talk(terminal)
    interrupt(terminal)
    allow_a_tool(terminal)
    resize(terminal)
    sleep_and_wake(terminal, api)
    survive(server, terminal, api)
    end(terminal)


def talk(terminal: Terminal) -> None:
    terminal.say("my name is Ada\n")
    terminal.await_reply("You said: my name is Ada")
    terminal.say("one\ntwo\nthree\n")
    terminal.await_reply("You said: one")


def interrupt(terminal: Terminal) -> None:
    terminal.say("[[endless]]")
    terminal.await_text("11 12 13 14")
    terminal.keys("Escape")
    terminal.await_text("Interrupted")
    terminal.await_idle()


def allow_a_tool(terminal: Terminal) -> None:
    terminal.run_tool("touch made && echo done-$((40 + 2))")
    terminal.await_reply("The tool answered: done-42")
    assert (terminal.files / "workspace/made").exists()


def resize(terminal: Terminal) -> None:
    terminal.resize(90, 30)
    terminal.await_screen(lambda text: text.splitlines().count("─" * 90) == 2, "two rules of 90 columns")


def sleep_and_wake(terminal: Terminal, api: Api) -> None:
    assert until(lambda: terminal.status()["state"] == "hibernated")
    assert until(lambda: processes.tagged(terminal.uuid) == [])
    terminal.say("who am I")
    terminal.await_reply("You said: who am I")
    assert earlier(api, "who am I")[:2] == ("my name is Ada", "one\ntwo\nthree")


def survive(server: Server, terminal: Terminal, api: Api) -> None:
    assert until(lambda: "You said: who am I" in terminal.transcript())
    left, known = processes.tagged(terminal.uuid), terminal.all_output()
    assert until(lambda: len(terminal.recorded()) >= len(known.decode()))
    server.kill9()
    server.start()
    assert terminal.status()["state"] == "interrupted"
    assert not [pid for pid in left if Path(f"/proc/{pid}/exe").exists()]
    assert known.startswith(terminal.all_output()[: len(known)])
    assert "● You said: who am I" in terminal.text()
    terminal.say("and after the crash")
    terminal.await_reply("You said: and after the crash")
    assert "my name is Ada" in earlier(api, "and after the crash")


def end(terminal: Terminal) -> None:
    terminal.delete()
    assert processes.tagged(terminal.uuid) == []
    assert terminal.status()["state"] == "terminated"
    assert "● You said: and after the crash" in terminal.text()
    assert until(lambda: not terminal.files.exists())


def earlier(api: Api, text: str) -> tuple[str, ...]:
    """Return what the model was told of the conversation in the latest call for the prompt `text`."""
    return [entry.earlier for entry in api.requests.entries() if entry.text == text][-1]
