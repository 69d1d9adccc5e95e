"""What belongs to somebody else does not exist, whatever a caller or an answer says; every resource, end to end.

M1: the predecessor let any user reach any session whose id was known.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
import requests

from emulator.installation import USER_ROLE
from emulator.servicenow import APP
from tests.fakes.queue import good
from tests.fixtures.servicenow import MID
from tests.servicenow.conftest import KID, SEALED, Desk, told
from tests.servicenow.test_rest import OWNED, RESOURCES, filled, name

#: How people are called, with the platform's pitfalls in names.
PEOPLE = ("first.last@example.com", "o'neil", "plain")
UNKNOWN = "5d0c9e1a-3b7f-4c2e-8a64-9f1b2d3c4e5f"


#: Counts rows and changes of everything of the app's that a call could touch.
FOOTPRINT = """
(function (tables) {
    return tables.map(function (table) {
        var sum = new GlideAggregate(table);
        sum.addAggregate('COUNT');
        sum.addAggregate('SUM', 'sys_mod_count');
        sum.query();
        return sum.next() ? table + ' ' + sum.getAggregate('COUNT') + ' ' +
            sum.getAggregate('SUM', 'sys_mod_count') : table;
    });
})(['x_claude_terminal_session', 'x_claude_terminal_output', 'x_claude_terminal_request',
    'x_claude_terminal_credential', 'x_claude_terminal_mid_status',
    'x_claude_terminal_claim', 'x_claude_terminal_audit', 'ecc_queue'])
"""


def footprint(desk: Desk) -> Any:
    """Return what is different after anything was written."""
    return desk.script(FOOTPRINT)


@pytest.fixture(scope="module")
def things(desk: Desk) -> dict[str, str]:
    """Have a session, a request and a key of alice; return their ids by the letters that stand for them."""
    return {letter: filled(desk, "{" + letter + "}") for letter in "src"}


def put(path: str, things: dict[str, str]) -> str:
    """Put alice's things into a path."""
    return re.sub(r"\{(\w)\}", lambda found: things[found[1]], path)


def newcomer(desk: Desk, user: str) -> str:
    """Have a user of this name, with a key; return the name."""
    if user not in desk.users:
        desk.users[user] = desk.instance.create_user(user, desk.password, [USER_ROLE])
        desk.enrol(user)
    return user


# -- who is asking -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("item", RESOURCES, ids=name)
@pytest.mark.parametrize("password", ["", "wrong"], ids=["nobody", "a wrong password"])
def test_without_signing_in_nothing_is_done(
    desk: Desk, things: dict[str, str], item: tuple[str, str, Any], password: str
) -> None:
    method, path, body = item
    own = APP + put(path, things)
    before = footprint(desk)
    auth = ("alice", password) if password else None
    answer = desk.instance.request(method, own, json=body, auth=auth)

    assert answer.status_code == 401, answer.text
    assert footprint(desk) == before


@pytest.mark.parametrize("item", RESOURCES, ids=name)
def test_without_the_role_nothing_is_done(
    desk: Desk, things: dict[str, str], item: tuple[str, str, Any]
) -> None:
    method, path, body = item
    if not desk.instance.table("sys_user").rows("user_name=nobody.special"):
        desk.instance.create_user("nobody.special", desk.password, [])
    own = put(path, things)
    before = footprint(desk)

    assert desk.call("nobody.special", method, own, body).status == 403
    assert footprint(desk) == before


@pytest.mark.parametrize("item", OWNED, ids=name)
@pytest.mark.parametrize("thief", ["bob", "keeper", "admin", "o'neil"])
def test_another_user_changes_nothing(
    desk: Desk, things: dict[str, str], item: tuple[str, str, Any], thief: str
) -> None:
    """Neither an administrator of the app nor one of the instance is the owner."""
    method, path, body = item
    own = put(path, things)
    if thief == "o'neil":
        newcomer(desk, thief)
    before = footprint(desk)
    if thief == "admin":
        answer = desk.instance.rest(method, own, body)
    else:
        answer = desk.call(thief, method, own, body)

    assert answer.status == 404, answer
    assert footprint(desk) == before


