"""Many callers at once on the real server: who waits, who is counted, and a kill in the middle of a call."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
import requests

from tests.fixtures.server import MakeServer, Server
from tests.waiting import until

KEY = "sk-ant-a-key-of-the-tests"


def create(server: Server, user: str, **changes: Any) -> str:
    body = {"userId": user, "credentials": {"anthropicApiKey": KEY}, "waitMs": 20_000, **changes}
    response = server.call("POST", "/api/session/create", json=body)
    assert response.status_code == 201, response.text
    return str(response.json()["sessionId"])


def say(server: Server, user: str, session: str, text: str, **options: Any) -> requests.Response:
    path = f"/api/session/{session}/command"
    return server.call("POST", path, user=user, json={"command": text, "waitMs": 20_000}, **options)


def status(server: Server, user: str, session: str) -> Any:
    return server.call("GET", f"/api/session/{session}/status", user=user).json()


@contextmanager
def crowd(server: Server, calls: list[tuple[str, str]]) -> Iterator[list[requests.Response]]:
    """Send GETs at once, each (user, path) on a thread of its own; give the list their answers go into.

    At the end the service is stopped, which ends those that still wait.
    """
    answers: list[requests.Response] = []

    def read(call: tuple[str, str]) -> None:
        user, path = call
        answers.append(server.call("GET", path, user=user))

    with ThreadPoolExecutor(len(calls)) as pool:
        for call in calls:
            pool.submit(read, call)
        try:
            yield answers
        finally:
            server.stop()


def quiet_end(server: Server, user: str, session: str) -> int:
    """Return the end of the output once nothing more comes: a call that waits from before it is answered at once."""
    seen = [status(server, user, session)["outputOffset"]]

    def look() -> bool:
        time.sleep(0.3)
        seen.append(status(server, user, session)["outputOffset"])
        return bool(seen[-1] == seen[-2])

    assert until(look)
    return int(seen[-1])


def waiting_path(server: Server, user: str, session: str) -> str:
    return f"/api/session/{session}/output?wait=25&cursor={quiet_end(server, user, session)}"


def test_300_waiting_calls_of_one_user_leave_another_undisturbed(server: Server) -> None:
    busy, calm = create(server, "busy"), create(server, "calm")
    path = waiting_path(server, "busy", busy)
    with crowd(server, [("busy", path)] * 300) as answers:
        for number in range(5):
            assert f"You said: number {number}" in say(server, "calm", calm, f"number {number}").text
            assert status(server, "calm", calm)["state"] == "running"
        assert create(server, "calm") != calm
        assert until(lambda: len(answers) == 292)
        refused = answers[:]
        assert status(server, "busy", busy)["state"] == "running"
    assert {answer.status_code for answer in refused} == {429}
    assert {answer.json()["title"] for answer in refused} == {"Too many waiting"}
    assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
    assert Counter(answer.status_code for answer in answers) == {200: 8, 429: 292}


def test_with_every_waiting_place_taken_what_does_not_wait_is_answered(make_server: MakeServer) -> None:
    server = make_server(SIDECAR_THREADS="32")
    sessions = {user: create(server, user) for user in ("ann", "bob", "cid")}
    paths = [(user, waiting_path(server, user, session)) for user, session in sessions.items()]
    with crowd(server, paths * 8) as answers:
        assert until(lambda: len(answers) == 8)
        assert {answer.status_code for answer in answers} == {429}
        assert server.call("GET", "/health", timeout=10).status_code == 200
        assert status(server, "cid", sessions["cid"])["state"] == "running"
        assert server.call("GET", "/api/sessions", user="dan", timeout=10).json()["total"] == 0
        command = {"command": "may have to wait"}
        refused = server.call("POST", f"/api/session/{sessions['cid']}/command", user="cid", json=command)
        assert (refused.status_code, refused.json()["title"]) == (429, "Too many waiting")
    assert Counter(answer.status_code for answer in answers) == {200: 16, 429: 8}


def test_a_pump_that_comes_again_gets_in_although_eight_wait(server: Server) -> None:
    session = create(server, "ann")
    cursors: Counter[str] = Counter()
    statuses: set[int] = set()
    seen = threading.Event()

    def pump(name: str, wait: float = 25) -> requests.Response:
        body = {"pump": name, "wait": wait, "cursors": {session: cursors[name]}}
        answer = server.call("POST", "/api/outputs", json=body)
        for news in answer.json().get("sessions", {}).values():
            cursors[name] = news["nextCursor"]
        return answer

    def keep_pumping(name: str) -> None:
        """Call again and again: whatever the terminal has to tell meanwhile ends a call."""
        while not seen.is_set():
            statuses.add(pump(name).status_code)

    with ThreadPoolExecutor(16) as pool:
        for number in range(8):
            pool.submit(keep_pumping, str(number))
        try:
            assert until(lambda: pump("one too many", 0.01).status_code == 429, 60)
            assert pool.submit(pump, "3").result(40).status_code == 200
        finally:
            seen.set()
            server.stop()
    assert statuses - {429} == {200}  # while the one too many had a place, another one had none


# -- rates -----------------------------------------------------------------------------------------------


def test_two_users_from_one_address_do_not_limit_each_other(make_server: MakeServer) -> None:
    """M11: all users of a MID Server come from its address."""
    server = make_server(RATE_LIMIT="3/hour")
    answers = [server.call("GET", "/api/sessions", user="ann") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[3].json()["title"] == "Rate limited"
    assert 3500 < int(answers[3].headers["Retry-After"]) <= 3600
    assert [server.call("GET", "/api/sessions", user="bob").status_code for _ in range(3)] == [200] * 3


# -- a kill in the middle --------------------------------------------------------------------------------


def killed(server: Server, path: str, body: dict[str, Any], options: dict[str, Any], when: Any) -> None:
    """Send a call, kill the service once `when` holds, and start it again."""
    thread = threading.Thread(target=_send, args=(server, path, body, options))
    thread.start()
    assert until(when)
    server.kill9()
    thread.join()
    server.start()


def _send(server: Server, path: str, body: dict[str, Any], options: dict[str, Any]) -> None:
    with pytest.raises(requests.ConnectionError):
        server.call("POST", path, json=body, **options)


def test_a_create_that_was_killed_before_its_answer_is_not_made_twice(server: Server) -> None:
    options: dict[str, Any] = {"user": "ann", "headers": {"Idempotency-Key": str(uuid4())}}
    body = {"userId": "ann", "credentials": {"anthropicApiKey": KEY}, "model": "slow-3", "waitMs": 20_000}

    def listed() -> Any:
        return server.call("GET", "/api/sessions", user="ann").json()["items"]

    killed(server, "/api/session/create", body, options, listed)
    made = [item["sessionId"] for item in listed()]
    for _ in range(2):
        again = server.call("POST", "/api/session/create", json=body, **options)
        assert (again.status_code, again.headers["Idempotent-Replay"]) == (201, "true")
        assert [again.json()["sessionId"]] == made == [item["sessionId"] for item in listed()]


def test_of_a_command_that_was_killed_before_its_answer_the_outcome_is_unknown(server: Server) -> None:
    session = create(server, "ann")
    path = f"/api/session/{session}/command"
    options: dict[str, Any] = {"user": "ann", "headers": {"Idempotency-Key": str(uuid4())}}
    body = {"command": "[[work 20]] cut", "waitMs": 20_000}
    killed(server, path, body, options, lambda: status(server, "ann", session)["activity"] == "busy")
    again = server.call("POST", path, json=body, **options)
    assert (again.status_code, again.json()["title"]) == (409, "Outcome unknown")
    first = say(server, "ann", session, "after all", headers={"Idempotency-Key": "another"})
    assert "You said: after all" in first.text
    server.kill9()
    server.start()
    second = say(server, "ann", session, "after all", headers={"Idempotency-Key": "another"})
    assert (second.content, second.headers["Idempotent-Replay"]) == (first.content, "true")
