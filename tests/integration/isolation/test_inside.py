"""What a session has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sidecar.errors import IsolationUnavailable
from sidecar.isolation import Bubblewrap, Confinement, Isolation

Confine = Callable[..., Confinement]


@pytest.mark.parametrize("program", ["git", "curl", "jq", "bash"])
def test_it_has_the_tools(sandbox: Any, confinement: Confinement, program: str) -> None:
    done = sandbox.run(confinement, program, "--version")

    assert done.returncode == 0, done.stderr


def test_git_commits_in_the_workspace(sandbox: Any, confinement: Confinement) -> None:
    done = sandbox.shell(
        confinement,
        "git init -q && echo x > f && git add f && git -c user.name=a -c user.email=a@b.c commit -q -m x && git log --format=%s",
    )

    assert done.stdout == "x\n", done.stderr


def test_its_own_host_name_is_known_without_a_name_server(sandbox: Any, confinement: Confinement) -> None:
    assert "127.0.1.1" in sandbox.shell(confinement, "getent hosts $(hostname)").stdout


def test_certificates_are_there_and_private_keys_are_not(sandbox: Any, confinement: Confinement) -> None:
    done = sandbox.shell(
        confinement, "test -s /etc/ssl/certs/ca-certificates.crt && test ! -e /etc/ssl/private && echo good"
    )

    assert done.stdout == "good\n"


def test_what_it_writes_stays_in_its_home_and_workspace(sandbox: Any, confinement: Confinement) -> None:
    sandbox.shell(confinement, "pwd > ~/where; echo work > made")

    assert (confinement.home / "where").read_text() == "/workspace\n"
    assert (confinement.workspace / "made").read_text() == "work\n"


def test_tmp_is_new_for_each_start(sandbox: Any, confinement: Confinement) -> None:
    assert sandbox.shell(confinement, "touch /tmp/x /var/tmp/y /run/z && ls /tmp").stdout == "x\ny\n"
    assert sandbox.shell(confinement, "ls -A /tmp /run").stdout == "/run:\n\n/tmp:\n"


def test_the_exit_status_comes_through(sandbox: Any, confinement: Confinement) -> None:
    assert sandbox.shell(confinement, "exit 7").returncode == 7
    assert sandbox.shell(confinement, "kill -TERM $$").returncode == 128 + 15


def test_the_real_cli_prints_its_version(sandbox: Any, confine: Confine, claude: Path) -> None:
    confinement = confine(executable=claude)

    assert "Claude Code" in sandbox.run(confinement, "/opt/claude/bin/claude", "--version").stdout
    assert "Claude Code" in sandbox.shell(confinement, "claude --version").stdout


def test_the_check_passes_again_and_leaves_nothing(isolation: Isolation, tmp_path: Path) -> None:
    isolation.check()

    left = {path.name for path in tmp_path.glob("isolation/*")}
    assert left <= {"passwd", "group", "hosts"}


def test_without_its_files_no_sandbox_starts(sandbox: Any, confinement: Confinement, tmp_path: Path) -> None:
    (tmp_path / "isolation/passwd").unlink()

    done = sandbox.run(confinement, "/bin/true")

    assert done.returncode != 0
    assert "passwd" in done.stderr


def test_a_data_directory_that_all_sessions_would_see_is_refused() -> None:
    with pytest.raises(IsolationUnavailable, match="under /usr"):
        Bubblewrap(Path("/usr/share/sidecar")).check()


def test_a_folder_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(IsolationUnavailable, match="cannot be written"):
        Bubblewrap(Path("/proc/sidecar")).check()
