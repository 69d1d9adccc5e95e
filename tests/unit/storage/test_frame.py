"""Packing, cutting and joining of chunks."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.errors import DecryptionFailed
from sidecar.model.output import Chunk, Mark
from sidecar.storage.frame import cut, join, pack, unpack


@st.composite
def chunks(draw: st.DrawFn) -> Chunk:
    lengths = draw(st.lists(st.integers(0, 20), max_size=8))
    marks = tuple(Mark(draw(st.integers(0, 2**45)), length) for length in lengths)
    data = draw(st.binary(min_size=sum(lengths), max_size=sum(lengths)))
    return Chunk(draw(st.integers(0, 2**50)), data, marks)


@given(chunks())
def test_what_was_packed_is_unpacked(chunk: Chunk) -> None:
    assert unpack(chunk.offset, pack(chunk)) == chunk


@given(st.binary(max_size=60))
def test_garbage_is_refused_or_a_sound_chunk(garbage: bytes) -> None:
    try:
        chunk = unpack(0, garbage)
    except DecryptionFailed:
        return
    assert sum(mark.length for mark in chunk.marks) == len(chunk.data)


@given(chunks(), st.data())
def test_a_torn_frame_is_refused(chunk: Chunk, data: st.DataObject) -> None:
    packed = pack(Chunk(chunk.offset, chunk.data + b"x", (*chunk.marks, Mark(1, 1))))

    with pytest.raises(DecryptionFailed):
        unpack(0, packed[: data.draw(st.integers(0, len(packed) - 1))])


@given(chunks(), st.integers(-5, 200), st.integers(-5, 200))
def test_a_cut_holds_the_bytes_asked_for_and_their_marks(chunk: Chunk, start: int, length: int) -> None:
    begin, end = chunk.offset + start, chunk.offset + start + length

    part = cut(chunk, begin, end)

    assert part.data == bytes(byte for at, byte in enumerate(chunk.data, chunk.offset) if begin <= at < end)
    assert _times(part) == [time for at, time in enumerate(_times(chunk), chunk.offset) if begin <= at < end]


@given(chunks(), st.lists(st.integers(0, 160), max_size=5))
def test_cut_parts_join_to_the_whole(chunk: Chunk, cuts: list[int]) -> None:
    places = [chunk.offset, *sorted(min(chunk.offset + place, chunk.end) for place in cuts), chunk.end]

    whole = join(cut(chunk, start, stop) for start, stop in pairwise(places))

    assert whole.offset == chunk.offset
    assert whole.data == chunk.data
    assert _times(whole) == _times(chunk)


def _times(chunk: Chunk) -> list[int]:
    """Return the arrival of each byte."""
    return [mark.at for mark in chunk.marks for _ in range(mark.length)]