@pytest.mark.parametrize("user", PEOPLE)
def test_people_of_any_name_have_their_own_and_nothing_else(desk: Desk, user: str) -> None:
    session = desk.session(newcomer(desk, user))
    alices = desk.session("alice")
    listed = desk.call(user, "GET", "/sessions?limit=100").body["items"]
    keys = desk.call(user, "GET", "/credentials").body["items"]

    assert {item["userId"] for item in listed} == {desk.users[user]}
    assert session in {item["sessionId"] for item in listed}
    assert len(keys) == len(desk.rows("credential", f"user={desk.users[user]}"))
    assert desk.call(user, "GET", f"/sessions/{alices}").status == 404
    assert desk.call("alice", "GET", f"/sessions/{session}").status == 404


def test_a_user_who_loses_the_role_is_refused_at_once(desk: Desk) -> None:
    session = desk.session(newcomer(desk, "leaver"))
    link = desk.instance.table("sys_user_has_role")
    for row in link.rows(f"user={desk.users['leaver']}"):
        link.delete(row["sys_id"])

    assert desk.call("leaver", "GET", f"/sessions/{session}").status == 403


@pytest.mark.parametrize("user_role_id", ["alice", "system", "admin", "x' OR '1'='1"])
def test_a_header_that_names_a_user_changes_nothing(desk: Desk, user_role_id: str) -> None:
    session = desk.session("alice")
    bob = desk.instance.signed_in("bob", desk.password)
    answer = bob.rest("GET", f"/sessions/{session}", headers={"X-User-ID": user_role_id})

    assert answer.status == 404


# -- pages of other sites ------------------------------------------------------------------------------------


@pytest.fixture
def browser(desk: Desk) -> Iterator[requests.Session]:
    """Return a browser in which alice is signed in."""
    with requests.Session() as session:
        session.trust_env = False
        form = {"user_name": "alice", "user_password": desk.password}
        entered = session.post(f"{desk.instance.url}/login.do", data=form, allow_redirects=False, timeout=60)
        assert entered.status_code == 302
        yield session


@pytest.mark.parametrize("item", [item for item in RESOURCES if item[0] != "GET"], ids=name)
@pytest.mark.parametrize("token", [None, "", "0" * 32], ids=["none", "empty", "wrong"])
def test_a_page_of_another_site_cannot_act_for_who_is_signed_in(
    desk: Desk,
    things: dict[str, str],
    browser: requests.Session,
    item: tuple[str, str, Any],
    token: str | None,
) -> None:
    """It makes the browser send the cookie, but knows not the token that the instance's own pages have."""
    method, path, body = item
    own = put(path, things)
    before = footprint(desk)
    headers = {"Origin": "https://evil.example"} | ({} if token is None else {"X-UserToken": token})
    answer = browser.request(method, desk.instance.url + APP + own, json=body, headers=headers, timeout=60)

    assert answer.status_code == 401, answer.text
    assert "Access-Control-Allow-Origin" not in answer.headers
    assert footprint(desk) == before


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
def test_what_a_form_of_another_site_can_send_is_refused(
    desk: Desk, browser: requests.Session, kind: str
) -> None:
    before = footprint(desk)
    answer = browser.post(
        f"{desk.instance.url}{APP}/sessions", data='{"a":"="}', headers={"Content-Type": kind}, timeout=60
    )

    assert answer.status_code in {401, 415}
    assert footprint(desk) == before


@pytest.mark.parametrize("item", [item for item in RESOURCES if item[0] == "GET"], ids=name)
def test_a_get_changes_nothing(
    desk: Desk, things: dict[str, str], browser: requests.Session, item: tuple[str, str, Any]
) -> None:
    own = put(item[1], things)
    before = footprint(desk)

    assert browser.get(desk.instance.url + APP + own, timeout=60).status_code == 200
    assert footprint(desk) == before


