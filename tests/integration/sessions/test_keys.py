"""The key a session pays with, from its creation to each waking."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest

from sidecar.errors import CredentialGone, InvalidRequest, SealRefused
from sidecar.isolation import processes
from sidecar.model.credential import KeyChoice
from sidecar.model.session import SessionState
from sidecar.services import Services
from tests.fixtures.services import BOTH_DATABASES, MakeServices, create, new_session
from tests.integration.sessions.driver import Driver
from tests.sealing import seal
from tests.waiting import until

KEY = "sk-ant-a-stored-key-of-ann-0001"


def sealed(services: Services, user: str = "ann") -> str:
    return seal(services.records.keyring.public(), KEY, user, services.clock.now())


def key_in_use(session_id: UUID) -> str:
    """Return the key in the environment of the session's program."""
    process = min(processes.tagged(session_id))
    environment = Path(f"/proc/{process}/environ").read_bytes().split(b"\0")
    return next(item[18:].decode() for item in environment if item.startswith(b"ANTHROPIC_API_KEY="))


def fall_asleep(session: Driver) -> None:
    session.command("[[exit 3]]")
    assert session.becomes(SessionState.INTERRUPTED)
    assert until(lambda: not processes.tagged(session.id))


@BOTH_DATABASES
def test_a_sealed_key_is_stored_once_and_the_session_only_names_it(services: Services) -> None:
    token = sealed(services)
    new = new_session(key=KeyChoice(sealed=token))

    services.sessions.create(new, 20)
    again = services.sessions.create(new, 20)
    other = Driver.create(services, key=KeyChoice(sealed=token))

    stored, total = services.vault.list("ann", limit=10)
    assert total == 1
    assert again.session.credential_id == other.session.credential_id == stored[0].id
    assert services.records.sessions.credential(new.id) is None
    assert key_in_use(new.id) == key_in_use(other.id) == KEY


def test_a_named_key_and_the_only_one_are_used_alike_and_again_after_a_restart(
    make_services: MakeServices,
) -> None:
    services = make_services()
    added = services.vault.add("ann", KEY)
    named = Driver.create(services, key=KeyChoice(credential_id=added.id))
    only = Driver.create(services, key=KeyChoice())
    services.close()
    services = make_services()

    for session in (named, only):
        session.services = services
        session.say("back again")
        assert key_in_use(session.id) == KEY
        assert session.session.credential_id == added.id


def test_a_session_does_not_wake_when_its_key_was_removed(services: Services) -> None:
    added = services.vault.add("ann", KEY)
    session = Driver.create(services, key=KeyChoice(credential_id=added.id))
    services.vault.remove("ann", added.id)
    session.say("it goes on while it runs")
    fall_asleep(session)

    with pytest.raises(CredentialGone):
        session.command("wake up")

    assert session.state() is SessionState.INTERRUPTED
    assert not processes.tagged(session.id)
    assert "it goes on while it runs" in session.screen()
    services.vault.add("ann", KEY)
    with pytest.raises(CredentialGone):
        session.command("another key is not taken in its place")
    session.terminate()


def test_a_key_given_with_the_session_stays_with_it(services: Services) -> None:
    session = Driver.create(services, api_key="sk-ant-only-for-this-session")
    services.vault.add("ann", KEY)
    fall_asleep(session)

    session.say("woken")

    assert key_in_use(session.id) == "sk-ant-only-for-this-session"
    assert session.session.credential_id is None


@pytest.mark.parametrize(
    "choice", [KeyChoice(credential_id=UUID(int=7)), KeyChoice(sealed="garbage"), KeyChoice()], ids=str
)
def test_without_a_usable_key_no_session_is_made(services: Services, choice: KeyChoice) -> None:
    new = new_session(key=choice)

    with pytest.raises(InvalidRequest):
        services.sessions.create(new, 20)

    assert services._registry.known(new.id) is None


def test_a_key_sealed_by_somebody_else_makes_no_session(services: Services) -> None:
    with pytest.raises(SealRefused):
        create(services, key=KeyChoice(sealed=sealed(services, "bob")))


def test_several_stored_keys_have_to_be_told_apart(services: Services) -> None:
    services.vault.add("ann", KEY)
    services.vault.add("ann", f"{KEY}-more")

    with pytest.raises(InvalidRequest, match="2 keys are stored"):
        create(services, key=KeyChoice())


def test_the_keeper_renews_the_pair_and_forgets_removed_keys(services: Services) -> None:
    token = sealed(services)
    added = services.vault.add_sealed("ann", token)
    services.vault.remove("ann", added.id)

    services._keeper.round()

    with pytest.raises(SealRefused):
        services.vault.add_sealed("ann", token)
