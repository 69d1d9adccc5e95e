"""Noting: nothing that was noted is lost, nothing waits for the database, nothing fails."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from sidecar.audit.chain import verify
from sidecar.audit.spool import Spool
from sidecar.audit.trail import DROPPED, Trail
from sidecar.clock import SystemClock
from sidecar.model.event import Entry, Search
from sidecar.origin import Origin, acting
from sidecar.storage.audit import AuditStore
from sidecar.storage.database import Database
from tests.fakes.clock import FakeClock
from tests.fixtures.postgresql import Cluster
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[3]
MakeTrail = Callable[..., Trail]


def stored(store: AuditStore, action: str = "*") -> list[Entry]:
    return store.newest(Search(action=action), 100_000)


def numbers(entries: list[Entry]) -> list[object]:
    return [entry.event.detail.get("number") for entry in entries]


def test_an_event_is_stored_with_who_is_behind_it(store: AuditStore, make_trail: MakeTrail) -> None:
    trail, session = make_trail(), uuid4()
    with acting(Origin("key:aa", "r1", "10.0.0.1")):
        trail.note("session.end", user="ann", session=session, own=True)

    assert until(lambda: stored(store))
    [entry] = stored(store)
    event = entry.event
    assert (event.actor, event.action, event.user_id, event.session_id) == (
        "key:aa",
        "session.end",
        "ann",
        session,
    )
    assert (event.request_id, event.detail) == ("r1", {"address": "10.0.0.1", "own": True})
    assert trail.pending == 0


def test_before_the_start_and_after_the_stop_it_is_stored_at_once(store: AuditStore, tmp_path: Path) -> None:
    trail = Trail(store, Spool(tmp_path / "audit"), SystemClock())
    trail.note("key.create")
    assert len(stored(store)) == 1
    trail.start()
    trail.stop()
    trail.note("key.revoke")

    assert [entry.event.action for entry in stored(store)] == ["key.create", "key.revoke"]


def test_the_stop_stores_what_was_noted_just_before(store: AuditStore, tmp_path: Path) -> None:
    trail = Trail(store, Spool(tmp_path / "audit"), SystemClock())
    trail.start()
    for number in range(700):
        trail.note("session.command", number=number)
    trail.stop()

    assert numbers(stored(store)) == list(range(700))


def test_any_text_goes_in_and_the_chain_holds(store: AuditStore, make_trail: MakeTrail) -> None:
    trail = make_trail()
    for text in ("\0 \ud800", "x" * 100_000, "line\nline", "\x1b[31m"):
        with acting(Origin(text, text, text)):
            trail.note("session.end", user=text, reason=text)

    assert until(lambda: len(stored(store)) == 4)
    assert verify(store).fault is None


def test_what_cannot_be_an_event_is_counted_and_does_not_fail(
    store: AuditStore, make_trail: MakeTrail, caplog: pytest.LogCaptureFixture
) -> None:
    trail = make_trail()
    trail.note("session.end", reason=object())  # type: ignore[arg-type]  # a mistake of ours

    assert trail.dropped == 1
    assert "could not be noted" in caplog.text
    assert until(lambda: stored(store, DROPPED))


def test_what_the_spool_does_not_take_is_told_in_the_trail(
    store: AuditStore, make_trail: MakeTrail, caplog: pytest.LogCaptureFixture
) -> None:
    trail = make_trail(most_bytes=3000)
    for number in range(100):
        trail.note("session.command", number=number)
    lost = trail.dropped

    assert 80 < lost < 100
    assert caplog.text.count("AUDIT EVENTS ARE BEING LOST") == 1
    assert until(lambda: stored(store, DROPPED))
    trail.note("session.command", number=100)
    assert until(lambda: numbers(stored(store))[-1] == 100)
    assert verify(store).dropped == lost
    assert verify(store).fault is None


def test_garbage_in_the_spool_is_counted_and_the_rest_is_stored(
    store: AuditStore, make_trail: MakeTrail, tmp_path: Path
) -> None:
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit" / "spool").write_bytes(b"garbage\n\n\n" + b"\xff" * 5000 + b'\n{"id":"0b5c')

    trail = make_trail()
    trail.note("session.command", number=1)

    assert until(lambda: len(stored(store, "session.*")) == 1)
    assert until(lambda: verify(store).dropped == trail.dropped == 3)


def test_garbage_is_counted_once_however_long_the_database_is_away(
    store: AuditStore, database: Database, make_trail: MakeTrail, tmp_path: Path
) -> None:
    (tmp_path / "audit").mkdir()
    (tmp_path / "audit" / "spool").write_bytes(b"garbage\n" * 3)
    database.close()
    trail = make_trail()
    trail.note("session.command", number=1)
    time.sleep(2.5)  # two attempts and more
    database.open()

    assert until(lambda: stored(store, DROPPED))
    assert verify(store).dropped == trail.dropped == 3


def test_threads_note_at_once_and_each_keeps_its_order(store: AuditStore, make_trail: MakeTrail) -> None:
    trail = make_trail()

    def work(name: str) -> None:
        for number in range(200):
            trail.note("session.command", user=name, number=number)

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert until(lambda: store.last() == 800)
    for name in "abcd":
        assert numbers(store.newest(Search(user_id=name), 1000)) == list(range(200))
    assert verify(store).fault is None


PROGRAM = """
import sys
from pathlib import Path
from sidecar.audit.spool import Spool
from sidecar.audit.trail import Trail
from sidecar.clock import SystemClock
from sidecar.storage.audit import AuditStore
from sidecar.storage.database import Database
database = Database(sys.argv[1])
database.open()
trail = Trail(AuditStore(database), Spool(Path(sys.argv[2])), SystemClock())
trail.start()
number = 0
while True:
    trail.note("session.command", number=number)
    print(number, flush=True)
    number += 1
