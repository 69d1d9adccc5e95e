"""One process owns a data directory."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from sidecar.clock import Clock
from sidecar.errors import DataDirectoryInUse

#: A reload starts the new worker before the old one has put its sessions to sleep.
_PATIENCE_S = 40.0
_ATTEMPT_S = 0.1


class Ownership:
    """A lock on the data directory that the kernel releases when the process dies, however it dies."""

    def __init__(self, data_dir: Path, clock: Clock) -> None:
        """Lock nothing yet."""
        self._path = data_dir / "lock"
        self._clock = clock
        self._descriptor = -1

    def acquire(self, patience_s: float = _PATIENCE_S) -> None:
        """Take the lock, waiting for a predecessor that is ending.

        Raises:
            DataDirectoryInUse: somebody else holds it and does not end.
        """
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = self._clock.monotonic() + patience_s
        while not _locked(descriptor):
            if self._clock.monotonic() >= deadline:
                os.close(descriptor)
                raise DataDirectoryInUse(
                    "Another process uses this data directory. Run one service, with one worker, per SIDECAR_DATA_DIR."
                )
            self._clock.sleep(_ATTEMPT_S)
        self._descriptor = descriptor

    def held(self) -> bool:
        """Tell whether another process, normally the running service, owns the data directory; makes no file."""
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            # For an instant a service that starts would see it taken; it tries again.
            return not _locked(descriptor)
        finally:
            os.close(descriptor)

    def release(self) -> None:
        """Give the lock back."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
