"""Waiting in tests: until a condition holds or a deadline has passed."""

from __future__ import annotations

import time
from collections.abc import Callable

#: The first pause, and the longest: what is asked for may cost more than the waiting.
_STEP_S, _LONGEST_STEP_S = 0.02, 0.25
_LONGER = 1.25


def until(condition: Callable[[], object], seconds: float = 60) -> bool:
    """Return whether `condition` became true within `seconds`, which a busy computer may need."""
    deadline, step = time.monotonic() + seconds, _STEP_S
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(step)
        step = min(step * _LONGER, _LONGEST_STEP_S)
    return True
