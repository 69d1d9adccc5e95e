"""The ring against the simplest thing that could be right: all bytes ever printed."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from sidecar.terminal.ring import Ring

Pieces = st.lists(st.binary(max_size=40), max_size=30)


def filled(capacity: int, pieces: list[bytes], start: int = 0) -> tuple[Ring, bytes]:
    ring = Ring(capacity, start)
    for number, piece in enumerate(pieces):
        ring.append(piece, number * 7)
    return ring, b"".join(pieces)


@given(st.integers(1, 50), Pieces, st.integers(0, 2**40))
def test_the_latest_bytes_are_kept_under_their_offsets(
    capacity: int, pieces: list[bytes], start: int
) -> None:
    ring, everything = filled(capacity, pieces, start)

    assert ring.end == start + len(everything)
    assert ring.end - ring.start == min(capacity, len(everything))
    assert ring.read(ring.start, capacity) == everything[ring.start - start :]


@given(st.integers(1, 50), Pieces, st.data())
def test_any_part_of_what_is_kept_can_be_read(
    capacity: int, pieces: list[bytes], data: st.DataObject
) -> None:
    ring, everything = filled(capacity, pieces)
    cursor = data.draw(st.integers(ring.start, ring.end))
    limit = data.draw(st.integers(0, 60))

    assert ring.read(cursor, limit) == everything[cursor : cursor + limit]


@given(st.integers(1, 50), Pieces, st.data())
def test_the_marks_of_a_chunk_add_up_to_it_in_order(
    capacity: int, pieces: list[bytes], data: st.DataObject
) -> None:
    ring, everything = filled(capacity, pieces)
    assume(everything)
    cursor = data.draw(st.integers(ring.start, ring.end))

    chunk = ring.chunk(cursor, data.draw(st.integers(0, 60)))

    assert chunk.data == everything[cursor : chunk.end]
    assert sum(mark.length for mark in chunk.marks) == len(chunk.data)
    assert all(mark.length > 0 for mark in chunk.marks)
    assert [mark.at for mark in chunk.marks] == sorted(mark.at for mark in chunk.marks)


@given(st.integers(1, 50), Pieces)
def test_each_byte_has_the_time_it_arrived(capacity: int, pieces: list[bytes]) -> None:
    ring, _ = filled(capacity, pieces)
    assume(any(pieces))
    arrived = [number * 7 for number, piece in enumerate(pieces) for _ in piece]

    chunk = ring.chunk(ring.start, capacity)

    assert [mark.at for mark in chunk.marks for _ in range(mark.length)] == arrived[ring.start :]


def test_reads_close_together_share_a_mark_and_marks_do_not_pile_up() -> None:
    ring = Ring(100)
    for at in range(10_000):
        ring.append(b"x", at // 100)

    assert len(ring.chunk(ring.start, 100).marks) == 1
    assert len(ring._marks) <= 21


def test_one_piece_larger_than_the_ring_leaves_its_end() -> None:
    ring = Ring(4, start=10)
    ring.append(b"ab", 1)

    ring.append(b"0123456789", 2)

    assert (ring.start, ring.end) == (18, 22)
    assert ring.chunk(18, 100).data == b"6789"
