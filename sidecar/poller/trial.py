"""The tries to hand in one answer."""

from __future__ import annotations

from sidecar.errors import InstanceAway
from sidecar.poller.patience import Patience


class Trial:
    """Tells a row that cannot be answered from an instance that is away: that one answers no claims either."""

    def __init__(self, patience: Patience, claims: int) -> None:
        """Begin, when so many claims have been answered; `patience` is the one of all threads."""
        self._shared = patience
        self._own = patience.another()
        self._claims = claims
        #: Those of this row, while the instance answered claims.
        self.failures = 0

    def left_s(self) -> float:
        """Return the seconds until the next try."""
        return max(self._shared.left_s(), self._own.left_s())

    def failed(self, began: float, error: InstanceAway, claims: int) -> bool:
        """Note a try that `began` then; return whether a pause is asked for that all calls should keep.

        A try is the row's own failure when claims were answered since the one before. Whoever asks for fewer calls
        (429) means all of them; that the instance is away, claims find out.
        """
        alone = claims > self._claims and not error.busy
        self._claims = claims
        self.failures += alone
        self._own.failed(began, error.retry_after_s)
        return error.busy or (not alone and error.retry_after_s is not None)
