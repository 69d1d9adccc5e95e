"""The session store on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest
from sqlalchemy import Column, ForeignKey, MetaData, Table, Uuid, insert

from sidecar.errors import LimitReached, NotFound, SessionExists, StorageUnavailable
from sidecar.model.session import Renderer, Session, SessionState, Size, WorkspaceType
from sidecar.storage.database import Database
from sidecar.storage.outputs import OutputStore
from sidecar.storage.sessions import SessionStore
from sidecar.storage.tables import sessions as stored
from tests.integration.storage.samples import NOON, a_chunk, a_session, added

HOUR = timedelta(hours=1)


def _full() -> Session:
    return replace(
        a_session(),
        state=SessionState.FAILED,
        workspace_type=WorkspaceType.PERSISTENT,
        workspace_name="main",
        size=Size(500, 1),
        renderer=Renderer.FULLSCREEN,
        created_at=datetime(2026, 3, 1, 1, 2, 3, 456789, tzinfo=timezone(timedelta(hours=-7))),
        model="claude-sonnet",
        ended_at=NOON + HOUR,
        exit_code=-9,
        reason="Ünïcode, and a 'quote' \U0001f600",
        claude_version="2.1.329",
        created_by="key:0123456789abcdef",
        output_offset=2**62,
        reserved_offset=2**62 + 1,
        process_offset=7,
    )


def _ended(at: datetime) -> Session:
    return replace(a_session(at=at), state=SessionState.TERMINATED, ended_at=at)


@pytest.mark.parametrize("session", [a_session(), _full()], ids=["plain", "full"])
def test_a_session_is_given_back_as_it_was(sessions: SessionStore, session: Session) -> None:
    added(sessions, session)

    assert sessions.get(session.id) == session


def test_times_come_back_in_utc(sessions: SessionStore) -> None:
    session = added(sessions, _full())

    assert sessions.get(session.id).created_at.tzinfo is UTC


def test_an_unknown_session_is_not_found(sessions: SessionStore) -> None:
    session = a_session()
    for call in (
        lambda: sessions.get(session.id),
        lambda: sessions.credential(session.id),
        lambda: sessions.save(session),
        lambda: sessions.reserve(session.id, 1),
    ):
        with pytest.raises(NotFound):
            call()


def test_the_sealed_credential_is_kept_as_bytes(sessions: SessionStore) -> None:
    session, without = a_session(), added(sessions)
    sessions.add(session, max_per_user=9, max_total=9, sealed_credential=b"\x00\xff sealed")

    assert sessions.credential(session.id) == b"\x00\xff sealed"
    assert sessions.credential(without.id) is None


def test_saving_changes_what_may_change(sessions: SessionStore) -> None:
    session = added(sessions)
    full = replace(_full(), id=session.id)

    sessions.save(full)

    fixed = {
        name: getattr(session, name)
        for name in ("workspace_type", "workspace_name", "created_at", "created_by")
    }
    assert sessions.get(session.id) == replace(full, **fixed)


def test_saving_keeps_the_credential(sessions: SessionStore) -> None:
    session = a_session()
    sessions.add(session, max_per_user=9, max_total=9, sealed_credential=b"sealed")

    sessions.save(session.evolve(state=SessionState.RUNNING))

    assert sessions.credential(session.id) == b"sealed"


def test_saving_an_older_copy_does_not_lower_offsets(sessions: SessionStore) -> None:
    session = added(sessions, replace(a_session(), output_offset=100, reserved_offset=200))

    sessions.save(replace(session, output_offset=50, reserved_offset=60))

    kept = sessions.get(session.id)
    assert (kept.output_offset, kept.reserved_offset) == (100, 200)


def test_a_reservation_only_rises(sessions: SessionStore) -> None:
    session = added(sessions)

    for offset in (1000, 999, 0):
        sessions.reserve(session.id, offset)

    assert sessions.get(session.id).reserved_offset == 1000


def test_a_taken_id_is_refused_also_at_the_limit(sessions: SessionStore) -> None:
    session = added(sessions)

    with pytest.raises(SessionExists):
        sessions.add(a_session("bob", session_id=session.id), max_per_user=1, max_total=1)
    assert sessions.get(session.id).user_id == "ann"


def test_a_user_may_have_as_many_as_the_limit_and_no_more(sessions: SessionStore) -> None:
    for _ in range(2):
        sessions.add(a_session(), max_per_user=2, max_total=10)

    with pytest.raises(LimitReached):
        sessions.add(a_session(), max_per_user=2, max_total=10)
    sessions.add(a_session("bob"), max_per_user=2, max_total=10)


def test_the_service_may_have_as_many_as_the_limit_and_no_more(sessions: SessionStore) -> None:
    sessions.add(a_session("ann"), max_per_user=2, max_total=2)
    sessions.add(a_session("bob"), max_per_user=2, max_total=2)

    with pytest.raises(LimitReached):
        sessions.add(a_session("eve"), max_per_user=2, max_total=2)


@pytest.mark.parametrize("state", list(SessionState))
def test_only_ended_sessions_do_not_count(sessions: SessionStore, state: SessionState) -> None:
    added(sessions, replace(a_session(), state=state))

    if state.ended:
        sessions.add(a_session(), max_per_user=1, max_total=1)
    else:
        with pytest.raises(LimitReached):
            sessions.add(a_session(), max_per_user=1, max_total=1)


def test_creates_at_once_do_not_slip_over_the_limit(sessions: SessionStore) -> None:
    def create(_: int) -> bool:
        try:
            sessions.add(a_session(), max_per_user=3, max_total=50)
        except LimitReached:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(create, range(24)))

    assert sum(outcomes) == 3
    assert sessions.list("ann", limit=100, offset=0)[1] == 3


def test_of_creates_with_one_id_at_once_one_wins(sessions: SessionStore) -> None:
    own_id = uuid4()

    def create(_: int) -> bool:
        try:
            sessions.add(a_session(session_id=own_id), max_per_user=3, max_total=50)
        except SessionExists:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(create, range(16))) == 1


def test_threads_saving_and_reserving_lose_nothing(sessions: SessionStore) -> None:
    session = added(sessions)

    def turn(number: int) -> None:
        sessions.reserve(session.id, number)
        sessions.save(session.evolve(state=SessionState.RUNNING))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(turn, range(1, 65)))

    assert sessions.get(session.id).reserved_offset == 64


def test_a_list_is_newest_first_and_in_pages(sessions: SessionStore) -> None:
    made = [added(sessions, a_session(at=NOON + number * HOUR)) for number in range(5)]
    added(sessions, a_session("bob"))

    first, total = sessions.list("ann", limit=2, offset=0)
    last, _ = sessions.list("ann", limit=2, offset=4)

    assert total == 5
    assert first == [made[4], made[3]]
    assert last == [made[0]]


def test_sessions_of_one_moment_come_in_a_fixed_order(sessions: SessionStore) -> None:
    for _ in range(6):
        added(sessions)
    whole = sessions.list("ann", limit=6, offset=0)[0]

    assert [sessions.list("ann", limit=1, offset=place)[0][0] for place in range(6)] == whole


def test_a_list_can_be_of_everybody(sessions: SessionStore) -> None:
    of_ann, of_bob = (
        added(sessions, a_session("ann", at=NOON)),
        added(sessions, a_session("bob", at=NOON + HOUR)),
    )

    page, total = sessions.list(None, limit=10, offset=0)

    assert ([session.id for session in page], total) == ([of_bob.id, of_ann.id], 2)


def test_a_list_can_be_of_one_state(sessions: SessionStore) -> None:
    added(sessions)
    ended = added(sessions, _ended(NOON))

    assert sessions.list("ann", state=SessionState.TERMINATED, limit=9, offset=0) == ([ended], 1)


@pytest.mark.parametrize("offset", [99, 2**63 - 1, 10**30])
def test_a_page_behind_the_end_is_empty(sessions: SessionStore, offset: int) -> None:
    added(sessions)

    assert sessions.list("ann", limit=5, offset=offset) == ([], 1)


@pytest.mark.parametrize("user_id", ["", "\0", "\ud800", "' OR 1=1 --", "x" * 100_000])
def test_garbage_for_a_user_finds_nothing(sessions: SessionStore, user_id: str) -> None:
    added(sessions)

    assert sessions.list(user_id, limit=5, offset=0) == ([], 0)


@pytest.mark.parametrize("reason", ["a\0b", "half \ud83d pair", "\x1b]0;title\x07" * 1000])
def test_text_that_a_database_would_refuse_is_stored_all_the_same(
    sessions: SessionStore, reason: str
) -> None:
    session = added(sessions)

    sessions.save(replace(session, reason=reason))

    kept = sessions.get(session.id).reason
    assert kept is not None
    assert len(kept) == len(reason)


def test_sessions_are_found_by_state_oldest_first(sessions: SessionStore) -> None:
    later = added(sessions, replace(a_session(at=NOON + HOUR), state=SessionState.RUNNING))
    sooner = added(sessions)
    added(sessions, _ended(NOON))

    assert sessions.in_states([SessionState.RUNNING, SessionState.STARTING]) == [sooner, later]
    assert sessions.in_states([]) == []


def test_sessions_that_ended_before_are_deleted_with_their_output(
    sessions: SessionStore, outputs: OutputStore
) -> None:
    old, recent = added(sessions, _ended(NOON)), added(sessions, _ended(NOON + HOUR))
    without_end = added(sessions, replace(a_session(), state=SessionState.FAILED))
    living = added(sessions)
    outputs.append([(session.id, a_chunk(0, b"bytes")) for session in (old, recent, living)], NOON)

    gone = sessions.delete_ended(NOON + HOUR)

    assert set(gone) == {old.id, without_end.id}
    assert outputs.read(old.id, 0, 10) is None
    assert outputs.read(recent.id, 0, 10) is not None
    assert sessions.get(living.id) == living.evolve(output_offset=5)
    assert sessions.delete_ended(NOON + HOUR) == []


def test_what_was_deleted_before_a_failure_is_told(sessions: SessionStore, database: Database) -> None:
    gone, pinned = added(sessions, _ended(NOON)), added(sessions, _ended(NOON + HOUR))
    with database.transaction() as connection:
        pins = Table("pins", MetaData(), Column("session_id", Uuid, ForeignKey(stored.c.id)))
        pins.create(connection)
        connection.execute(insert(pins).values(session_id=pinned.id))

    assert sessions.delete_ended(NOON + 2 * HOUR) == [gone.id]
    with pytest.raises(StorageUnavailable):
        sessions.delete_ended(NOON + 2 * HOUR)
