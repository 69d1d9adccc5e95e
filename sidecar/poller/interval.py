"""When the instance is asked for work again."""

from __future__ import annotations

from sidecar.poller.instance import Claim

_BUSY_S, _WATCHED_S = 0.25, 0.5
#: While nobody watches and nothing comes; with the health check of each minute that is 13 requests a minute.
_IDLE_S = (1.0, 2.0, 5.0)
#: Somebody who has just typed is about to type again.
_RECENT_S = 30.0


class Interval:
    """The pause between two claims: fixed, or by what the last ones brought."""

    def __init__(self, fixed_s: float | None) -> None:
        """Begin as if nothing had happened for long."""
        self._fixed_s = fixed_s
        self._rows_at = float("-inf")
        self._idle = 0

    def after(self, claim: Claim, now: float) -> float:
        """Return the seconds to wait after this claim.

        Rows that belong to no session are health checks and the like: they do not mean that somebody is there.
        """
        busy = any(row.order for row in claim.rows)
        if busy:
            self._rows_at = now
        watched = claim.viewers > 0 or now - self._rows_at < _RECENT_S
        step = _IDLE_S[min(self._idle, len(_IDLE_S) - 1)]
        self._idle = 0 if watched else self._idle + 1
        if self._fixed_s is not None:
            return self._fixed_s
        if watched:
            return _BUSY_S if busy else _WATCHED_S
        return step
