"""Filling a running service's vault, beside it."""

from __future__ import annotations

from pathlib import Path

from benchmarks.client import KEY
from benchmarks.service import Service
from sidecar import config
from sidecar.clock import SystemClock
from sidecar.records import Records

#: A user may store twenty.
_EACH = 20


def seeded(service: Service, encryption_key: str, count: int) -> None:
    """Store `count` credentials under an encryption key, as the service would."""
    environment = {**service.environment, "ENCRYPTION_KEY": encryption_key}
    records = Records(config.load(environment, Path("no.env")), SystemClock())
    records.open()
    try:
        for number in range(count):
            records.vault.add(f"user-{number // _EACH}", KEY)
    finally:
        records.close()
