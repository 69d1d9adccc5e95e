"""Sign-ins: a cookie that stands for an API key, and ends with it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sidecar.access.keys import ApiKeys
from sidecar.access.signins import SignIns
from sidecar.errors import Unauthenticated
from sidecar.model.caller import ApiKey, Scope
from sidecar.storage.database import Database
from sidecar.storage.tables import sign_ins as table
from tests.fakes.clock import FakeClock

HOUR = 3600


def issued(keys: ApiKeys, days: float | None = None, clock: FakeClock | None = None) -> tuple[ApiKey, str]:
    end = clock.now() + timedelta(days=days) if days and clock else None
    return keys.issue("jane", "of the tests", [Scope.SESSIONS], end)


def count(database: Database) -> int:
    with database.reading() as connection:
        return len(connection.execute(table.select()).all())


def test_a_sign_in_acts_as_its_key(keys: ApiKeys, sign_ins: SignIns) -> None:
    key, text = issued(keys)
    _, token = sign_ins.enter(text)
    assert sign_ins.check(token) == keys.check(text)
    assert sign_ins.check(token).caller.actor == f"key:{key.id}"


def test_two_browsers_of_one_key_sign_out_apart(keys: ApiKeys, sign_ins: SignIns) -> None:
    _, text = issued(keys)
    _, first = sign_ins.enter(text)
    _, second = sign_ins.enter(text)
    assert sign_ins.leave(first)
    assert not sign_ins.leave(first)
    with pytest.raises(Unauthenticated):
        sign_ins.check(first)
    assert sign_ins.check(second).user_id == "jane"


def test_only_a_hash_of_the_token_is_stored(keys: ApiKeys, sign_ins: SignIns, database: Database) -> None:
    _, text = issued(keys)
    _, token = sign_ins.enter(text)
    with database.reading() as connection:
        row = connection.execute(table.select()).one()
    assert token not in repr(row)
    assert text not in repr(row)
    assert token not in text


def test_it_ends_after_twelve_hours(keys: ApiKeys, sign_ins: SignIns, clock: FakeClock) -> None:
    _, token = sign_ins.enter(issued(keys)[1])
    clock.advance(12 * HOUR - 1)
    assert sign_ins.check(token).user_id == "jane"
    clock.advance(1)
    with pytest.raises(Unauthenticated):
        sign_ins.check(token)


def test_it_ends_with_its_key_if_that_is_sooner(keys: ApiKeys, sign_ins: SignIns, clock: FakeClock) -> None:
    sign_in, token = sign_ins.enter(issued(keys, 1 / 24, clock)[1])
    assert sign_in.expires_at == clock.now() + timedelta(hours=1)
    clock.advance(HOUR)
    with pytest.raises(Unauthenticated):
        sign_ins.check(token)


def test_it_ends_when_its_key_is_revoked(keys: ApiKeys, sign_ins: SignIns) -> None:
    key, text = issued(keys)
    _, token = sign_ins.enter(text)
    keys.revoke(key.id)
    with pytest.raises(Unauthenticated):
        sign_ins.check(token)
    with pytest.raises(Unauthenticated):
        sign_ins.enter(text)


def test_a_token_nobody_was_given_is_refused(keys: ApiKeys, sign_ins: SignIns) -> None:
    sign_ins.enter(issued(keys)[1])
    for wrong in ("", "x", "A" * 43, "A" * 42, "A" * 44, "ä" * 43, "\udcff" * 43, "A" * 100_000):
        with pytest.raises(Unauthenticated):
            sign_ins.check(wrong)
        assert not sign_ins.leave(wrong)


def test_a_token_wrong_by_one_character_is_refused(keys: ApiKeys, sign_ins: SignIns) -> None:
    _, token = sign_ins.enter(issued(keys)[1])
    for place in range(len(token)):
        wrong = token[:place] + ("1" if token[place] == "0" else "0") + token[place + 1 :]
        with pytest.raises(Unauthenticated):
            sign_ins.check(wrong)


def test_a_key_is_no_token_and_a_token_no_key(keys: ApiKeys, sign_ins: SignIns) -> None:
    _, text = issued(keys)
    _, token = sign_ins.enter(text)
    with pytest.raises(Unauthenticated):
        sign_ins.check(text)
    with pytest.raises(Unauthenticated):
        sign_ins.check(text.split("_", 2)[2])
    with pytest.raises(Unauthenticated):
        keys.check(token)


def test_what_has_expired_is_forgotten(
    keys: ApiKeys, sign_ins: SignIns, clock: FakeClock, database: Database
) -> None:
    _, text = issued(keys)
    sign_ins.enter(text)
    clock.advance(HOUR)
    _, late = sign_ins.enter(text)
    clock.advance(11 * HOUR)
    sign_ins.purge()
    assert count(database) == 1
    assert sign_ins.check(late).user_id == "jane"
