"""Who the child is inside: the few files of /etc that must not be the host's."""

from __future__ import annotations

import os
from pathlib import Path

#: The child's numbers inside its user namespace, whatever they are outside.
UID = GID = 1000

#: The child's host name. It is also in the hosts file: git and others look their own name up, and a name server
#: that does not answer would make each of them wait for seconds.
HOSTNAME = "claude"

_PASSWD = f"""\
root:x:0:0:root:/root:/usr/sbin/nologin
claude:x:{UID}:{GID}:Claude:/home/claude:/bin/bash
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
"""

_GROUP = f"""\
root:x:0:
claude:x:{GID}:
nogroup:x:65534:
"""


class Identity:
    """Files kept in a folder of their own, because a descriptor would be closed before the sandbox reads it."""

    def __init__(self, folder: Path) -> None:
        """Remember the folder; `write` makes it."""
        self._folder = folder

    def write(self) -> None:
        """Bring the files up to date; running sandboxes keep the ones they were started with."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, text in {"passwd": _PASSWD, "group": _GROUP, "hosts": _hosts()}.items():
            self._replace(name, text)

    def _replace(self, name: str, text: str) -> None:
        path = self._folder / name
        if path.is_file() and path.read_text(encoding="utf-8", errors="replace") == text:
            return
        fresh = path.with_name(f".{name}.{os.getpid()}")
        fresh.write_text(text, encoding="utf-8")
        fresh.chmod(0o444)
        fresh.replace(path)

    def mounts(self) -> list[str]:
        """Return bubblewrap's options that show the files read-only in /etc."""
        return [
            word
            for name in ("passwd", "group", "hosts")
            for word in ("--ro-bind", str(self._folder / name), f"/etc/{name}")
        ]


def _hosts() -> str:
    try:
        host = Path("/etc/hosts").read_text(encoding="utf-8", errors="replace")
    except OSError:
        host = "127.0.0.1 localhost\n::1 localhost\n"
    return f"{host.rstrip()}\n127.0.1.1 {HOSTNAME}\n"
