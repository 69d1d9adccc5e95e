"""Interrupting, answering questions, resizing and the ways a session is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.anthropic import Entry
from emulator.anthropic import Server as Api
from sidecar.isolation import processes
from tests.acceptance.driver import Terminal, User
from tests.waiting import until


def pids(terminal: Terminal, word: str) -> list[int]:
    """Return the session's processes with `word` in their command line."""
    return [
        pid
        for pid in processes.tagged(terminal.uuid)
        if word.encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]


def calls(api: Api, terminal: Terminal) -> list[Entry]:
    """Return the model calls of the terminal's conversation."""
    return [entry for entry in api.requests.entries() if entry.session == terminal.id]


def test_a_new_session_is_ready_without_a_key_press(user: User) -> None:
    """M15: nothing was prepared, so first-run questions came up each time."""
    terminal = user.create()

    assert terminal.status()["state"] == "running"
    assert terminal.status()["activity"] == "idle"
    text = terminal.text()
    assert any(line.startswith("❯") for line in text.splitlines())
    assert not [word for word in ("trust", "theme", "Login", "API key", "warning") if word in text], text


def test_escape_stops_an_answer_and_the_session_goes_on(user: User, api: Api) -> None:
    """M9: Escape never arrived."""
    terminal = user.create()
    terminal.say("[[endless]] first")
    terminal.await_status(activity="busy")
    assert until(lambda: calls(api, terminal) and calls(api, terminal)[-1].status == 200)

    terminal.keys("Escape")

    terminal.await_text("Interrupted")
    terminal.await_idle()
    assert until(lambda: calls(api, terminal)[-1].client_gone)
    terminal.say("second")
    terminal.await_reply("You said: second")


def test_escape_stops_a_running_tool(user: User) -> None:
    terminal = user.create()
    terminal.run_tool("tail -f /dev/null")
    assert until(lambda: pids(terminal, "tail\x00-f")), terminal.text()
    terminal.await_status(activity="busy")

    terminal.keys("Escape")

    terminal.await_text("Interrupted")
    terminal.await_idle()
    assert until(lambda: not pids(terminal, "tail\x00-f"))


def test_control_c_twice_ends_the_session_and_leaves_it_readable(user: User) -> None:
    terminal = user.create()
    terminal.say("last words")
    terminal.await_reply("You said: last words")

    terminal.keys("C-c", "C-c")

    ended = terminal.await_status(state="terminated", reason="Claude exited.")
    assert ended["exitCode"] == 0
    assert ended["endedAt"] is not None
    assert until(lambda: not processes.tagged(terminal.uuid))
    assert "You said: last words" in terminal.text()
    assert b"last words" in terminal.all_output()
    assert until(lambda: "last words" in terminal.recording())
    assert terminal.post_command("too late").status_code == 409
    assert terminal.call("POST", "/resize", json={"columns": 80, "rows": 24}).status_code == 409
    terminal.delete()


def test_a_permission_question_is_told_and_answered_with_keys(user: User) -> None:
    terminal = user.create()
    terminal.say("[[tool bash: touch made-by-bash && echo done-$((40 + 2))]]")

    terminal.await_status(activity="awaiting_input")
    assert terminal.post_command("yes please").status_code == 409
    assert not (terminal.files / "workspace/made-by-bash").exists()
    terminal.keys("Enter")

    terminal.await_reply("The tool answered: done-42")
    assert (terminal.files / "workspace/made-by-bash").exists()


def test_a_rejected_write_writes_nothing(user: User) -> None:
    terminal = user.create()
    terminal.say("[[tool write: /workspace/out.txt | from Claude]]")
    terminal.await_status(activity="awaiting_input")
    terminal.await_text("out.txt")

    terminal.keys("Escape")

    terminal.await_idle()
    assert not (terminal.files / "workspace/out.txt").exists()
    terminal.say("and now")
    terminal.await_text("❯ and now", "The tool failed")  # the stand-in answers the tool first


def test_a_menu_is_answered_with_its_number_as_text(user: User) -> None:
    terminal = user.create()
    terminal.say("[[tool write: /workspace/out.txt | from Claude]]")
    terminal.await_status(activity="awaiting_input")

    assert terminal.post_command("1").status_code == 200

    terminal.await_text("The tool answered")
    assert (terminal.files / "workspace/out.txt").read_text().strip() == "from Claude"


@pytest.mark.parametrize("renderer", ["classic", "fullscreen"])
def test_a_new_size_reaches_the_cli(user: User, renderer: str) -> None:
    terminal = user.create(columns=120, rows=40, renderer=renderer)
    terminal.say("before the change")
    terminal.await_reply("You said: before the change")

    for columns, rows in ((60, 20), (150, 30)):
        assert (terminal.resize(columns, rows)["columns"], terminal.status()["rows"]) == (columns, rows)
        rule = "─" * columns
        terminal.await_screen(lambda text, rule=rule: text.splitlines().count(rule) == 2, rule)  # type: ignore[misc]
        screen = terminal.screen()
        assert len(screen["lines"]) == rows
        assert max(map(len, screen["lines"])) <= columns
        assert "● You said: before the change" in screen["lines"]
        assert sum(line.startswith("❯\u00a0") or line == "❯" for line in screen["lines"]) == 1


def test_fullscreen_uses_the_alternate_screen_and_classic_does_not(user: User) -> None:
    fullscreen, classic = user.create(renderer="fullscreen"), user.create(renderer="classic")

    assert b"\x1b[?1049h" in fullscreen.all_output()
    assert b"\x1b[?1049h" not in classic.all_output()
    fullscreen.say("hello")
    fullscreen.await_reply("You said: hello")


def test_the_model_asked_for_is_the_one_called(user: User, api: Api) -> None:
    terminal = user.create(model="claude-haiku-4-5")
    terminal.say("which")
    terminal.await_reply("You said: which")

    assert [entry.model for entry in calls(api, terminal)] == ["claude-haiku-4-5"]


def test_delete_leaves_no_process_and_no_file(user: User) -> None:
    """M13: only the leader was killed, and nobody waited for it; what Bash had started went on."""
    terminal = user.create()
    terminal.run_tool("setsid nohup sleep 986 >/dev/null 2>&1 & sleep 985")
    assert until(lambda: pids(terminal, "sleep\x00986") and pids(terminal, "sleep\x00985")), terminal.text()
    before = processes.tagged(terminal.uuid)

    terminal.delete()

    assert processes.tagged(terminal.uuid) == []
    # The system's own first process reaps what lost its parent, a moment later.
    assert until(lambda: not [pid for pid in before if Path(f"/proc/{pid}").exists()]), "a zombie is left"
    assert until(lambda: not terminal.files.exists())
    assert terminal.status()["state"] == "terminated"
    terminal.delete()


def test_a_persistent_workspace_and_its_home_outlive_their_session(user: User) -> None:
    """M13, M15: the workspace was always deleted, and each home was new."""
    first = user.create(workspaceType="persistent", workspaceName="project")
    first.run_tool("echo kept > /workspace/kept; echo also > ~/also")
    first.await_text("The tool answered")
    first.delete()

    second = user.create(workspaceType="persistent", workspaceName="project")

    assert second.status()["activity"] == "idle"
    second.run_tool("cat /workspace/kept ~/also; touch seen")
    second.await_text("The tool answered: kept", "also")
    other = user.create(workspaceType="persistent", workspaceName="another")
    other.run_tool("ls -A /workspace; touch seen")
    assert "kept" not in other.await_text("The tool answered: CLAUDE.md")
