"""Re-encrypting stored secrets under the newest key, while others read and write them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from sqlalchemy import Row, Select, Update, bindparam, func, select, tuple_, update

from sidecar.clock import Clock
from sidecar.errors import DecryptionFailed, StorageUnavailable
from sidecar.storage.database import Database
from sidecar.storage.kinds import Kind

T = TypeVar("T")

#: Rows looked at in one query, whether they need anything or not: so every statement stays short.
_PAGE_ROWS = 500
#: Rows and bytes re-encrypted in one transaction. SQLite has one writer, and everybody else waits that long.
_BATCH_ROWS, _BATCH_BYTES = 200, 4 << 20
#: Pause behind each transaction, for those who waited, in seconds.
_PAUSE_S = 0.01
#: Times a step is tried when the database is busy or away for a moment, and the pause in between, in seconds.
_TRIES, _PATIENCE_S = 5, 1.0


class Resealer(Protocol):
    """What this module needs of a cipher."""

    @property
    def newest(self) -> bytes:
        """Return what every token under the newest key begins with; under any key that part is as long."""

    def encrypt(self, plaintext: bytes, purpose: str) -> bytes:
        """Return a token under the newest key."""

    def decrypt(self, token: bytes, purpose: str) -> bytes:
        """Return what was encrypted for `purpose`, or raise `DecryptionFailed`."""


@dataclass(frozen=True)
class Tally:
    """How far the rotation of one kind is."""

    kind: str
    #: Rows that were looked at, and of those the ones that were re-encrypted.
    seen: int = 0
    changed: int = 0
    #: Rows that could not be opened, by the beginning of their token, which names their key.
    unopened: Counter[bytes] = field(default_factory=Counter)


class Rotation:
    """Walk over all rows of a kind, and re-encrypt those that are not under the newest key.

    A row is replaced only if it still is what was read, so that no change by others is lost. It may be killed at
    any time: every row is whole, under one key or the other, and the next run goes on.
    """

    def __init__(self, database: Database, cipher: Resealer, clock: Clock, guard: Callable[[], None]) -> None:
        """Call `guard` before each transaction; what it raises ends the rotation."""
        self._database = database
        self._cipher = cipher
        self._clock = clock
        self._guard = guard

    def run(self, kind: Kind) -> Iterator[Tally]:
        """Re-encrypt all rows of `kind`; yield after each page how far it is.

        Raises:
            StorageUnavailable: the database stays away.
        """
        tally = Tally(kind.name)
        for page in self._pages(kind):
            tally = replace(tally, seen=tally.seen + len(page))
            stale = [row for row in page if bytes(row.header) != self._cipher.newest]
            for batch in _batches(stale):
                self._guard()
                tally = self._reseal(kind, batch, tally)
                self._clock.sleep(_PAUSE_S)
            yield tally

    def _pages(self, kind: Kind) -> Iterator[Sequence[Row[Any]]]:
        """Yield all rows in the order of their keys: how each token begins, its length, and the key."""
        header = func.substr(kind.sealed, 1, len(self._cipher.newest)).label("header")
        query = select(header, func.length(kind.sealed).label("length"), *kind.key)
        query = query.where(kind.sealed.is_not(None)).order_by(*kind.key).limit(_PAGE_ROWS)
        page = self._rows(query)
        while page:
            yield page
            page = self._rows(query.where(tuple_(*kind.key) > tuple(page[-1][2:])))

    def _reseal(self, kind: Kind, batch: Sequence[Row[Any]], tally: Tally) -> Tally:
        """Re-encrypt the rows of `batch`, and return the tally with them."""
        keys: list[tuple[Any, ...]] = [tuple(row[2:]) for row in batch]
        query = select(kind.sealed, *kind.key, *kind.bound).where(tuple_(*kind.key).in_(keys))
        fresh: list[dict[str, Any]] = []
        unopened = tally.unopened.copy()
        for row in self._rows(query.where(kind.sealed.is_not(None))):
            try:
                fresh.append(self._turned(kind, row))
            except DecryptionFailed:
                unopened[bytes(row[0][: len(self._cipher.newest)])] += 1
        changed = self._patiently(lambda: self._write(_replacement(kind), fresh))
        return replace(tally, changed=tally.changed + changed, unopened=unopened)

    def _turned(self, kind: Kind, row: Row[Any]) -> dict[str, Any]:
        """Return what replaces the row's token, as parameters of `_replacement`."""
        old, key, bound = bytes(row[0]), row[1 : 1 + len(kind.key)], row[1 + len(kind.key) :]
        purpose = kind.purpose(*bound)
        new = self._cipher.encrypt(self._cipher.decrypt(old, purpose), purpose)
        return {"old": old, "new": new, **{f"key_{place}": value for place, value in enumerate(key)}}

    def _rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        def read() -> Sequence[Row[Any]]:
            with self._database.reading() as connection:
                return connection.execute(query).all()

        return self._patiently(read)

    def _write(self, replacement: Update, fresh: Sequence[dict[str, Any]]) -> int:
        """Replace tokens, and return how many still were what was read."""
        if not fresh:
            return 0
        with self._database.transaction() as connection:
            return connection.execute(replacement, fresh).rowcount

    def _patiently(self, step: Callable[[], T]) -> T:
        for _ in range(_TRIES - 1):
            try:
                return step()
            except StorageUnavailable:
                self._clock.sleep(_PATIENCE_S)
        return step()


def _replacement(kind: Kind) -> Update:
    same = [column == bindparam(f"key_{place}") for place, column in enumerate(kind.key)]
    still = kind.sealed == bindparam("old")
    return update(kind.sealed.table).where(*same, still).values({kind.sealed: bindparam("new")})


def _batches(rows: Sequence[Row[Any]]) -> Iterator[Sequence[Row[Any]]]:
    """Cut `rows` into batches of one transaction each; a row that is too large alone is one of its own."""
    batch: list[Row[Any]] = []
    size = 0
    for row in rows:
        if batch and (len(batch) == _BATCH_ROWS or size + row.length > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(row)
        size += row.length
    if batch:
        yield batch
