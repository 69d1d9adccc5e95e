"""A data directory is copied, lost, and put back."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

from sidecar.model.session import SessionState
from sidecar.services import Services
from tests.fixtures.services import MakeServices
from tests.integration.sessions.driver import Driver


def continued(services: Services, session: Driver) -> Driver:
    return Driver(services, session.access, session.opened)


def test_a_copy_of_the_stopped_service_brings_everything_back(
    make_services: MakeServices, tmp_path: Path
) -> None:
    first = make_services()
    session = Driver.create(first)
    session.say("before the backup")
    first.close()
    shutil.copytree(tmp_path / "data", tmp_path / "backup")
    shutil.rmtree(tmp_path / "data")

    shutil.copytree(tmp_path / "backup", tmp_path / "data")

    again = continued(make_services(), session)
    assert again.state() is SessionState.HIBERNATED
    assert b"You said: before the backup" in again.everything()
    again.say("after it was put back")
    assert "You said: before the backup" in again.screen()


def test_a_copy_of_the_running_service_is_like_a_crash(make_services: MakeServices, tmp_path: Path) -> None:
    """As docs/operations.md says: the database by SQLite's own backup first, then the files."""
    first = make_services()
    session = Driver.create(first)
    session.say("before the backup")
    first._writer.store_all()
    backup = tmp_path / "backup"
    backup.mkdir()
    source, target = sqlite3.connect(tmp_path / "data" / "sidecar.db"), sqlite3.connect(backup / "sidecar.db")
    source.backup(target)
    source.close()
    target.close()
    for name in ("sessions", "users"):
        if (tmp_path / "data" / name).exists():
            shutil.copytree(tmp_path / "data" / name, backup / name)
    session.say("after the backup")
    first.close()
    shutil.rmtree(tmp_path / "data")

    shutil.copytree(backup, tmp_path / "data")

    again = continued(make_services(), session)
    assert again.state() is SessionState.INTERRUPTED
    assert b"You said: before the backup" in again.everything()
    assert b"after the backup" not in again.everything()
    again.say("after it was put back")
