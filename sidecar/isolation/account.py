"""The account the service runs as: root is given up before anything else is done."""

from __future__ import annotations

import ctypes
import os
import pwd
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

from sidecar.errors import ConfigurationError

_PR_SET_DUMPABLE = 4
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x20080522

_TEST_TIMEOUT_S = 10


def drop_root(account: str, data_dir: Path | None, readable: Sequence[Path]) -> None:
    """Become `account` for good when started as root; otherwise stay who we are. Then `conceal`.

    Call it before there is a second thread. `data_dir` is made if missing and given to the account; its contents
    never are; a program that keeps nothing has none. `readable` are the files and folders the account has to read, and run where they can be run.
    "No new privileges" is not set here: it would break a setuid bwrap. Every child gets it from its isolation.

    Raises:
        ConfigurationError: no such account, it is root, it cannot read a path, or the data directory is another's.
    """
    if os.geteuid() == 0:
        entry = _entry(account)
        if data_dir is not None:
            _give(data_dir, entry)
        for path in (*readable, *([data_dir] if data_dir else ())):
            _check_readable(path, entry)
        _become(entry)
        _check_dropped()
    conceal()


def conceal() -> None:
    """Hide this process's memory and environment from other processes of the account, also in /proc.

    A new program starts without it, so call it again after `exec`; a fork keeps it.
    """
    _prctl(_PR_SET_DUMPABLE, 0)


def _entry(account: str) -> pwd.struct_passwd:
    try:
        entry = pwd.getpwnam(account)
    except KeyError as error:
        raise ConfigurationError(
            f"The account {account} (SIDECAR_USER) does not exist. Run `make setup`, or "
            f"`useradd --system --shell /usr/sbin/nologin {account}`."
        ) from error
    if entry.pw_uid == 0:
        raise ConfigurationError(f"SIDECAR_USER is {account}, which is root. Choose an ordinary account.")
    return entry


def _give(folder: Path, entry: pwd.struct_passwd) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"The data directory {folder} cannot be made: {error.strerror}. Choose another SIDECAR_DATA_DIR."
        ) from error
    # Through a descriptor: nobody can swap the folder for a link between looking and giving.
    try:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise ConfigurationError(f"The data directory {folder} is a link or not a folder.") from error
    try:
        _give_open(fd, folder, entry)
    finally:
        os.close(fd)


def _give_open(fd: int, folder: Path, entry: pwd.struct_passwd) -> None:
    if os.fstat(fd).st_uid != entry.pw_uid:
        if os.listdir(fd):
            raise ConfigurationError(
                f"The data directory {folder} has files of another account. Choose an empty one, or if all in it "
                f"is the service's: `chown -R {entry.pw_name} {folder}`."
            )
        _change(folder, os.fchown, fd, entry.pw_uid, entry.pw_gid)
    _change(folder, os.fchmod, fd, 0o700)


def _change(folder: Path, change: Callable[..., None], *arguments: int) -> None:
    try:
        change(*arguments)
    except OSError as error:
        raise ConfigurationError(
            f"The data directory {folder} cannot be given to the account: {error.strerror}. Make its file system "
            "writable, or choose another SIDECAR_DATA_DIR."
        ) from error


def _check_readable(path: Path, entry: pwd.struct_passwd) -> None:
    if not path.exists():
        raise ConfigurationError(f"{path} does not exist.")
    for folder in reversed(path.resolve().parents):
        if not _may("-x", folder, entry):
            raise ConfigurationError(
                f"The account {entry.pw_name} cannot reach {path}: it may not enter {folder}. Run `make setup`, or "
                f"`setfacl -m u:{entry.pw_name}:x {folder}`."
            )
    runs = path.is_dir() or bool(path.stat().st_mode & 0o111)
    if not (_may("-r", path, entry) and (not runs or _may("-x", path, entry))):
        rights = "rx" if runs else "r"
        raise ConfigurationError(
            f"The account {entry.pw_name} cannot read {path}. Run `setfacl -m u:{entry.pw_name}:{rights} {path}`."
        )


def _may(right: str, path: Path, entry: pwd.struct_passwd) -> bool:
    # Asked of the kernel by a process of that account, because modes alone do not tell (ACLs, mounts, links).
    done = subprocess.run(
        ["/usr/bin/test", right, str(path)],
        user=entry.pw_uid,
        group=entry.pw_gid,
        extra_groups=os.getgrouplist(entry.pw_name, entry.pw_gid),
        env={},
        cwd="/",
        timeout=_TEST_TIMEOUT_S,
        check=False,
    )
    return done.returncode == 0


def _become(entry: pwd.struct_passwd) -> None:
    # Groups while we may still set them, the user last.
    os.initgroups(entry.pw_name, entry.pw_gid)
    os.setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid)
    os.setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid)
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    _clear_capabilities()


def _clear_capabilities() -> None:
    # The change of user clears all but the inheritable set, which a container's manager may have filled.
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _call("capset", header, (ctypes.c_uint32 * 6)())


def _check_dropped() -> None:
    try:
        os.setresuid(0, 0, 0)
    except PermissionError:
        return
    raise ConfigurationError(
        "Root could not be given up: it can be had back. The service does not start like this."
    )


def _prctl(option: int, value: int) -> None:
    zero = ctypes.c_ulong(0)
    _call("prctl", ctypes.c_int(option), ctypes.c_ulong(value), zero, zero, zero)


def _call(name: str, *arguments: object) -> None:
    library = ctypes.CDLL(None, use_errno=True)
    if getattr(library, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise ConfigurationError(f"{name} failed: {os.strerror(number)}.")
