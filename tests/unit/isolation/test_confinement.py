from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from uuid import UUID

import pytest

from sidecar.errors import CliUnavailable, ConfigurationError, StartFailed
from sidecar.isolation import Bubblewrap, Confinement, Limits, NoIsolation, isolation_named

LIMITS = Limits(memory_bytes=2**32, processes=100, file_bytes=2**30, scratch_bytes=2**26)
SESSION = UUID("6f2c0c0e-3a4b-4c5d-8e6f-000000000001")


@pytest.fixture
def confinement(tmp_path: Path) -> Confinement:
    for name in ("home", "workspace"):
        (tmp_path / name).mkdir()
    (tmp_path / "claude").write_text("#!/bin/sh\n")
    return Confinement(SESSION, tmp_path / "home", tmp_path / "workspace", tmp_path / "claude", LIMITS)


def options_of(limits: str) -> list[str]:
    """Return what `Limits(...).prlimit()` gives in a process whose own limits were lowered first."""
    program = (
        "import json, resource; from sidecar.isolation import Limits;"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (500, 600));"
        f"print(json.dumps(Limits({limits}).prlimit()))"
    )
    output = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout
    found: list[str] = json.loads(output)
    return found


def test_each_setting_has_its_isolation(tmp_path: Path) -> None:
    assert isinstance(isolation_named("bubblewrap", tmp_path), Bubblewrap)
    assert isinstance(isolation_named("none", tmp_path), NoIsolation)


@pytest.mark.parametrize("name", ["", "None", "docker", "bubblewrap "])
def test_an_unknown_isolation_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match="'bubblewrap' or 'none'"):
        isolation_named(name, tmp_path)


def test_limits_become_options() -> None:
    options = LIMITS.prlimit()

    assert f"--data={2**32}" in options
    assert f"--fsize={2**30}" in options
    assert "--nproc=100" in options
    assert "--core=0" in options


def test_processes_are_left_out_where_they_would_be_counted_for_the_account() -> None:
    assert not [option for option in LIMITS.prlimit(processes=False) if option.startswith("--nproc")]


def test_a_limit_is_never_above_what_the_service_itself_has() -> None:
    assert "--nofile=600" in options_of("memory_bytes=1, processes=1, file_bytes=1, scratch_bytes=1")


def test_links_to_the_executable_are_resolved(confinement: Confinement, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("claude")
    linked = Confinement(SESSION, confinement.home, confinement.workspace, tmp_path / "link", LIMITS)

    assert linked.program() == (tmp_path / "claude").resolve()


@pytest.mark.parametrize("name", ["missing", "home", "loop"])
def test_an_executable_that_is_no_file_is_refused(
    confinement: Confinement, tmp_path: Path, name: str
) -> None:
    (tmp_path / "loop").symlink_to("loop")
    wrong = Confinement(SESSION, confinement.home, confinement.workspace, tmp_path / name, LIMITS)

    with pytest.raises(CliUnavailable) as caught:
        wrong.program()
    assert str(tmp_path) not in caught.value.detail


@pytest.mark.parametrize("kind", ["link", "file", "missing"])
def test_a_workspace_that_is_no_folder_of_ours_is_refused(
    confinement: Confinement, tmp_path: Path, kind: str
) -> None:
    (tmp_path / "link").symlink_to("home")
    (tmp_path / "file").touch()
    wrong = Confinement(SESSION, confinement.home, tmp_path / kind, confinement.executable, LIMITS)

    with pytest.raises(StartFailed, match="workspace"):
        wrong.check_folders()


def test_a_folder_of_another_account_is_refused(confinement: Confinement) -> None:
    wrong = Confinement(SESSION, Path("/proc/1"), confinement.workspace, confinement.executable, LIMITS)

    with pytest.raises(StartFailed, match="home"):
        wrong.check_folders()