# -- what a caller may send ----------------------------------------------------------------------------------

SCRIPT = "javascript:gs.setProperty('x_claude_terminal.bridge', 'poller')"
INJECTED = [
    "x^ORuserISNOTEMPTY",
    "^NQuserISNOTEMPTY",
    "x^ORDERBYsys_created_on",
    "' OR '1'='1",
    '"/><parameter name="user" value="x"/>',
    "]]>",
    SCRIPT,
    "../../health",
    "x\r\nX-User-ID: y",
    "__proto__",
]


@pytest.mark.parametrize("text", INJECTED)
@pytest.mark.parametrize(
    "path", ["/sessions/{x}", "/sessions/{x}/output", "/requests/{x}", "/sessions?state={x}"]
)
def test_a_query_put_into_an_id_finds_nothing(desk: Desk, path: str, text: str) -> None:
    quoted = quote(text, safe="")
    answer = desk.call("bob", "GET", path.replace("{x}", quoted))

    assert answer.status in {400, 404, 422}, answer
    assert desk.users["alice"] not in json.dumps(answer.body)
    assert desk.script("gs.getProperty('x_claude_terminal.bridge')") == "mid"


@pytest.mark.parametrize("text", INJECTED)
@pytest.mark.parametrize("field", ["mid", "key", "workspaceName", "workspaceType", "model"])
def test_a_query_put_into_a_field_is_refused(desk: Desk, field: str, text: str) -> None:
    before = footprint(desk)
    answer = desk.call("alice", "POST", "/sessions", {field: text})
    sane = field == "workspaceName" and text == "__proto__"

    assert answer.status == (202 if sane else 422), answer
    assert sane or footprint(desk) == before
    assert sane or text not in json.dumps(answer.body)


@pytest.mark.parametrize("text", INJECTED)
def test_what_is_typed_reaches_the_queue_as_it_is_and_as_one_parameter(desk: Desk, text: str) -> None:
    session = desk.session("alice")
    answer = desk.call("alice", "POST", f"/sessions/{session}/commands", {"command": text})
    call = desk.last("command", session)

    assert answer.status == 202
    assert call.body["command"] == text
    assert call.parameters["user"] == desk.users["alice"]
    assert call.parameters["script"] == "new ClaudeTerminalProbe().execute();"
    assert list(call.parameters) == ["skip_sensor", "v", "op", "user", "session", "key", "body", "script"]


@pytest.mark.parametrize(
    "body",
    [
        '{"__proto__": {"command": "x"}}',
        '{"command": "x", "__proto__": {"mode": "raw"}}',
        '{"constructor": {"prototype": {"mode": "raw"}}, "command": "x"}',
        '{"hasOwnProperty": 1, "command": "x"}',
        '{"toString": null, "command": "x"}',
        '{"command": ["x"]}',
        '{"command": {"length": 1}}',
        '{"command": "x", "seq": 1e400}',
        '{"command": "x", "seq": -0.5}',
        '{"command": "x", "seq": 9007199254740993}',
        '{"command": "x", "seq": "1"}',
        '{"command": "x", "stream": ["a"]}',
        '{"command": "x", "mode": ["text"]}',
        '{"command": "x", "mode": {}}',
        '{"command": "x", "key": 5}',
        '{"command": true}',
    ],
)
def test_a_body_of_an_odd_shape_is_refused(desk: Desk, body: str) -> None:
    session = desk.session("alice")
    before = footprint(desk)
    headers = {"Content-Type": "application/json"}
    answer = desk.instance.signed_in("alice", desk.password).request(
        "POST", f"{APP}/sessions/{session}/commands", data=body, headers=headers
    )

    assert answer.status_code in {400, 422}, answer.text
    assert footprint(desk) == before


