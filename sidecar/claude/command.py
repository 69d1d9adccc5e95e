"""The CLI's command line and environment, both allow-lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

from sidecar.model.session import SESSION_VARIABLE, Renderer

#: Always given: a repository's own settings could run hooks that read the key.
_CONFINED = ("--setting-sources", "user", "--strict-mcp-config")


@dataclass(frozen=True)
class Start:
    """How to start the CLI: which conversation, and whether it exists already."""

    conversation_id: UUID
    resume: bool
    model: str | None = None


def arguments(executable: Path, start: Start, settings: str) -> tuple[str, ...]:
    """Return the argument list; `settings` is JSON added to the user's own.

    Interactive runs ask before each act: the mode `auto` needs a check that gateways lack.
    """
    conversation = ("--resume" if start.resume else "--session-id", str(start.conversation_id))
    model = ("--model", start.model) if start.model else ()
    fixed = (*_CONFINED, "--permission-mode", "manual", "--settings", settings)
    return (str(executable), *conversation, *fixed, *model)


def with_shell(command: tuple[str, ...]) -> tuple[str, ...]:
    """Return a command that runs `command` and, when it ends well, leaves a login shell.

    Not when it fails: a start that failed must be told as one.
    """
    return ("/bin/bash", "-c", '"$@" && exec /bin/bash -l', "claude", *command)


@dataclass(frozen=True)
class Place:
    """Where the child runs, as it sees it."""

    home: Path
    workspace: Path
    executable: Path


@dataclass(frozen=True)
class Account:
    """What the CLI pays with: the key, and where to send it if not to Anthropic."""

    api_key: str = field(repr=False)
    base_url: str | None = None


def environment(place: Place, session_id: UUID, account: Account, renderer: Renderer) -> dict[str, str]:
    """Return the child's whole environment. Never built from the sidecar's own."""
    # One of the two pins the renderer: a kill in the first seconds would change it for the next start.
    fullscreen = renderer is Renderer.FULLSCREEN
    pin = "CLAUDE_CODE_NO_FLICKER" if fullscreen else "CLAUDE_CODE_DISABLE_ALTERNATE_SCREEN"
    variables = {
        "PATH": f"{place.home}/.local/bin:{place.executable.parent}:/usr/local/bin:/usr/bin:/bin",
        "HOME": str(place.home),
        "USER": "claude",
        "SHELL": "/bin/bash",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "LANG": "C.UTF-8",
        "ANTHROPIC_API_KEY": account.api_key,
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        pin: "1",
        SESSION_VARIABLE: str(session_id),
    }
    return {**variables, "ANTHROPIC_BASE_URL": account.base_url} if account.base_url else variables
