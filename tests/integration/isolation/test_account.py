"""Giving up root: in a process of its own, never in the one that runs the tests."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.errors import IsolationUnavailable
from sidecar.isolation import Confinement, Isolation, isolation_named

ACCOUNT = "claude-sidecar"
ROOT = Path(__file__).resolve().parents[3]

DROP = """
import sys
from pathlib import Path
from sidecar.errors import ConfigurationError
from sidecar.isolation.account import drop_root
account, data_dir, *readable = sys.argv[1:]
try:
    drop_root(account, Path(data_dir), [Path(path) for path in readable])
except ConfigurationError as error:
    sys.exit(error.detail)
"""

#: What is looked at after root is gone.
LOOK = """
import os
print(os.getresuid(), os.getresgid(), os.getgroups())
print([line.split()[1] for line in open("/proc/self/status") if line[:6] in ("CapInh", "CapPrm", "CapEff", "CapAmb")])
for attempt in (lambda: os.setuid(0), lambda: os.seteuid(0), lambda: os.setgid(0), lambda: os.setgroups([0])):
    try:
        attempt()
        print("root again")
    except PermissionError:
        pass
"""

SANDBOX = """
from sidecar.isolation import Bubblewrap, NoIsolation
Bubblewrap(Path(data_dir) / "isolation").check()
NoIsolation().check()
print("both work")
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """Return a folder of root that everybody may enter; pytest's own is closed to other accounts."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def drop(*arguments: str | Path, then: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", DROP + then, *map(str, arguments)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.root
def test_root_is_given_up_for_good(folder: Path) -> None:
    entry = pwd.getpwnam(ACCOUNT)

    done = drop(ACCOUNT, folder / "data", ROOT, then=LOOK)

    lines = done.stdout.splitlines()
    groups = sorted(os.getgrouplist(ACCOUNT, entry.pw_gid))
    assert lines[0] == f"{(entry.pw_uid,) * 3} {(entry.pw_gid,) * 3} {groups}", done.stderr
    assert lines[1] == str(["0" * 16] * 4)
    assert lines[2:] == []


@pytest.mark.root
def test_sandboxes_start_after_root_is_given_up(folder: Path) -> None:
    done = drop(ACCOUNT, folder / "data", ROOT, then=SANDBOX)

    assert done.stdout == "both work\n", done.stderr


@pytest.mark.root
def test_the_data_directory_is_made_for_the_account_alone(folder: Path) -> None:
    assert drop(ACCOUNT, folder / "data").returncode == 0

    status = (folder / "data").stat()
    assert status.st_uid == pwd.getpwnam(ACCOUNT).pw_uid
    assert status.st_mode & 0o777 == 0o700


@pytest.mark.root
def test_a_data_directory_of_the_account_is_taken_again_and_its_files_left_alone(folder: Path) -> None:
    drop(ACCOUNT, folder / "data")
    (folder / "data/file").touch(mode=0o600)

    assert drop(ACCOUNT, folder / "data").returncode == 0
    assert (folder / "data/file").stat().st_uid == 0


@pytest.mark.root
def test_somebody_elses_files_are_never_given_away(folder: Path) -> None:
    (folder / "data").mkdir()
    (folder / "data/precious").touch()

    done = drop(ACCOUNT, folder / "data")

    assert "files of another account" in done.stderr
    assert (folder / "data").stat().st_uid == 0


@pytest.mark.root
def test_a_link_is_no_data_directory(folder: Path) -> None:
    (folder / "target").mkdir()
    (folder / "data").symlink_to("target")

    done = drop(ACCOUNT, folder / "data")

    assert "is a link" in done.stderr
    assert (folder / "target").stat().st_uid == 0


@pytest.mark.root
def test_a_path_the_account_cannot_enter_is_named_with_the_mend(folder: Path) -> None:
    (folder / "closed/checkout").mkdir(parents=True)
    (folder / "closed").chmod(0o700)

    done = drop(ACCOUNT, folder / "data", folder / "closed/checkout")

    assert f"setfacl -m u:{ACCOUNT}:x {folder}/closed" in done.stderr


@pytest.mark.root
def test_a_program_the_account_cannot_run_is_named_with_the_mend(folder: Path) -> None:
    (folder / "claude").touch(mode=0o700)

    done = drop(ACCOUNT, folder / "data", folder / "claude")

    assert f"setfacl -m u:{ACCOUNT}:rx {folder}/claude" in done.stderr


@pytest.mark.root
def test_a_missing_account_is_named_with_the_mend(folder: Path) -> None:
    done = drop("no-such-account", folder / "data")

    assert "make setup" in done.stderr
    assert not (folder / "data").exists()


@pytest.mark.root
def test_root_is_no_account_to_become(folder: Path) -> None:
    assert "which is root" in drop("root", folder / "data").stderr


@pytest.mark.root
def test_root_starts_no_sessions(isolation_for_root: Isolation, confinement: Confinement) -> None:
    with pytest.raises(IsolationUnavailable, match="never run as root"):
        isolation_for_root.launch(confinement, ["/bin/true"])
    with pytest.raises(IsolationUnavailable, match="never run as root"):
        isolation_for_root.check()


@pytest.fixture(params=["bubblewrap", "none"])
def isolation_for_root(request: pytest.FixtureRequest, tmp_path: Path) -> Isolation:
    return isolation_named(request.param, tmp_path / "isolation")


def test_without_root_nothing_changes(tmp_path: Path) -> None:
    done = drop(
        "no-such-account", tmp_path / "data", tmp_path / "missing", then="import os; print(os.getuid())"
    )

    assert done.stdout == f"{os.getuid()}\n", done.stderr
    assert not (tmp_path / "data").exists()
