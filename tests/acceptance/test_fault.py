"""Faults around a session: no usable CLI, a refusing API, a database that goes away."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest

from sidecar.isolation import processes
from tests.acceptance.driver import KEY, User
from tests.fixtures.postgresql import Cluster
from tests.fixtures.server import serving
from tests.waiting import until

Settings = dict[str, str]


def script(path: Path, text: str, mode: int = 0o755) -> str:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(mode)
    return str(path)


@contextmanager
def service(folder: Path, settings: Settings, **more: str) -> Iterator[User]:
    with serving(folder, {**settings, **more}) as running:
        yield User(running)


def assert_refused(user: User, status: int, *parts: str) -> None:
    """Try to create a session: the refusal says why, and holds neither a key nor a path of the host."""
    answer = user.post_create()
    assert answer.status_code == status, answer.text
    detail = answer.json()["detail"]
    assert all(part in detail for part in parts), detail
    assert KEY not in answer.text
    assert str(user.server.folder) not in answer.text


@pytest.mark.parametrize("kind", ["missing", "not executable", "failing", "silent"])
def test_without_a_usable_cli_nothing_is_created_and_health_says_why(
    tmp_path: Path, settings: Settings, kind: str
) -> None:
    path = tmp_path / "cli"
    if kind != "missing":
        script(path, "exit 3" if kind == "failing" else "true", 0o644 if kind == "not executable" else 0o755)
    with service(tmp_path, settings, CLAUDE_PATH=str(path)) as user:
        assert_refused(user, 503, "Claude Code", "CLAUDE_PATH")

        health = user.call("GET", "/health")
        assert health.status_code == 503
        assert health.json()["checks"]["claudeCli"]["ok"] is False
        assert str(tmp_path) not in health.text
        assert user.call("GET", "/api/sessions").json()["total"] == 0


def test_a_cli_of_an_untested_version_works_and_is_reported(
    tmp_path: Path, settings: Settings, claude_path: str
) -> None:
    wrapper = script(
        tmp_path / "cli",
        f'[ "$1" = --version ] && echo "9.9.9 (Claude Code)" && exit\nexec {claude_path} "$@"',
    )
    with service(tmp_path, settings, CLAUDE_PATH=wrapper, ISOLATION="none") as user:
        health = user.call("GET", "/health")
        assert (health.status_code, health.json()["status"]) == (200, "degraded")
        assert "9.9.9 is not tested" in health.json()["checks"]["claudeCli"]["detail"]
        terminal = user.create()
        assert terminal.status()["claudeVersion"] == "9.9.9"
        terminal.say("hello")
        terminal.await_reply("You said: hello")


def test_a_cli_that_fails_to_start_is_a_clear_refusal(tmp_path: Path, settings: Settings) -> None:
    """It hangs, ends, or is killed: the answer shows its last screen, and no process is left."""
    version = '[ "$1" = --version ] && echo "2.1.329 (Claude Code)" && exit\n'
    how = {
        "did not get to its prompt": "echo some dialog; trap '' TERM; while :; do sleep 1; done",
        "exit code 7": "echo some dialog; exit 7",
        "exit code 137": "echo some dialog; kill -9 $$",
    }
    for number, (reason, action) in enumerate(how.items()):
        folder = tmp_path / str(number)
        folder.mkdir()
        cli = script(folder / "cli", version + action)
        with service(folder, settings, CLAUDE_PATH=cli, SESSION_START_TIMEOUT="1s") as user:
            assert_refused(user, 502, reason, "some dialog")
            session = user.call("GET", "/api/sessions").json()["items"][0]
            assert session["state"] == "failed"
            assert session["reason"]
            assert session["endedAt"]
            assert processes.tagged(UUID(session["sessionId"])) == []


def test_a_shell_is_left_when_the_cli_ends_if_asked_for(tmp_path: Path, settings: Settings) -> None:
    with service(tmp_path, settings, SHELL_AFTER_EXIT="true") as user:
        terminal = user.create()
        terminal.keys("C-c", "C-c")
        terminal.await_text("$")

        assert terminal.status()["state"] == "running"
        terminal.say("echo from-the-shell-$((40 + 2))")
        terminal.await_text("from-the-shell-42")
        terminal.say("exit")
        terminal.await_status(state="terminated")


def test_the_refusal_of_a_key_is_on_the_screen(user: User) -> None:
    terminal = user.create()

    terminal.say("[[error 401 invalid x-api-key]]")

    terminal.await_text("401")
    terminal.keys("Escape")
    terminal.await_idle()
    terminal.say("still there")
    terminal.await_text("still there")


def test_a_session_goes_on_while_the_database_is_away(
    tmp_path: Path, settings: Settings, own_postgresql: Cluster
) -> None:
    own_postgresql.run("CREATE DATABASE sidecar")
    with service(tmp_path, settings, DATABASE_URL=own_postgresql.url("sidecar")) as user:
        terminal = user.create()
        terminal.say("before")
        terminal.await_reply("You said: before")

        own_postgresql.stop(signal.SIGQUIT)
        terminal.say("meanwhile")
        terminal.await_reply("You said: meanwhile")
        health = user.call("GET", "/health")
        assert (health.status_code, health.json()["status"]) == (200, "degraded")
        assert health.json()["checks"]["database"]["ok"] is False
        assert user.post_create().status_code == 503
        assert b"meanwhile" in terminal.all_output()
        end = terminal.status()["outputOffset"]

        own_postgresql.start()
        assert until(lambda: user.call("GET", "/health").json()["status"] == "ok")
        assert until(lambda: len(terminal.recorded().encode()) >= end)
        terminal.say("after")
        terminal.await_reply("You said: after")
        before = terminal.all_output()
        user.server.kill9()
        user.server.start()
        assert terminal.output(0)["dropped"] == 0
        assert terminal.all_output()[:end] == before[:end]
        user.leave()
