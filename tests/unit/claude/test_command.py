"""The command line and the environment."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

from sidecar.claude.command import Account, Place, Start, arguments, environment, with_shell
from sidecar.claude.version import PINNED, Version, parse
from sidecar.model.session import SESSION_VARIABLE, Renderer

PLACE = Place(Path("/home/claude"), Path("/workspace"), Path("/opt/claude/bin/claude"))


def test_a_first_start_names_its_conversation_and_a_later_one_resumes_it() -> None:
    conversation = uuid4()

    first = arguments(PLACE.executable, Start(conversation, resume=False), "{}")
    later = arguments(PLACE.executable, Start(conversation, resume=True, model="sonnet"), "{}")

    assert first[:3] == ("/opt/claude/bin/claude", "--session-id", str(conversation))
    assert later[1:3] == ("--resume", str(conversation))
    assert later[-2:] == ("--model", "sonnet")
    assert "--model" not in first
    assert first[first.index("--permission-mode") :][:2] == ("--permission-mode", "manual")
    assert first[first.index("--setting-sources") :][:2] == ("--setting-sources", "user")


def test_a_shell_follows_without_anything_being_quoted() -> None:
    command = with_shell(("/opt/claude", "--settings", '{"a": "$(x) `y` \'z\'"}'))

    assert command[-3:] == ("/opt/claude", "--settings", '{"a": "$(x) `y` \'z\'"}')


def test_the_environment_is_an_allow_list() -> None:
    """M5: nothing of the sidecar's own environment."""
    session_id = uuid4()

    variables = environment(PLACE, session_id, Account("sk-x"), Renderer.CLASSIC)

    assert set(variables) == {
        *("PATH", "HOME", "USER", "SHELL", "TERM", "COLORTERM", "LANG", "ANTHROPIC_API_KEY"),
        *("DISABLE_AUTOUPDATER", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC"),
        *("CLAUDE_CODE_DISABLE_ALTERNATE_SCREEN", SESSION_VARIABLE),
    }
    assert variables[SESSION_VARIABLE] == str(session_id)


def test_the_renderer_is_pinned_and_a_gateway_told() -> None:
    account = Account("sk-x", "http://127.0.0.1:1")

    variables = environment(PLACE, uuid4(), account, Renderer.FULLSCREEN)

    assert variables["CLAUDE_CODE_NO_FLICKER"] == "1"
    assert "CLAUDE_CODE_DISABLE_ALTERNATE_SCREEN" not in variables
    assert variables["ANTHROPIC_BASE_URL"] == "http://127.0.0.1:1"


def test_versions_in_the_tested_range_are_known() -> None:
    assert parse(f"{PINNED} (Claude Code)\n") == Version(PINNED, tested=True)
    assert parse("2.1.400 (Claude Code)") == Version("2.1.400", tested=True)


def test_versions_outside_are_told_from_no_version() -> None:
    assert parse("2.1.328 (Claude Code)") == Version("2.1.328", tested=False)
    assert parse("2.2.0") == Version("2.2.0", tested=False)
    assert parse("v3.0.1-beta") == Version("3.0.1", tested=False)
    assert parse("command not found") is None
    assert parse("") is None
