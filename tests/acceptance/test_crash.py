"""Sudden deaths: of the whole service, of its worker, of the CLI. The real CLI's conversation goes on.

M14 of the predecessor: a restart marked every session terminated.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.anthropic import Entry
from emulator.anthropic import Server as Api
from sidecar.isolation import processes
from tests.acceptance.driver import Terminal, User
from tests.fixtures.server import Server
from tests.waiting import until


@pytest.fixture
def user(server: Server) -> User:
    """Return a user whose sessions end with the service."""
    return User(server)


def call(api: Api, text: str) -> Entry:
    """Wait for the model call for the prompt `text` and return it."""
    assert api.requests.wait(lambda entries: any(entry.text == text for entry in entries), 20)
    return [entry for entry in api.requests.entries() if entry.text == text][-1]


def cli(terminal: Terminal) -> int:
    """Return the process id of the session's CLI."""
    found = [
        pid for pid in processes.tagged(terminal.uuid) if Path(f"/proc/{pid}/exe").readlink().name == "claude"
    ]
    return found[0]


def kill_service(server: Server) -> None:
    server.kill9()


def kill_worker(server: Server) -> None:
    server.kill9_worker()


@pytest.mark.parametrize("kill", [kill_service, kill_worker])
def test_after_kill_9_nothing_is_left_running_and_the_next_command_resumes(
    server: Server, user: User, api: Api, kill: Callable[[Server], None]
) -> None:
    """M14, in the middle of a streaming answer and of a running Bash tool."""
    streaming, tooling = introduced(user, "Ada"), introduced(user, "Bob")
    tooling.run_tool("setsid nohup sleep 984 >/dev/null 2>&1 & tail -f /dev/null")
    assert until(lambda: len(sleepers(tooling)) == 1), tooling.text()
    endless = f"[[endless]] {kill.__name__}"
    streaming.say(endless)
    assert until(lambda: call(api, endless).status == 200)
    assert streaming.output(streaming.status()["outputOffset"], wait=10)["bytes"]
    known = {terminal: terminal.all_output() for terminal in (streaming, tooling)}
    left = [pid for terminal in known for pid in processes.tagged(terminal.uuid)]
    assert len(left) > 4

    kill(server)
    assert until(lambda: not any(map(alive, left))), "children outlived the service"
    if server.process is None:
        server.start()
    assert until(lambda: server.said().count("ready for sessions") == 1 + (kill is kill_worker))

    assert until(lambda: call(api, endless).client_gone)
    for terminal, before in known.items():
        assert_interrupted(terminal, before)
    resume(api, streaming, "Ada", kill.__name__)
    resume(api, tooling, "Bob", kill.__name__)


def introduced(user: User, name: str) -> Terminal:
    """Return a session whose conversation has begun and is on the disk."""
    terminal = user.create()
    terminal.say(f"my name is {name}")
    terminal.await_reply(f"You said: my name is {name}")
    assert until(lambda: f"You said: my name is {name}" in terminal.transcript())
    return terminal


def assert_interrupted(terminal: Terminal, before: bytes) -> None:
    status = terminal.status()
    assert (status["state"], status["activity"]) == ("interrupted", "idle")
    assert "next command" in status["reason"]
    assert status["outputOffset"] >= len(before)
    after = terminal.all_output()
    assert len(after) > 1000
    assert before.startswith(after[: len(before)]), "an offset was used twice"
    assert "You said: my name is" in terminal.text()
    assert terminal.recording().count("\n") > 3
    assert processes.tagged(terminal.uuid) == []


def resume(api: Api, terminal: Terminal, name: str, how: str) -> None:
    before, question = terminal.status()["outputOffset"], f"who am I after {how}, if not {name}"
    assert terminal.say(question)["cursor"] >= before
    assert until(lambda: f"my name is {name}" in call(api, question).earlier)
    terminal.await_idle()
    assert terminal.status()["reason"] is None
    assert terminal.output(terminal.status()["outputOffset"] - 1)["bytes"]


def sleepers(terminal: Terminal) -> list[int]:
    return [
        pid
        for pid in processes.tagged(terminal.uuid)
        if Path(f"/proc/{pid}/cmdline").read_bytes() == b"sleep\x00984\x00"
    ]


def alive(pid: int) -> bool:
    """Tell whether a process runs; a zombie that waits for the system does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_session_that_was_starting_is_interrupted_and_starts_with_the_next_command(
    server: Server, user: User
) -> None:
    answer = user.post_create(waitMs=0)
    assert answer.status_code == 201
    terminal = Terminal(user, answer.json()["sessionId"])
    assert answer.json()["state"] == "starting"

    server.kill9()
    server.start()

    assert terminal.status()["state"] == "interrupted"
    terminal.say("at last")
    terminal.await_reply("You said: at last")


def test_a_killed_cli_is_resumed_by_the_next_command(user: User, api: Api) -> None:
    terminal = introduced(user, "Eve")

    os.kill(cli(terminal), signal.SIGKILL)

    status = terminal.await_status(state="interrupted")
    assert "ended unexpectedly" in status["reason"]
    assert status["exitCode"] == 137
    assert until(lambda: processes.tagged(terminal.uuid) == [])
    assert "You said: my name is Eve" in terminal.text()
    terminal.say("who is Eve")
    terminal.await_reply("You said: who is Eve")
    assert "my name is Eve" in call(api, "who is Eve").earlier
    assert (terminal.status()["reason"], terminal.status()["exitCode"]) == (None, None)


def test_a_cli_killed_before_it_wrote_anything_down_wakes_with_an_empty_conversation(
    user: User, api: Api
) -> None:
    """The CLI writes its transcript with some delay, and refuses to resume one without a message."""
    terminal = user.create()
    terminal.say("[[endless]] in one breath")
    call(api, "[[endless]] in one breath")
    os.kill(cli(terminal), signal.SIGKILL)
    terminal.await_status(state="interrupted")
    for path in terminal.transcripts():  # as it is when the kill comes some milliseconds earlier
        path.write_text('{"type":"mode","mode":"normal"}\n')

    terminal.say("another try")

    terminal.await_reply("You said: another try")
    os.kill(cli(terminal), signal.SIGKILL)
    terminal.await_status(state="interrupted")
    terminal.say("and again")
    terminal.await_reply("You said: and again")


def test_an_orderly_stop_puts_sessions_to_sleep_without_a_gap(server: Server, user: User, api: Api) -> None:
    terminal = user.create()
    terminal.say("good night")
    terminal.await_reply("You said: good night")

    assert server.stop() == 0
    server.start()

    assert terminal.status()["state"] == "hibernated"
    assert terminal.output(0)["dropped"] == 0
    assert "You said: good night" in terminal.text()
    end = terminal.status()["outputOffset"]
    assert len(terminal.all_output()) == end
    assert terminal.say("good morning")["cursor"] >= end
    assert terminal.output(end)["dropped"] == 0
    terminal.await_reply("You said: good morning")
    assert "good night" in call(api, "good morning").earlier
