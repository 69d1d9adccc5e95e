"""Preparing a home so that no first-run question ever shows.

The child owns its home and may have planted links there, so everything goes through directory descriptors,
follows no link, reads regular files of bounded size only, and replaces files by rename.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path
from typing import Any
from uuid import UUID

from sidecar.claude.command import Place

#: Larger files are not ours: the CLI's own state is some kilobytes.
_LARGEST = 4 << 20
#: The CLI remembers an approved key by its last characters.
_KEY_TAIL = 20
#: Where the start hook notes which conversation a session has; see `hooks`.
_CONVERSATIONS = "conversations"
#: Part of the line of a user's message in a transcript.
_MESSAGE = b'"type":"user"'
_TEMPLATES = Path(__file__).parent / "templates"

Json = dict[str, Any]


@dataclass(frozen=True)
class Seed:
    """What a home is prepared for: the place as the child sees it, and the key it will use."""

    place: Place
    api_key: str = field(repr=False)


def prepare(home: Path, workspace: Path, seed: Seed) -> None:
    """Merge what the CLI asks for at first run into `home`, and give the workspace its CLAUDE.md.

    Raises:
        OSError: the disk is full, or the folder is not a folder.
    """
    with _opened(home) as top:
        _merge(top, ".claude.json", lambda state: _state(state, seed))
        with _inside(top, ".claude") as folder:
            _merge(folder, "settings.json", _settings)
        with _inside(top, ".local") as local, _inside(local, "bin") as programs:
            _link(programs, "claude", str(seed.place.executable))
    with _opened(workspace) as folder:
        _provide(folder, "CLAUDE.md", (_TEMPLATES / "CLAUDE.md").read_bytes())


def hooks() -> str:
    """Return settings (JSON for `--settings`) that make the CLI note which conversation it is in.

    `/clear` begins another conversation; without the note a woken session would resume the old one.
    """
    command = (
        f'mkdir -p "$HOME/.claude/{_CONVERSATIONS}" && '
        f'cat > "$HOME/.claude/{_CONVERSATIONS}/$CLAUDE_SIDECAR_SESSION.json"'
    )
    return json.dumps({"hooks": {"SessionStart": [{"hooks": [{"type": "command", "command": command}]}]}})


def conversation(home: Path, session_id: UUID, default: UUID) -> UUID:
    """Return the conversation the session had last, as its start hook noted it."""
    try:
        with (
            _opened(home) as top,
            _opened(".claude", top) as claude,
            _opened(_CONVERSATIONS, claude) as folder,
        ):
            note = _read(folder, f"{session_id}.json")
        return UUID(str(note.get("session_id"))) if note else default
    except (OSError, ValueError):
        return default


class Transcript(Enum):
    """What the CLI has stored of a conversation."""

    MISSING = auto()  #: nothing: it can be begun
    EMPTY = auto()  #: a file without a message: the CLI neither resumes it nor begins it anew
    RESUMABLE = auto()  #: messages


def transcript(home: Path, workspace: Path, conversation_id: UUID) -> Transcript:
    """Return what there is of a conversation; `workspace` is the folder as the child saw it.

    The CLI writes with some delay, so a kill right after the first message leaves a file without it.
    """
    project = "".join(char if char.isalnum() else "-" for char in str(workspace))
    try:
        with (
            _opened(home) as top,
            _opened(".claude", top) as claude,
            _opened("projects", claude) as projects,
            _opened(project, projects) as folder,
        ):
            content = _content(folder, f"{conversation_id}.jsonl")
    except OSError:
        return Transcript.MISSING
    if content is None:
        return Transcript.EMPTY
    return Transcript.RESUMABLE if _MESSAGE in content or len(content) == _LARGEST else Transcript.EMPTY


def _state(state: Json, seed: Seed) -> Json:
    tail = seed.api_key[-_KEY_TAIL:]
    keys = _object(state.get("customApiKeyResponses"))
    projects = _object(state.get("projects"))
    workspace = str(seed.place.workspace)
    project = {
        **_object(projects.get(workspace)),
        "hasTrustDialogAccepted": True,
        "hasCompletedProjectOnboarding": True,
    }
    approved = [known for known in _list(keys.get("approved")) if known != tail]
    rejected = [known for known in _list(keys.get("rejected")) if known != tail]
    return {
        "theme": "dark",
        **state,
        "hasCompletedOnboarding": True,
        "customApiKeyResponses": {**keys, "approved": [*approved, tail], "rejected": rejected},
        "projects": {**projects, workspace: project},
        "officialMarketplaceAutoInstallAttempted": True,
    }


def _settings(settings: Json) -> Json:
    return {"spinnerTipsEnabled": False, "feedbackSurveyRate": 0, **settings}


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


@contextmanager
def _opened(path: Path | str, parent: int | None = None) -> Iterator[int]:
    """Open a folder that is one itself, not a link to one."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _inside(parent: int, name: str) -> Iterator[int]:
    """Open the folder `name`, made if missing; anything else in its place is removed."""
    found = _status(parent, name)
    if found is not None and not stat.S_ISDIR(found.st_mode):
        os.unlink(name, dir_fd=parent)
        found = None
    if found is None:
        os.mkdir(name, 0o700, dir_fd=parent)
    with _opened(name, parent) as descriptor:
        yield descriptor


def _status(folder: int, name: str) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _read(folder: int, name: str) -> Json:
    """Return the JSON object in a regular file; empty for anything else."""
    try:
        content = _content(folder, name, _LARGEST + 1)
    except OSError:
        return {}
    if content is None or len(content) > _LARGEST:
        return {}
    try:
        return _object(json.loads(content))
    except (ValueError, RecursionError):
        return {}


def _content(folder: int, name: str, limit: int = _LARGEST) -> bytes | None:
    """Return the first `limit` bytes of a regular file; None for what is none.

    Raises:
        OSError: there is nothing of that name, or a link.
    """
    # O_NONBLOCK: a planted FIFO must not hold us.
    descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return None  # asked before `fdopen`, which fails for a folder and leaves the descriptor open
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(limit)
    finally:
        os.close(descriptor)


def _merge(folder: int, name: str, change: Callable[[Json], Json]) -> None:
    """Rewrite a JSON file with `change` applied; what is not a readable file is replaced."""
    before = _read(folder, name)
    after = change(before)
    if after != before or not before:
        _replace(folder, name, json.dumps(after, indent=2).encode())


def _replace(folder: int, name: str, content: bytes) -> None:
    found = _status(folder, name)
    if found is not None and stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(f"{name} is a folder")
    temporary = f".{name}.{os.getpid()}.sidecar"
    with _suppressed_missing():
        os.unlink(temporary, dir_fd=folder)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(temporary, flags, 0o600, dir_fd=folder)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    os.replace(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)


@contextmanager
def _suppressed_missing() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        return


def _provide(folder: int, name: str, content: bytes) -> None:
    if _status(folder, name) is None:
        _replace(folder, name, content)


def _link(folder: int, name: str, target: str) -> None:
    """Point `name` at the executable: without a launcher there the CLI warns about its installation."""
    found = _status(folder, name)
    if found is not None and stat.S_ISLNK(found.st_mode) and os.readlink(name, dir_fd=folder) == target:
        return
    if found is not None and not stat.S_ISDIR(found.st_mode):
        os.unlink(name, dir_fd=folder)
    if found is None or not stat.S_ISDIR(found.st_mode):
        os.symlink(target, name, dir_fd=folder)
