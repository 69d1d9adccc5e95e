"""The host's own programs that confine a child."""

from __future__ import annotations

import shutil
import subprocess

from sidecar.errors import IsolationUnavailable

#: Where they are looked for: not the service's PATH, which a user's folder may be part of.
_FOLDERS = "/usr/local/bin:/usr/bin:/bin"

#: A probe takes about 10 ms; a host that needs this long cannot run sessions either.
_PROBE_TIMEOUT_S = 20

#: Added to a session's "badness": when the host's memory ends, the kernel takes a session, which can be resumed, and
#: not the service, which holds all of them.
_OOM_SCORE = 500


def first_victim() -> tuple[str, ...]:
    """Return what in front of a command makes the kernel end it before the service when memory runs out.

    Raises:
        IsolationUnavailable: choom is not installed.
    """
    return (find("choom", "util-linux"), "-n", str(_OOM_SCORE), "--")


def find(name: str, package: str) -> str:
    """Return the absolute path of a program.

    Raises:
        IsolationUnavailable: it is not installed; names the Debian package that has it.
    """
    path = shutil.which(name, path=_FOLDERS)
    if path is None:
        raise IsolationUnavailable(
            f"{name} is not installed. Install the package {package} (`make setup` does)."
        )
    return path


def probe(argv: tuple[str, ...]) -> tuple[str, str]:
    """Run a check to its end with an almost empty environment; return its output and its error text.

    Raises:
        IsolationUnavailable: it could not be run, or took too long.
    """
    try:
        done = subprocess.run(
            argv,
            env={"PATH": _FOLDERS, "LC_ALL": "C"},
            cwd="/",
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PROBE_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise IsolationUnavailable(f"{argv[0]} could not be tried: {type(error).__name__}.") from error
    return done.stdout.strip(), done.stderr.strip()
