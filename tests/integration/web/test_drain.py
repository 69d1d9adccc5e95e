"""Draining: no new sessions, while those there go on."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest

from sidecar.services import Services
from tests.integration.web.api import Api

PATH = "/api/service/drain"
TOKEN_ONLY: dict[str, str | None] = {"X-User-ID": None}


@pytest.fixture(autouse=True)
def taking_again(web_services: Services) -> Iterator[None]:
    """Leave the shared service as it was."""
    yield
    web_services.drain(draining=False)


def test_a_draining_service_refuses_new_sessions_and_keeps_those_there(api: Api, session: str) -> None:
    answer = api.post(PATH, {"draining": True}, headers=TOKEN_ONLY).json
    assert answer["draining"] is True
    assert answer["sessions"] >= 1

    refused = api.made()
    assert (refused.status_code, refused.json["title"]) == (503, "Draining")
    assert refused.headers["Retry-After"]
    health = api.get("/health")
    assert (health.status_code, health.json["status"]) == (503, "draining")
    answered = api.command(session, "hello", waitMs=20_000)
    assert "You said: hello" in answered.json["output"]["data"]
    assert api.get("/api/sessions").json["total"] == 1

    assert api.post(PATH, {"draining": False}, headers=TOKEN_ONLY).json["draining"] is False
    assert api.get("/health").status_code == 200
    assert api.made().status_code == 201


def test_a_repeated_create_of_a_session_that_is_there_is_answered_while_draining(api: Api) -> None:
    chosen = str(uuid4())
    assert api.create(sessionId=chosen) == chosen
    api.post(PATH, {"draining": True})
    again = api.made(sessionId=chosen)
    assert (again.status_code, again.json["sessionId"]) == (201, chosen)
    assert api.made(sessionId=chosen, userId="somebody").status_code in (409, 503)


def test_a_sleeping_session_wakes_while_draining(api: Api, session: str, web_services: Services) -> None:
    live = next(live for live in web_services._registry.lives() if str(live.session.id) == session)
    web_services._registry.hibernate(live, "of the test")
    api.post(PATH, {"draining": True})
    assert api.command(session, "awake?", waitMs=20_000).status_code == 200
    assert api.get(f"/api/session/{session}/status").json["state"] == "running"


@pytest.mark.parametrize(
    "body", [{}, {"draining": 1}, {"draining": "true"}, {"draining": True, "more": 1}, []]
)
def test_a_body_that_says_no_yes_or_no_changes_nothing(api: Api, body: object) -> None:
    assert api.post(PATH, body).status_code in (400, 422)
    assert api.get("/health").json["status"] == "ok"