"""


def test_kill_9_loses_nothing_and_nothing_is_stored_twice(
    store: AuditStore, make_trail: MakeTrail, database_url: str, tmp_path: Path
) -> None:
    last = -1
    for _ in range(2):
        arguments = [sys.executable, "-c", PROGRAM, database_url, str(tmp_path / "audit")]
        with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, text=True) as noting:
            assert noting.stdout is not None
            for line in noting.stdout:
                last = int(line)
                if last > 3000 and store.last() > 500:
                    noting.kill()
                    break
    trail = make_trail()

    assert until(lambda: trail.pending == 0)
    found = numbers(stored(store, "session.*"))
    half = found.index(0, 1)
    for part in (found[:half], found[half:]):
        assert part == list(range(len(part)))  # in order, none missing, none twice
    assert len(found) - half > last
    assert verify(store).fault is None


def test_the_database_is_away_and_nobody_notices(own_postgresql: Cluster, tmp_path: Path) -> None:
    own_postgresql.run("CREATE DATABASE sidecar")
    database = Database(own_postgresql.url("sidecar"), connect_timeout_s=1)
    database.open()
    database.migrate()
    store = AuditStore(database)
    trail = Trail(store, Spool(tmp_path / "audit"), SystemClock())
    trail.start()
    trail.note("session.command", number=0)
    assert until(lambda: store.last() == 1)
    own_postgresql.stop()

    for number in range(1, 600):
        trail.note("session.command", number=number)
    assert trail.pending > 0
    assert trail.dropped == 0

    own_postgresql.start()
    assert until(lambda: trail.pending == 0)
    trail.stop()
    assert numbers(stored(store)) == list(range(600))
    assert verify(store).fault is None
    database.close()


def test_what_waits_at_a_stop_without_a_database_is_stored_by_the_next_start(
    store: AuditStore,
    database: Database,
    tmp_path: Path,
    make_trail: MakeTrail,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.CRITICAL)
    trail = Trail(store, Spool(tmp_path / "audit"), SystemClock())
    trail.start()
    database.close()
    trail.note("session.command", number=1)
    trail.stop()
    database.open()
    assert stored(store) == []

    make_trail()

    assert until(lambda: numbers(stored(store)) == [1])


def test_old_entries_are_deleted_unless_they_are_kept_for_ever(store: AuditStore, tmp_path: Path) -> None:
    clock = FakeClock()
    trail = Trail(store, Spool(tmp_path / "audit"), clock)
    for _ in range(3):
        trail.note("session.command")
        clock.advance(3600)

    trail.prune(0)
    assert len(stored(store)) == 3
    trail.prune(7200)
    assert len(stored(store)) == 2


def test_somebody_who_calls_without_pause_does_not_fill_the_disk(store: AuditStore, tmp_path: Path) -> None:
    trail = Trail(store, Spool(tmp_path / "audit"), FakeClock())
    for _ in range(7):
        trail.note("session.command")

    trail.prune(0, most=7)
    assert [entry.number for entry in stored(store)] == [1, 2, 3, 4, 5, 6, 7]
    trail.prune(0, most=3)
    assert [entry.number for entry in stored(store)] == [5, 6, 7]
    assert verify(store).fault is None
