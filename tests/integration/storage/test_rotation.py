"""Going through all sealed rows, and re-encrypting what is under an old key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import LargeBinary, delete, insert, select, update

from sidecar.errors import Conflict, DecryptionFailed, StorageUnavailable
from sidecar.storage.database import Database
from sidecar.storage.kinds import KINDS, Kind
from sidecar.storage.outputs import OutputStore
from sidecar.storage.rotation import Rotation, Tally
from sidecar.storage.sessions import SessionStore
from sidecar.storage.tables import answers, credentials, metadata, sealing_keys
from sidecar.vault.cipher import Cipher
from tests.fakes.clock import FakeClock
from tests.integration.storage.samples import NOON, a_chunk, a_session

OLD, NEW, FOREIGN = Cipher([b"o" * 32]), Cipher([b"n" * 32]), Cipher([b"f" * 32])
BOTH = Cipher([b"n" * 32, b"o" * 32])
BY_TABLE = {kind.sealed.table.name: kind for kind in KINDS}
CREDENTIALS = BY_TABLE["credentials"]


def nothing() -> None:
    """Guard nothing."""


def rotated(database: Database, kind: Kind = CREDENTIALS, cipher: Any = BOTH, **more: Any) -> Tally:
    """Rotate one kind to its end, and return the last tally."""
    rotation = Rotation(database, cipher, more.get("clock", FakeClock()), more.get("guard", nothing))
    return [Tally(kind.name), *rotation.run(kind)][-1]


def fill(database: Database, count: int, cipher: Cipher = OLD) -> list[UUID]:
    """Store credentials of Ann, and return their ids."""
    ids = [uuid4() for _ in range(count)]
    rows = [
        {
            "id": each,
            "user_id": "ann",
            "hint": "",
            "created_at": NOON,
            "sealed": cipher.encrypt(str(each).encode(), CREDENTIALS.purpose(each, "ann")),
        }
        for each in ids
    ]
    with database.transaction() as connection:
        connection.execute(insert(credentials), rows)
    return ids


def tokens(database: Database, kind: Kind = CREDENTIALS) -> dict[str, bytes]:
    """Return the tokens of a kind by their purposes."""
    query = select(kind.sealed, *kind.bound).where(kind.sealed.is_not(None))
    with database.reading() as connection:
        rows = connection.execute(query).all()
    return {kind.purpose(*row[1:]): bytes(row[0]) for row in rows}


def opened(database: Database, kind: Kind = CREDENTIALS, cipher: Cipher = NEW) -> list[bytes]:
    return sorted(cipher.decrypt(token, bound) for bound, token in tokens(database, kind).items())


def one_of_each(database: Database) -> None:
    """Store a row of every kind under the old key."""
    session = a_session()
    sealed = OLD.encrypt(b"of a session", BY_TABLE["sessions"].purpose(session.id))
    SessionStore(database).add(session, max_per_user=9, max_total=9, sealed_credential=sealed)
    SessionStore(database).add(a_session(), max_per_user=9, max_total=9)
    OutputStore(database, OLD).append(
        [(session.id, a_chunk(0, b"out")), (session.id, a_chunk(3, b"put"))], NOON
    )
    fill(database, 1)
    with database.transaction() as connection:
        private = OLD.encrypt(b"private", BY_TABLE["sealing_keys"].purpose("a-kid"))
        connection.execute(insert(sealing_keys).values(kid="a-kid", created_at=NOON, private=private))
        sealed = OLD.encrypt(b"answer", BY_TABLE["answers"].purpose("ann", "a:b"))
        connection.execute(insert(answers).values(user_id="ann", key="a:b", created_at=NOON, sealed=sealed))


def test_every_column_of_bytes_is_a_hash_or_has_its_kind() -> None:
    found = {
        str(column)
        for table in metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary) and "digest" not in column.name
    }

    assert found == {str(kind.sealed) for kind in KINDS}


def test_every_kind_is_re_encrypted_and_opens_under_the_new_key_alone(database: Database) -> None:
    one_of_each(database)
    before = {kind.name: opened(database, kind, OLD) for kind in KINDS}

    tallies = [rotated(database, kind) for kind in KINDS]

    assert {kind.name: opened(database, kind, NEW) for kind in KINDS} == before
    assert all(tally.seen == tally.changed == len(before[tally.kind]) > 0 for tally in tallies)
    assert not any(tally.unopened for tally in tallies)


def test_more_rows_than_fit_a_page_are_all_found_in_any_mixture(database: Database) -> None:
    old = [id_ for _ in range(3) for id_ in (fill(database, 400), fill(database, 50, NEW))[0]]
    new = set(tokens(database).values())

    tally = rotated(database)

    assert (tally.seen, tally.changed) == (1350, len(old))
    assert len(opened(database)) == 1350
    assert len(new & set(tokens(database).values())) == 150


def test_a_second_run_changes_nothing(database: Database) -> None:
    fill(database, 20)
    rotated(database)
    before = tokens(database)

    assert rotated(database).changed == 0
    assert tokens(database) == before


def test_nothing_stored_is_nothing_to_do(database: Database) -> None:
    assert rotated(database) == Tally(CREDENTIALS.name)


def test_large_output_is_cut_into_transactions_by_its_size(
    database: Database, sessions: SessionStore
) -> None:
    session = a_session()
    sessions.add(session, max_per_user=9, max_total=9)
    size = 1 << 20
    chunks = [(session.id, a_chunk(place * size, bytes([place]) * size)) for place in range(10)]
    OutputStore(database, OLD).append(chunks, NOON)
    guards: list[int] = []

    tally = rotated(database, BY_TABLE["outputs"], guard=lambda: guards.append(1))

    assert (tally.changed, len(guards)) == (10, 4)
    read = OutputStore(database, NEW).read(session.id, 3 * size, size)
    assert read is not None
    assert read.data == b"\3" * size


class Meddling:
    """A cipher beside which somebody else changes rows, between our reading and our writing."""

    newest = BOTH.newest

    def __init__(self, act: Callable[[], object]) -> None:
        self._act = act

    def encrypt(self, plaintext: bytes, purpose: str) -> bytes:
        return BOTH.encrypt(plaintext, purpose)

    def decrypt(self, token: bytes, purpose: str) -> bytes:
        self._act()
        return BOTH.decrypt(token, purpose)


def test_a_row_somebody_changed_meanwhile_keeps_the_change(database: Database) -> None:
    (only,) = fill(database, 1)
    theirs = NEW.encrypt(b"theirs", CREDENTIALS.purpose(only, "ann"))

    def change() -> None:
        with database.transaction() as connection:
            connection.execute(update(credentials).values(sealed=theirs))

    tally = rotated(database, cipher=Meddling(change))

    assert (tally.seen, tally.changed) == (1, 0)
    assert list(tokens(database).values()) == [theirs]


@pytest.mark.parametrize("change", [delete(credentials), update(credentials).values(sealed=None)], ids=str)
def test_a_row_somebody_removed_meanwhile_does_not_come_back(database: Database, change: Any) -> None:
    fill(database, 3)

    def remove() -> None:
        with database.transaction() as connection:
            connection.execute(change)

    tally = rotated(database, cipher=Meddling(remove))

    assert (tally.changed, dict(tally.unopened)) == (0, {})
    assert tokens(database) == {}


def test_rows_that_do_not_open_stay_as_they_are_and_are_counted_by_their_key(database: Database) -> None:
    fill(database, 2)
    fill(database, 3, FOREIGN)
    (damaged,) = fill(database, 1)
    with database.transaction() as connection:
        torn = OLD.newest + b"damaged"
        connection.execute(update(credentials).where(credentials.c.id == damaged).values(sealed=torn))

    tally = rotated(database)

    assert (tally.seen, tally.changed) == (6, 2)
    assert dict(tally.unopened) == {FOREIGN.newest: 3, OLD.newest: 1}
    kept = [token for token in tokens(database).values() if token.startswith(FOREIGN.newest)]
    assert len(kept) == 3


def test_a_token_moved_to_another_row_is_not_made_good(database: Database) -> None:
    first, second = fill(database, 2)
    moved = tokens(database)[CREDENTIALS.purpose(first, "ann")]
    with database.transaction() as connection:
        connection.execute(update(credentials).where(credentials.c.id == second).values(sealed=moved))

    tally = rotated(database)

    assert (tally.changed, tally.unopened.total()) == (1, 1)
    with pytest.raises(DecryptionFailed):
        BOTH.decrypt(moved, CREDENTIALS.purpose(second, "ann"))


def test_the_guard_ends_it_before_anything_more_is_written(database: Database) -> None:
    fill(database, 500)
    calls: list[int] = []

    def guard() -> None:
        calls.append(1)
        if len(calls) > 1:
            raise Conflict

    with pytest.raises(Conflict):
        rotated(database, guard=guard)

    turned = [token.startswith(NEW.newest) for token in tokens(database).values()]
    assert (turned.count(True), turned.count(False)) == (200, 300)


class Reopening(FakeClock):
    """A clock during whose pauses the database comes back."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self._database = database

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        self._database.open()


def test_a_database_that_is_away_for_a_moment_is_waited_for(database: Database) -> None:
    fill(database, 300)

    tally = rotated(database, clock=Reopening(database), guard=database.close)

    assert tally.changed == 300


def test_a_database_that_stays_away_ends_it(database: Database) -> None:
    fill(database, 3)
    clock = FakeClock()

    with pytest.raises(StorageUnavailable):
        rotated(database, clock=clock, guard=database.close)

    assert 1 < clock.monotonic() < 30
    database.open()
