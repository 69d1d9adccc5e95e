"""The stored trail, and what a check of its chain finds, on both databases."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text

from sidecar.audit.chain import Fault, Verdict, verify
from sidecar.errors import StorageUnavailable
from sidecar.model.event import GENESIS, Entry, Event, Search, digest_of, facts
from sidecar.storage.audit import LOWEST, AuditStore
from sidecar.storage.database import Database

AT = datetime(2026, 11, 21, 8, 30, 0, 123456, tzinfo=UTC)
SESSION = UUID("6f0c6a52-6a0f-4b0e-9d53-0d4bb4f5d9a1")
ROOT = Path(__file__).resolve().parents[3]


def event(action: str = "session.command", **changes: object) -> Event:
    plain = {
        "actor": "service",
        "user_id": "ann",
        "session_id": SESSION,
        "request_id": "r1",
        "detail": {"bytes": 5},
    }
    return Event(uuid4(), action=action, **{"at": AT, **plain, **changes})  # type: ignore[arg-type]  # by name


def fill(store: AuditStore, count: int) -> list[Event]:
    events = [
        event(detail={"number": number}, at=AT + timedelta(minutes=number)) for number in range(1, count + 1)
    ]
    store.append(events)
    return events


def run(database: Database, statement: str, **values: object) -> None:
    with database.transaction() as connection:
        assert connection.execute(text(statement), values).rowcount == 1


# -- what goes in comes out --------------------------------------------------------------------------------


def test_entries_are_numbered_chained_and_as_they_were(store: AuditStore) -> None:
    odd = event(
        detail=facts({"text": "Zoë \ud800 \0 \n \u2028", "truth": True, "none": None, "large": 2**70, "": ""})
    )
    events = [event(), event(user_id=None, session_id=None, request_id=None, detail={}), odd]
    assert store.append(events) == 3

    entries = store.newest(Search(), 10)

    assert [entry.number for entry in entries] == [1, 2, 3]
    assert [entry.event for entry in entries[:2]] == events[:2]
    assert entries[0].digest == digest_of(GENESIS, 1, events[0])
    assert entries[1].digest == digest_of(entries[0].digest, 2, events[1])
    assert verify(store) == Verdict(3, entries[2], 0, None)


def test_an_event_that_comes_again_is_stored_once(store: AuditStore) -> None:
    first, second = event(), event()

    assert store.append([first, second, first]) == 2
    assert store.append([second, third := event()]) == 1
    assert store.append([first]) == store.append([]) == 0
    assert [entry.event for entry in store.newest(Search(), 10)] == [first, second, third]


def test_two_processes_add_at_once_and_the_chain_holds(store: AuditStore, database_url: str) -> None:
    program = (
        "import sys; from sidecar.storage.database import Database; from sidecar.storage.audit import AuditStore\n"
        "from tests.integration.audit.test_store import event\n"
        "database = Database(sys.argv[1]); database.open(); store = AuditStore(database)\n"
        "for _ in range(40): store.append([event(), event()])\n"
        "database.close()"
    )
    others = [subprocess.Popen([sys.executable, "-c", program, database_url], cwd=ROOT) for _ in range(2)]
    for _ in range(40):
        store.append([event()])

    assert [other.wait(60) for other in others] == [0, 0]
    assert verify(store).entries == 200
    assert verify(store).fault is None


# -- looking for some --------------------------------------------------------------------------------------


SEARCHES = [
    (Search(), "abcde"),
    (Search(user_id="ann"), "ad"),
    (Search(session_id=SESSION), "ab"),
    (Search(action="session.create"), "a"),
    (Search(action="session.*"), "ab"),
    (Search(action="*.create"), "ad"),
    (Search(action="%"), ""),
    (Search(action="key_create"), ""),
    (Search(action="key_*"), ""),
    (Search(actor="key:*"), "b"),
    (Search(actor="cli:a\\*"), "e"),
    (Search(since=AT + timedelta(hours=3)), "de"),
    (Search(until=AT + timedelta(hours=3)), "abc"),
    (Search(after=3), "de"),
    (Search(user_id="ann", action="key.*"), "d"),
    (Search(user_id="' OR 1=1 --"), ""),
]


def test_a_search_finds_what_fits(store: AuditStore) -> None:
    hours = [AT + timedelta(hours=hour) for hour in range(5)]
    store.append(
        [
            event("session.create", request_id="a"),
            event("session.end", request_id="b", user_id="bob", actor="key:aa", at=hours[1]),
            event("service.start", request_id="c", user_id=None, session_id=None, at=hours[2]),
            event("key.create", request_id="d", session_id=None, at=hours[3]),
            event("key.list", request_id="e", user_id="x", session_id=None, actor="cli:a\\b", at=hours[4]),
        ]
    )

    def letters(entries: Iterable[Entry]) -> str:
        return "".join(str(entry.event.request_id) for entry in entries)

    assert [(search, letters(store.newest(search, 10))) for search, _ in SEARCHES] == SEARCHES
    assert [(search, letters(store.between(0, 5, search))) for search, _ in SEARCHES] == SEARCHES


def test_the_newest_are_shown_oldest_first(store: AuditStore) -> None:
    fill(store, 10)

    assert [entry.number for entry in store.newest(Search(), 3)] == [8, 9, 10]
    assert [entry.number for entry in store.between(2, 5, Search())] == [3, 4, 5]
    assert store.last() == 10


# -- tampering ---------------------------------------------------------------------------------------------

CHANGES = {
    "who": "UPDATE audit SET actor = 'system' WHERE number = 4",
    "what": "UPDATE audit SET action = 'session.read' WHERE number = 4",
    "the user": "UPDATE audit SET user_id = NULL WHERE number = 4",
    "the session": "UPDATE audit SET session_id = NULL WHERE number = 4",
    "the request": "UPDATE audit SET request_id = 'r2' WHERE number = 4",
    "a fact": "UPDATE audit SET detail = '{\"number\": 5}' WHERE number = 4",
    "facts that are none": "UPDATE audit SET detail = 'garbage' WHERE number = 4",
    "facts of another shape": "UPDATE audit SET detail = '[1]' WHERE number = 4",
    "the digest": "UPDATE audit SET digest = (SELECT digest FROM audit WHERE number = 2) WHERE number = 4",
    "the time": "UPDATE audit SET at = (SELECT at FROM audit WHERE number = 2) WHERE number = 4",
    "the id": "UPDATE audit SET id = :id WHERE number = 4",
}


def test_a_changed_entry_is_named(store: AuditStore, database: Database) -> None:
    found = {}
    for name, statement in CHANGES.items():
        with database.transaction() as connection:
            connection.execute(text("DELETE FROM audit"))
        fill(store, 9)
        run(database, statement, **({"id": uuid4().hex} if ":id" in statement else {}))
        verdict = verify(store)
        found[name] = (verdict.entries, verdict.fault.number if verdict.fault else None)

    assert found == dict.fromkeys(CHANGES, (3, 4))


def test_an_entry_taken_out_is_noticed(store: AuditStore, database: Database) -> None:
    fill(store, 9)
    run(database, "DELETE FROM audit WHERE number = 4")

    assert verify(store).fault == Fault(5, "Entries before it are missing.")


def test_numbers_that_were_closed_up_are_noticed(store: AuditStore, database: Database) -> None:
    fill(store, 5)
    run(database, "DELETE FROM audit WHERE number = 4")
    run(database, "UPDATE audit SET number = 4 WHERE number = 5")

    assert verify(store).fault == Fault(4, "It, or the one before it, is not what was written.")


@pytest.mark.parametrize("number", [0, -(2**62), 6])
def test_an_entry_put_in_is_named(store: AuditStore, database: Database, number: int) -> None:
    fill(store, 5)
    run(
        database,
        "INSERT INTO audit (number, id, at, actor, action, detail, digest)"
        " SELECT :number, :id, at, actor, action, detail, digest FROM audit WHERE number = 5",
        number=number,
        id=uuid4().hex,
    )

    fault = verify(store).fault
    assert fault is not None
    assert fault.number == number


def test_an_entry_that_became_no_entry_is_named_unless_the_database_refuses_that(
    store: AuditStore, database: Database
) -> None:
    fill(store, 9)
    refused = False
    try:
        run(database, "UPDATE audit SET at = 'never' WHERE number = 4")
    except StorageUnavailable:
        refused = True

    assert refused or verify(store).fault == Fault(4, "It cannot be read.")


# -- retention ---------------------------------------------------------------------------------------------


def test_the_oldest_go_and_the_rest_is_a_chain(store: AuditStore) -> None:
    fill(store, 10)

    assert store.delete_before(AT + timedelta(minutes=5)) == 4

    assert verify(store).entries == 6
    assert verify(store).fault is None
    store.append([event()])
    assert store.last() == 11
    assert verify(store).fault is None


def test_the_newest_always_stays_so_that_numbers_go_on(store: AuditStore) -> None:
    fill(store, 3)

    assert store.delete_before(AT + timedelta(days=1)) == 2
    assert store.delete_before(AT + timedelta(days=1)) == 0

    store.append([event()])
    assert [entry.number for entry in store.newest(Search(), 10)] == [3, 4]
    assert verify(store).fault is None


class Shrinking(AuditStore):
    """Of which the oldest entries are deleted while it is being read."""

    def after(self, number: int, search: Search, limit: int = 500) -> list[Entry]:
        self.delete_before(AT + timedelta(minutes=700 if number > 0 else 0))
        return super().after(number, search, limit)

    def first(self, after: int = LOWEST) -> int | None:
        self.delete_before(AT + timedelta(minutes=900))
        return super().first(after)


def test_a_check_is_not_misled_by_what_is_deleted_meanwhile(database: Database) -> None:
    store = Shrinking(database)
    fill(store, 1300)

    assert verify(store).fault is None


def test_an_entry_of_a_clock_that_went_back_stays_until_its_turn(store: AuditStore) -> None:
    store.append([event(at=AT), event(at=AT - timedelta(days=300)), event(at=AT)])

    assert store.delete_before(AT - timedelta(days=1)) == 0
    assert verify(store).entries == 3


def test_nothing_is_deleted_of_nothing(store: AuditStore) -> None:
    assert store.delete_before(AT) == 0
    assert verify(store) == Verdict(0, None, 0, None)
