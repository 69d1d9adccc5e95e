"""Every setting, read once from the environment (and `.env`) into frozen values: the service's and the poller's.

The only reader of the environment.
"""

from __future__ import annotations

from sidecar.config import poller
from sidecar.config.environment import ENV_FILE
from sidecar.config.loading import FREE_THREADS, WAITING_PER_USER, Identity, identity, load
from sidecar.config.parsers import Rate, duration, is_loopback
from sidecar.config.poller import PollerSettings
from sidecar.config.service import DATABASE_PARTS, Settings, table

__all__ = [
    "DATABASE_PARTS",
    "ENV_FILE",
    "FREE_THREADS",
    "WAITING_PER_USER",
    "Identity",
    "PollerSettings",
    "Rate",
    "Settings",
    "duration",
    "identity",
    "is_loopback",
    "load",
    "poller",
    "table",
]
