"""The header Idempotency-Key over HTTP."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest
from flask import Flask

from sidecar.access.ledger import Call, Ledger
from sidecar.storage.answers import AnswerStore
from sidecar.web import create_app
from tests.fixtures.services import BOTH_DATABASES, TOKEN, MakeServices
from tests.integration.web.api import Api


def keyed(key: str | None = None) -> dict[str, Any]:
    """Return options of a call with a key."""
    return {"headers": {"Idempotency-Key": key or str(uuid4())}}


def replayed(response: Any) -> bool:
    return bool(response.headers.get("Idempotent-Replay") == "true")


def said(api: Api, session: str, text: str) -> int:
    """Count how often a text was submitted to a session."""
    output = api.get(f"/api/session/{session}/output?maxBytes=1048576").json["data"]
    return int(output.count(f"You said: {text}"))


def test_a_create_sent_again_gives_the_same_session(api: Api) -> None:
    body, key = api.wanted(waitMs=0), keyed()
    first, second = (api.post("/api/session/create", body, **key) for _ in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert (replayed(first), replayed(second)) == (False, True)
    assert second.data == first.data
    assert api.get("/api/sessions").json["total"] == 1
    api.delete(f"/api/session/{first.json['sessionId']}")


def test_a_command_sent_again_is_put_in_once(api: Api, session: str) -> None:
    path, key = f"/api/session/{session}/command", keyed()
    first, second = (api.post(path, {"command": "once only", "waitMs": 20_000}, **key) for _ in range(2))
    assert first.status_code == 200
    assert "You said: once only" in first.json["output"]["data"]
    assert (second.data, replayed(second)) == (first.data, True)
    assert said(api, session, "once only") == 1


def test_without_a_key_every_call_is_executed(api: Api, session: str) -> None:
    for _ in range(2):
        response = api.command(session, "each time", waitMs=20_000)
        assert "Idempotent-Replay" not in response.headers
    assert said(api, session, "each time") == 2


def test_without_a_key_each_create_makes_a_session_of_its_own(api: Api) -> None:
    made = [api.post("/api/session/create", api.wanted(waitMs=0)).json["sessionId"] for _ in range(2)]
    assert made[0] != made[1]
    for session in made:
        api.delete(f"/api/session/{session}")


def test_an_end_and_a_resize_are_replayed_too(api: Api, session: str) -> None:
    path, key = f"/api/session/{session}", keyed()
    size = {"columns": 90, "rows": 30}
    first = api.post(f"{path}/resize", size, **key)
    api.post(f"{path}/resize", {"columns": 70, "rows": 20})
    again = api.post(f"{path}/resize", size, **key)
    assert (again.data, replayed(again)) == (first.data, True)
    assert api.get(f"{path}/status").json["columns"] == 70
    key = keyed()
    assert [replayed(api.delete(path, **key)) for _ in range(2)] == [False, True]


def test_another_body_path_or_method_with_the_same_key_is_refused(api: Api, session: str) -> None:
    path, key = f"/api/session/{session}", keyed()
    assert api.post(f"{path}/resize", {"columns": 90, "rows": 30}, **key).status_code == 200
    others = [
        api.post(f"{path}/resize", {"columns": 91, "rows": 30}, **key),
        api.post(f"{path}/command", {"command": "x"}, **key),
        api.post("/api/session/create", api.wanted(), **key),
        api.delete(path, **key),
    ]
    assert {(other.status_code, other.json["title"]) for other in others} == {(409, "Key reused")}


def test_two_users_may_use_the_same_key(api: Api, session: str) -> None:
    path, key = f"/api/session/{session}", keyed()
    assert api.post(f"{path}/resize", {"columns": 90, "rows": 30}, **key).status_code == 200
    other = Api(api.client, api.token, f"{api.user}-other")
    answer = other.post(f"{path}/resize", {"columns": 90, "rows": 30}, **key)
    assert (answer.status_code, replayed(answer)) == (404, False)


def test_an_error_is_replayed_with_its_headers(api: Api, session: str) -> None:
    path, key = f"/api/session/{session}", keyed()
    api.delete(path)
    first, second = (api.post(f"{path}/command", {"command": "x"}, **key) for _ in range(2))
    assert (first.status_code, first.json["title"]) == (409, "Session ended")
    assert (second.data, second.mimetype, replayed(second)) == (first.data, first.mimetype, True)


def test_a_body_that_was_refused_may_be_corrected_under_the_same_key(api: Api, session: str) -> None:
    path, key = f"/api/session/{session}/resize", keyed()
    assert api.post(path, {"columns": 0, "rows": 30}, **key).status_code == 422
    assert api.post(path, {"columns": 90, "rows": 30}, **key).status_code == 200


@pytest.mark.parametrize("key", ["k", "k" * 128, "!\"#$%&'()*+,-./:;<=>?@[]^_`{|}~", "csk_x:y"])
def test_keys_of_1_to_128_visible_characters_are_taken(api: Api, session: str, key: str) -> None:
    path, size = f"/api/session/{session}/resize", {"columns": 90, "rows": 30}
    assert [replayed(api.post(path, size, **keyed(key))) for _ in range(2)] == [False, True]


@pytest.mark.parametrize("key", ["", "k" * 129, "a b", " ", "\t", "a\x00b", "a\x7fb", "ä", "\u200b"])
def test_other_keys_are_refused_without_being_told(api: Api, session: str, key: str) -> None:
    # As a server hands it over: bytes of the header as Latin-1.
    raw = {"HTTP_IDEMPOTENCY_KEY": key.encode().decode("latin-1")}
    response = api.post(f"/api/session/{session}/resize", {"columns": 90, "rows": 30}, environ_overrides=raw)
    assert response.status_code == 422
    assert [item["field"] for item in response.json["errors"]] == ["Idempotency-Key"]
    assert len(key) < 2 or key not in response.text


def test_reads_and_the_pump_ignore_keys(api: Api, session: str) -> None:
    key = keyed("k" * 129)
    assert api.get(f"/api/session/{session}/status", **key).status_code == 200
    for cursors in ({session: 0}, {}):
        response = api.post("/api/outputs", {"pump": "p", "cursors": cursors}, **keyed("same"))
        assert (response.status_code, replayed(response)) == (200, False)


def test_a_repeat_while_the_first_runs_waits_for_it(app: Flask, api: Api, session: str) -> None:
    answers: list[Any] = []

    def send() -> None:
        own = Api(app.test_client(), api.token, api.user)
        answers.append(
            own.post(f"/api/session/{session}/command", {"command": "slow", "waitMs": 20_000}, **key)
        )

    key = keyed()
    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.data for answer in answers}) == 1
    assert sorted(replayed(answer) for answer in answers) == [False, True, True, True]
    assert said(api, session, "slow") == 1


# -- a service of its own ----------------------------------------------------------------------------------

Restart = Callable[..., Api]


@pytest.fixture
def restart(make_services: MakeServices) -> Restart:
    """Return a maker of a caller of a fresh run of the service; the run before has to be closed."""

    def start(**changes: Any) -> Api:
        return Api(create_app(make_services(**changes)).test_client(), TOKEN, "ann")

    return start


def services_of(api: Api) -> Any:
    return api.client.application.extensions["services"]


@BOTH_DATABASES
def test_after_a_restart_a_repeat_still_gets_the_first_answer(restart: Restart) -> None:
    api, key = restart(), keyed()
    first = api.post("/api/session/create", api.wanted(), **key)
    services_of(api).close()
    api = restart()
    second = api.post("/api/session/create", api.wanted(), **key)
    assert (second.data, replayed(second)) == (first.data, True)


def test_a_create_refused_for_a_limit_goes_through_later_under_its_key(restart: Restart) -> None:
    api, key = restart(max_sessions_per_user=1), keyed()
    first = api.create(waitMs=0)
    body = api.wanted(waitMs=0)
    assert api.post("/api/session/create", body, **key).status_code == 429
    api.delete(f"/api/session/{first}")
    again = api.post("/api/session/create", body, **key)
    assert (again.status_code, replayed(again)) == (201, False)


def test_a_draining_service_keeps_no_refusal(restart: Restart) -> None:
    api, key = restart(), keyed()
    services_of(api).drain(draining=True)
    body = api.wanted(waitMs=0)
    assert api.post("/api/session/create", body, **key).status_code == 503
    services_of(api).drain(draining=False)
    assert api.post("/api/session/create", body, **key).status_code == 201


def test_without_the_database_a_call_with_a_key_is_not_executed(restart: Restart) -> None:
    api = restart()
    session, key = api.create(), keyed()
    path = f"/api/session/{session}/command"
    database = services_of(api).records.database
    database.close()
    assert api.post(path, {"command": "not now", "waitMs": 5000}, **key).status_code == 503
    database.open()
    assert api.post(path, {"command": "but now", "waitMs": 20_000}, **key).status_code == 200
    assert said(api, session, "not now") == 0


def cut_short(api: Api, path: str, body: Any, makes: UUID | None = None) -> dict[str, Any]:
    """Leave what a run leaves that was killed before it could answer; return the options of its repeat."""
    records, key = services_of(api).records, str(uuid4())
    digest = hashlib.sha256(f"POST {path}\n{json.dumps(body)}".encode()).digest()
    ledger = Ledger(AnswerStore(records.database), records.cipher, records.clock)
    assert ledger.begin(Call(api.user, key, digest, makes)) is None
    return keyed(key)


def test_of_a_create_that_was_cut_short_after_the_session_was_made_the_session_is_told(
    restart: Restart,
) -> None:
    api = restart()
    session, body = api.create(), api.wanted()
    again = api.post(
        "/api/session/create", body, **cut_short(api, "/api/session/create", body, UUID(session))
    )
    assert (again.status_code, replayed(again), again.json["sessionId"]) == (201, True, session)
    assert api.get("/api/sessions").json["total"] == 1


def test_a_create_that_was_cut_short_before_the_session_was_made_makes_it(restart: Restart) -> None:
    api, reserved = restart(), uuid4()
    body = api.wanted()
    key = cut_short(api, "/api/session/create", body, reserved)
    again = api.post("/api/session/create", body, **key)
    assert (again.status_code, again.json["sessionId"], again.json["state"]) == (
        201,
        str(reserved),
        "running",
    )
    assert api.post("/api/session/create", body, **key).data == again.data
    assert api.get("/api/sessions").json["total"] == 1


def test_of_a_create_that_was_cut_short_another_users_session_is_not_told(restart: Restart) -> None:
    api = restart()
    session = api.create(waitMs=0)
    other = Api(api.client, api.token, "bob")
    body = other.wanted(sessionId=session)
    key = cut_short(other, "/api/session/create", body, UUID(session))
    again = other.post("/api/session/create", body, **key)
    assert (again.status_code, again.json["title"]) == (409, "Session exists")


def test_of_a_command_that_was_cut_short_the_outcome_is_unknown(restart: Restart) -> None:
    api = restart()
    session, body = api.create(), {"command": "perhaps"}
    path = f"/api/session/{session}/command"
    key = cut_short(api, path, body)
    for _ in range(2):
        again = api.post(path, body, **key)
        assert (again.status_code, again.json["title"]) == (409, "Outcome unknown")
        assert again.json["type"].endswith(":outcome-unknown")
