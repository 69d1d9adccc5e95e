from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.isolation import mounts


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("usr/share/zoneinfo", "usr/bin", "etc/ssl/certs", "etc/ssl/private", "run"):
        (tmp_path / name).mkdir(parents=True)
    return tmp_path


def pairs(words: list[str]) -> list[tuple[str, str, str]]:
    return [(words[at], words[at + 1], words[at + 2]) for at in range(0, len(words), 3)]


def test_a_merged_system_keeps_its_links(root: Path) -> None:
    (root / "bin").symlink_to("usr/bin")

    assert ("--symlink", "usr/bin", "/bin") in pairs(mounts.system(root))


def test_a_folder_of_an_older_system_is_shown_read_only(root: Path) -> None:
    (root / "sbin").mkdir()

    assert ("--ro-bind", str(root / "sbin"), "/sbin") in pairs(mounts.system(root))


def test_a_link_into_usr_stays_a_link(root: Path) -> None:
    (root / "usr/share/zoneinfo/UTC").touch()
    (root / "etc/localtime").symlink_to(root / "usr/share/zoneinfo/UTC")

    assert ("--symlink", "/usr/share/zoneinfo/UTC", "/etc/localtime") in pairs(mounts.system(root))


def test_a_link_to_elsewhere_shows_the_file_it_means(root: Path) -> None:
    (root / "run/stub.conf").touch()
    (root / "etc/resolv.conf").symlink_to("../run/stub.conf")

    assert ("--ro-bind", str(root / "run/stub.conf"), "/etc/resolv.conf") in pairs(mounts.system(root))


def test_what_is_missing_or_dangling_is_left_out(root: Path) -> None:
    (root / "etc/resolv.conf").symlink_to("../run/nowhere")

    assert [to for _, _, to in pairs(mounts.system(root))] == ["/usr", "/etc/ssl/certs"]


def test_a_path_in_the_system_is_recognised_through_links(tmp_path: Path) -> None:
    (tmp_path / "data").symlink_to("/usr/share")

    assert mounts.within_system(tmp_path / "data/claude")
    assert not mounts.within_system(tmp_path / "usr")
