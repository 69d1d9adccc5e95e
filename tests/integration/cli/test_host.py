"""The doctor names what is wrong with the host and, started as root, with the account."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from sidecar.doctor.finding import Level
from tests.integration.cli.findings import assert_finding, assert_only
from tests.integration.cli.machine import Machine, script

# -- planted in the host ----------------------------------------------------------------------------------


def inside(*options: str) -> list[str]:
    """Return what runs a command in a copy of this host that is changed by bubblewrap's `options`."""
    return ["bwrap", "--dev-bind", "/", "/", *options, "--"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "bwrap is not installed"),
        (
            "#!/bin/sh\necho 'No permissions to create new namespace' >&2\nexit 1\n",
            "bubblewrap does not work here",
        ),
        ("#!/bin/sh\nexit 0\n", "bubblewrap does not work here"),
    ],
    ids=["missing", "not allowed", "confines nothing"],
)
def test_a_broken_bubblewrap_is_named(machine: Machine, text: str | None, words: str) -> None:
    machine.environment["ISOLATION"] = "bubblewrap"
    fake = machine.folder / "bwrap"
    fake.write_text(text or "")
    fake.chmod(0o755 if text else 0o644)
    place = str(Path(shutil.which("bwrap") or "").resolve())

    found = machine.doctor(*inside("--bind", str(fake), place))

    assert_finding(found["isolation"], Level.FAIL, words)
    assert_only(found, "isolation")


def test_a_disk_that_is_full_is_named(machine: Machine) -> None:
    machine.make_data_dir()

    found = machine.doctor(
        *inside(
            "--size", str(1 << 20), "--tmpfs", str(machine.data_dir), "--chmod", "0700", str(machine.data_dir)
        )
    )

    assert_finding(found["disk"], Level.FAIL, "the disk of the data directory has")
    assert_only(found, "disk")


def test_a_disk_mounted_read_only_is_named(machine: Machine) -> None:
    place = str(machine.make_data_dir())

    found = machine.doctor(*inside("--ro-bind", place, place))

    assert_finding(found["data directory"], Level.FAIL, "cannot be written")


def test_too_few_open_files_are_named(machine: Machine) -> None:
    found = machine.doctor("prlimit", "--nofile=200:200")

    assert_finding(found["open files"], Level.FAIL, "files may be open")
    assert_only(found, "open files")


def test_started_as_it_stands_it_says_what_to_do_in_plain_lines(machine: Machine) -> None:
    machine.environment["API_AUTH_TOKEN"] = "short"

    ended = machine.run("doctor")

    assert ended.returncode == 1
    assert (
        "FAIL  settings                API_AUTH_TOKEN must have at least 16 ASCII characters.\n"
        in ended.stdout
    )
    assert "\n                              → Change it in the environment or in .env" in ended.stdout
    assert ended.stdout.splitlines()[-1].startswith("8 checks: ")
    assert "Traceback" not in ended.stderr


# -- as root ----------------------------------------------------------------------------------------------


@pytest.fixture
def roots(machine: Machine) -> Iterator[Machine]:
    """Return a machine in a folder that other accounts may enter; pytest's own is closed to them."""
    with tempfile.TemporaryDirectory(prefix="sidecar-doctor-") as name:
        Path(name).chmod(0o755)
        yield Machine(Path(name), int(machine.environment["SIDECAR_PORT"]))


@pytest.mark.root
def test_started_as_root_it_examines_as_the_account(roots: Machine) -> None:
    found = roots.doctor()

    assert_only(found)
    assert found["account"].detail == "examined as claude-sidecar"
    assert roots.data_dir.stat().st_uid != 0


@pytest.mark.root
@pytest.mark.parametrize(("owner", "mode"), [("nobody", 0o600), ("claude-sidecar", 0o600), ("root", 0o660)])
def test_root_believes_no_settings_that_another_account_can_change(
    roots: Machine, owner: str, mode: int
) -> None:
    """They would let it have any empty folder, and make root give it new ones."""
    del roots.environment["SIDECAR_DATA_DIR"]
    roots.env_file.write_text(f"SIDECAR_USER=nobody\nSIDECAR_DATA_DIR={roots.folder}/given\n")
    roots.env_file.chmod(mode)
    shutil.chown(roots.env_file, owner)

    for command in ("doctor", "serve", "migrate"):
        ended = roots.run(command)
        assert "can be changed by another account" in ended.stdout + ended.stderr
    assert not (roots.folder / "given").exists()


@pytest.mark.root
@pytest.mark.parametrize(
    ("name", "words"), [("no-such-account-here", "(SIDECAR_USER) does not exist"), ("root", "which is root")]
)
def test_an_account_that_cannot_be_become_is_named_first(roots: Machine, name: str, words: str) -> None:
    roots.environment["SIDECAR_USER"] = name

    found = roots.doctor()

    assert_finding(found["account"], Level.FAIL, words)
    assert list(found) == ["account", "the rest"]
    assert not roots.data_dir.exists()


@pytest.mark.root
def test_a_data_directory_with_files_of_another_is_named(roots: Machine) -> None:
    (roots.make_data_dir() / "precious").touch()

    found = roots.doctor()

    assert_finding(found["account"], Level.FAIL, "has files of another account")
    assert (roots.data_dir / "precious").stat().st_uid == 0


@pytest.mark.root
@pytest.mark.parametrize(
    ("options", "words"),
    [("size=1m", "the disk of the data directory has"), ("size=1g,nr_inodes=100", "has room for")],
    ids=["full", "without entries"],
)
def test_a_small_disk_is_named(roots: Machine, options: str, words: str) -> None:
    place = str(roots.make_data_dir())
    before = [
        "unshare",
        "--mount",
        "sh",
        "-c",
        f'mount -t tmpfs -o {options} tmpfs {place} && exec "$@"',
        "sh",
    ]

    assert_finding(roots.doctor(*before)["disk"], Level.FAIL, words)


@pytest.mark.root
def test_an_installation_the_account_cannot_read_is_named(roots: Machine) -> None:
    script(roots, "echo 2.1.329")
    Path(roots.environment["CLAUDE_PATH"]).chmod(0o700)

    assert_finding(roots.doctor()["account"], Level.FAIL, "cannot read")
