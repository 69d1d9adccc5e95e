"""What the service counts, as values of one moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

#: Upper bounds of the classes durations are counted in, in seconds; one more class is for those above.
BOUNDS_S = (0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0, 60.0)


@dataclass(frozen=True)
class Durations:
    """How long something took, many times."""

    #: How many fell into each class, not those of the classes below.
    counts: tuple[int, ...]
    total_s: float


@dataclass(frozen=True)
class Life:
    """What became of sessions since the service began."""

    created: int
    #: By cause, one of `sidecar.sessions.tally.CAUSES`.
    ended: Mapping[str, int]
    #: How often a session came into each state.
    changes: Mapping[str, int]
    starts: Durations
    wakes: Durations


@dataclass(frozen=True)
class Figures:
    """The whole."""

    life: Life
    #: Sessions in memory, by state.
    sessions: Mapping[str, int]
    #: Bytes programs have printed, since the service began.
    output_bytes: int
    #: Bytes of those that were lost because they could not be stored in time.
    lost_bytes: int
    #: Bytes that wait to be stored.
    backlog_bytes: int
    #: Bytes of the audit trail that wait to be stored, and entries that are lost.
    audit_pending_bytes: int
    audit_dropped: int
    #: Free bytes where the data directory is; None when that cannot be read.
    free_bytes: int | None
    claude_version: str | None
