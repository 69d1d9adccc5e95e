"""A vault over a database, at a time the test sets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sidecar.storage.credentials import CredentialStore
from sidecar.storage.database import Database
from sidecar.storage.sealing import SealingStore
from sidecar.vault.cipher import Cipher
from sidecar.vault.keyring import Keyring
from sidecar.vault.vault import Means, Vault
from tests.fakes.clock import FakeClock

LIFETIME_S = 30 * 86400.0

MakeKeyring = Callable[[], Keyring]


@pytest.fixture
def cipher() -> Cipher:
    return Cipher([bytes(range(32))])


@pytest.fixture
def pairs(database: Database) -> SealingStore:
    return SealingStore(database)


@pytest.fixture
def make_keyring(pairs: SealingStore, cipher: Cipher, clock: FakeClock) -> MakeKeyring:
    """Return a maker of key rings on one store, as several processes have them."""
    return lambda: Keyring(pairs, cipher, clock, LIFETIME_S)


@pytest.fixture
def keyring(make_keyring: MakeKeyring) -> Keyring:
    return make_keyring()


@pytest.fixture
def credentials(database: Database) -> CredentialStore:
    return CredentialStore(database)


@pytest.fixture
def vault(credentials: CredentialStore, cipher: Cipher, keyring: Keyring, clock: FakeClock) -> Vault:
    return Vault(credentials, Means(cipher, keyring, None), clock)
