"""API keys: given out once, known by their hash, refused for every reason alike."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest

from sidecar.access.keys import ApiKeys
from sidecar.errors import InvalidRequest, NotFound, StorageUnavailable, Unauthenticated
from sidecar.model.caller import ApiKey, Scope
from sidecar.storage.api_keys import ApiKeyStore
from sidecar.storage.database import Database
from sidecar.storage.tables import api_keys
from tests.fakes.clock import FakeClock


def issued(
    keys: ApiKeys,
    user: str = "jane",
    scopes: Iterable[Scope] = (Scope.SESSIONS,),
    expires_at: datetime | None = None,
) -> tuple[ApiKey, str]:
    return keys.issue(user, "of the tests", scopes, expires_at)


def another(character: str) -> str:
    """Return another character of the same kind."""
    return "1" if character == "0" else "0"


# -- what a key is -----------------------------------------------------------------------------------------


def test_a_key_is_bound_to_its_user_and_scopes(keys: ApiKeys, clock: FakeClock) -> None:
    """M6: one token for all, and a user each caller asserted of himself."""
    key, text = issued(keys, "jane", (Scope.SESSIONS, Scope.ADMIN))
    other, others = issued(keys, "joe")

    assert re.fullmatch(r"csk_[0-9a-f]{16}_[A-Za-z0-9_-]{43}", text)
    assert text.split("_")[1] == key.id
    found = keys.check(text)
    assert (found.id, found.user_id, found.scopes) == (
        key.id,
        "jane",
        frozenset({Scope.SESSIONS, Scope.ADMIN}),
    )
    assert (found.name, found.created_at) == ("of the tests", clock.now())
    assert found.caller.actor == f"key:{key.id}"
    assert keys.check(others).user_id == "joe"
    assert other.id != key.id


def test_neither_the_key_nor_its_secret_is_stored(keys: ApiKeys, database: Database) -> None:
    _, text = issued(keys)
    with database.reading() as connection:
        row = connection.execute(api_keys.select()).one()
    assert text.split("_", 2)[2] not in repr(row)
    assert len(row.digest) == 32


def test_a_key_of_an_illegal_user_is_not_made(keys: ApiKeys) -> None:
    for user in ("", "..", "../x", "a" * 65, "a\0", "a b", ".a", "ä"):
        with pytest.raises(InvalidRequest):
            issued(keys, user)
    assert keys.list() == []


def test_a_name_that_would_spoil_the_list_is_refused(keys: ApiKeys) -> None:
    for name in ("", " ", "a" * 101, "a\nb", "a\0", "\x1b[31mred", "a\u2028b"):
        with pytest.raises(InvalidRequest):
            keys.issue("jane", name, [Scope.SESSIONS], None)


def test_a_key_for_nothing_or_of_yesterday_is_not_made(keys: ApiKeys, clock: FakeClock) -> None:
    with pytest.raises(InvalidRequest):
        issued(keys, scopes=())
    with pytest.raises(InvalidRequest):
        issued(keys, expires_at=clock.now())


# -- what is refused ---------------------------------------------------------------------------------------


def test_a_key_wrong_by_one_character_anywhere_is_refused(keys: ApiKeys) -> None:
    _, text = issued(keys)
    for place in range(len(text)):
        wrong = text[:place] + another(text[place]) + text[place + 1 :]
        with pytest.raises(Unauthenticated):
            keys.check(wrong)
    assert keys.check(text).user_id == "jane"


def test_the_last_character_counts_whole_although_two_of_its_bits_carry_nothing(keys: ApiKeys) -> None:
    _, text = issued(keys)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    for character in set(alphabet) - {text[-1]}:
        with pytest.raises(Unauthenticated):
            keys.check(text[:-1] + character)


def test_what_only_looks_like_a_key_is_refused(keys: ApiKeys) -> None:
    _, text = issued(keys)
    for wrong in (
        "",
        text[:-1],
        text + "A",
        text + "\n",
        " " + text,
        text.upper(),
        text.replace("csk_", "sk-ant-"),
        text[4:],
        text[:21] + "A" * 43,
        "csk_" + "0" * 16 + text[20:],
        text.replace("_", "-"),
        text[:-1] + "ä",
        text + "\0",
        text[:-1] + "\udcff",
        text * 100_000,
        "csk_' OR '1'='1_" + "A" * 43,
        "eyJhbGciOiJFQ0RILUVTIn0..AAAA.BBBB.CCCC",
    ):
        with pytest.raises(Unauthenticated):
            keys.check(wrong)


def test_every_refusal_is_told_in_the_same_words(keys: ApiKeys, clock: FakeClock) -> None:
    key, revoked = issued(keys)
    keys.revoke(key.id)
    _, expired = issued(keys, expires_at=clock.now() + timedelta(seconds=1))
    clock.advance(1)
    told = set()
    for text in (revoked, expired, "nonsense", f"csk_{'0' * 16}_{'A' * 43}"):
        with pytest.raises(Unauthenticated) as refusal:
            keys.check(text)
        told.add(refusal.value.detail)
    assert len(told) == 1


def test_a_key_ends_at_its_very_time(keys: ApiKeys, clock: FakeClock) -> None:
    _, text = issued(keys, expires_at=clock.now() + timedelta(days=90))
    clock.advance(90 * 86400 - 0.001)
    keys.check(text)
    clock.advance(0.001)
    with pytest.raises(Unauthenticated):
        keys.check(text)


def test_a_key_revoked_by_another_process_is_refused_at_once(
    keys: ApiKeys, database: Database, clock: FakeClock
) -> None:
    key, text = issued(keys)
    _, left = issued(keys)
    keys.check(text)

    assert ApiKeys(ApiKeyStore(database), clock).revoke(key.id)

    with pytest.raises(Unauthenticated):
        keys.check(text)
    with pytest.raises(Unauthenticated):
        keys.named(key.id)
    keys.check(left)


def test_revoking_twice_keeps_the_first_time_and_a_key_nobody_has_is_told(
    keys: ApiKeys, clock: FakeClock
) -> None:
    key, _ = issued(keys)
    first = clock.now()
    assert keys.revoke(key.id)
    clock.advance(60)
    assert not keys.revoke(key.id)
    assert keys.list("jane")[0].revoked_at == first
    for wrong in ("0" * 16, "", "x\0", "ä", "' OR 1=1 --"):
        with pytest.raises(NotFound):
            keys.revoke(wrong)


def test_the_list_shows_a_users_keys_oldest_first(keys: ApiKeys, clock: FakeClock) -> None:
    made = []
    for user in ("jane", "joe", "jane"):
        made.append(issued(keys, user)[0])
        clock.advance(1)
    assert [key.id for key in keys.list()] == [key.id for key in made]
    assert [key.id for key in keys.list("jane")] == [made[0].id, made[2].id]
    assert keys.list("nobody") == []


# -- the last use ------------------------------------------------------------------------------------------


def test_the_last_use_is_noted_once_a_minute(keys: ApiKeys, clock: FakeClock) -> None:
    _, text = issued(keys)
    assert keys.list()[0].last_used_at is None
    first = clock.now()
    for _ in range(6):
        keys.check(text)
        clock.advance(11)
    assert keys.list()[0].last_used_at == first
    keys.check(text)
    assert keys.list()[0].last_used_at == clock.now()


def test_a_refused_key_was_not_used(keys: ApiKeys) -> None:
    key, text = issued(keys)
    keys.revoke(key.id)
    with pytest.raises(Unauthenticated):
        keys.check(text)
    assert keys.list()[0].last_used_at is None


class ReadOnly(ApiKeyStore):
    """A store on a disk that is full: what is there can be read."""

    def used(self, key_id: str, at: datetime) -> None:
        raise StorageUnavailable(f"{key_id} was used at {at}, and nobody will know")


def test_a_key_works_although_its_use_cannot_be_stored(
    keys: ApiKeys, database: Database, clock: FakeClock
) -> None:
    _, text = issued(keys)
    assert ApiKeys(ReadOnly(database), clock).check(text).user_id == "jane"


def test_without_the_database_no_key_is_believed(keys: ApiKeys, database: Database) -> None:
    _, text = issued(keys)
    database.close()
    with pytest.raises(StorageUnavailable):
        keys.check(text)
    with pytest.raises(Unauthenticated):  # needs no database
        keys.check("nonsense")
