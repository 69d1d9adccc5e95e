"""Until when a row is ours, by our own steady clock."""

from __future__ import annotations

from collections.abc import Iterable

from sidecar.poller.instance import Row


class Leases:
    """Ends of leases. Counted from before the call that gave or renewed them, so ours end before the instance's.

    It has no lock: the lanes guard it with theirs.
    """

    def __init__(self) -> None:
        """Hold nothing."""
        self._until: dict[tuple[str, int], float] = {}

    def give(self, row: Row, until: float) -> None:
        """Note that a row is ours until then."""
        self._until[row.key] = until

    def renew(self, rows: Iterable[Row], until: float) -> None:
        """Note that these rows are ours until then, but for those that were forgotten meanwhile."""
        self._until.update((row.key, until) for row in rows if row.key in self._until)

    def holds(self, row: Row, now: float) -> bool:
        """Tell whether the row is still ours."""
        return now < self._until.get(row.key, float("-inf"))

    def forget(self, row: Row) -> None:
        """Drop a row that was answered or given up."""
        self._until.pop(row.key, None)
