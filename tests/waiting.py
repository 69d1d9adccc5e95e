"""Waiting in tests: until a condition holds or a deadline has passed."""

from __future__ import annotations

import time
from collections.abc import Callable

_STEP_S = 0.02


def until(condition: Callable[[], object], seconds: float = 5) -> bool:
    """Return whether `condition` became true within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(_STEP_S)
    return True
