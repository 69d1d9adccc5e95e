"""The spool: what was appended is given again, whatever happened in between."""

from __future__ import annotations

import json
import resource
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from sidecar.audit.spool import Spool, SpoolRefused
from sidecar.errors import ConfigurationError
from sidecar.model.event import Event

AT = datetime(2026, 11, 21, 8, 30, 0, 123456, tzinfo=UTC)


def event(action: str = "session.command", **detail: str | int) -> Event:
    return Event(uuid4(), AT, "service", action, "ann", uuid4(), "r1", detail)


def altered(**changes: object) -> bytes:
    return json.dumps(event().document() | changes).encode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "audit"


@pytest.fixture
def spool(folder: Path) -> Iterator[Spool]:
    opened = Spool(folder)
    opened.open()
    yield opened
    opened.close()


def given(spool: Spool) -> tuple[list[Event], int]:
    """Return all events, and how many lines were none."""
    batches = list(spool.batches())
    return [item for batch in batches for item in batch.events], sum(batch.damaged for batch in batches)


def again(spool: Spool, folder: Path) -> Spool:
    """Return the spool as the next process finds it; the one before did not get to close it."""
    spool.close()
    following = Spool(folder)
    following.open()
    return following


def test_gives_what_was_appended_once_and_in_order(spool: Spool) -> None:
    events = [event(number=number) for number in range(1200)]
    for item in events:
        spool.append(item)

    assert given(spool) == (events, 0)
    assert given(spool) == ([], 0)
    assert spool.size == 0


def test_is_for_the_owner_only(spool: Spool, folder: Path) -> None:
    spool.append(event())

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "spool").stat().st_mode) == 0o600


def test_what_was_not_stored_is_given_to_the_next_process(spool: Spool, folder: Path) -> None:
    events = [event(number=number) for number in range(3)]
    for item in events:
        spool.append(item)
    next(spool.batches())  # taken in hand, but the next is never asked for
    spool.append(late := event())

    following = again(spool, folder)

    assert given(following) == ([*events, late], 0)
    following.close()


def test_a_half_line_is_counted_and_does_not_spoil_the_next(spool: Spool, folder: Path) -> None:
    spool.append(first := event())
    with (folder / "spool").open("ab") as file:
        file.write(b'{"id":"0b5c')
    following = again(spool, folder)
    following.append(second := event())

    assert given(following) == ([first, second], 1)
    following.close()


@pytest.mark.parametrize(
    "line",
    [
        b"garbage",
        b"\x00\xff\xfe",
        b"{}",
        b"[]",
        b"null",
        b"17",
        b"[" * 100_000,
        b'{"id":1,"at":2,"actor":3,"action":4,"user":5,"session":6,"request":7,"detail":8}',
        altered(id="x"),
        altered(at="yesterday"),
        altered(at="2026-01-01T00:00:00"),
        altered(at="0001-01-01T00:00:00+23:00"),
        altered(actor=None),
        altered(session="x"),
        altered(detail={"a": [1]}),
        altered(detail={"a": 1.5}),
    ],
)
def test_a_line_that_is_no_event_is_counted(spool: Spool, folder: Path, line: bytes) -> None:
    spool.append(before := event())
    with (folder / "spool").open("ab") as file:
        file.write(line + b"\n")
    following = again(spool, folder)
    following.append(after := event())

    assert given(following) == ([before, after], 1)
    following.close()


def takes(spool: Spool, item: Event) -> bool:
    try:
        spool.append(item)
    except SpoolRefused:
        return False
    return True


def test_takes_no_more_than_its_limit(folder: Path) -> None:
    spool = Spool(folder, most_bytes=2000)
    spool.open()
    taken = sum(takes(spool, event()) for _ in range(100))

    assert 2 <= taken < 20
    assert spool.size <= 2000
    assert len(given(spool)[0]) == taken
    spool.append(event())  # there is room again
    spool.close()


def test_the_limit_counts_what_an_earlier_process_left(folder: Path) -> None:
    spool = Spool(folder)
    spool.open()
    for _ in range(10):
        spool.append(event())
    next(spool.batches())
    spool.append(event())
    spool.close()
    following = Spool(folder, most_bytes=2000)
    following.open()

    with pytest.raises(SpoolRefused):
        following.append(event())
    following.close()


def test_takes_nothing_while_closed(spool: Spool) -> None:
    spool.close()

    with pytest.raises(SpoolRefused):
        spool.append(event())


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Let no file grow beyond `size`: the write that would is cut short, as on a full disk."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_full_disk_costs_the_events_it_has_no_room_for_and_no_others(spool: Spool, folder: Path) -> None:
    events = [event(number=number) for number in range(20)]
    with largest_file(3000):
        kept = [item for item in events if takes(spool, item)]
    spool.append(late := event())

    assert 5 < len(kept) < 20
    assert (folder / "spool").read_bytes().count(b"\n") == len(kept) + 1
    assert given(spool) == ([*kept, late], 0)


def append(spool: Spool, events: list[Event]) -> None:
    for item in events:
        spool.append(item)


def test_loses_nothing_when_threads_append_while_it_is_emptied(spool: Spool) -> None:
    events = [[event(thread=thread, number=number) for number in range(300)] for thread in range(4)]
    threads = [threading.Thread(target=append, args=(spool, part)) for part in events]
    for thread in threads:
        thread.start()
    found: list[Event] = []
    while any(thread.is_alive() for thread in threads):
        found += given(spool)[0]
    for thread in threads:
        thread.join()
    found += given(spool)[0]

    assert len(found) == 1200
    for number, part in enumerate(events):
        assert [item for item in found if item.detail["thread"] == number] == part


def test_says_in_words_that_it_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("a file")

    with pytest.raises(ConfigurationError, match="audit"):
        Spool(tmp_path / "audit").open()
