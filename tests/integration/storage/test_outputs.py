"""The output store on both databases."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import func, select, update

from sidecar.errors import DecryptionFailed
from sidecar.model.output import Chunk, Mark
from sidecar.model.session import Session
from sidecar.storage.database import Database
from sidecar.storage.outputs import OutputStore
from sidecar.storage.sessions import SessionStore
from sidecar.storage.tables import outputs as outputs_table
from sidecar.storage.tables import sessions as sessions_table
from sidecar.vault.cipher import Cipher
from tests.integration.storage.samples import NOON, a_chunk, added

MIB = 1024 * 1024


def _filled(store: OutputStore, sessions: SessionStore, *chunks: Chunk) -> Session:
    session = added(sessions)
    store.append([(session.id, chunk) for chunk in chunks], NOON)
    return session


def _kept(database: Database) -> int:
    """Return the bytes in the table, after checking that the count in `sessions` agrees."""
    with database.reading() as connection:
        kept = connection.scalar(select(func.coalesce(func.sum(outputs_table.c.length), 0)))
        counted = connection.scalar(select(func.sum(sessions_table.c.stored_bytes)))
    assert kept == counted
    return int(kept or 0)


def test_five_megabytes_come_back_byte_for_byte(outputs: OutputStore, sessions: SessionStore) -> None:
    data = random.Random(7).randbytes(5 * MIB)
    session = added(sessions)
    place = 0
    sizes = random.Random(8)
    while place < len(data):
        part = data[place : place + sizes.randint(1, 200_000)]
        outputs.append([(session.id, a_chunk(place, part, at=place))], NOON)
        place += len(part)

    chunks = list(outputs.chunks(session.id))

    assert b"".join(chunk.data for chunk in chunks) == data
    assert [chunk.offset for chunk in chunks[1:]] == [chunk.end for chunk in chunks[:-1]]
    assert max(len(chunk.data) for chunk in chunks) <= MIB
    assert outputs.end(session.id) == len(data)


def test_reads_in_small_steps_give_every_byte_and_mark(outputs: OutputStore, sessions: SessionStore) -> None:
    whole = Chunk(0, b"abcdefghij", (Mark(1, 3), Mark(2, 4), Mark(3, 3)))
    tail = a_chunk(10, b"klm", at=9)
    session = _filled(outputs, sessions, whole, tail)

    parts = []
    cursor = 0
    while (part := outputs.read(session.id, cursor, 4)) is not None:
        parts.append(part)
        cursor = part.end

    assert parts == [
        Chunk(0, b"abcd", (Mark(1, 3), Mark(2, 1))),
        Chunk(4, b"efgh", (Mark(2, 3), Mark(3, 1))),
        Chunk(8, b"ijkl", (Mark(3, 2), Mark(9, 2))),
        Chunk(12, b"m", (Mark(9, 1),)),
    ]


def test_a_read_joins_rows_but_not_over_a_gap(outputs: OutputStore, sessions: SessionStore) -> None:
    session = _filled(outputs, sessions, a_chunk(0, b"ab"), a_chunk(2, b"cd"), a_chunk(100, b"xyz"))

    assert outputs.read(session.id, 1, 1000) == Chunk(1, b"bcd", (Mark(1, 1), Mark(1, 2)))
    assert outputs.read(session.id, 4, 1000) == a_chunk(100, b"xyz")
    assert outputs.read(session.id, 50, 2) == a_chunk(100, b"xy")
    assert outputs.read(session.id, 101, 1000) == a_chunk(101, b"yz")
    assert outputs.read(session.id, 103, 1000) is None


def test_chunks_go_on_behind_a_gap(outputs: OutputStore, sessions: SessionStore) -> None:
    session = _filled(outputs, sessions, a_chunk(10, b"ab"), a_chunk(500, b"cd"))

    assert list(outputs.chunks(session.id)) == [a_chunk(10, b"ab"), a_chunk(500, b"cd")]


@pytest.mark.parametrize("cursor", [2, 2**63 - 1, 2**63, 10**30])
def test_a_cursor_behind_the_end_reads_nothing(
    outputs: OutputStore, sessions: SessionStore, cursor: int
) -> None:
    session = _filled(outputs, sessions, a_chunk(0, b"ab"))

    assert outputs.read(session.id, cursor, 1000) is None


def test_offsets_near_the_largest_are_read(outputs: OutputStore, sessions: SessionStore) -> None:
    place = 2**63 - 1 - 10
    session = _filled(outputs, sessions, a_chunk(place, b"abc"))

    assert outputs.read(session.id, 0, 5) == a_chunk(place, b"abc")


def test_a_session_without_output_reads_nothing(outputs: OutputStore) -> None:
    unknown = uuid4()

    assert outputs.read(unknown, 0, 10) is None
    assert list(outputs.chunks(unknown)) == []
    assert outputs.end(unknown) == 0


def test_a_limit_below_one_is_refused(outputs: OutputStore) -> None:
    with pytest.raises(ValueError, match="limit"):
        outputs.read(uuid4(), 0, 0)


def test_a_started_stream_of_chunks_holds_nobody_up(outputs: OutputStore, sessions: SessionStore) -> None:
    session = _filled(outputs, sessions, a_chunk(0, b"a" * MIB), a_chunk(MIB, b"b"))
    stream = outputs.chunks(session.id)
    next(stream)

    for _ in range(40):
        sessions.reserve(session.id, 1)
    outputs.append([(session.id, a_chunk(MIB + 1, b"c"))], NOON)

    assert next(stream).data == b"bc"


def test_an_append_handed_over_twice_changes_nothing(
    outputs: OutputStore, sessions: SessionStore, database: Database
) -> None:
    session = _filled(outputs, sessions, a_chunk(0, b"first"))

    outputs.append([(session.id, a_chunk(0, b"other")), (session.id, a_chunk(5, b"next"))], NOON)
    outputs.append([(session.id, a_chunk(5, b"next"))], NOON)

    read = outputs.read(session.id, 0, 100)
    assert read is not None
    assert read.data == b"firstnext"
    assert _kept(database) == 9


def test_one_place_twice_in_a_batch_is_stored_once(
    outputs: OutputStore, sessions: SessionStore, database: Database
) -> None:
    session = _filled(outputs, sessions, a_chunk(0, b"first"), a_chunk(0, b"other"))

    assert outputs.read(session.id, 0, 100) == a_chunk(0, b"first")
    assert _kept(database) == 5


def test_threads_appending_the_same_batch_store_it_once(
    outputs: OutputStore, sessions: SessionStore, database: Database
) -> None:
    batch = [(added(sessions).id, a_chunk(place, b"0123456789")) for _ in range(5) for place in (0, 10, 20)]

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda _: outputs.append(batch, NOON), range(6)))

    assert _kept(database) == 150


def test_a_large_batch_is_stored_whole(
    outputs: OutputStore, sessions: SessionStore, database: Database
) -> None:
    session = _filled(outputs, sessions, *[a_chunk(place, b"x") for place in range(5000)])
    outputs.append([(session.id, a_chunk(place, b"x")) for place in range(5000)], NOON)

    assert _kept(database) == 5000
    assert outputs.read(session.id, 0, 6000) == Chunk(0, b"x" * 5000, (Mark(1, 1),) * 5000)


def test_an_append_raises_the_output_offset_and_never_lowers_it(
    outputs: OutputStore, sessions: SessionStore
) -> None:
    session = _filled(outputs, sessions, a_chunk(100, b"abc"))
    assert sessions.get(session.id).output_offset == 103

    outputs.append([(session.id, a_chunk(0, b"late"))], NOON)

    assert sessions.get(session.id).output_offset == 103


def test_output_of_deleted_sessions_does_not_hold_up_the_others(
    outputs: OutputStore, sessions: SessionStore
) -> None:
    session = added(sessions)

    outputs.append([(uuid4(), a_chunk(0, b"lost")), (session.id, a_chunk(0, b"kept"))], NOON)
    outputs.append([(uuid4(), a_chunk(0, b"lost"))], NOON)
    outputs.append([], NOON)

    assert outputs.read(session.id, 0, 10) == a_chunk(0, b"kept")


def test_an_empty_chunk_is_not_stored(outputs: OutputStore, sessions: SessionStore) -> None:
    session = _filled(outputs, sessions, Chunk(7, b"", ()))

    assert outputs.read(session.id, 0, 10) is None


def test_sessions_are_kept_apart(outputs: OutputStore, sessions: SessionStore) -> None:
    one = _filled(outputs, sessions, a_chunk(0, b"one"))
    two = _filled(outputs, sessions, a_chunk(0, b"two"))

    assert outputs.read(one.id, 0, 9) == a_chunk(0, b"one")
    assert outputs.read(two.id, 0, 9) == a_chunk(0, b"two")


def test_nothing_readable_is_stored(outputs: OutputStore, sessions: SessionStore, database: Database) -> None:
    _filled(outputs, sessions, a_chunk(0, b"a very secret line of output"))

    with database.reading() as connection:
        sealed = connection.scalar(select(outputs_table.c.sealed))
    assert sealed is not None
    assert b"secret" not in sealed


@pytest.mark.parametrize("sealed", [b"", b"garbage", b"\x01" * 100])
def test_damaged_output_is_an_error_not_garbage(
    outputs: OutputStore, sessions: SessionStore, database: Database, sealed: bytes
) -> None:
    session = _filled(outputs, sessions, a_chunk(0, b"bytes"))
    with database.transaction() as connection:
        connection.execute(update(outputs_table).values(sealed=sealed))

    with pytest.raises(DecryptionFailed):
        outputs.read(session.id, 0, 10)


def test_output_moved_to_another_place_does_not_open(
    outputs: OutputStore, sessions: SessionStore, database: Database
) -> None:
    session = _filled(outputs, sessions, a_chunk(0, b"bytes"))
    with database.transaction() as connection:
        connection.execute(update(outputs_table).values(offset=5))

    with pytest.raises(DecryptionFailed):
        outputs.read(session.id, 0, 10)


def test_output_sealed_with_an_old_key_is_read_after_rotation(
    outputs: OutputStore, sessions: SessionStore, database: Database
) -> None:
    session = _filled(outputs, sessions, a_chunk(0, b"bytes"))
    rotated = OutputStore(database, Cipher([bytes(32), bytes(range(32))]))

    assert rotated.read(session.id, 0, 10) == a_chunk(0, b"bytes")


def test_trim_leaves_the_newest_of_each_session(
    outputs: OutputStore, sessions: SessionStore, database: Database
) -> None:
    large = _filled(outputs, sessions, *[a_chunk(place, b"0123456789") for place in range(0, 100, 10)])
    small = _filled(outputs, sessions, a_chunk(0, b"0123456789"))

    deleted = outputs.trim(per_session=35, total=1000)

    assert deleted == 70
    assert _kept(database) == 40
    first = outputs.read(large.id, 0, 1000)
    assert first is not None
    assert (first.offset, first.end) == (70, 100)
    assert outputs.read(small.id, 0, 10) is not None


def test_trim_at_the_limit_deletes_nothing(outputs: OutputStore, sessions: SessionStore) -> None:
    _filled(outputs, sessions, *[a_chunk(place, b"0123456789") for place in range(0, 30, 10)])

    assert outputs.trim(per_session=30, total=30) == 0
    assert outputs.trim(per_session=29, total=30) == 10
    assert outputs.trim(per_session=29, total=19) == 10


def test_trim_deletes_the_oldest_of_all(
    outputs: OutputStore, sessions: SessionStore, database: Database
) -> None:
    one, two = added(sessions), added(sessions)
    for minute in range(6):
        owner = (one, two)[minute % 2]
        chunk = a_chunk(minute * 10, b"0123456789")
        outputs.append([(owner.id, chunk)], NOON + timedelta(minutes=minute))

    assert outputs.trim(per_session=1000, total=25) == 40

    assert [chunk.offset for chunk in outputs.chunks(one.id)] == [40]
    assert [chunk.offset for chunk in outputs.chunks(two.id)] == [50]
    assert _kept(database) == 20


def test_trim_works_in_more_than_one_step(
    outputs: OutputStore, sessions: SessionStore, database: Database
) -> None:
    _filled(outputs, sessions, *[a_chunk(place, b"x") for place in range(1700)])

    assert outputs.trim(per_session=1600, total=10) == 1690
    assert _kept(database) == 10


def test_everything_can_be_trimmed_and_the_end_stays(outputs: OutputStore, sessions: SessionStore) -> None:
    session = _filled(outputs, sessions, a_chunk(5, b"abc"))

    assert outputs.trim(per_session=0, total=0) == 3
    assert outputs.trim(per_session=0, total=0) == 0
    assert outputs.read(session.id, 0, 10) is None
    assert outputs.end(session.id) == 8


def test_output_is_appended_while_old_output_is_trimmed(
    outputs: OutputStore, sessions: SessionStore, database: Database
) -> None:
    owners = [added(sessions).id for _ in range(4)]

    def work(number: int) -> int:
        if number % 5 == 0:
            return outputs.trim(per_session=40, total=100)
        outputs.append([(owner, a_chunk(number * 10, b"0123456789")) for owner in owners], NOON)
        return 0

    with ThreadPoolExecutor(4) as pool:
        deleted = sum(pool.map(work, range(60)))
    deleted += outputs.trim(per_session=40, total=100)

    # How much is left depends on which limit was met first; nothing may be lost or counted twice.
    kept = _kept(database)
    assert kept <= 100
    assert kept + deleted == 48 * 4 * 10
    for owner in owners:
        assert sum(len(chunk.data) for chunk in outputs.chunks(owner)) <= 40
