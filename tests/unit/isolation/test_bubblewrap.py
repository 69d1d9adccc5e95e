from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from uuid import UUID

import pytest

from sidecar.errors import StartFailed
from sidecar.isolation import Bubblewrap, Confinement, Limits

LIMITS = Limits(memory_bytes=2**32, processes=100, file_bytes=2**30, scratch_bytes=2**26)
SESSION = UUID("6f2c0c0e-3a4b-4c5d-8e6f-000000000002")


@pytest.fixture
def confinement(tmp_path: Path) -> Confinement:
    for name in ("home", "workspace"):
        (tmp_path / name).mkdir()
    (tmp_path / "claude").write_text("#!/bin/sh\n")
    return Confinement(SESSION, tmp_path / "home", tmp_path / "workspace", tmp_path / "claude", LIMITS)


@pytest.fixture
def argv(confinement: Confinement, tmp_path: Path) -> tuple[str, ...]:
    return Bubblewrap(tmp_path / "isolation").launch(confinement, ["claude", "--model", "a b"]).argv


def mounts(argv: tuple[str, ...]) -> dict[str, tuple[str, str]]:
    """Return destination → (option, source) of all binds."""
    binds = ("--bind", "--ro-bind")
    return {argv[at + 2]: (word, argv[at + 1]) for at, word in enumerate(argv) if word in binds}


def test_the_command_comes_last_and_unchanged(argv: tuple[str, ...]) -> None:
    assert argv[-4:] == ("--", "claude", "--model", "a b")


def test_every_namespace_but_the_network_is_its_own(argv: tuple[str, ...]) -> None:
    assert {"--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--disable-userns"} <= set(
        argv
    )
    assert "--unshare-net" not in argv


def test_a_sandbox_dies_with_its_parent_and_keeps_its_terminal(argv: tuple[str, ...]) -> None:
    assert "--die-with-parent" in argv
    assert "--new-session" not in argv


def test_no_environment_is_on_the_command_line(argv: tuple[str, ...]) -> None:
    assert not {"--setenv", "--clearenv", "--unsetenv"} & set(argv)


def test_only_home_and_workspace_can_be_written_to(argv: tuple[str, ...], confinement: Confinement) -> None:
    writable = {to: source for to, (option, source) in mounts(argv).items() if option == "--bind"}

    assert writable == {"/home/claude": str(confinement.home), "/workspace": str(confinement.workspace)}


def test_nothing_of_the_host_is_shown_but_system_folders_and_the_program(
    argv: tuple[str, ...], confinement: Confinement, tmp_path: Path
) -> None:
    sources = {to: source for to, (option, source) in mounts(argv).items() if option == "--ro-bind"}
    generated = {sources.pop(name) for name in ("/etc/passwd", "/etc/group", "/etc/hosts")}

    assert sources.pop("/opt/claude/bin/claude") == str(confinement.executable.resolve())
    assert {Path(path).parent for path in generated} == {tmp_path / "isolation"}
    assert all(to.startswith(("/usr", "/etc", "/bin", "/lib", "/sbin")) for to in sources)
    assert not [to for to in sources if to in ("/etc", "/etc/ssl", "/etc/ssh", "/etc/ssl/private")]


def test_what_is_memory_is_bounded(argv: tuple[str, ...]) -> None:
    sizes = {argv[at + 1]: argv[at - 1] for at, word in enumerate(argv) if word == "--tmpfs"}

    assert sizes == {"/tmp": str(2**26), "/dev/shm": str(2**26), "/run": str(2**24)}
    assert ("--remount-ro", "/") in pairwise(argv)


def test_the_child_finds_its_files_at_fixed_places(confinement: Confinement, tmp_path: Path) -> None:
    view = Bubblewrap(tmp_path / "isolation").view(confinement)

    assert (view.home, view.workspace) == (Path("/home/claude"), Path("/workspace"))
    assert view.executable == Path("/opt/claude/bin/claude")


def test_a_linked_home_is_not_shown(confinement: Confinement, tmp_path: Path) -> None:
    confinement.home.rmdir()
    confinement.home.symlink_to("/etc")

    with pytest.raises(StartFailed):
        Bubblewrap(tmp_path / "isolation").launch(confinement, ["claude"])
