"""OAuth for clients that act for themselves. [client-credentials, client-credentials-grant-workflow]"""

from __future__ import annotations

from typing import Any

import pytest
import requests

from emulator.installation import register_client
from emulator.servicenow import Instance

CLIENT, SECRET = "client-of-the-tests", "not a real sécret"
USER = "machine"
GRANT = "glide.oauth.inbound.client.credential.grant_type.enabled"
WHO = "/api/now/table/sys_user?sysparm_limit=1"


@pytest.fixture(scope="module", autouse=True)
def user(instance: Instance) -> str:
    made = instance.create_user(USER, USER)
    register_client(instance, made, CLIENT, SECRET)
    return made


def asked(instance: Instance, **changes: Any) -> requests.Response:
    form = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET} | changes
    return instance.request("POST", "/oauth_token.do", auth=None, data=form)


def called(instance: Instance, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return instance.request("GET", WHO, auth=None, headers=headers).status_code


def test_a_client_gets_a_token_that_signs_its_user_in(instance: Instance) -> None:
    answer = asked(instance)

    assert answer.status_code == 200
    assert answer.json().keys() == {"access_token", "scope", "token_type", "expires_in"}
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 1799)
    assert called(instance, answer.json()["access_token"]) == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"client_secret": "wrong"},
        {"client_secret": ""},
        {"client_id": "nobody"},
        {"grant_type": "password"},
        {"grant_type": ""},
    ],
    ids=["wrong secret", "no secret", "unknown client", "another grant", "no grant"],
)
def test_who_proves_nothing_gets_none(instance: Instance, changes: dict[str, str]) -> None:
    answer = asked(instance, **changes)

    assert answer.status_code == 401
    assert answer.json() == {"error_description": "access_denied", "error": "server_error"}


def test_a_secret_in_the_address_is_not_read(instance: Instance) -> None:
    query = {"grant_type": "client_credentials", "client_id": CLIENT, "client_secret": SECRET}

    assert instance.request("POST", "/oauth_token.do", auth=None, params=query).status_code == 401


def test_the_grant_has_to_be_allowed(instance: Instance) -> None:
    properties = instance.table("sys_properties")
    (allowed,) = properties.rows(f"name={GRANT}")
    properties.update(allowed["sys_id"], value="false")

    assert asked(instance).status_code == 401

    properties.update(allowed["sys_id"], value="true")
    assert asked(instance).status_code == 200


def test_a_token_is_worth_nothing_when_its_user_is_locked_out(instance: Instance, user: str) -> None:
    token = asked(instance).json()["access_token"]
    instance.table("sys_user").update(user, active="false")

    assert (called(instance, token), asked(instance).status_code) == (401, 401)

    instance.table("sys_user").update(user, active="true")
    assert called(instance, token) == 200


def test_a_token_ends(instance: Instance) -> None:
    entities = instance.table("oauth_entity")
    (entity,) = entities.rows(f"client_id={CLIENT}")
    entities.update(entity["sys_id"], access_token_lifespan="-1")

    token = asked(instance).json()["access_token"]

    assert called(instance, token) == 401
    entities.update(entity["sys_id"], access_token_lifespan="1800")


def test_nobody_can_read_the_secret(instance: Instance) -> None:
    (entity,) = instance.table("oauth_entity").rows(f"client_id={CLIENT}")

    assert SECRET not in entity["client_secret"]
    assert called(instance, "0" * 64) == 401
