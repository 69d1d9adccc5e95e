"""One process owns a data directory."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

from sidecar.clock import Clock
from sidecar.errors import DataDirectoryInUse

#: A reload starts the new worker before the old one has put its sessions to sleep: up to 30 s for slow clients, and
#: as long again where programs do not end or the database hangs. If this time is up, the whole service ends.
_PATIENCE_S = 90.0
_ATTEMPT_S = 0.1


class Ownership:
    """A lock on the data directory that the kernel releases when the process dies, however it dies."""

    def __init__(self, data_dir: Path, clock: Clock) -> None:
        """Lock nothing yet."""
        self._path = data_dir / "lock"
        self._keys = data_dir / "keys"
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
        self._keys.unlink(missing_ok=True)  # of one that was killed

    def publish(self, key_ids: Sequence[str]) -> None:
        """Let others know which encryption keys the owner works with, newest first; names only."""
        fresh = self._keys.with_name("keys.new")
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.writelines(f"{key_id}\n" for key_id in key_ids)
        fresh.replace(self._keys)

    def published(self) -> Sequence[str]:
        """Return the encryption keys the present owner works with; none while it starts, or if it is no service."""
        try:
            return self._keys.read_text().split()
        except FileNotFoundError:
            return ()

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
            self._keys.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
