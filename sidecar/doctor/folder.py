"""The data directory, the file of settings, and the room on the disks."""

from __future__ import annotations

import os
import pwd
import shutil
import stat
from pathlib import Path

from sidecar.config import Settings
from sidecar.doctor.finding import Verdict, fault, good, skipped, warning, worst

#: Less free space than this stops sessions; the same figure as in `/health`.
_LEAST_FREE = 200 << 20
#: Less than this may last for days only.
_LITTLE_FREE = 1 << 30
#: A session's home and workspace are some hundred files, and what its tools install some thousand.
_LEAST_INODES = 10_000

#: File systems whose locks and shared memory may not be what SQLite and the lock of the data directory need.
_REMOTE = frozenset(
    {"9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs", "nfs", "nfs4", "smb3", "smbfs"}
)


def check_env_file(path: Path) -> Verdict:
    """Look who may read the file of settings, which holds secrets."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return good("there is none here; settings come from the environment")
    place = path.absolute()
    if mode & stat.S_IRWXO:
        return fault(f"every account of this host may use {place} and the secrets in it", f"chmod o= {place}")
    if mode & stat.S_IWGRP:
        return warning(f"a group may change {place}", f"chmod g-w {place}")
    return good(f"{place} is closed to others")


def check_data_dir(folder: Path) -> Verdict:
    """Look whether the data directory is ours, private, writable and local."""
    try:
        if not os.path.lexists(folder):
            return _check_parent(folder)
        if folder.is_symlink() or not folder.is_dir():
            return fault(f"the data directory {folder} is a link or not a folder", "Set SIDECAR_DATA_DIR.")
        return worst([_check_owner(folder), _check_local(folder)])
    except PermissionError:
        return fault(
            f"this account cannot reach the data directory {folder}",
            "Let it enter the folders above, or set SIDECAR_DATA_DIR.",
        )


def _check_parent(folder: Path) -> Verdict:
    parent = next(above for above in folder.absolute().parents if above.exists())
    if not os.access(parent, os.W_OK | os.X_OK):
        return fault(
            f"the data directory {folder} does not exist, and {_who()} may not make it",
            f"As root: install -d -m 700 -o {_who()} {folder}",
        )
    return good(f"{folder} will be made at the first start")


def _check_owner(folder: Path) -> Verdict:
    status = folder.stat()
    if status.st_uid != os.geteuid():
        return fault(
            f"the data directory {folder} belongs to another account than {_who()}",
            f"If all in it is the service's, as root: chown -R {_who()} {folder}",
        )
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return fault(
            f"the data directory {folder} cannot be written",
            f"chmod 700 {folder}, and see with `findmnt -T {folder}` whether its disk is mounted read-only.",
        )
    if status.st_mode & 0o077:
        return warning(f"other accounts may enter the data directory {folder}", f"chmod 700 {folder}")
    return good(f"{folder} is ours, private and writable")


def _check_local(folder: Path) -> Verdict:
    kind = _file_system(folder.resolve())
    if kind in _REMOTE:
        return warning(
            f"the data directory {folder} is on a network file system ({kind}), whose locks may fail",
            "Set SIDECAR_DATA_DIR to a local disk; the database may be a PostgreSQL elsewhere.",
        )
    return good(f"{folder} is on a local disk")


def _file_system(path: Path) -> str:
    """Return the type of the file system `path` is on, as the kernel names it."""
    best, kind = -1, ""
    for line in Path("/proc/self/mountinfo").read_text(errors="replace").splitlines():
        mount, _, source = line.partition(" - ")
        point = mount.split()[4].replace("\\040", " ")
        if path.is_relative_to(point) and len(point) >= best:
            best, kind = len(point), source.split()[0]
    return kind


def check_disk(data_dir: Path, settings: Settings | None) -> Verdict:
    """Look at the free space and the free file entries where we write."""
    places = {"data directory": data_dir}
    if settings is not None and settings.log_file is not None:
        places["log"] = settings.log_file.absolute().parent
    return worst([_check_room(name, place) for name, place in places.items()])


def _check_room(name: str, place: Path) -> Verdict:
    place = next(above for above in (place.absolute(), *place.absolute().parents) if above.exists())
    try:
        free, entries = shutil.disk_usage(place).free, os.statvfs(place)
    except OSError as error:
        return skipped(f"the disk of the {name} cannot be examined: {error.strerror}")
    told = f"the disk of the {name} has {free >> 20} MiB free"
    if free < _LEAST_FREE:
        return fault(told, f"Free some space: `du -xh {place} | sort -h | tail` shows what is large.")
    # File systems without a fixed number of entries say 0.
    if entries.f_files and entries.f_favail < _LEAST_INODES:
        return fault(
            f"the disk of the {name} has room for {entries.f_favail} more files only",
            f"Remove files: `du -x --inodes {place} | sort -n | tail` shows where many are.",
        )
    if free < _LITTLE_FREE:
        return warning(told, "Plan more space; OUTPUT_RETENTION_TOTAL limits what is kept.")
    return good(told)


def _who() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())
