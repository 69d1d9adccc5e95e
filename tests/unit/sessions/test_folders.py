"""Removing what a session left."""

from __future__ import annotations

import os
from pathlib import Path

from sidecar.sessions.folders import remove_tree

#: Deeper than the interpreter recurses.
DEPTH = 1500


def test_a_tree_of_any_depth_is_removed(tmp_path: Path) -> None:
    """One such tree used to end the care for all sessions, and the next start of the service."""
    top = tmp_path / "session"
    top.mkdir()
    begin = os.open(".", os.O_RDONLY)
    try:
        os.chdir(top)
        for _ in range(DEPTH):
            Path("d").mkdir()
            os.chdir("d")
    finally:
        os.fchdir(begin)
        os.close(begin)
    remove_tree(top)
    assert not top.exists()


def test_closed_folders_are_removed_and_links_not_followed(tmp_path: Path) -> None:
    outside, top = tmp_path / "outside", tmp_path / "session"
    (outside / "kept").mkdir(parents=True)
    outside.chmod(0o500)
    closed = top / "a" / "b"
    closed.mkdir(parents=True)
    (closed / "file").write_text("x")
    (top / "link").symlink_to(outside)
    closed.chmod(0)
    closed.parent.chmod(0)
    remove_tree(top)
    assert not top.exists()
    assert (outside / "kept").is_dir()
    assert outside.stat().st_mode & 0o777 == 0o500
    outside.chmod(0o700)


def test_a_link_in_the_place_of_the_tree_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "target")
    remove_tree(tmp_path / "link")
    assert (tmp_path / "target").is_dir()
