"""What a confined child may see and use, as frozen values, and what confines it."""

from __future__ import annotations

import os
import resource
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from uuid import UUID

from sidecar.errors import CliUnavailable, IsolationUnavailable, StartFailed

#: Open files per process: the CLI watches files, and 1024 is too few for a large repository.
OPEN_FILES = 8192


@dataclass(frozen=True)
class Limits:
    """What one session may use at most.

    Memory is counted per process: only control groups count a whole tree, and an ordinary account has none.
    """

    #: Private writable memory of each process (RLIMIT_DATA). Not its address space: the CLI's engine reserves far
    #: more of that than it uses. The CLI 2.1.329 does not start below about 1 GB, and adapts to what it is given.
    memory_bytes: int
    #: Processes and threads of the session together. Not kept without a namespace (see `NoIsolation`).
    processes: int
    #: Size of any one file.
    file_bytes: int
    #: Size of the private /tmp, and again of /dev/shm. It is memory, beside `memory_bytes`.
    scratch_bytes: int

    def prlimit(self, *, processes: bool = True) -> tuple[str, ...]:
        """Return the options of the program prlimit, never above what this process itself may have."""
        options = [
            _option("data", resource.RLIMIT_DATA, self.memory_bytes),
            _option("fsize", resource.RLIMIT_FSIZE, self.file_bytes),
            _option("nofile", resource.RLIMIT_NOFILE, OPEN_FILES),
            "--core=0",
        ]
        if processes:
            options.append(_option("nproc", resource.RLIMIT_NPROC, self.processes))
        return tuple(options)


def _option(name: str, kind: int, wanted: int) -> str:
    # Asking for more than the own hard limit is refused by the kernel, and the child would not start at all.
    hard = resource.getrlimit(kind)[1]
    return f"--{name}={wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)}"


@dataclass(frozen=True)
class Confinement:
    """One session's own home and workspace, the program file it runs, and its limits; paths are the host's."""

    session_id: UUID
    home: Path
    workspace: Path
    executable: Path
    limits: Limits

    def program(self) -> Path:
        """Return the executable with every link resolved: only this file is shown to the child.

        Raises:
            CliUnavailable: it is missing or not a file.
        """
        try:
            path = self.executable.resolve(strict=True)
        except (OSError, RuntimeError) as error:
            raise CliUnavailable(f"{self.executable.name} is missing.") from error
        if not path.is_file():
            raise CliUnavailable(f"{self.executable.name} is not a file.")
        return path

    def check_folders(self) -> None:
        """Make sure that home and workspace are folders of ours and no links.

        Raises:
            StartFailed: one is not.
        """
        for name, path in (("home", self.home), ("workspace", self.workspace)):
            if path.is_symlink() or not path.is_dir() or path.stat().st_uid != os.geteuid():
                raise StartFailed(f"The session's {name} is not a folder of the service.")


@dataclass(frozen=True)
class Launch:
    """What to spawn: the whole command line (it holds no secret) and the host folder to start in."""

    argv: tuple[str, ...]
    cwd: Path


@dataclass(frozen=True)
class View:
    """A confinement's paths as the child sees them."""

    home: Path
    workspace: Path
    executable: Path


class Isolation(Protocol):
    """A way of confining a child. It starts nothing but its own check; the terminal spawns what it returns."""

    @property
    def name(self) -> str:
        """Return the value of the setting `ISOLATION` that means this one."""

    def check(self) -> None:
        """Try it for real.

        Raises:
            IsolationUnavailable: it does not work here; the text says why and what to do.
        """

    def view(self, confinement: Confinement) -> View:
        """Return where the child finds its home, its workspace and the program."""

    def launch(self, confinement: Confinement, command: Sequence[str]) -> Launch:
        """Return how to run `command`, which is in terms of the `view`, confined.

        The environment is inherited from whoever spawns it; it must already be the child's allow-list.

        Raises:
            IsolationUnavailable: this process is root, or a needed program is missing.
            StartFailed: the home or workspace is a link, missing, or not ours.
            CliUnavailable: the executable is missing.
        """


def refuse_root() -> None:
    """Make sure that this process, whose children keep its uid, is not root.

    Raises:
        IsolationUnavailable: it is.
    """
    if 0 in (os.getuid(), os.geteuid()):
        raise IsolationUnavailable(
            "Sessions never run as root. Start the service as an ordinary account, or as root with SIDECAR_USER set."
        )
