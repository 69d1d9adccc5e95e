"""Stored keys over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from joserfc.jwk import ECKey

from sidecar.clock import SystemClock
from sidecar.model.credential import KeyChoice
from sidecar.vault.sealed import LONGEST_TOKEN, REFUSAL
from sidecar.vault.vault import MOST_CREDENTIALS
from tests.integration.web.api import Api, Json
from tests.sealing import seal

KEY = "sk-ant-a-stored-key-2468"
PATH = "/api/credentials"


def public(api: Api) -> Json:
    response = api.get(f"{PATH}/key", headers={"Authorization": None, "X-User-ID": None})
    assert response.status_code == 200
    return dict(response.json)


def sealed(api: Api, user: str | None = None) -> str:
    return seal(public(api), KEY, user or api.user, SystemClock().now())


def add(api: Api, **body: Any) -> Any:
    return api.post(PATH, {"userId": api.user, **body}, headers={"X-User-ID": None})


def refused(response: Any) -> Json:
    assert response.status_code == 422, response.text
    return dict(response.json["errors"][0])


def test_the_public_key_needs_no_credential_and_names_itself_by_its_thumbprint(api: Api) -> None:
    jwk = public(api)

    assert set(jwk) == {"kty", "crv", "x", "y", "use", "alg", "kid"}
    assert (jwk["use"], jwk["alg"]) == ("enc", "ECDH-ES")
    assert ECKey.import_key({name: jwk[name] for name in ("kty", "crv", "x", "y")}).thumbprint() == jwk["kid"]


def test_a_key_is_added_listed_used_and_removed(api: Api) -> None:
    added = add(api, anthropicApiKey=KEY)
    assert added.status_code == 201
    assert set(added.json) == {"credentialId", "hint", "createdAt"}
    assert added.json["hint"] == "2468"

    listed = api.get(PATH).json
    assert listed == {"items": [added.json], "total": 1, "limit": 20, "offset": 0}
    assert api.get(f"{PATH}?limit=1&offset=1").json == {"items": [], "total": 1, "limit": 1, "offset": 1}
    api.create(credentials={"credentialId": added.json["credentialId"]})
    api.create(credentials=None)

    removed = api.delete(f"{PATH}/{added.json['credentialId']}")
    assert (removed.status_code, removed.json) == (200, {"removed": True})
    assert api.get(PATH).json["total"] == 0
    assert api.delete(f"{PATH}/{added.json['credentialId']}").status_code == 404


def test_a_sealed_key_enrols_once_and_serves_sessions(api: Api) -> None:
    token = sealed(api)

    first, again = add(api, sealed=token), add(api, sealed=token)
    api.create(credentials={"sealed": token})

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    assert api.get(PATH).json["total"] == 1


def test_a_create_enrols_a_sealed_key(api: Api) -> None:
    api.create(credentials={"sealed": sealed(api)})

    assert [item["hint"] for item in api.get(PATH).json["items"]] == ["2468"]


def test_every_bad_seal_is_refused_in_the_same_words(api: Api) -> None:
    token = sealed(api)
    removed = add(api, sealed=token).json["credentialId"]
    api.delete(f"{PATH}/{removed}")
    bad = [token, token[:-9], sealed(api, "somebody-else"), "x" * (LONGEST_TOKEN + 1), "", "x" * 900_000]

    for text in bad:
        assert refused(add(api, sealed=text)) == {"field": "sealed", "message": REFUSAL}
        create = api.made(credentials={"sealed": text})
        assert refused(create) == {"field": "credentials.sealed", "message": REFUSAL}
    assert api.get(PATH).json["total"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"sealed": "x", "anthropicApiKey": KEY},
        {"sealed": None},
        {"sealed": 7},
        {"anthropicApiKey": "short"},
        {"anthropicApiKey": "k" * 513},
        {"anthropicApiKey": "with space in it"},
        {"anthropicApiKey": f"{KEY}\n"},
        {"apiKey": KEY},
    ],
    ids=str,
)
def test_a_body_with_not_exactly_one_good_key_is_refused(api: Api, body: Json) -> None:
    response = add(api, **body)

    assert response.status_code == 422
    assert KEY not in response.text


@pytest.mark.parametrize(
    ("credentials", "field"),
    [
        ({}, "credentials"),
        ({"anthropicApiKey": KEY, "sealed": "x"}, "credentials"),
        ({"credentialId": str(UUID(int=7)), "anthropicApiKey": KEY}, "credentials"),
        ({"credentialId": str(UUID(int=7))}, "credentials.credentialId"),
        ({"credentialId": "no-uuid"}, "credentials.credentialId"),
        ({"anthropicApiKey": "short"}, "credentials.anthropicApiKey"),
        (None, "credentials"),
    ],
    ids=str,
)
def test_a_create_tells_which_part_of_its_credentials_is_wrong(
    api: Api, credentials: Json | None, field: str
) -> None:
    assert refused(api.made(credentials=credentials))["field"] == field


def test_a_repeat_with_an_idempotency_key_stores_and_removes_once(api: Api) -> None:
    def again(method: str, path: str, body: Json | None = None) -> list[Any]:
        headers = {"Idempotency-Key": f"{method} of {api.user}".replace(" ", "-")}
        return [api.call(method, path, body, headers=headers) for _ in range(2)]

    first, repeat = again("POST", PATH, {"userId": api.user, "anthropicApiKey": KEY})
    assert (first.status_code, repeat.status_code, repeat.json) == (201, 201, first.json)
    assert repeat.headers["Idempotent-Replay"] == "true"
    assert api.get(PATH).json["total"] == 1

    gone = again("DELETE", f"{PATH}/{first.json['credentialId']}")
    assert [response.json for response in gone] == [{"removed": True}] * 2


def test_another_users_key_is_the_same_as_none(api: Api) -> None:
    theirs = add(api, anthropicApiKey=KEY).json["credentialId"]
    other = {"X-User-ID": "somebody-else"}

    assert api.delete(f"{PATH}/{theirs}", headers=other).status_code == 404
    assert api.delete(f"{PATH}/no-uuid").status_code == 404
    assert api.get(PATH, headers=other).json["total"] == 0
    foreign = refused(api.made(userId="somebody-else", credentials={"credentialId": theirs}))
    unknown = refused(api.made(credentials={"credentialId": str(uuid4())}))
    assert foreign == unknown == {"field": "credentials.credentialId", "message": "unknown credential"}
    assert api.get(PATH).json["total"] == 1


def test_a_user_is_needed_and_a_token(api: Api) -> None:
    nobody = {"X-User-ID": None}

    assert api.post(PATH, {"anthropicApiKey": KEY}, headers=nobody).status_code == 400
    assert api.get(PATH, headers=nobody).status_code == 400
    assert api.delete(f"{PATH}/{uuid4()}", headers=nobody).status_code == 400
    stranger = {"Authorization": "Bearer wrong"}
    assert api.post(PATH, {"userId": api.user, "anthropicApiKey": KEY}, headers=stranger).status_code == 401
    assert api.get(PATH, headers=stranger).status_code == 401
    assert refused(add(api, userId="../x", anthropicApiKey=KEY))["field"] == "userId"


def test_one_key_too_many_is_refused(api: Api, web_services: Any) -> None:
    for _ in range(MOST_CREDENTIALS):
        web_services.vault.keep(api.user, KeyChoice(plain=KEY))

    assert add(api, anthropicApiKey=KEY).status_code == 429


def test_a_session_whose_key_was_removed_tells_so_when_it_should_wake(api: Api) -> None:
    credential = add(api, anthropicApiKey=KEY).json["credentialId"]
    session = api.create(credentials={"credentialId": credential})
    api.delete(f"{PATH}/{credential}")
    api.command(session, "[[exit 3]]")
    status = api.get(f"/api/session/{session}/output?cursor=1000000000&wait=20").json["state"]
    assert status == "interrupted"

    response = api.command(session, "wake up")

    assert (response.status_code, response.json["title"]) == (409, "Credential gone")
    assert api.get(f"/api/session/{session}/status").json["state"] == "interrupted"
