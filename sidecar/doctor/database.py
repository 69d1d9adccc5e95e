"""The database: whether it answers, its schema, its rows, and the keys they are sealed with."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta

from sidecar.clock import Clock
from sidecar.config import Settings
from sidecar.doctor.finding import Verdict, fault, good, skipped, warning
from sidecar.errors import ConfigurationError, DecryptionFailed, StorageUnavailable
from sidecar.storage.database import Database
from sidecar.storage.inspection import Inspection, Sample
from sidecar.vault.cipher import Cipher, key_id

#: PostgreSQL 13, the oldest the tests were run with.
_LEAST_SERVER = 130000
#: Clocks of two hosts that differ by more than this are not set by the same source.
_SKEW = timedelta(seconds=30)
#: A stored time may lie a moment ahead: another sidecar's clock, or one that was corrected.
_AHEAD = timedelta(seconds=60)

#: Part of what a driver says, and what mends it.
_MENDS = {
    "refused": "Start the database server, or correct the host and port in DATABASE_URL or DB_HOST and DB_PORT.",
    "timeout": "Correct the host in DATABASE_URL or DB_HOST; a firewall may drop the connection.",
    "resolve": "Correct the host's name in DATABASE_URL or DB_HOST.",
    "authentication": "Correct the account and password in DATABASE_URL or DB_USER and DB_PASSWORD.",
    "does not exist": "Create it: `createdb -O <account> <database>`, or correct DATABASE_URL or DB_NAME.",
    "not a database": "Another file is in its place, or it is damaged: restore it from a backup.",
    "malformed": "The file is damaged: restore it from a backup.",
    "unable to open": "Give the file and its folder to the service's account.",
    "readonly": "Give the file and its folder to the service's account, or mount the disk writable.",
    "full": "Free some space on the disk.",
}
_MEND = "Correct DATABASE_URL or the DB_* settings, and see that the database runs."

_NOTHING = "nothing is stored yet"


def check_database(settings: Settings) -> Verdict:
    """Look whether the database answers, and can be written."""
    try:
        file = Database(settings.database_url).file
    except ConfigurationError as error:
        return fault(error.detail, "Correct DATABASE_URL or the DB_* settings.")
    if file is not None and not file.exists():
        above = file.parent
        # The data directory itself is made at the first start.
        if above == settings.data_dir or os.access(above, os.W_OK | os.X_OK):
            return good(f"{file} will be made at the first start")
        return fault(
            f"the folder of {file} is missing or cannot be written", "Make it, or correct DATABASE_URL."
        )
    return _looking(settings, _check_answers)


def _check_answers(inspection: Inspection) -> Verdict:
    server = inspection.server()
    if server is not None and server < _LEAST_SERVER:
        return fault(
            f"PostgreSQL {server // 10000} is too old", "Upgrade the server to PostgreSQL 13 or newer."
        )
    if not inspection.writable():
        return fault(
            "the database can only be read", "Point DATABASE_URL to the primary server, not to a copy of it."
        )
    return good(f"{f'PostgreSQL {server // 10000}' if server else 'SQLite'} answers")


def check_integrity(settings: Settings) -> Verdict:
    """Let SQLite look through its file; this reads all of it."""
    return _looking(settings, _check_integrity)


def _check_integrity(inspection: Inspection) -> Verdict:
    damage = inspection.damage()
    if damage is not None:
        return fault(f"the database file is damaged: {damage}", "Stop the service and restore a backup.")
    return good("no damage found")


def check_schema(settings: Settings) -> Verdict:
    """Compare the schema with the newest this program knows."""
    return _opened(settings, _check_schema)


def _check_schema(database: Database) -> Verdict:
    revision = database.revision()
    try:
        outdated = database.outdated()
    except ConfigurationError as error:
        return fault(
            f"{error.detail} (step {revision})",
            "Install that version again, or restore the backup made before the upgrade.",
        )
    if revision is None:
        return good("the database is empty; the first start makes the schema")
    if outdated:
        return warning(
            f"the schema is older than this program (step {revision})",
            "`claude-sidecar migrate`; the next start does it too.",
        )
    return good(f"the newest, step {revision}")


def check_key(settings: Settings) -> Verdict:
    """Look at the form of the encryption keys."""
    try:
        cipher = Cipher.parse(settings.encryption_key)
    except ConfigurationError as error:
        return fault(error.detail, "`openssl rand -hex 32` makes one; keep the old ones behind it.")
    return good(f"the newest is {cipher.key_ids[0]}, of {len(cipher.key_ids)}")


def check_sealed(settings: Settings) -> Verdict:
    """Open a row of every kind that is sealed."""
    cipher = Cipher.parse(settings.encryption_key)
    return _on_rows(settings, lambda inspection: _check_sealed(inspection.samples(), cipher))


def _check_sealed(samples: list[Sample], cipher: Cipher) -> Verdict:
    closed = [sample for sample in samples if not _opens(sample, cipher)]
    if closed:
        told = ", ".join(f"{s.count} of {s.kind} (key {key_id(s.sealed)})" for s in closed)
        return fault(
            f"stored secrets cannot be opened: {told}",
            "ENCRYPTION_KEY has lost a key: put it back behind the newest one, with a comma between.",
        )
    old = sum(sample.count for sample in samples if not sample.sealed.startswith(cipher.newest))
    if old:
        return warning(
            f"all open; {old} are sealed under an older key", "`claude-sidecar rotate-keys` seals them anew."
        )
    if len(cipher.key_ids) > 1:
        return warning(
            "all open with the newest key",
            "Remove the older keys from ENCRYPTION_KEY; backups may need them.",
        )
    return good(f"all open: {sum(sample.count for sample in samples)}" if samples else _NOTHING)


def _opens(sample: Sample, cipher: Cipher) -> bool:
    try:
        cipher.decrypt(sample.sealed, sample.purpose)
    except DecryptionFailed:
        return False
    return True


def check_times(settings: Settings, clock: Clock) -> Verdict:
    """Compare our clock with the newest stored time and with the server's clock."""
    return _on_rows(settings, lambda inspection: _check_times(inspection, clock))