def test_a_body_nested_deeply_is_refused(desk: Desk) -> None:
    body = '{"command":' * 20_000 + "1" + "}" * 20_000
    headers = {"Content-Type": "application/json"}
    answer = desk.instance.signed_in("alice", desk.password).request(
        "POST", f"{APP}/sessions", data=body, headers=headers
    )

    assert answer.status_code in {400, 413, 422, 500}
    assert "at " not in json.dumps(answer.json()["error"].get("detail"))
    assert desk.call("alice", "GET", "/sessions").status == 200


def test_a_key_of_one_user_is_no_key_of_another(desk: Desk) -> None:
    """Else a guessed key would tell bob of alice's request."""
    session = desk.session("alice")
    key = uuid4().hex
    first = desk.call("alice", "POST", f"/sessions/{session}/status", {"key": key}).body["request"]
    bobs = desk.session("bob")
    second = desk.call("bob", "POST", f"/sessions/{bobs}/status", {"key": key})

    assert second.status == 202
    assert second.body["request"] != first
    assert desk.call("bob", "GET", f"/requests/{first}").status == 404


# -- what an answer may say ----------------------------------------------------------------------------------


def pump(desk: Desk, session: str) -> Any:
    """Look at a session; return the call for its output."""
    desk.change("mid_status", f"mid_name={MID}", pump_request="", pump_at="", watched="")
    assert desk.call("alice", "POST", f"/sessions/{session}/viewers").status == 200
    return desk.last("outputs")


def test_an_answer_cannot_put_a_script_into_a_query(desk: Desk) -> None:
    """A MID Server's answer is text from another computer; the instance must not run it."""
    session = desk.session("alice")
    news = {"data": "eA==", "nextCursor": 1, "dropped": 0, "state": "running", "activity": "idle"}
    row = desk.queue.answer(pump(desk, session), good({"sessions": {SCRIPT: news, session: news}}))

    assert row["state"] == "processed", row
    assert desk.script("gs.getProperty('x_claude_terminal.bridge')") == "mid"
    assert desk.output("alice", session)["data"] == "eA=="


def test_no_query_of_the_app_takes_a_script(desk: Desk) -> None:
    ran = desk.instance.attempt(
        "new ClaudeTerminalTable('session').find({mid_name: ' JavaScript:gs.getUserID()'})",
        scope="x_claude_terminal",
    )

    assert "must not be a script" in str(ran.error)


@pytest.mark.parametrize("response", ["javascript:gs.getUserID()", "%", "", "0" * 32])
def test_an_answer_to_nothing_changes_nothing(desk: Desk, response: str) -> None:
    session = desk.session("alice")
    desk.call("alice", "POST", f"/sessions/{session}/status")
    before = desk.rows("request")
    row = desk.queue.answer(desk.last("status", session), good({}), response_to=response)

    assert (row["state"], row["error_string"]) == ("error", "This answers no call of the application.")
    assert desk.rows("request") == before


def test_an_answer_of_one_mid_server_tells_nothing_of_sessions_of_another(desk: Desk) -> None:
    session = desk.session("alice")
    other = desk.session("alice")
    desk.change("session", f"session_id={other}", mid_name="mid-elsewhere")
    news = {"data": "eA==", "nextCursor": 1, "dropped": 0, "state": "terminated", "activity": "idle"}
    desk.queue.answer(pump(desk, session), good({"sessions": {other: news}}))

    assert desk.stored(other)["state"] == "running"
    assert desk.output("alice", other)["data"] == ""


def test_an_answer_from_another_mid_server_is_none(desk: Desk) -> None:
    session = desk.session("alice")
    desk.call("alice", "POST", f"/sessions/{session}/status")
    row = desk.queue.answer(
        desk.last("status", session), good(told(session, "x")), agent="mid.server.mid-elsewhere"
    )

    assert row["state"] == "error"


def test_an_answer_cannot_move_a_session_to_another_user(desk: Desk) -> None:
    session = desk.session("alice")
    desk.call("alice", "POST", f"/sessions/{session}/status")
    desk.reply("status", told(session, desk.users["bob"]), session)

    assert desk.call("bob", "GET", f"/sessions/{session}").status == 404
    assert desk.call("alice", "GET", f"/sessions/{session}").body["userId"] == desk.users["alice"]


