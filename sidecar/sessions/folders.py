"""Where sessions keep their files, below the data directory."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from sidecar.errors import InvalidRequest, StorageUnavailable
from sidecar.model.session import Session, WorkspaceType


@dataclass(frozen=True)
class Rooms:
    """A session's own two folders."""

    home: Path
    workspace: Path


class Folders:
    """Make and remove the folders of sessions.

    ::

        sessions/<session id>/{home,workspace}            isolated: removed with the session
        users/<user id>/<workspace name>/{home,workspace} persistent: kept
        offsets/<session id>                              see `Offsets`
    """

    def __init__(self, data_dir: Path) -> None:
        """Use `data_dir`, which is the service's own."""
        self._data_dir = data_dir

    def rooms(self, session: Session) -> Rooms:
        """Return where the session's folders are; they need not exist."""
        place = self._place(session)
        return Rooms(place / "home", place / "workspace")

    def make(self, session: Session) -> Rooms:
        """Create the session's folders where they are missing.

        Raises:
            InvalidRequest: a link or a file stands in the place of a folder.
            StorageUnavailable: the disk is full or not writable.
        """
        rooms = self.rooms(session)
        try:
            for folder in (*reversed(rooms.home.relative_to(self._data_dir).parents), Path()):
                self._make_one(self._data_dir / folder)
            self._make_one(rooms.home)
            self._make_one(rooms.workspace)
        except OSError as error:
            raise StorageUnavailable("The data directory is full or not writable.") from error
        return rooms

    def _make_one(self, folder: Path) -> None:
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        if folder.is_symlink() or not folder.is_dir():
            raise InvalidRequest.of("workspaceName", "a link or a file stands in the place of the workspace")

    def remove(self, session: Session) -> None:
        """Remove an isolated session's files; persistent ones stay."""
        if session.workspace_type is WorkspaceType.ISOLATED:
            remove_tree(self._place(session))

    def isolated(self) -> set[UUID]:
        """Return the ids of sessions that have isolated folders."""
        found: set[UUID] = set()
        with suppress(FileNotFoundError):
            for folder in (self._data_dir / "sessions").iterdir():
                with suppress(ValueError):
                    found.add(UUID(folder.name))
        return found

    def remove_isolated(self, session_id: UUID) -> None:
        """Remove what is left of an isolated session that is not known any more."""
        remove_tree(self._data_dir / "sessions" / str(session_id))

    def _place(self, session: Session) -> Path:
        if session.workspace_type is WorkspaceType.ISOLATED:
            return self._data_dir / "sessions" / str(session.id)
        return self._data_dir / "users" / session.user_id / session.workspace_name


def remove_tree(top: Path) -> None:
    """Remove a folder a child owned: no link is followed, closed folders are opened first.

    By coreutils: the standard library's own functions recurse, and fail on a tree some thousand folders deep.
    """
    for command in (["chmod", "-R", "u+rwX", "--"], ["rm", "-rf", "--"]):
        if top.is_dir() and not top.is_symlink():
            subprocess.run([*command, str(top)], check=False, capture_output=True, stdin=subprocess.DEVNULL)