def _check_times(inspection: Inspection, clock: Clock) -> Verdict:
    newest, now = inspection.newest(), clock.now()
    if newest is not None and newest > now + _AHEAD:
        return fault(
            f"the clock is behind: something was stored at {newest:%Y-%m-%d %H:%M:%S} UTC, and now it is "
            f"{now:%Y-%m-%d %H:%M:%S}",
            "Set the clock: `timedatectl set-ntp true`. If it is right now and was wrong before, wait until then.",
        )
    server = inspection.time()
    if server is not None and abs(server - clock.now()) > _SKEW:
        seconds = round((server - clock.now()).total_seconds())
        return warning(
            f"the database server's clock differs from ours by {seconds} s",
            "Set both: `timedatectl set-ntp true`.",
        )
    return good("nothing was stored after now")


def _on_rows(settings: Settings, look: Callable[[Inspection], Verdict]) -> Verdict:
    def looked(database: Database) -> Verdict:
        if database.revision() is None:
            return good(_NOTHING)
        if database.outdated():
            return skipped("can be examined once the schema is the newest")
        return look(Inspection(database))

    return _opened(settings, looked)


def _looking(settings: Settings, look: Callable[[Inspection], Verdict]) -> Verdict:
    return _opened(settings, lambda database: look(Inspection(database)))


def _opened(settings: Settings, look: Callable[[Database], Verdict]) -> Verdict:
    """Open the database for one look; a file that is not there yet is not made."""
    database = Database(settings.database_url)
    if database.file is not None and not database.file.exists():
        return good(_NOTHING)
    try:
        database.open()
        return look(database)
    except StorageUnavailable as error:
        return _away(database, error)
    except ConfigurationError as error:
        return fault(error.detail, _MEND)
    finally:
        database.close()


def _away(database: Database, error: StorageUnavailable) -> Verdict:
    words = database.explain(error)
    mend = next((mend for part, mend in _MENDS.items() if part in words), _MEND)
    return fault(f"the database cannot be used: {words}", mend)
