"""`claude-sidecar migrate`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from sidecar.cli import account
from sidecar.cli.form import command
from sidecar.clock import SystemClock
from sidecar.config import Settings
from sidecar.errors import DataDirectoryInUse
from sidecar.sessions.ownership import Ownership
from sidecar.storage.database import Database
from sidecar.storage.migrations import revisions

if TYPE_CHECKING:
    from sidecar.cli.form import Commands

_ABOUT = """\
Bring the schema of the database to the newest version this program knows; all of it or nothing. The next start of
the service does the same, so this is for seeing it done, or done beforehand, with the service stopped. There is no
way back: make a backup first.

  claude-sidecar migrate --check    # says what would be done; the exit status is 1 if there is anything
  claude-sidecar migrate
"""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = command(
        commands, "migrate", "bring the database's schema to the newest version", _migrate, _ABOUT
    )
    parser.add_argument("--check", action="store_true", help="change nothing; exit with 1 if it would")


def _migrate(parsed: argparse.Namespace) -> int:
    settings = account.become()
    database = Database(settings.database_url)
    if parsed.check:
        return _check(database)
    ownership = Ownership(settings.data_dir, SystemClock())
    _take(ownership, settings)
    try:
        return _upgrade(database)
    finally:
        ownership.release()


def _check(database: Database) -> int:
    # Opening an SQLite database would make its file.
    if database.file is not None and not database.file.exists():
        print(f"The database is yet to be made, with schema {revisions()[-1]}.")
        return 1
    database.open()
    try:
        outdated = database.outdated()
        print(_outlook(database.revision()) if outdated else f"The schema is the newest: {revisions()[-1]}.")
        return int(outdated)
    finally:
        database.close()


def _outlook(revision: str | None) -> str:
    return f"The schema would be changed: {revision or 'none'} → {revisions()[-1]}."


def _take(ownership: Ownership, settings: Settings) -> None:
    """Keep the service from starting meanwhile, or find that it runs."""
    try:
        ownership.acquire(0)
    except DataDirectoryInUse:
        raise DataDirectoryInUse(
            f"The service runs on {settings.data_dir}. It brought the schema up to date when it started; to migrate for a "
            "newer version, stop it first."
        ) from None


def _upgrade(database: Database) -> int:
    database.open()
    try:
        before = database.revision()
        database.migrate()
        after = database.revision()
    finally:
        database.close()
    print(
        f"The schema is the newest: {after}." if before == after else f"Schema {before or 'none'} → {after}."
    )
    return 0
