"""What a session cannot see, touch or become."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sidecar.isolation import Bubblewrap, Confinement
from sidecar.model.session import SESSION_VARIABLE as TAG

ENVIRONMENT = {"PATH": "/opt/claude/bin:/usr/bin:/bin", "HOME": "/home/claude", "LANG": "C.UTF-8"}

Confine = Callable[..., Confinement]


def test_another_sessions_files_cannot_be_read(sandbox: Any, confine: Confine) -> None:
    mine, other = confine(), confine()
    (other.home / "notes").write_text("private words")

    done = sandbox.shell(
        mine,
        f"cat {other.home}/notes; ls {other.home.parent}; find / -xdev -name notes; find /home /workspace /tmp /run -name notes",
    )

    assert done.stdout == ""
    assert "No such file" in done.stderr


def test_the_services_database_and_keys_cannot_be_read(
    sandbox: Any, confinement: Confinement, tmp_path: Path
) -> None:
    (tmp_path / "sidecar.db").write_text("rows")
    (tmp_path / ".env").write_text("ENCRYPTION_KEY=planted")

    done = sandbox.shell(
        confinement, f"cat {tmp_path}/sidecar.db {tmp_path}/.env; grep -rs planted /etc /run /tmp /opt /home"
    )

    assert done.stdout == ""


def test_the_generated_files_folder_cannot_be_written_to(sandbox: Any, confinement: Confinement) -> None:
    done = sandbox.shell(
        confinement,
        "for f in /etc/passwd /etc/hosts /opt/claude/bin/claude; do echo x >> $f && echo wrote; done",
    )

    assert "wrote" not in done.stdout


def test_the_hosts_folders_are_not_there(sandbox: Any, confinement: Confinement) -> None:
    done = sandbox.shell(confinement, "ls -A / /home /opt /etc/ssl /var")

    assert "root" not in done.stdout.split()
    assert not {"boot", "mnt", "srv", "sys", "media", "work", "private"} & set(done.stdout.split())


def test_the_environment_is_exactly_what_was_given(sandbox: Any, confinement: Confinement) -> None:
    given = ENVIRONMENT | {TAG: str(confinement.session_id), "ANTHROPIC_API_KEY": "sk-sample"}

    done = sandbox.run(confinement, "/usr/bin/env", env=given)

    assert dict(line.split("=", 1) for line in done.stdout.splitlines()) == given


def test_no_process_outside_can_be_seen(sandbox: Any, confinement: Confinement) -> None:
    done = sandbox.shell(
        confinement, "cat /proc/[0-9]*/environ | tr '\\0' '\\n'; ls /proc | grep -c '^[0-9]'"
    )
    lines = done.stdout.splitlines()

    assert int(lines.pop()) <= 5
    names = {line.partition("=")[0] for line in lines if line}
    assert names <= {*ENVIRONMENT, TAG, "TERM", "PWD", "SHLVL", "_"}


def test_the_parents_environment_cannot_be_read(sandbox: Any, confinement: Confinement) -> None:
    done = sandbox.shell(confinement, f"cat /proc/{os.getpid()}/environ")

    assert done.returncode != 0
    assert done.stdout == ""


def test_no_process_outside_can_be_signalled(sandbox: Any, confinement: Confinement) -> None:
    with subprocess.Popen(["/bin/sleep", "60"]) as outside:
        done = sandbox.shell(
            confinement, f"kill -9 {outside.pid}; kill -0 {os.getpid()} && echo reached; kill -9 -1; true"
        )

        assert outside.poll() is None
        assert "reached" not in done.stdout
        outside.kill()


def test_links_in_the_home_lead_nowhere_outside(
    sandbox: Any, confinement: Confinement, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("planted")
    (confinement.home / "link").symlink_to(tmp_path / "secret")
    (confinement.home / "folder").symlink_to(tmp_path)
    (confinement.workspace / "up").symlink_to("../../../..")

    done = sandbox.shell(confinement, "cat ~/link ~/folder/secret up/secret; echo x > ~/link; ls up/")

    assert "planted" not in done.stdout
    assert (tmp_path / "secret").read_text() == "planted"


def test_the_child_is_not_root_inside_or_outside(sandbox: Any, confinement: Confinement) -> None:
    done = sandbox.shell(
        confinement, "id -u; id -g; whoami; hostname; touch /workspace/mine; grep CapBnd /proc/self/status"
    )

    assert done.stdout.split()[:4] == ["1000", "1000", "claude", "claude"]
    assert done.stdout.split()[-1] == "0" * 16
    assert (confinement.workspace / "mine").stat().st_uid == os.getuid() != 0


def test_no_new_user_namespace_can_be_made(sandbox: Any, confinement: Confinement) -> None:
    assert sandbox.run(confinement, "/usr/bin/unshare", "--user", "/bin/true").returncode != 0


def test_nothing_is_written_outside_the_given_folders(sandbox: Any, confinement: Confinement) -> None:
    done = sandbox.shell(
        confinement, "for d in / /dev /etc /usr /opt /var /home; do touch $d/x 2>/dev/null && echo $d; done"
    )

    assert done.stdout == ""


def test_a_concealed_process_hides_its_environment_and_can_still_start_sandboxes(
    bubblewrap: Bubblewrap, confinement: Confinement
) -> None:
    launch = bubblewrap.launch(confinement, ["/usr/bin/id", "-u"])
    program = (
        "import subprocess, sys, json; from sidecar.isolation.account import conceal; conceal();"
        "print('hidden', flush=True); sys.stdin.readline();"
        f"print(subprocess.run({json.dumps(launch.argv)}, capture_output=True, text=True).stdout, flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as hidden:
        assert hidden.stdout is not None
        hidden.stdout.readline()

        with pytest.raises(PermissionError):
            Path(f"/proc/{hidden.pid}/environ").read_bytes()
        assert hidden.communicate("go\n", timeout=20)[0].strip() == "1000"
