"""Preparing homes that a child may have filled with traps. M15."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from sidecar.claude import home
from sidecar.claude.command import Place

KEY = "sk-ant-0123456789-abcdefghijklmnopqrstuvwxyz"
PLACE = Place(Path("/home/claude"), Path("/workspace"), Path("/opt/claude/bin/claude"))


@pytest.fixture
def rooms(tmp_path: Path) -> tuple[Path, Path]:
    made = tmp_path / "home", tmp_path / "workspace"
    for folder in made:
        folder.mkdir()
    return made


def prepare(rooms: tuple[Path, Path]) -> dict[str, Any]:
    home.prepare(*rooms, home.Seed(PLACE, KEY))
    state: dict[str, Any] = json.loads((rooms[0] / ".claude.json").read_text())
    return state


def test_an_empty_home_gets_all_a_first_run_asks_for(rooms: tuple[Path, Path]) -> None:
    """M15: ready without a key press."""
    state = prepare(rooms)

    assert state["hasCompletedOnboarding"] is True
    assert state["customApiKeyResponses"] == {"approved": [KEY[-20:]], "rejected": []}
    assert state["projects"]["/workspace"]["hasTrustDialogAccepted"] is True
    assert (rooms[0] / ".local/bin/claude").readlink() == PLACE.executable
    assert (rooms[1] / "CLAUDE.md").is_file()
    assert stat.S_IMODE((rooms[0] / ".claude.json").stat().st_mode) == 0o600
    assert KEY not in (rooms[0] / ".claude.json").read_text()


def test_what_is_there_is_kept(rooms: tuple[Path, Path]) -> None:
    """M15: merged, never overwritten."""
    before = {
        "theme": "light",
        "numStartups": 7,
        "customApiKeyResponses": {"approved": ["other"], "rejected": [KEY[-20:], "bad"], "more": 1},
        "projects": {"/else": {"a": 1}, "/workspace": {"history": ["x"], "hasTrustDialogAccepted": False}},
    }
    (rooms[0] / ".claude.json").write_text(json.dumps(before))
    (rooms[0] / ".claude").mkdir()
    (rooms[0] / ".claude/settings.json").write_text('{"spinnerTipsEnabled": true, "own": [1]}')
    (rooms[1] / "CLAUDE.md").write_text("mine")

    state = prepare(rooms)

    assert state["theme"] == "light"
    assert state["numStartups"] == 7
    assert state["customApiKeyResponses"] == {
        "approved": ["other", KEY[-20:]],
        "rejected": ["bad"],
        "more": 1,
    }
    assert state["projects"]["/else"] == {"a": 1}
    assert state["projects"]["/workspace"]["history"] == ["x"]
    assert state["projects"]["/workspace"]["hasTrustDialogAccepted"] is True
    settings = json.loads((rooms[0] / ".claude/settings.json").read_text())
    assert settings["spinnerTipsEnabled"] is True
    assert settings["own"] == [1]
    assert (rooms[1] / "CLAUDE.md").read_text() == "mine"


def test_preparing_twice_changes_nothing(rooms: tuple[Path, Path]) -> None:
    first = prepare(rooms)
    written = (rooms[0] / ".claude.json").stat().st_mtime_ns

    assert prepare(rooms) == first
    assert (rooms[0] / ".claude.json").stat().st_mtime_ns == written


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[1]",
        b"null",
        b"\xff\xfe\x00",
        b'{"projects": 5, "customApiKeyResponses": []}',
        b'{"projects": {"/workspace": [1]}, "customApiKeyResponses": {"approved": {}, "rejected": 3}}',
        b"[" * 200_000,
        b'{"a": ' * 200_000,
        b'{"a": "' + b"x" * (5 << 20) + b'"}',
    ],
    ids=[
        "empty",
        "cut",
        "list",
        "null",
        "binary",
        "types",
        "inner-types",
        "deep-list",
        "deep-object",
        "huge",
    ],
)
def test_broken_or_huge_files_are_replaced(rooms: tuple[Path, Path], content: bytes) -> None:
    (rooms[0] / ".claude.json").write_bytes(content)

    state = prepare(rooms)

    assert state["projects"]["/workspace"]["hasTrustDialogAccepted"] is True
    assert state["customApiKeyResponses"]["approved"] == [KEY[-20:]]


def _link(path: Path, secret: Path) -> None:
    path.symlink_to(secret)


def _hard_link(path: Path, secret: Path) -> None:
    os.link(secret, path)


def _fifo(path: Path, _: Path) -> None:
    os.mkfifo(path)


def _dangling(path: Path, secret: Path) -> None:
    path.symlink_to(secret.parent / "not-there-yet")


@pytest.mark.parametrize("trap", [_link, _hard_link, _fifo, _dangling])
@pytest.mark.parametrize("name", [".claude.json", ".claude/settings.json", ".claude", ".local", ".local/bin"])
def test_traps_lead_nowhere(
    rooms: tuple[Path, Path], tmp_path: Path, name: str, trap: Callable[[Path, Path], None]
) -> None:
    secret = tmp_path / "secret"
    secret.write_text('{"outside": true}')
    path = rooms[0] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    trap(path, secret)

    state = prepare(rooms)

    assert secret.read_text() == '{"outside": true}'
    assert not (tmp_path / "not-there-yet").exists()
    assert state["hasCompletedOnboarding"] is True
    assert not path.is_symlink()


@pytest.mark.parametrize("name", [".claude", ".local", ".local/bin"])
def test_a_link_to_a_folder_outside_is_replaced_by_a_folder(
    rooms: tuple[Path, Path], tmp_path: Path, name: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    path = rooms[0] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(outside)

    prepare(rooms)

    assert list(outside.iterdir()) == []
    assert path.is_dir()
    assert not path.is_symlink()


def test_a_folder_in_the_place_of_a_file_is_an_error_and_harms_nothing(rooms: tuple[Path, Path]) -> None:
    (rooms[0] / ".claude.json/inner").mkdir(parents=True)

    with pytest.raises(OSError):
        prepare(rooms)

    assert (rooms[0] / ".claude.json/inner").is_dir()


def test_a_home_that_is_a_link_is_refused(rooms: tuple[Path, Path], tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(rooms[0])

    with pytest.raises(OSError):
        prepare((link, rooms[1]))

    assert list(rooms[0].iterdir()) == []


def test_a_users_own_launcher_stays_when_it_is_a_folder_and_is_renewed_otherwise(
    rooms: tuple[Path, Path],
) -> None:
    programs = rooms[0] / ".local/bin"
    programs.mkdir(parents=True)
    (programs / "claude").symlink_to("/bin/false")

    prepare(rooms)

    assert (programs / "claude").readlink() == PLACE.executable


@pytest.mark.parametrize("trap", [_link, _fifo, _dangling])
def test_a_note_that_is_a_trap_counts_as_none(
    rooms: tuple[Path, Path], tmp_path: Path, trap: Callable[[Path, Path], None]
) -> None:
    session_id, default = uuid4(), uuid4()
    secret = tmp_path / "secret"
    secret.write_text(json.dumps({"session_id": str(uuid4())}))
    folder = rooms[0] / ".claude/conversations"
    folder.mkdir(parents=True)
    trap(folder / f"{session_id}.json", secret)

    assert home.conversation(rooms[0], session_id, default) == default


def test_the_note_names_the_conversation(rooms: tuple[Path, Path]) -> None:
    session_id, other = uuid4(), uuid4()
    folder = rooms[0] / ".claude/conversations"
    folder.mkdir(parents=True)
    (folder / f"{session_id}.json").write_text(json.dumps({"session_id": str(other)}))

    assert home.conversation(rooms[0], session_id, uuid4()) == other


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, home.Transcript.MISSING),
        ("", home.Transcript.EMPTY),
        ('{"type":"summary"}\n', home.Transcript.EMPTY),
        ('{"type":"user","message":{}}\n', home.Transcript.RESUMABLE),
    ],
)
def test_only_a_transcript_with_a_message_can_be_resumed(
    rooms: tuple[Path, Path], content: str | None, expected: home.Transcript
) -> None:
    conversation = uuid4()
    folder = rooms[0] / ".claude/projects/-work-space-1"
    folder.mkdir(parents=True)
    if content is not None:
        (folder / f"{conversation}.jsonl").write_text(content)

    assert home.transcript(rooms[0], Path("/work.space_1"), conversation) is expected
