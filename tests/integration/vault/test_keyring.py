"""Key pairs over time, and over several processes with one database."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from sidecar.errors import StorageUnavailable
from sidecar.model.sealing import SealingPair
from sidecar.storage.database import Database
from sidecar.storage.sealing import SealingStore
from sidecar.vault.cipher import Cipher
from sidecar.vault.keyring import Keyring
from tests.fakes.clock import FakeClock
from tests.integration.vault.conftest import LIFETIME_S, MakeKeyring

HOUR_S = 3600.0


class Counting:
    """A store that counts how often it is looked into."""

    def __init__(self, pairs: SealingStore) -> None:
        self._pairs = pairs
        self.looks = 0

    def pairs(self) -> Sequence[SealingPair]:
        self.looks += 1
        return self._pairs.pairs()

    def replace(self, known: str | None, fresh: SealingPair) -> bool:
        return self._pairs.replace(known, fresh)

    def purge(self, before: datetime) -> int:
        return self._pairs.purge(before)


def kid(keyring: Keyring) -> str:
    return keyring.public()["kid"]


def test_the_public_half_is_a_jwk_and_holds_nothing_private(keyring: Keyring) -> None:
    public = keyring.public()

    assert set(public) == {"kty", "crv", "x", "y", "use", "alg", "kid"}
    assert (public["kty"], public["crv"], public["use"], public["alg"]) == ("EC", "P-256", "enc", "ECDH-ES")
    found = keyring.find(public["kid"])
    assert found is not None
    assert found.thumbprint() == public["kid"]
    assert found.is_private


def test_the_private_half_is_not_readable_in_storage(keyring: Keyring, pairs: SealingStore) -> None:
    found = keyring.find(kid(keyring))
    assert found is not None

    stored = pairs.pairs()[0].private

    assert str(found.as_dict(private=True)["d"]).encode() not in stored
    assert b"EC" not in stored


def test_the_same_pair_is_given_out_after_a_restart(make_keyring: MakeKeyring) -> None:
    assert kid(make_keyring()) == kid(make_keyring())


def test_many_that_need_the_first_pair_at_once_get_one(
    make_keyring: MakeKeyring, pairs: SealingStore
) -> None:
    rings = [make_keyring() for _ in range(4)] * 2

    with ThreadPoolExecutor(8) as pool:
        kids = set(pool.map(kid, rings))

    assert len(kids) == 1
    assert len(pairs.pairs()) == 1


def test_an_old_pair_is_replaced_and_opens_for_two_days_more(
    keyring: Keyring, pairs: SealingStore, clock: FakeClock
) -> None:
    first = kid(keyring)
    clock.advance(LIFETIME_S - 1)
    keyring.renew()
    assert kid(keyring) == first

    clock.advance(1)
    keyring.renew()
    second = kid(keyring)
    assert second != first

    clock.advance(48 * HOUR_S - 1)
    assert keyring.find(first) is not None
    clock.advance(1)
    assert keyring.find(first) is None
    clock.advance(1)
    keyring.renew()
    assert [pair.kid for pair in pairs.pairs()] == [second]
    assert keyring.find(second) is not None


def test_renewing_makes_no_pair_nobody_asked_for(keyring: Keyring, pairs: SealingStore) -> None:
    keyring.renew()

    assert pairs.pairs() == []


def test_two_that_renew_at_once_make_one_pair(
    make_keyring: MakeKeyring, pairs: SealingStore, clock: FakeClock
) -> None:
    rings = [make_keyring() for _ in range(4)]
    kid(rings[0])
    clock.advance(LIFETIME_S)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(Keyring.renew, rings))

    assert len(pairs.pairs()) == 2
    assert len({kid(ring) for ring in rings}) == 1


def test_a_clock_that_was_set_back_replaces_nothing(
    make_keyring: MakeKeyring, pairs: SealingStore, cipher: Cipher, clock: FakeClock
) -> None:
    clock.advance(90 * 86400)
    first = kid(make_keyring())
    earlier = Keyring(pairs, cipher, FakeClock(), LIFETIME_S)

    earlier.renew()

    assert kid(earlier) == first


def test_a_pair_another_process_made_is_found_when_it_is_needed(make_keyring: MakeKeyring) -> None:
    service, command = make_keyring(), make_keyring()
    first = kid(service)
    command.rotate()
    second = kid(command)

    assert kid(service) == first
    assert service.find(second) is not None
    assert service.find(first) is not None
    assert kid(service) == second


def test_made_up_names_do_not_keep_the_database_busy(
    pairs: SealingStore, cipher: Cipher, clock: FakeClock
) -> None:
    store = Counting(pairs)
    keyring = Keyring(store, cipher, clock, LIFETIME_S)
    kid(keyring)
    before = store.looks

    assert all(keyring.find(f"made up {number}") is None for number in range(1000))
    assert store.looks == before + 1

    clock.advance(1)
    assert keyring.find("made up") is None
    assert store.looks == before + 2


def test_a_pair_that_cannot_be_opened_is_replaced_and_told(
    make_keyring: MakeKeyring, pairs: SealingStore, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    first = kid(make_keyring())
    other = Keyring(pairs, Cipher([bytes(32)]), clock, LIFETIME_S)

    with caplog.at_level(logging.WARNING):
        second = kid(other)
        other.renew()

    assert second != first
    assert other.find(first) is None
    assert caplog.text.count("ENCRYPTION_KEY") == 1


def test_without_a_database_known_pairs_go_on(keyring: Keyring, database: Database) -> None:
    first = kid(keyring)
    database.close()

    assert kid(keyring) == first
    assert keyring.find(first) is not None
    with pytest.raises(StorageUnavailable):
        keyring.find("unknown")
    with pytest.raises(StorageUnavailable):
        keyring.renew()
    database.open()
