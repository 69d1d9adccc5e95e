"""`claude-sidecar rotate-keys`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sidecar.cli import account
from sidecar.cli.form import command
from sidecar.errors import Conflict
from sidecar.records import Records
from sidecar.sessions.ownership import Ownership
from sidecar.storage.kinds import KINDS, Kind
from sidecar.storage.rotation import Rotation, Tally
from sidecar.vault.cipher import key_id

if TYPE_CHECKING:
    from sidecar.cli.form import Commands

_ABOUT = """\
Re-encrypt everything that is stored under the newest encryption key, and make a new pair of keys for sealing users'
keys. The service goes on meanwhile, and so do its sessions. To change the encryption key:

  1. Put the new key in front:    ENCRYPTION_KEY=new,old    (openssl rand -hex 32 makes one)
  2. Reload the service: SIGHUP to its main process if the key stands in .env, else a restart. Then run:
       claude-sidecar rotate-keys
  3. When it says that the old key is needed no more, take it out:    ENCRYPTION_KEY=new
     and reload again.

Where several services share one database, reload all of them first. The command may be stopped and run again at any
time: it goes on where it was. Keep the old key as long as you keep backups from before.
"""


def add(commands: Commands) -> None:
    """Add the command."""
    command(commands, "rotate-keys", "re-encrypt what is stored under the newest key", _rotate, _ABOUT)


def _rotate(_: argparse.Namespace) -> int:
    with account.records() as records:
        _require_same_key(records)
        rotation = Rotation(
            records.database, records.cipher, records.clock, lambda: _require_same_key(records)
        )
        tallies = [_run(rotation, kind) for kind in KINDS]
        records.keyring.rotate()
        print(
            "Users' keys are sealed to a new pair of keys from now on; the old pair opens for two days more."
        )
        return _conclude(records, tallies)


def _require_same_key(records: Records) -> None:
    """Make sure that a running service reads what is re-encrypted, and does not go on writing under an old key.

    Raises:
        Conflict: it does not have our newest key in front.
    """
    ownership = Ownership(records.settings.data_dir, records.clock)
    newest = records.cipher.key_ids[0]
    if not ownership.held():
        return
    published = ownership.published()
    if not published:
        raise Conflict(
            "The service is starting or ending, or another command is at work: try again in a minute."
        )
    if published[0] != newest:
        raise Conflict(
            f"The running service encrypts with the key {published[0]}, the newest of ENCRYPTION_KEY here is {newest}: "
            "reload the service first (SIGHUP or a restart), so that both have the same keys."
        )


def _run(rotation: Rotation, kind: Kind) -> Tally:
    tally = Tally(kind.name)
    for tally in rotation.run(kind):
        told = f"{kind.name}: {tally.seen} looked at, {tally.changed} re-encrypted"
        print(told, file=sys.stderr, flush=True)
    print(f"{kind.name}: {tally.changed} of {tally.seen} re-encrypted")
    return tally


def _conclude(records: Records, tallies: Sequence[Tally]) -> int:
    known, newest = records.cipher.key_ids, records.cipher.key_ids[0]
    lost = [
        (tally.kind, key_id(token), count) for tally in tallies for token, count in tally.unopened.items()
    ]
    for kind, key, count in lost:
        why = (
            "they are damaged" if key in known else "ENCRYPTION_KEY lacks it: put it back, behind the newest"
        )
        print(f"{kind}: {count} cannot be opened. They name the key {key}; {why}.", file=sys.stderr)
    changed = sum(tally.changed for tally in tallies)
    records.trail.note("vault.rotate", key=newest, changed=changed, unopened=sum(item[2] for item in lost))
    if not lost:
        print(f"Everything is under the key {newest}; ENCRYPTION_KEY needs no other.")
    return 1 if lost else 0
