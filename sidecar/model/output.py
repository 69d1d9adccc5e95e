"""Terminal output, addressed by absolute byte offsets."""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.model.session import SessionState


@dataclass(frozen=True)
class Mark:
    """`length` bytes arrived `at` this time, in milliseconds since the epoch."""

    at: int
    length: int


@dataclass(frozen=True)
class Chunk:
    """A run of output beginning at absolute `offset`; the lengths of `marks` add up to it."""

    offset: int
    data: bytes
    marks: tuple[Mark, ...]

    @property
    def end(self) -> int:
        """Return the offset behind the last byte."""
        return self.offset + len(self.data)


@dataclass(frozen=True)
class Reading:
    """The answer to one read of output.

    `data` begins at `next_cursor - len(data)`; `dropped` bytes between the asked cursor and it were never kept.
    """

    data: bytes
    cursor: int
    next_cursor: int
    dropped: int
    state: SessionState
