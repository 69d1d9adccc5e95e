"""The bytes of a stored chunk, and cutting and joining of chunks. Pure."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator

from sidecar.errors import DecryptionFailed
from sidecar.model.output import Chunk, Mark

_COUNT = struct.Struct(">I")
#: Milliseconds since the epoch, and a length.
_MARK = struct.Struct(">qI")


def pack(chunk: Chunk) -> bytes:
    """Return the marks and bytes of `chunk` as one run; its offset is kept elsewhere."""
    marks = b"".join(_MARK.pack(mark.at, mark.length) for mark in chunk.marks)
    return _COUNT.pack(len(chunk.marks)) + marks + chunk.data


def unpack(offset: int, packed: bytes) -> Chunk:
    """Return the chunk at `offset` that was packed.

    Raises:
        DecryptionFailed: the bytes are not a packed chunk.
    """
    try:
        (count,) = _COUNT.unpack_from(packed)
        behind = _COUNT.size + count * _MARK.size
        marks = tuple(Mark(*fields) for fields in _MARK.iter_unpack(packed[_COUNT.size : behind]))
    except struct.error:
        raise DecryptionFailed from None
    if len(marks) != count or sum(mark.length for mark in marks) != len(packed) - behind:
        raise DecryptionFailed
    return Chunk(offset, packed[behind:], marks)


def cut(chunk: Chunk, start: int, stop: int) -> Chunk:
    """Return what `chunk` holds of the absolute offsets from `start` up to `stop`."""
    start, stop = max(start, chunk.offset), min(stop, chunk.end)
    data = chunk.data[start - chunk.offset : max(start, stop) - chunk.offset]
    return Chunk(start, data, tuple(_cut_marks(chunk, start, stop)))


def join(chunks: Iterable[Chunk]) -> Chunk:
    """Return one chunk for `chunks`, of which each begins where the one before ends; at least one."""
    parts = list(chunks)
    data = b"".join(part.data for part in parts)
    return Chunk(parts[0].offset, data, tuple(mark for part in parts for mark in part.marks))


def _cut_marks(chunk: Chunk, start: int, stop: int) -> Iterator[Mark]:
    begin = chunk.offset
    for mark in chunk.marks:
        end = begin + mark.length
        if (length := min(end, stop) - max(begin, start)) > 0:
            yield Mark(mark.at, length)
        begin = end
