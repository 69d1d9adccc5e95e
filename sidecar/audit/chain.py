"""Checking that the trail is as it was written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sidecar.audit.trail import DROPPED
from sidecar.model.event import GENESIS, Entry, Search, digest_of
from sidecar.storage.audit import LOWEST, AuditStore


@dataclass(frozen=True)
class Fault:
    """The first entry that does not fit, and what is wrong with it."""

    number: int
    why: str


@dataclass(frozen=True)
class Verdict:
    """What a check has found."""

    #: How many entries fit.
    entries: int
    #: The last of those.
    head: Entry | None
    #: Events that were lost on their way, as the trail itself tells.
    dropped: int
    fault: Fault | None


def verify(store: AuditStore) -> Verdict:
    """Walk the whole chain, from the oldest entry that is kept.

    It shows whether an entry was changed, added or taken out between others by somebody who did not compute the
    digests behind it anew. It does not show that the newest were cut off: keep the head elsewhere for that.

    Raises:
        StorageUnavailable: the database does not answer.
    """
    entries, dropped, head = 0, 0, None
    try:
        for entry in _readable(store):
            why = _misfit(store, head, entry)
            if why is not None:
                return Verdict(entries, head, dropped, Fault(entry.number, why))
            entries, head = entries + 1, entry
            if entry.event.action == DROPPED:
                dropped += int(entry.event.detail.get("events") or 0)
    except _Unreadable as unreadable:
        return Verdict(entries, head, dropped, Fault(unreadable.number, "It cannot be read."))
    return Verdict(entries, head, dropped, None)


class _Unreadable(Exception):  # caught in this module
    def __init__(self, number: int) -> None:
        self.number = number


def _readable(store: AuditStore) -> Iterator[Entry]:
    """Give all entries, up to one that is none."""
    number = LOWEST
    while page := _page(store, number):
        yield from page
        number = page[-1].number


def _page(store: AuditStore, number: int) -> list[Entry]:
    try:
        return store.after(number, Search())
    except ValueError:  # one of many; go singly, to find which
        return _single(store, number)


def _single(store: AuditStore, number: int) -> list[Entry]:
    try:
        return store.after(number, Search(), 1)
    except ValueError:
        raise _Unreadable(store.first(number) or number) from None


def _misfit(store: AuditStore, before: Entry | None, entry: Entry) -> str | None:
    """Say what is wrong with `entry` behind `before`; None if nothing is."""
    if entry.number < 1:
        return "It was not written by the trail."
    if entry.number != (before.number + 1 if before else 1):
        # The oldest entry that is kept has nothing to be compared with. One further on has become the oldest
        # while we walked, and by now even newer ones may be gone.
        oldest = store.first()
        return None if oldest is None or entry.number <= oldest else "Entries before it are missing."
    if entry.digest != digest_of(before.digest if before else GENESIS, entry.number, entry.event):
        return "It, or the one before it, is not what was written."
    return None
