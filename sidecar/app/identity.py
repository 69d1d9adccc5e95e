"""The sys_ids of records that follow from others."""

from __future__ import annotations

from hashlib import sha256


def derived(*parts: str) -> str:
    """Return a sys_id for what `parts` name: the same parts give the same one, always and everywhere."""
    return sha256("\0".join(parts).encode()).hexdigest()[:32]
