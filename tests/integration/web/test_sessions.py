"""What the session operations do, seen through HTTP."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import threading
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient

from sidecar.config import Settings
from sidecar.services import Services
from sidecar.web import create_app
from tests.fixtures.services import API_KEY, TOKEN, MakeServices
from tests.integration.web.api import Api
from tests.waiting import until

#: 50 characters of four bytes each, printed as they are by the scripted CLI.
WIDE = "".join(chr(0x10000 + number) for number in range(50))


def shown(api: Api, session: str) -> bytes:
    """Return all output there is."""
    response = api.get(f"/api/session/{session}/output?encoding=base64&maxBytes=1048576")
    return base64.b64decode(response.json["data"])


def said(api: Api, session: str, text: str) -> None:
    """Send a text and wait for its answer."""
    assert api.command(session, text, waitMs=25_000).json["submitted"] is True


# -- create, status, end ---------------------------------------------------------------------------------


def test_a_created_session_has_all_fields_of_the_contract(api: Api) -> None:
    made = api.made(columns=90, rows=30, workspaceType="persistent", workspaceName="w1")
    assert set(made.json) == {
        *("sessionId", "userId", "state", "activity", "workspaceType", "workspaceName", "columns", "rows"),
        *("outputOffset", "createdAt", "lastActivityAt", "endedAt", "exitCode", "reason", "claudeVersion"),
    }
    assert made.json["state"] == "running"
    assert made.json["activity"] == "idle"
    assert made.json["claudeVersion"] == "2.1.329"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", made.json["createdAt"])
    assert api.get(f"/api/session/{made.json['sessionId']}/status").json == made.json


def test_a_create_repeated_with_its_id_gives_the_same_session(api: Api, session: str) -> None:
    again = api.post("/api/session/create", api.wanted(sessionId=session))
    assert (again.status_code, again.json["sessionId"]) == (201, session)
    assert api.get("/api/sessions").json["total"] == 1


def test_a_create_that_does_not_wait_answers_starting(api: Api) -> None:
    made = api.made(waitMs=0, model="slow-1")
    assert made.json["state"] == "starting"
    path = f"/api/session/{made.json['sessionId']}/status"
    assert until(lambda: api.get(path).json["state"] == "running")


def test_a_program_that_ends_during_its_start_is_502_with_its_last_screen(api: Api) -> None:
    chosen = str(uuid4())
    made = api.made(model="exit-3", sessionId=chosen)
    assert (made.status_code, made.json["title"]) == (502, "Start failed")
    status = api.get(f"/api/session/{chosen}/status").json
    assert (status["state"], status["exitCode"]) == ("failed", 3)
    assert api.delete(f"/api/session/{chosen}").status_code == 200


def test_an_end_may_be_repeated(api: Api, session: str) -> None:
    for _ in range(2):
        ended = api.delete(f"/api/session/{session}")
        assert (ended.status_code, ended.json) == (200, {"terminated": True})
    assert api.get(f"/api/session/{session}/status").json["state"] == "terminated"


def test_an_ended_session_is_read_but_not_driven(api: Api, session: str) -> None:
    said(api, session, "remember me")
    api.delete(f"/api/session/{session}")
    assert b"You said: remember me" in shown(api, session)
    assert any("remember me" in line for line in api.get(f"/api/session/{session}/screen").json["lines"])
    assert "remember me" in api.get(f"/api/session/{session}/recording").text
    assert api.command(session, "x").json["title"] == "Session ended"
    resized = api.post(f"/api/session/{session}/resize", {"columns": 80, "rows": 24})
    assert (resized.status_code, resized.json["title"]) == (409, "Session ended")


@pytest.mark.parametrize(
    "planted", ["users/{user}", "users/{user}/w", "users/{user}/w/home", "users/{user}/w/workspace"]
)
@pytest.mark.parametrize("kind", ["link", "dangling link", "file"])
def test_a_link_in_the_place_of_a_workspace_is_refused(
    api: Api, web_services: Services, tmp_path: Path, planted: str, kind: str
) -> None:
    place = web_services.settings.data_dir / planted.format(user=api.user)
    place.parent.mkdir(parents=True, exist_ok=True)
    if kind == "file":
        place.write_text("mine")
    else:
        place.symlink_to(tmp_path / ("missing" if kind == "dangling link" else ""))
    made = api.made(workspaceType="persistent", workspaceName="w")
    assert (made.status_code, made.json["errors"][0]["field"]) == (422, "workspaceName")
    assert list(tmp_path.iterdir()) == []


def test_a_users_key_is_in_no_answer(api: Api) -> None:
    made = api.made()
    session = made.json["sessionId"]
    answers = [made, *(api.get(f"/api/session/{session}/{what}") for what in ("status", "screen", "output"))]
    assert not any(API_KEY in answer.text for answer in answers)


# -- command ---------------------------------------------------------------------------------------------


def test_a_command_that_waits_brings_its_output(api: Api, session: str) -> None:
    before = api.get(f"/api/session/{session}/status").json["outputOffset"]
    answer = api.command(session, "hello\n", waitMs=25_000).json
    assert (answer["accepted"], answer["submitted"], answer["cursor"]) == (True, True, before)
    output = answer["output"]
    assert "You said: hello" in output["data"]
    assert (output["encoding"], output["cursor"], output["dropped"], output["state"]) == (
        "utf8",
        before,
        0,
        "running",
    )
    assert output["nextCursor"] - before == len(output["data"].encode())


def test_a_command_that_does_not_wait_brings_none(api: Api, session: str) -> None:
    assert api.command(session, "hello").json["output"] is None


def test_a_help_with_a_newline_is_submitted_once(api: Api, session: str) -> None:
    """M9: `help\\n` never submitted."""
    said(api, session, "help\n")
    assert shown(api, session).count(b"You said: help") == 1


def test_text_for_an_open_menu_is_refused_and_keys_answer_it(api: Api, session: str) -> None:
    said(api, session, "[[menu Proceed?]]")
    assert api.get(f"/api/session/{session}/status").json["activity"] == "awaiting_input"
    refused = api.command(session, "yes, please")
    assert (refused.status_code, refused.json["title"]) == (409, "Menu open")
    answered = api.command(session, ["Enter"], mode="keys", waitMs=25_000)
    assert "The answer was Yes." in answered.json["output"]["data"]


def test_raw_bytes_are_typed_as_they_are(api: Api, session: str) -> None:
    api.command(session, base64.b64encode("grüße\r".encode()).decode(), mode="raw")
    assert until(lambda: "You said: grüße".encode() in shown(api, session))


def test_a_late_number_is_refused_and_a_repeated_one_not_executed_again(api: Api, session: str) -> None:
    def send(number: int) -> Any:
        return api.command(session, f"number {number}", stream="tab", seq=number)

    assert [send(1).status_code, send(3).status_code] == [200, 200]
    late = send(2)
    assert (late.status_code, late.json["title"]) == (409, "Out of order")
    assert send(3).json["accepted"] is True
    assert until(lambda: b"You said: number 3" in shown(api, session))
    assert shown(api, session).count(b"You said: number 3") == 1


@pytest.mark.parametrize("text", ["/exit", "[[exit 3]]"])
def test_a_text_that_ends_the_program_was_submitted(api: Api, session: str, text: str) -> None:
    answer = api.command(session, text)
    assert (answer.status_code, answer.json.get("submitted")) in ((200, True), (409, None)), answer.text
    path = f"/api/session/{session}/status"
    assert until(lambda: api.get(path).json["state"] in ("terminated", "interrupted"))


# -- output ----------------------------------------------------------------------------------------------


def test_the_same_offset_gives_the_same_bytes(api: Api, session: str) -> None:
    """M7: a reading destroyed what it read."""
    said(api, session, "hello")
    path = f"/api/session/{session}/output?cursor=3"
    assert api.get(path).json["data"] == api.get(path).json["data"] != ""


def test_the_old_reading_gives_everything_once_and_destroys_nothing(api: Api, session: str) -> None:
    path = f"/api/session/{session}/output?clear=true&encoding=base64"
    taken = base64.b64decode(api.get(path).json["data"])
    said(api, session, "hello")
    taken += base64.b64decode(api.get(path).json["data"])
    assert taken == shown(api, session)
    assert api.get(path).json["data"] == ""


@pytest.mark.parametrize("size", [4, 5, 6, 7])
def test_utf8_never_cuts_a_character(api: Api, session: str, size: int) -> None:
    """M8: output was cut inside UTF-8."""
    said(api, session, f"[[wide {len(WIDE)}]]")
    whole = shown(api, session)
    cursor, parts = 0, []
    while cursor < len(whole):
        answer = api.get(f"/api/session/{session}/output?maxBytes={size}&cursor={cursor}").json
        assert "\ufffd" not in answer["data"]
        assert answer["nextCursor"] == cursor + len(answer["data"].encode()) > cursor
        parts.append(answer["data"])
        cursor = answer["nextCursor"]
    assert "".join(parts).encode() == whole
    assert WIDE.encode() in whole


def test_base64_gives_the_bytes_as_they_are(api: Api, session: str) -> None:
    odd = bytes([0xFF, 0xC3, 0x28, 0x80, 0xF0, 0x9F, 0x98])
    said(api, session, f"[[bytes {odd.hex()}]]")
    assert odd in shown(api, session)
    assert "\ufffd" in api.get(f"/api/session/{session}/output").json["data"]


def test_a_cursor_ahead_of_the_output_gets_nothing_and_the_place_to_go_on(api: Api, session: str) -> None:
    end = api.get(f"/api/session/{session}/status").json["outputOffset"]
    answer = api.get(f"/api/session/{session}/output?cursor={end + 1000}").json
    assert (answer["data"], answer["nextCursor"], answer["dropped"]) == ("", end, 0)


def test_a_waiting_reading_is_answered_by_output_and_by_an_end(app: Flask, api: Api, session: str) -> None:
    answers: list[Any] = []

    def wait() -> None:
        end = api.get(f"/api/session/{session}/status").json["outputOffset"]
        reader = Api(FlaskClient(app), TOKEN, api.user)
        path = f"/api/session/{session}/output?wait=25&cursor={end}"
        thread = threading.Thread(target=lambda: answers.append(reader.get(path).json))
        thread.start()
        waiting.append(thread)

    waiting: list[threading.Thread] = []
    wait()
    api.command(session, ["x"], mode="keys")
    waiting[0].join(10)
    wait()
    api.delete(f"/api/session/{session}")
    waiting[1].join(10)
    assert answers[0]["data"] != ""
    assert len(answers) == 2


def test_a_pump_gets_news_of_many_sessions(api: Api) -> None:
    first, second, missing = api.create(), api.create(), str(uuid4())
    cursors = {first: 0, second: 0, missing: 0}
    news = api.post("/api/outputs", {"pump": "p", "wait": 5, "cursors": cursors}).json["sessions"]
    assert {name: item["state"] for name, item in news.items()} == {
        first: "running",
        second: "running",
        missing: None,
    }
    assert base64.b64decode(news[first]["data"]) == shown(api, first)
    assert news[first]["nextCursor"] == len(shown(api, first))
    cursors = {name: news[name]["nextCursor"] for name in (first, second)}
    api.command(first, ["x"], mode="keys")
    news = api.post("/api/outputs", {"pump": "p", "wait": 5, "cursors": cursors}).json["sessions"]
    assert list(news) == [first]


def test_a_key_is_answered_with_its_echo(api: Api, session: str) -> None:
    def echo(**how: Any) -> dict[str, Any]:
        answer = api.command(session, "eA==", mode="raw", waitMs=300, **how)
        assert answer.status_code == 200, answer.text
        output: dict[str, Any] = answer.json["output"]
        assert output["cursor"] <= answer.json["cursor"]
        return output

    # A busy computer may take longer than a key may wait.
    assert until(lambda: "x" in echo()["data"])
    assert until(lambda: b"x" in base64.b64decode(echo(encoding="base64", pump="p")["data"]))


def test_an_echo_begins_where_the_reader_of_its_pump_has_got_to(api: Api, session: str) -> None:
    body = {"pump": "p", "wait": 0.1, "cursors": {session: 0}}
    api.post("/api/outputs", body)
    texts = {"mode": "raw", "waitMs": 300, "pump": "p", "encoding": "utf8"}
    characters = api.command(session, "eA==", **texts).json
    answer = api.command(session, "eA==", **texts | {"encoding": "base64"}).json
    end = answer["output"]["nextCursor"]

    assert characters["output"]["cursor"] == characters["cursor"]  # it could begin in the middle of one
    assert answer["output"]["cursor"] <= max(0, answer["cursor"] - 4096)
    assert base64.b64decode(answer["output"]["data"]) == shown(api, session)[answer["output"]["cursor"] : end]


# -- screen, recording -----------------------------------------------------------------------------------


def test_the_screen_is_given_with_the_offset_it_stands_for(api: Api, session: str) -> None:
    said(api, session, "hello")
    screen = api.get(f"/api/session/{session}/screen").json
    assert (screen["columns"], screen["rows"], len(screen["lines"])) == (120, 40, 40)
    assert screen["offset"] == len(shown(api, session))
    assert "You said: hello" in "\n".join(screen["lines"])
    assert screen["title"] == "✳ Claude Code"
    assert screen["approximate"] is False


def test_a_recording_is_an_asciicast_that_asciinema_reads(api: Api, session: str, tmp_path: Path) -> None:
    said(api, session, "[[wide 50]]")
    path = f"/api/session/{session}/recording"
    whole = shown(api, session).decode()
    assert until(lambda: WIDE in api.get(path).text)
    header, *events = [json.loads(line) for line in api.get(path).text.splitlines()]
    assert (header["version"], header["width"], header["height"]) == (2, 120, 40)
    assert {kind for _, kind, _ in events} == {"o"}
    assert [at for at, *_ in events] == sorted(at for at, *_ in events)
    assert "".join(text for *_, text in events) == whole
    cast = tmp_path / "session.cast"
    cast.write_bytes(api.get(path).data)
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "HOME": str(tmp_path)}
    # It opens /dev/tty, so it needs a terminal of its own.
    command = ["script", "--quiet", "--return", "--command", f"asciinema cat {cast}", "/dev/null"]
    played = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, check=True
    )
    assert WIDE.encode() in played.stdout


# -- list ------------------------------------------------------------------------------------------------


def test_sessions_are_listed_newest_first_in_pages_and_by_state(api: Api) -> None:
    ids = [api.create() for _ in range(3)]
    api.delete(f"/api/session/{ids[1]}")

    def listed(query: str) -> tuple[list[str], int]:
        page = api.get(f"/api/sessions?{query}").json
        return [item["sessionId"] for item in page["items"]], page["total"]

    assert listed("") == (ids[::-1], 3)
    assert listed("limit=2") == ([ids[2], ids[1]], 3)
    assert listed("limit=2&offset=2") == ([ids[0]], 3)
    assert listed("offset=3") == ([], 3)
    assert listed("state=terminated") == ([ids[1]], 1)
    assert listed("state=running") == ([ids[2], ids[0]], 2)
    assert listed("state=hibernated") == ([], 0)


def test_a_list_holds_the_sessions_of_its_user_only(api: Api, session: str) -> None:
    others = api.get("/api/sessions", headers={"X-User-ID": "stranger"}).json
    assert others == {"items": [], "total": 0, "limit": 20, "offset": 0}
    assert [item["sessionId"] for item in api.get("/api/sessions").json["items"]] == [session]


# -- health, document, page ------------------------------------------------------------------------------


def test_health_is_ok_when_all_is_well(api: Api) -> None:
    api.create()
    response = api.get("/health", headers={"Authorization": None})
    assert (response.status_code, response.json["status"]) == (200, "ok")
    assert set(response.json["checks"]) == {"database", "claudeCli", "isolation", "disk"}
    assert response.json["sessions"] >= 1


def keeps_to_itself(services: Services, text: str) -> bool:
    """Tell whether a report holds no path and no secret."""
    settings = services.settings
    secrets = [
        TOKEN,
        settings.encryption_key,
        str(settings.data_dir),
        settings.database_url,
        str(settings.claude_path),
    ]
    return not any(secret in text for secret in secrets) and not re.search(r"[\w\"' ]/[\w.]", text)


def test_health_tells_no_path_and_no_secret(api: Api, web_services: Services) -> None:
    assert keeps_to_itself(web_services, api.get("/health").text)


@pytest.mark.parametrize("program", ["missing", "a folder", "not executable", "no version"])
def test_without_a_working_cli_health_is_503_and_creates_are_refused(
    make_services: MakeServices, tmp_path: Path, program: str
) -> None:
    path = tmp_path / "claude"
    if program == "a folder":
        path.mkdir()
    elif program != "missing":
        path.write_text("#!/bin/sh\necho something else\n")
        path.chmod(0o755 if program == "no version" else 0o644)
    services = make_services(claude_path=path)
    api = Api(create_app(services).test_client(), TOKEN, "jane")
    response = api.get("/health")
    assert (response.status_code, response.json["status"]) == (503, "degraded")
    assert response.json["checks"]["claudeCli"]["ok"] is False
    assert keeps_to_itself(services, response.text)
    refused = api.made()
    assert (refused.status_code, refused.json["title"]) == (503, "Claude Code unavailable")
    assert refused.headers["Retry-After"] == "5"
    assert str(path) not in refused.text


def test_without_a_working_isolation_nobody_is_told_the_hosts_paths(
    make_services: MakeServices, service_settings: Settings
) -> None:
    (service_settings.data_dir / "isolation").mkdir(parents=True, mode=0o500)
    services = make_services(isolation="bubblewrap")
    api = Api(create_app(services).test_client(), TOKEN, "jane")

    for response in (api.get("/health"), api.made()):
        assert response.status_code == 503
        assert "does not work here" in response.text
        assert str(service_settings.data_dir) not in response.text


def test_a_service_that_ends_is_draining_and_creates_nothing(make_services: MakeServices) -> None:
    services = make_services()
    api = Api(create_app(services).test_client(), TOKEN, "jane")
    services.stop_waiting()
    response = api.get("/health")
    assert (response.status_code, response.json["status"]) == (503, "draining")
    refused = api.made()
    assert (refused.status_code, refused.json["title"]) == (503, "Shutting down")


def test_the_document_and_the_page_hold_every_operation(api: Api) -> None:
    document = api.get("/openapi.json", headers={"Authorization": None}).json
    page = api.get("/docs", headers={"Authorization": None})
    assert page.mimetype == "text/html"
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            assert f'<section id="{operation["operationId"]}">' in page.text
            assert f"{method.upper()} {path}" in page.text
            assert operation["summary"].replace("'", "&#39;") in page.text
    for name in document["components"]["schemas"]:
        assert f'<section id="{name}">' in page.text


def test_the_page_needs_nothing_from_elsewhere(api: Api) -> None:
    page = api.get("/docs").text
    assert "<script" not in page
    assert re.findall(r'(?:src|href)="(?!#|/openapi\.json)[^"]*"', page) == []
