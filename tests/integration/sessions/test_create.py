"""Creating sessions: once for each id, and never more than allowed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest

from sidecar.errors import (
    CliUnavailable,
    InvalidRequest,
    LimitReached,
    SessionExists,
    ShuttingDown,
    SidecarError,
)
from sidecar.model.session import SessionState
from sidecar.services import Services
from tests.fixtures.services import BOTH_DATABASES, MakeServices, access, create, new_session
from tests.integration.sessions.driver import Driver


@BOTH_DATABASES
def test_the_same_id_again_gives_the_same_session(services: Services) -> None:
    new = new_session()

    first = services.sessions.create(new, 20)
    again = services.sessions.create(new, 20)

    assert again.session.id == first.session.id
    assert again.session.created_at == first.session.created_at


@BOTH_DATABASES
def test_many_creates_of_one_id_at_once_start_one_program(services: Services) -> None:
    new = new_session()

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: services.sessions.create(new, 20), range(8)))

    assert {status.session.state for status in made} == {SessionState.RUNNING}
    session = Driver(services, access(made[0]), made[0])
    assert session.everything().count(b"Claude Code v2.1.329") == 1


def test_an_id_of_another_user_is_taken(services: Services) -> None:
    new = new_session()
    services.sessions.create(new, 20)

    with pytest.raises(SessionExists):
        create(services, id=new.id, user_id="bob")


def test_an_id_that_was_used_and_ended_long_ago_gives_the_ended_session(make_services: MakeServices) -> None:
    services = make_services()
    new = new_session()
    services.sessions.terminate(access(services.sessions.create(new, 20)))
    services.close()
    services = make_services()

    again = services.sessions.create(new, 20)

    assert again.session.state is SessionState.TERMINATED
    with pytest.raises(SessionExists):
        create(services, id=new.id, user_id="bob")


def test_a_user_gets_as_many_as_allowed_and_an_ended_one_makes_room(make_services: MakeServices) -> None:
    services = make_services(max_sessions_per_user=2)
    first = create(services)
    create(services)

    with pytest.raises(LimitReached):
        create(services)

    create(services, user_id="bob")
    services.sessions.terminate(access(first))
    create(services)


def test_all_users_together_get_as_many_as_allowed(make_services: MakeServices) -> None:
    services = make_services(max_sessions=2)
    create(services, user_id="ann")
    create(services, user_id="bob")

    with pytest.raises(LimitReached):
        create(services, user_id="cid")


@BOTH_DATABASES
def test_creates_at_once_do_not_get_past_the_limit(make_services: MakeServices) -> None:
    services = make_services(max_sessions_per_user=3)

    def outcome(_: int) -> UUID | type[SidecarError]:
        try:
            return create(services).session.id
        except SidecarError as error:
            return type(error)

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(outcome, range(8)))

    assert outcomes.count(LimitReached) == 5
    assert len({each for each in outcomes if isinstance(each, UUID)}) == 3


def test_a_refused_create_leaves_nothing_behind(make_services: MakeServices, tmp_path: Path) -> None:
    services = make_services(max_sessions=1)
    create(services)
    new = new_session()
    with pytest.raises(LimitReached):
        services.sessions.create(new, 20)

    assert not (tmp_path / "data/sessions" / str(new.id)).exists()
    assert services._registry.known(new.id) is None


def test_a_session_needs_a_key_unless_the_host_shares_its_own(make_services: MakeServices) -> None:
    services = make_services(anthropic_api_key="sk-of-the-host")
    with pytest.raises(InvalidRequest):
        create(services, api_key=None)
    services.close()

    services = make_services(anthropic_api_key="sk-of-the-host", share_host_key=True)
    session = Driver.create(services, api_key=None)
    session.command("[[exit 3]]")
    assert session.becomes(SessionState.INTERRUPTED)
    session.say("woken with the host's key")


def test_a_missing_cli_refuses_creates_and_the_service_runs(
    make_services: MakeServices, tmp_path: Path
) -> None:
    services = make_services(claude_path=tmp_path / "nothing")

    with pytest.raises(CliUnavailable):
        create(services)

    assert not services.health().serving


def test_a_closing_service_creates_nothing(services: Services) -> None:
    services.stop_waiting()

    with pytest.raises(ShuttingDown):
        create(services)
