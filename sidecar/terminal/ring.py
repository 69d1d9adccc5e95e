"""The latest bytes of a terminal, under absolute offsets that never go back."""

from __future__ import annotations

from collections import deque

from sidecar.model.output import Chunk, Mark

#: Reads closer together than this share one time mark: finer timing than a recording can show.
_MARK_MS = 5


class Ring:
    """Keep the last `capacity` bytes. Not thread-safe: the owner locks."""

    def __init__(self, capacity: int, start: int = 0) -> None:
        """Begin empty, with `start` as the offset of the first byte to come."""
        self._capacity = capacity
        self._buffer = bytearray()
        #: Offset of the first byte ever appended here; maps offsets to places in the buffer.
        self._origin = start
        self.end = start
        self._marks: deque[tuple[int, int]] = deque()

    @property
    def start(self) -> int:
        """Return the offset of the oldest byte kept."""
        return self.end - len(self._buffer)

    @property
    def room(self) -> int:
        """Return how many bytes a full ring holds."""
        return self._capacity

    def append(self, data: bytes, at: int) -> None:
        """Add `data` that arrived `at` this time (milliseconds), pushing out the oldest bytes."""
        if not self._marks or at - self._marks[-1][1] >= _MARK_MS:
            self._marks.append((self.end, at))
        for piece in self._pieces(data):
            self._put(piece)
        start = self.start
        while len(self._marks) > 1 and self._marks[1][0] <= start:
            self._marks.popleft()

    def _pieces(self, data: bytes) -> list[bytes]:
        """Cut where the buffer stops growing or wraps; drop what would be pushed out at once."""
        if len(data) > self._capacity:
            self._skip(len(data) - self._capacity)
            data = data[-self._capacity :]
        here = self._place(self.end)
        return [data[: self._capacity - here], data[self._capacity - here :]]

    def _skip(self, count: int) -> None:
        self.end += count
        self._buffer.clear()
        self._origin = self.end

    def _place(self, offset: int) -> int:
        return (offset - self._origin) % self._capacity

    def _put(self, piece: bytes) -> None:
        here = self._place(self.end)
        # Below capacity `here` is the buffer's end, so this appends; later it overwrites in place.
        self._buffer[here : here + len(piece)] = piece
        self.end += len(piece)

    def read(self, cursor: int, limit: int) -> bytes:
        """Return up to `limit` bytes from `cursor`, which must lie in `start` … `end`."""
        count = min(limit, self.end - cursor)
        here = self._place(cursor)
        view = memoryview(self._buffer)  # a slice of the buffer itself would be copied twice
        first = bytes(view[here : here + count])
        return first if len(first) == count else first + bytes(view[: count - len(first)])

    def chunk(self, cursor: int, limit: int) -> Chunk:
        """Return the bytes from `cursor` as a chunk with the times they arrived."""
        data = self.read(cursor, limit)
        return Chunk(cursor, data, tuple(self._marks_between(cursor, cursor + len(data))))

    def _marks_between(self, begin: int, end: int) -> list[Mark]:
        found: list[Mark] = []
        following = [*[offset for offset, _ in self._marks][1:], self.end]
        for (offset, at), until in zip(self._marks, following, strict=True):
            length = min(end, until) - max(begin, offset)
            if length > 0:
                found.append(Mark(at, length))
        return found
