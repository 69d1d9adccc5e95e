"""The parts of the host a sandbox shows, as bubblewrap's options. Each one costs the start about 0.1 ms."""

from __future__ import annotations

import os
from pathlib import Path

#: Top-level names that are links into /usr on a merged system and folders on an older one.
_SYSTEM = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")

#: What programs need of /etc. Left out on purpose: everything that can hold a secret or a host's own ways
#: (/etc/ssl/private, gitconfig, npmrc, pip.conf, environment, profile, ssh, machine-id).
_ETC = (
    "alternatives",
    "gai.conf",
    "host.conf",
    "ld.so.cache",
    "localtime",
    "nsswitch.conf",
    "os-release",
    "protocols",
    "resolv.conf",
    "services",
    "ssl/certs",
    "ssl/openssl.cnf",
)

#: Sockets and pid files of a session's own programs.
_RUN_BYTES = 16 * 1024 * 1024


def system(root: Path = Path("/")) -> list[str]:
    """Return the options for /usr, its top-level links, and the needed parts of /etc, all read-only."""
    words = ["--ro-bind", str(root / "usr"), "/usr"]
    for name in _SYSTEM:
        path = root / name
        if path.is_symlink():
            words += ["--symlink", str(path.readlink()), f"/{name}"]
        elif path.is_dir():
            words += ["--ro-bind", str(path), f"/{name}"]
    for name in _ETC:
        words += _etc(root, name)
    return words


def _etc(root: Path, name: str) -> list[str]:
    path = root / "etc" / name
    try:
        real = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return []
    if path.is_symlink() and real.is_relative_to(root / "usr"):
        # A link is cheaper than a mount, and the name it points to tells programs the time zone.
        return ["--symlink", f"/{real.relative_to(root)}", f"/etc/{name}"]
    return ["--ro-bind", str(real), f"/etc/{name}"]


def scratch(size_bytes: int) -> list[str]:
    """Return the options for own /proc, /dev, /tmp, /var/tmp and /run; what can be written to is bounded."""
    return [
        *("--proc", "/proc"),
        *("--dev", "/dev"),
        *_tmpfs("/dev/shm", size_bytes),  # noqa: S108  the sandbox's own
        *("--remount-ro", "/dev"),
        *_tmpfs("/tmp", size_bytes),  # noqa: S108
        *("--symlink", "/tmp", "/var/tmp"),  # noqa: S108
        *_tmpfs("/run", min(size_bytes, _RUN_BYTES)),
    ]


def _tmpfs(path: str, size_bytes: int) -> list[str]:
    return ["--perms", "1777", "--size", str(size_bytes), "--tmpfs", path]


def within_system(path: Path) -> bool:
    """Tell whether every sandbox would see `path`, because it lies in a folder that all of them see."""
    return Path(os.path.realpath(path)).is_relative_to("/usr")
