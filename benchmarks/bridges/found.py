"""What was found, before anything is made of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field

from benchmarks.bridges.cell import Cell
from benchmarks.bridges.load import Taken
from benchmarks.bridges.rest import Cost, Rows


@dataclass
class Found:
    """All of it; by the names of the ways where there are several."""

    #: Seconds until instance and MID Server were up.
    started_s: float
    cells: list[Cell] = field(default_factory=list)
    rows: dict[str, Rows] = field(default_factory=lambda: defaultdict(Rows))
    costs: dict[str, Cost] = field(default_factory=dict)
    crashed: dict[str, Taken] = field(default_factory=dict)
    #: Calls that the sidecar refused, or that failed on their way.
    refused: int = 0

    def taken(self, sessions: int, round_trip_ms: int, way: str) -> Taken | None:
        """Return what a way took in the cell of so many sessions and such a round trip."""
        for cell in self.cells:
            if (cell.plan.sessions, cell.plan.round_trip_ms) == (sessions, round_trip_ms):
                return cell.taken.get(way)
        return None
