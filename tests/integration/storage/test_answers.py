"""Stored attempts, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import insert

from sidecar.model.answer import Attempt
from sidecar.storage.answers import AnswerStore
from sidecar.storage.database import Database
from sidecar.storage.tables import answers

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
ATTEMPT = Attempt("ann", "key", NOON, b"sealed", uuid4())


@pytest.fixture
def store(database: Database) -> AnswerStore:
    return AnswerStore(database)


def test_the_first_attempt_is_stored_and_the_second_gets_it(store: AnswerStore) -> None:
    assert store.find(ATTEMPT) is None
    assert store.begin(ATTEMPT) is None
    assert store.begin(replace(ATTEMPT, sealed=b"other", resource_id=None)) == ATTEMPT
    assert store.find(ATTEMPT) == ATTEMPT


def test_an_answer_is_stored_with_its_attempt(store: AnswerStore) -> None:
    store.begin(ATTEMPT)
    answered = replace(ATTEMPT, status=201, content_type="application/json", sealed=b"digest and body")
    store.finish(replace(answered, resource_id=None, created_at=NOON + timedelta(hours=1)))
    assert store.find(ATTEMPT) == answered


def test_a_forgotten_attempt_is_as_good_as_none(store: AnswerStore) -> None:
    store.begin(ATTEMPT)
    store.forget(ATTEMPT)
    assert store.begin(ATTEMPT) is None


def test_users_do_not_meet_each_others_keys(store: AnswerStore) -> None:
    store.begin(ATTEMPT)
    other = replace(ATTEMPT, user_id="bob")
    assert store.begin(other) is None
    store.forget(other)
    assert store.find(ATTEMPT) == ATTEMPT


def test_keys_of_any_visible_character_are_kept_apart(store: AnswerStore) -> None:
    keys = [chr(code) * 128 for code in range(0x21, 0x7F)]
    for key in keys:
        assert store.begin(replace(ATTEMPT, key=key)) is None
    assert all(store.find(replace(ATTEMPT, key=key)) for key in keys)


def test_what_began_before_a_time_is_deleted_in_steps(store: AnswerStore, database: Database) -> None:
    with database.transaction() as connection:
        for number in range(2300):
            old = replace(ATTEMPT, key=str(number), created_at=NOON - timedelta(seconds=number))
            connection.execute(insert(answers).values(vars(old)))
    store.purge(NOON)
    assert store.find(replace(ATTEMPT, key="0")) is not None
    assert not any(store.find(replace(ATTEMPT, key=str(number))) for number in (1, 999, 1000, 1001, 2299))


def test_those_with_too_many_keys_or_bytes_are_named(store: AnswerStore) -> None:
    for number in range(3):
        store.begin(replace(ATTEMPT, user_id="many", key=str(number)))
    store.begin(replace(ATTEMPT, user_id="large", sealed=b"x" * 1000))
    store.begin(replace(ATTEMPT, user_id="small"))
    assert store.hoarders(3, 1000) == {"many", "large"}
    assert store.hoarders(4, 1001) == frozenset()