@pytest.mark.parametrize("jwk", [{}, {"kid": KID}, {"kid": KID, "kty": "x" * 2000}, {"kid": ["a"]}])
def test_a_public_key_that_is_none_is_not_shown_to_browsers(desk: Desk, jwk: dict[str, Any]) -> None:
    before = desk.rows("mid_status", f"mid_name={MID}")[0]["jwk"]
    desk.call("alice", "POST", f"/mids/{MID}/key")
    desk.reply("sealing_key", jwk)

    assert desk.rows("mid_status", f"mid_name={MID}")[0]["jwk"] == before
    assert desk.call("alice", "GET", "/mids").status == 200


def test_of_a_public_key_only_public_parts_are_kept(desk: Desk) -> None:
    jwk = {"kty": "EC", "crv": "P-256", "x": "x", "y": "y", "use": "enc", "alg": "ECDH-ES", "kid": KID}
    desk.call("alice", "POST", f"/mids/{MID}/key")
    desk.reply("sealing_key", jwk | {"d": "the private part"})

    assert desk.call("alice", "GET", "/mids").body["items"][0]["jwk"] == jwk


# -- keys and the trail --------------------------------------------------------------------------------------


def test_keys_that_were_refused_can_be_removed(desk: Desk) -> None:
    """Else twenty refused ones would keep a user from ever storing one."""
    user = newcomer(desk, "unlucky")
    body = {"mid": MID, "sealed": SEALED, "hint": "wxyz", "kid": KID}
    for _ in range(19):
        desk.call(user, "POST", "/credentials", body)
        desk.refuse("credential.store", 422)
    full = desk.call(user, "POST", "/credentials", body).status
    failed = [
        item for item in desk.call(user, "GET", "/credentials").body["items"] if item["state"] == "failed"
    ]
    before = desk.queue.count()
    removed = desk.call(user, "DELETE", f"/credentials/{failed[0]['id']}")

    assert (full, len(failed)) == (429, 19)
    assert (removed.status, removed.body) == (202, {"request": None})
    assert desk.queue.count() == before
    assert desk.call(user, "POST", "/credentials", body).status == 202


def test_the_trail_tells_what_was_done_and_not_what_was_refused(desk: Desk) -> None:
    session = desk.session("alice")
    mids = desk.instance.table("ecc_agent")
    row = mids.rows(f"name={MID}")[0]["sys_id"]
    mids.update(row, status="Down")
    refused = desk.call("alice", "DELETE", f"/sessions/{session}").status
    untold = [entry["event"] for entry in desk.rows("audit", f"session={session}")]
    mids.update(row, status="Up")
    desk.call("alice", "DELETE", f"/sessions/{session}")
    done = [entry["event"] for entry in desk.rows("audit", f"session={session}")]

    assert (refused, untold) == (503, ["session.create"])
    assert done == ["session.create", "session.terminate"]


def test_who_removes_a_running_session_from_the_table_is_in_the_trail(desk: Desk) -> None:
    session = desk.session("alice")
    desk.script(
        f"(function (row) {{ row.get('session_id', '{session}'); row.deleteRecord(); }})"
        "(new GlideRecord('x_claude_terminal_session'))",
        user="admin",
    )
    entries = desk.rows("audit", f"session={session}")
    by = desk.script(
        "(function (row) { row.addQuery('event', 'session.removed');"
        f"row.addQuery('session', '{session}'); row.query(); row.next();"
        "return row.getValue('sys_created_by'); })(new GlideRecord('x_claude_terminal_audit'))"
    )

    assert [entry["event"] for entry in entries] == ["session.create", "session.removed"]
    assert by == "admin"
    assert re.fullmatch(r"[0-9a-f]{32}", entries[1]["user"])
