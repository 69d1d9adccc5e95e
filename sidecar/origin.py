"""Who stands behind what is being done right now: for the log and the audit trail, which no caller passes through."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    """Where an act comes from. The service's own threads have the plain one."""

    #: Who acts: `system`, `service` (its token), `key:<id>`, `cli:<account>` or `anonymous`.
    actor: str = "system"
    request_id: str | None = None
    #: The network address of the caller, if there is one.
    address: str | None = None


_origin: ContextVar[Origin] = ContextVar("origin")


def origin() -> Origin:
    """Return where what is done in this thread comes from; a new thread starts with the plain one."""
    return _origin.get(Origin())


@contextmanager
def acting(where: Origin) -> Iterator[None]:
    """Do what follows on behalf of `where`."""
    token = _origin.set(where)
    try:
        yield
    finally:
        _origin.reset(token)
