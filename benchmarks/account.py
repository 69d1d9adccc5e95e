"""The account that measured programs run as: the service's when started as root, else our own."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable
from pathlib import Path
from typing import Any

#: The service's default account; `make setup` creates it.
NAME = "claude-sidecar"


def _entry() -> pwd.struct_passwd:
    return pwd.getpwnam(NAME)


def become() -> Callable[[], None] | None:
    """Return what a child does before `exec` to become the account; None where there is nothing to change."""
    if os.geteuid() != 0:
        return None
    entry = _entry()
    groups = os.getgrouplist(entry.pw_name, entry.pw_gid)

    def change() -> None:
        os.setgroups(groups)
        os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
        os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)

    return change


def identity() -> dict[str, Any]:
    """Return what `subprocess.Popen` is given so that a child runs as the account; nothing where it does anyway."""
    if os.geteuid() != 0:
        return {}
    entry = _entry()
    groups = os.getgrouplist(entry.pw_name, entry.pw_gid)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": groups}


def give(path: Path) -> None:
    """Give a folder with all in it to the account."""
    if os.geteuid() == 0:
        entry = _entry()
        for item in (path, *path.rglob("*")):
            os.chown(item, entry.pw_uid, entry.pw_gid, follow_symlinks=False)
