from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from sidecar.isolation import Confinement, Limits, NoIsolation


@pytest.fixture
def confinement(tmp_path: Path) -> Confinement:
    for name in ("home", "workspace"):
        (tmp_path / name).mkdir()
    (tmp_path / "program").write_text("#!/bin/sh\n")
    (tmp_path / "claude").symlink_to("program")
    limits = Limits(memory_bytes=2**32, processes=100, file_bytes=2**30, scratch_bytes=2**26)
    return Confinement(UUID(int=3), tmp_path / "home", tmp_path / "workspace", tmp_path / "claude", limits)


def test_the_child_sees_the_paths_as_they_are(confinement: Confinement, tmp_path: Path) -> None:
    view = NoIsolation().view(confinement)

    assert (view.home, view.workspace) == (confinement.home, confinement.workspace)
    assert view.executable == (tmp_path / "program").resolve()


def test_it_starts_in_the_workspace_with_limits(confinement: Confinement) -> None:
    launch = NoIsolation().launch(confinement, ["claude", "--version"])

    assert launch.cwd == confinement.workspace
    assert launch.argv[-3:] == ("--", "claude", "--version")
    assert f"--data={2**32}" in launch.argv


def test_it_dies_with_its_parent_and_gains_no_privileges(confinement: Confinement) -> None:
    argv = NoIsolation().launch(confinement, ["claude"]).argv

    assert argv[1:4] == ("--no-new-privs", "--pdeathsig", "KILL")
