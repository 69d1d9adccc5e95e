"""Stored keys: enrolled once, for one user, and gone when removed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from sidecar.errors import (
    CredentialGone,
    DecryptionFailed,
    InvalidRequest,
    LimitReached,
    NotFound,
    SealRefused,
    SidecarError,
)
from sidecar.model.credential import KeyChoice
from sidecar.storage.credentials import CredentialStore
from sidecar.storage.database import Database
from sidecar.storage.tables import credentials as table
from sidecar.vault.cipher import Cipher
from sidecar.vault.keyring import Keyring
from sidecar.vault.vault import MOST_CREDENTIALS, Means, Vault
from tests.fakes.clock import FakeClock
from tests.sealing import seal

KEY = "sk-ant-a-stored-key-4711"
DAY_S = 86400.0


@pytest.fixture
def token(keyring: Keyring, clock: FakeClock) -> str:
    """Return the key, sealed by Ann just now."""
    return seal(keyring.public(), KEY, "ann", clock.now())


def rows(database: Database) -> int:
    with database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def ids(vault: Vault, user: str = "ann") -> list[UUID]:
    return [credential.id for credential in vault.list(user, limit=100)[0]]


def test_a_stored_key_is_told_by_its_last_characters_and_opens(vault: Vault, clock: FakeClock) -> None:
    added = vault.add("ann", KEY)

    assert (added.user_id, added.hint, added.created_at) == ("ann", "4711", clock.now())
    assert vault.list("ann", limit=5) == ([added], 1)
    assert vault.open("ann", added.id) == KEY


def test_the_newest_comes_first_and_pages_are_as_asked(vault: Vault, clock: FakeClock) -> None:
    added = []
    for number in range(3):
        added.append(vault.add("ann", f"{KEY}-{number}"))
        clock.advance(1)

    assert vault.list("ann", limit=2) == ([added[2], added[1]], 3)
    assert vault.list("ann", limit=2, offset=2) == ([added[0]], 3)
    assert vault.list("ann", limit=2, offset=2**70) == ([], 3)
    assert vault.list("bob", limit=2) == ([], 0)


def test_a_users_key_is_none_to_another(vault: Vault) -> None:
    added = vault.add("ann", KEY)

    with pytest.raises(CredentialGone):
        vault.open("bob", added.id)
    with pytest.raises(NotFound):
        vault.remove("bob", added.id)
    with pytest.raises(InvalidRequest) as foreign:
        vault.choose("bob", KeyChoice(credential_id=added.id))
    with pytest.raises(InvalidRequest) as unknown:
        vault.choose("bob", KeyChoice(credential_id=uuid4()))

    assert str(foreign.value) == str(unknown.value) == "credentials.credentialId: unknown credential"
    assert vault.open("ann", added.id) == KEY


def test_a_row_moved_to_another_user_does_not_open(vault: Vault, database: Database) -> None:
    added = vault.add("ann", KEY)
    with database.transaction() as connection:
        connection.execute(table.update().values(user_id="bob"))

    with pytest.raises(DecryptionFailed):
        vault.open("bob", added.id)


def test_a_removed_key_is_gone_at_once(vault: Vault, database: Database) -> None:
    added = vault.add("ann", KEY)

    vault.remove("ann", added.id)

    assert rows(database) == 0
    with pytest.raises(CredentialGone):
        vault.open("ann", added.id)
    with pytest.raises(NotFound):
        vault.remove("ann", added.id)


def test_a_sealed_key_enrols_once(vault: Vault, token: str, clock: FakeClock) -> None:
    added = vault.add_sealed("ann", token)
    clock.advance(DAY_S - 1)

    assert vault.add_sealed("ann", token) == added
    assert vault.open("ann", added.id) == KEY
    clock.advance(1)
    with pytest.raises(SealRefused):
        vault.add_sealed("ann", token)
    assert ids(vault) == [added.id]


def test_the_same_sealed_key_at_once_enrols_once(vault: Vault, token: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(lambda _: vault.add_sealed("ann", token), range(8)))

    assert len(made) == 1
    assert len(ids(vault)) == 1


def test_a_removed_one_does_not_come_back_with_its_jwe(
    vault: Vault, token: str, database: Database, clock: FakeClock
) -> None:
    added = vault.add_sealed("ann", token)
    vault.remove("ann", added.id)

    with pytest.raises(SealRefused) as replayed:
        vault.add_sealed("ann", token)
    with pytest.raises(SealRefused) as garbage:
        vault.add_sealed("ann", "garbage")

    assert str(replayed.value) == str(garbage.value)
    assert ids(vault) == []
    with pytest.raises(NotFound):
        vault.remove("ann", added.id)
    with database.reading() as connection:
        left = connection.execute(select(table.c.sealed, table.c.hint)).one()
    assert tuple(left) == (None, "")
    clock.advance(DAY_S - 1)
    vault.purge()
    assert rows(database) == 1
    clock.advance(1)
    vault.purge()
    assert rows(database) == 0
    with pytest.raises(SealRefused):
        vault.add_sealed("ann", token)


def test_of_a_removed_one_whose_jwe_is_too_old_nothing_stays(
    vault: Vault, token: str, database: Database, clock: FakeClock
) -> None:
    added = vault.add_sealed("ann", token)
    clock.advance(DAY_S)

    vault.remove("ann", added.id)

    assert rows(database) == 0


def test_another_user_cannot_enrol_somebodys_jwe(vault: Vault, token: str) -> None:
    with pytest.raises(SealRefused) as refused:
        vault.add_sealed("bob", token)

    assert [problem.field for problem in refused.value.problems] == ["sealed"]
    assert ids(vault, "bob") == []


def test_a_sealed_key_opens_after_the_pair_was_replaced(vault: Vault, token: str, keyring: Keyring) -> None:
    keyring.rotate()

    assert vault.open("ann", vault.add_sealed("ann", token).id) == KEY


def test_a_user_may_store_so_many_keys_and_no_more(
    vault: Vault, keyring: Keyring, clock: FakeClock, token: str
) -> None:
    known = vault.add_sealed("ann", token)
    for number in range(MOST_CREDENTIALS - 1):
        vault.add("ann", f"{KEY}-{number}")

    with pytest.raises(LimitReached):
        vault.add("ann", KEY)
    with pytest.raises(LimitReached):
        vault.add_sealed("ann", seal(keyring.public(), KEY, "ann", clock.now()))

    assert vault.add_sealed("ann", token) == known
    vault.add("bob", KEY)
    vault.remove("ann", known.id)
    vault.add("ann", KEY)


def test_additions_at_once_do_not_get_past_the_limit(vault: Vault) -> None:
    def outcome(_: int) -> type[SidecarError] | None:
        try:
            vault.add("ann", KEY)
        except SidecarError as error:
            return type(error)
        return None

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(outcome, range(MOST_CREDENTIALS + 5)))

    assert outcomes.count(LimitReached) == 5
    assert len(ids(vault)) == MOST_CREDENTIALS


def test_without_a_name_the_only_stored_key_is_chosen(vault: Vault) -> None:
    with pytest.raises(InvalidRequest, match="API key is needed"):
        vault.choose("ann", KeyChoice())
    added = vault.add("ann", KEY)
    vault.add("bob", f"{KEY}-of-bob")

    chosen = vault.choose("ann", KeyChoice())

    assert (chosen.key, chosen.credential_id, chosen.plain) == (KEY, added.id, False)
    vault.add("ann", f"{KEY}-too")
    with pytest.raises(InvalidRequest, match="2 keys are stored"):
        vault.choose("ann", KeyChoice())
    assert vault.choose("ann", KeyChoice(credential_id=added.id)).key == KEY


def test_the_hosts_key_is_for_users_who_have_stored_none(
    credentials: CredentialStore, cipher: Cipher, keyring: Keyring, clock: FakeClock
) -> None:
    vault = Vault(credentials, Means(cipher, keyring, "sk-of-the-host"), clock)

    chosen = vault.choose("ann", KeyChoice())
    assert (chosen.key, chosen.credential_id, chosen.plain) == ("sk-of-the-host", None, False)

    vault.add("ann", KEY)
    assert vault.choose("ann", KeyChoice()).key == KEY


def test_a_key_given_for_once_is_not_stored(vault: Vault, database: Database) -> None:
    chosen = vault.choose("ann", KeyChoice(plain=KEY))

    assert (chosen.key, chosen.credential_id, chosen.plain) == (KEY, None, True)
    assert rows(database) == 0


def test_a_sealed_choice_enrols_and_tells_its_own_field(vault: Vault, token: str) -> None:
    chosen = vault.choose("ann", KeyChoice(sealed=token))

    assert (chosen.key, chosen.plain) == (KEY, False)
    assert [chosen.credential_id] == ids(vault)
    with pytest.raises(SealRefused) as refused:
        vault.choose("ann", KeyChoice(sealed="garbage"))
    assert [problem.field for problem in refused.value.problems] == ["credentials.sealed"]


def test_nothing_shows_a_key(vault: Vault, token: str) -> None:
    choice = KeyChoice(plain=KEY, sealed=token)

    assert KEY not in repr(choice) + repr(vault.choose("ann", choice))
    assert token not in repr(choice)
