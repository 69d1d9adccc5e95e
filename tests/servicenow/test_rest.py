"""Scripted REST: who may, what is refused and how it is said, and that no resource waits for a MID Server."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from emulator.installation import USER_ROLE
from tests.fixtures.servicenow import MID
from tests.servicenow.conftest import KID, SEALED, Desk

FOLDER = Path(__file__).resolve().parents[2] / "servicenow-app"
MANIFEST = json.loads((FOLDER / "manifest.json").read_text())

UNKNOWN = "5d0c9e1a-3b7f-4c2e-8a64-9f1b2d3c4e5f"

#: Method, path and body of each resource; {s} is a session, {r} a request, {c} a credential.
RESOURCES = [
    ("POST", "/sessions", {}),
    ("GET", "/sessions", None),
    ("GET", "/sessions/{s}", None),
    ("POST", "/sessions/{s}/commands", {"command": "hello"}),
    ("GET", "/sessions/{s}/output", None),
    ("POST", "/sessions/{s}/output", {"cursor": 0}),
    ("POST", "/sessions/{s}/screen", None),
    ("POST", "/sessions/{s}/status", None),
    ("POST", "/sessions/{s}/resize", {"columns": 80, "rows": 24}),
    ("POST", "/sessions/{s}/viewers", None),
    ("POST", "/sessions/refresh", {}),
    ("GET", "/requests/{r}", None),
    ("GET", "/mids", None),
    ("POST", f"/mids/{MID}/health", None),
    ("POST", f"/mids/{MID}/key", None),
    ("GET", "/credentials", None),
    ("POST", "/credentials", {"mid": MID, "sealed": SEALED, "hint": "wxyz", "kid": KID}),
    ("DELETE", "/credentials/{c}", None),
    ("DELETE", "/sessions/{s}", None),
]

#: Those of a poller, which no user may call.
BRIDGE: list[tuple[str, str, Any]] = [
    ("POST", "/bridge/claim", {"name": MID, "owner": f"{MID}/0", "limit": 1}),
    (
        "POST",
        "/bridge/complete",
        {"name": MID, "owner": f"{MID}/0", "row": "0" * 32, "attempt": 1, "output": ""},
    ),
]

#: Those that name something of one user.
OWNED = [item for item in RESOURCES if "{" in item[1]]


def name(item: tuple[str, str, Any]) -> str:
    """Return an id for a resource."""
    return f"{item[0]} {item[1]}"


def filled(desk: Desk, path: str) -> str:
    """Put things of alice into a path."""
    if "{r}" in path:
        session = desk.session()
        return path.replace("{r}", desk.call("alice", "POST", f"/sessions/{session}/status").body["request"])
    if "{c}" in path:
        given = desk.enrol("alice")
        items = desk.call("alice", "GET", "/credentials").body["items"]
        return path.replace("{c}", next(item["id"] for item in items if item["credentialId"] == given))
    return path.replace("{s}", desk.session()) if "{s}" in path else path


def refused(desk: Desk, path: str, body: Any, status: int, user: str = "alice") -> dict[str, Any]:
    """Post; return the error, after a look at its form."""
    answer = desk.call(user, "POST", path, body)
    assert answer.status == status, answer
    error: dict[str, Any] = answer.body["error"]
    assert answer.body["status"] == "failure"
    assert error["status"] == status
    assert error["message"] == error["title"]
    assert error["detail"]
    return error


def test_the_list_here_is_the_manifests() -> None:
    here = {
        (method, re.sub(r"\{\w\}", "{id}", path).replace(MID, "{name}"))
        for method, path, _ in RESOURCES + BRIDGE
    }
    there = {
        (record["fields"]["http_method"], record["fields"]["relative_path"])
        for record in MANIFEST["records"]
        if record["table"] == "sys_ws_operation"
    }

    assert here == there


def test_each_resource_has_at_most_twelve_lines() -> None:
    long = [file.name for file in (FOLDER / "rest").glob("*.js") if len(file.read_text().splitlines()) > 12]

    assert long == []


@pytest.mark.parametrize("item", RESOURCES + BRIDGE, ids=name)
def test_without_the_role_nothing_is_allowed(desk: Desk, item: tuple[str, str, Any]) -> None:
    method, path, body = item
    if not desk.instance.table("sys_user").rows("user_name=nobody.special"):
        desk.instance.create_user("nobody.special", desk.password, [])
    answer = desk.call("nobody.special", method, re.sub(r"\{\w\}", UNKNOWN, path), body)

    assert answer.status == 403, answer


@pytest.mark.parametrize("item", OWNED, ids=name)
def test_what_belongs_to_another_user_does_not_exist(desk: Desk, item: tuple[str, str, Any]) -> None:
    method, path, body = item
    own = filled(desk, path)
    unknown = re.sub(r"\{\w\}", UNKNOWN if "{s}" in path else uuid4().hex, path)
    others = desk.call("bob", method, own, body)
    nothing = desk.call("bob", method, unknown, body)

    assert (others.status, nothing.status) == (404, 404)
    assert others.body == nothing.body


@pytest.mark.parametrize("item", RESOURCES, ids=name)
def test_the_owner_gets_an_answer_at_once_though_no_mid_server_runs(
    desk: Desk, item: tuple[str, str, Any]
) -> None:
    method, path, body = item
    own = filled(desk, path)
    answer = desk.call("keeper" if path.endswith("/health") else "alice", method, own, body)

    assert answer.status in {200, 202}, answer


def test_health_is_for_administrators(desk: Desk) -> None:
    assert desk.call("alice", "POST", f"/mids/{MID}/health").status == 403


@pytest.mark.parametrize(
    "session", ["..%2Fhealth", "a", UNKNOWN + "x", "%252e%252e", UNKNOWN.upper(), "x%0d%0ay"]
)
def test_an_id_that_is_none_is_no_session_and_writes_no_row(desk: Desk, session: str) -> None:
    before = desk.queue.count()
    answer = desk.call("alice", "POST", f"/sessions/{session}/screen")

    assert answer.status in {400, 404}, answer  # 400: the platform has no such resource
    assert desk.queue.count() == before


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("", {"columns": 0}, "columns"),
        ("", {"columns": 501}, "columns"),
        ("", {"rows": "40"}, "rows"),
        ("", {"rows": 1.5}, "rows"),
        ("", {"rows": True}, "rows"),
        ("", {"workspaceType": "other"}, "workspaceType"),
        ("", {"workspaceName": "../up"}, "workspaceName"),
        ("", {"workspaceName": "n" * 65}, "workspaceName"),
        ("", {"model": "a b"}, "model"),
        ("", {"key": "short"}, "key"),
        ("", {"surprise": 1}, "surprise"),
        ("/{s}/commands", {}, "command"),
        ("/{s}/commands", {"command": 5}, "command"),
        ("/{s}/commands", {"command": "x", "mode": "other"}, "mode"),
        ("/{s}/commands", {"command": "not base64!", "mode": "raw"}, "command"),
        ("/{s}/commands", {"command": "Enter", "mode": "keys"}, "command"),
        ("/{s}/commands", {"command": [], "mode": "keys"}, "command"),
        ("/{s}/commands", {"command": ["k" * 21], "mode": "keys"}, "command"),
        ("/{s}/commands", {"command": "\ud800"}, "command"),
        ("/{s}/commands", {"command": "x", "seq": 0}, "seq"),
        ("/{s}/commands", {"command": "x", "stream": "a b"}, "stream"),
        ("/{s}/commands", {"command": "x", "waitMs": 1}, "waitMs"),
        ("/{s}/resize", {"columns": 80}, "rows"),
        ("/{s}/resize", {"columns": 80, "rows": 501}, "rows"),
        ("/{s}/output", {}, "cursor"),
        ("/{s}/output", {"cursor": -1}, "cursor"),
        ("/{s}/screen", {"surprise": 1}, "surprise"),
        ("/{s}/viewers", {"surprise": 1}, "surprise"),
        ("/{s}/viewers", {"<b>&": 1}, "body"),
    ],
)
def test_a_field_that_is_wrong_is_named(desk: Desk, path: str, body: dict[str, Any], field: str) -> None:
    target = "/sessions" + (path.replace("{s}", desk.session()) if path else "")
    before = desk.queue.count()
    error = refused(desk, target, body, 422)

    assert [item["field"] for item in error["errors"]] == [field]
    assert desk.queue.count() == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sealed": "x" * 4001}, "sealed"),
        ({"sealed": "no.jwe"}, "sealed"),
        ({"sealed": "a.b.c.d.e"}, "sealed"),
        ({"hint": "12345"}, "hint"),
        ({"kid": "short"}, "kid"),
        ({"userId": "bob"}, "userId"),
    ],
)
def test_a_sealed_key_that_is_none_is_refused(desk: Desk, change: dict[str, str], field: str) -> None:
    body = {"mid": MID, "sealed": SEALED, "hint": "wxyz", "kid": KID} | change
    error = refused(desk, "/credentials", body, 422)

    assert [item["field"] for item in error["errors"]] == [field]
    assert not any(value in json.dumps(error) for value in change.values())


def test_all_broken_rules_are_told_at_once(desk: Desk) -> None:
    error = refused(desk, "/sessions", {"columns": 0, "rows": 0, "mid": 5}, 422)

    assert {item["field"] for item in error["errors"]} == {"columns", "rows", "mid"}


@pytest.mark.parametrize(
    ("command", "mode"),
    [
        ("x" * 16_385, "text"),
        ("\u4e16" * 5_462, "text"),
        (base64.b64encode(b"x" * 16_385).decode(), "raw"),
    ],
)
def test_a_command_that_is_too_large_is_refused(desk: Desk, command: str, mode: str) -> None:
    session = desk.session()
    refused(desk, f"/sessions/{session}/commands", {"command": command, "mode": mode}, 413)


def test_the_largest_command_passes(desk: Desk) -> None:
    session = desk.session()
    answer = desk.call("alice", "POST", f"/sessions/{session}/commands", {"command": "x" * 16_384})

    assert answer.status == 202
    assert desk.last("command", session).body["command"] == "x" * 16_384


@pytest.mark.parametrize("text", ["[]", "5", "{", '"x"'])
def test_a_body_that_is_no_object_is_400(desk: Desk, text: str) -> None:
    alice = desk.instance.signed_in("alice", desk.password)
    headers = {"Content-Type": "application/json"}
    answer = alice.request("POST", "/api/x_claude_terminal/v1/sessions", data=text, headers=headers)

    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "query", ["cursor=-1", "cursor=x", "max_bytes=2", "max_bytes=9999999", "cursor=1&cursor=2", "clear=true"]
)
def test_a_query_parameter_that_is_wrong_is_refused(desk: Desk, query: str) -> None:
    answer = desk.call("alice", "GET", f"/sessions/{desk.session()}/output?{query}")

    assert answer.status == 422, answer


def test_reading_output_changes_nothing(desk: Desk) -> None:
    session = desk.session()
    before = (desk.stored(session), desk.queue.count())
    for cursor in (0, 0, 100):
        desk.output("alice", session, cursor)

    assert (desk.stored(session), desk.queue.count()) == before


@pytest.mark.parametrize("user_name", ["first.last@example.com", "o'neil", "plain"])
def test_users_of_any_name_are_known_by_their_sys_id(desk: Desk, user_name: str) -> None:
    desk.users[user_name] = desk.instance.create_user(user_name, desk.password, [USER_ROLE])
    desk.enrol(user_name)
    session = desk.session(user_name)
    answer = desk.call(user_name, "POST", f"/sessions/{session}/commands", {"command": "hello"})

    assert answer.status == 202
    call = desk.last("command", session)
    assert call.parameters["user"] == desk.users[user_name]
    assert desk.last("create", session).body["userId"] == desk.users[user_name]


def test_a_fault_is_told_without_its_text(desk: Desk) -> None:
    include = desk.instance.table("sys_script_include")
    row = include.rows("name=ClaudeTerminalDirectory")[0]
    include.update(row["sys_id"], script="throw new Error('the inside of the app');")
    answer = desk.call("alice", "GET", "/sessions")
    include.update(row["sys_id"], script=row["script"])

    assert (answer.status, answer.body["error"]["title"]) == (500, "Fault")
    assert "inside" not in json.dumps(answer.body)
    number = re.search(r"[0-9a-f]{32}", answer.body["error"]["detail"])
    assert number
    assert any(number[0] in str(line) for line in desk.instance.log())


def test_a_key_that_was_sealed_to_another_than_it_says_is_refused(desk: Desk) -> None:
    """Who pins keys pins them by `kid`, and the browser that names it is the user's own."""
    before = desk.rows("credential")
    body = {"mid": MID, "sealed": SEALED, "hint": "wxyz", "kid": "K" * 43}
    headless = body | {"sealed": "aGVhZA..aXY.dGV4dA.dGFn"}
    answers = [desk.call("alice", "POST", "/credentials", one) for one in (body, headless)]

    assert [(one.status, one.body["error"]["title"]) for one in answers] == [(422, "Another sealing key")] * 2
    assert desk.rows("credential") == before
