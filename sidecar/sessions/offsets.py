"""Reserving output offsets ahead, so that none is given out twice, whatever happens."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from sidecar.errors import NotFound, StorageUnavailable
from sidecar.model.session import Session
from sidecar.storage.sessions import SessionStore

#: Bytes reserved ahead. After a crash the unused rest counts as dropped, so it should not be large; a program
#: that prints 25 MB/s uses it up in a sixth of a second, so not small either.
WINDOW = 4 << 20


class Offsets:
    """Reserve in storage, or in a file while storage is away."""

    def __init__(self, store: SessionStore, folder: Path) -> None:
        """Keep the files in `folder`."""
        self._store = store
        self._folder = folder

    def reserve(self, session_id: UUID, end: int) -> int:
        """Reserve beyond `end` and return the offset below which bytes may be given out; 0 if it could not be."""
        limit = end + WINDOW
        try:
            self._store.reserve(session_id, limit)
        except NotFound:
            return limit  # the row is gone; nobody will read it after a crash
        except StorageUnavailable:
            return limit if self._note(session_id, limit) else 0
        return limit

    def following(self, session: Session) -> int:
        """Return the offset at which a stored session's output goes on: above any that was ever given out."""
        if session.state.ended:
            return session.output_offset
        return max(session.output_offset, session.reserved_offset, self.noted(session.id))

    def noted(self, session_id: UUID) -> int:
        """Return what was reserved while storage was away; 0 if nothing."""
        try:
            return int((self._folder / str(session_id)).read_text())
        except (OSError, ValueError):
            return 0

    def forget(self, session_id: UUID) -> None:
        """Drop the note of a session that has ended."""
        with suppress(FileNotFoundError):
            (self._folder / str(session_id)).unlink()

    def _note(self, session_id: UUID, limit: int) -> bool:
        """Overwrite in place: on a full disk an existing file can still be written, a new one cannot be made."""
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            descriptor = os.open(
                self._folder / str(session_id), os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
            with os.fdopen(descriptor, "wb") as file:
                file.write(b"%020d" % limit)
        except OSError:
            return False
        return True
