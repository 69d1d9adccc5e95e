"""Faults of the predecessor on the instance, each by its number, shown to be absent.

The MID Server is the test itself, so that nothing answers before it says so.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from emulator.servicenow import APP
from tests.fakes.queue import good, results
from tests.fixtures.probe import ROOT
from tests.fixtures.servicenow import MID
from tests.integration.emulator.test_amb import Bayeux, channel
from tests.servicenow.conftest import SCOPE, Desk
from tests.servicenow.test_rest import RESOURCES, filled, name
from tests.servicenow.test_sensor import carry, piece, state_of, typed

SOURCES = {
    str(file.relative_to(ROOT)): file.read_text()
    for folder in ("servicenow-app", "fix-scripts")
    for file in sorted((ROOT / folder).rglob("*.js"))
}


# -- 2 -------------------------------------------------------------------------------------------------------


def test_an_error_of_the_platform_is_read_from_its_xml(desk: Desk) -> None:
    """Regression 2: entities, a declaration and other languages yield the exact text."""
    text = "a & b < c > \"d\" 'e' ü 世界 \U0001d11e"
    payload = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<results error="a &amp; b &lt; c &gt; &quot;d&quot; &apos;e&apos;'
        ' ü 世界 &#x1d11e;"><result/><parameters><parameter name="x" value="&lt;output&gt;"/></parameters></results>'
    )
    call = typed(desk, desk.session())
    row = desk.queue.answer(call, payload)

    assert row["error_string"] == f"MID Server error: {text}"
    problem = json.loads(desk.rows("request", f"ecc_output={call.sys_id}")[0]["answer"])
    assert problem["detail"] == text


@pytest.mark.parametrize("form", ["references", "cdata", "line breaks", "another output"])
def test_an_answer_is_read_from_its_xml(desk: Desk, form: str) -> None:
    """Regression 2: however a serialiser may write the same text."""
    session = desk.session()
    call = typed(desk, session)
    body = {"accepted": True, "submitted": True, "cursor": 0, "output": piece("ü世&<".encode(), 0)}
    whole = good(body)
    text = re.search("<output>(.*)</output>", whole)
    assert text
    forms = {
        "references": "".join(f"&#{ord(character)};" for character in text[1]),
        "cdata": f"<![CDATA[{text[1]}]]>",
        "line breaks": f"\n{text[1]}\n",
        "another output": text[1],
    }
    payload = whole.replace(text[1], forms[form])
    if form == "another output":
        payload = payload.replace("<result>", "<parameters><output>no</output></parameters><result>")
    row = desk.queue.answer(call, payload)

    assert (row["state"], row["error_string"]) == ("processed", "")
    assert base64.b64decode(desk.output("alice", session)["data"]) == "ü世&<".encode()


def test_json_where_xml_is_due_is_refused(desk: Desk) -> None:
    """Regression 2: the predecessor took the payload for JSON, so that is no answer here."""
    call = typed(desk, desk.session())
    row = desk.queue.answer(call, json.dumps({"v": 1, "ok": True, "status": 200, "body": {}}))

    assert (row["state"], state_of(desk, call)) == ("error", "failed")
    assert row["error_string"] == "Unreadable answer: The payload of the answer is not XML."


# -- 9 -------------------------------------------------------------------------------------------------------


@pytest.fixture
def down(desk: Desk) -> Iterator[None]:
    """Let the MID Server be down, which the instance knows."""
    table = desk.instance.table("ecc_agent")
    (agent,) = table.rows(f"name={MID}")
    table.update(agent["sys_id"], status="Down")
    yield
    table.update(agent["sys_id"], status="Up")


@pytest.mark.parametrize("item", RESOURCES, ids=name)
def test_no_resource_waits_for_an_answer(desk: Desk, item: tuple[str, str, Any]) -> None:
    """Regression 9: with a MID Server that never answers, each resource returns at once."""
    method, path, body = item
    own = filled(desk, path)
    answer = desk.call("keeper" if path.endswith("/health") else "alice", method, own, body)

    assert answer.status == (202 if "request" in answer.body else 200), answer


def test_with_the_mid_server_down_that_is_said_at_once(desk: Desk, request: pytest.FixtureRequest) -> None:
    """Regression 9: 503 where it is needed, and what the instance has itself is still there."""
    paths = [(method, filled(desk, path), body, path) for method, path, body in RESOURCES]
    request.getfixturevalue("down")

    for method, own, body, path in paths:
        answer = desk.call("keeper" if path.endswith("/health") else "alice", method, own, body)
        assert answer.status == (503 if needs_the_mid(method, path) else 200), (path, answer)


def needs_the_mid(method: str, path: str) -> bool:
    """Tell whether a resource cannot do anything without a MID Server."""
    return method != "GET" and not path.endswith("/viewers")


def test_nobody_can_sleep(desk: Desk) -> None:
    """Regression 9: `gs.sleep` is not there, and no file of ours waits in another way."""
    assert desk.script("typeof gs.sleep") == "undefined"
    waits = re.compile(r"\bgs\.sleep\b|Thread\.sleep|\.setMIDServer\(|executeAsync|waitForResponse")
    assert [file for file, text in SOURCES.items() if waits.search(text)] == []


# -- 10 ------------------------------------------------------------------------------------------------------

#: A parameter, a value, and what of the answer shows that it counted.
FLAGS: dict[str, tuple[str, str, Any]] = {
    "cursor": ("/sessions/{s}/output", "cursor=2", lambda body: base64.b64decode(body["data"]) == b"2345"),
    "max_bytes": (
        "/sessions/{s}/output",
        "max_bytes=3",
        lambda body: (base64.b64decode(body["data"]), body["nextCursor"]) == (b"012", 3),
    ),
    "stream": ("/sessions/{s}/output", "stream=tab", lambda body: numbers(body) == [1, 2]),
    "after": ("/sessions/{s}/output", "stream=tab&after=1", lambda body: numbers(body) == [2]),
    "limit": ("/sessions", "limit=1", lambda body: len(body["items"]) == 1),
    "offset": ("/sessions", "offset=100", lambda body: body["items"] == []),
    "state": (
        "/sessions",
        "state=terminated",
        lambda body: {item["state"] for item in body["items"]} == {"terminated"},
    ),
}


def numbers(body: dict[str, Any]) -> list[int]:
    """Return the numbers of the commands that were settled."""
    return [item["seq"] for item in body["input"]]


@pytest.fixture(scope="module")
def read(desk: Desk) -> str:
    """Return a session with six bytes of output and two settled keys; there is another that has ended."""
    ended, session = desk.session(), desk.session()
    desk.call("alice", "DELETE", f"/sessions/{ended}")
    desk.reply("terminate", {}, ended)
    carry(desk, session, b"012345", 0)
    for seq in (1, 2):
        keys = {"command": "eA==", "mode": "raw", "stream": "tab", "seq": seq}
        desk.call("alice", "POST", f"/sessions/{session}/commands", keys)
        desk.reply("command", {"accepted": True, "submitted": True, "cursor": 6, "output": None}, session)
    return session


@pytest.mark.parametrize(("path", "query", "holds"), FLAGS.values(), ids=FLAGS)
def test_a_parameter_of_the_address_counts(desk: Desk, read: str, path: str, query: str, holds: Any) -> None:
    """Regression 10: the platform gives lists, and each parameter works through a real address."""
    own = path.replace("{s}", read)
    with_it = desk.call("alice", "GET", f"{own}?{query}")
    without = desk.call("alice", "GET", own)
    twice = desk.call("alice", "GET", f"{own}?{query}&{query}")

    assert holds(with_it.body), with_it
    assert without.status == 200
    assert not holds(without.body), without
    assert twice.status == 422, twice
    assert twice.body["error"]["detail"].endswith("is given more than once.")


def test_every_parameter_of_ours_is_tried_above() -> None:
    """Regression 10: the resources' own words, so that none is forgotten."""
    lists = re.findall(r"query\(\[([^\]]*)\]\)", "".join(SOURCES.values()))

    assert {name for found in lists for name in re.findall(r"'(\w+)'", found)} == set(FLAGS)


# -- 11 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_each_method_and_path_has_a_resource_of_its_own(desk: Desk, method: str) -> None:
    """Regression 11: the router decides, and nothing of ours asks which method it was."""
    paths = {path for _, path, _ in RESOURCES}
    ours = {path for verb, path, _ in RESOURCES if verb == method}

    for path in sorted(paths):
        whole = APP + re.sub(r"\{\w\}", "0" * 32, path)
        answer = desk.instance.request(method, whole, json={}, auth=("keeper", desk.password))
        from_us = answer.headers.get("Content-Type", "").startswith("application/json") and (
            '"type"' in answer.text or '"result"' in answer.text
        )
        # To any other method `refresh` is a session's id.
        expected = path.replace("refresh", "{s}") in ours or path in ours
        assert from_us == expected, (method, path, answer.status_code, answer.text)
    assert [file for file, text in SOURCES.items() if "getRequestMethod" in text] == []


def test_nothing_of_ours_writes_to_the_request() -> None:
    """Regression 11: the request is read-only there, and no file tries."""
    writes = re.compile(r"\brequest\.\w+(\.\w+)*\s*=[^=]|pathParams\.\w+\s*=[^=]|\bdelete request\b")

    assert [file for file, text in SOURCES.items() if writes.search(text)] == []


def test_a_script_that_writes_to_the_request_is_seen_to_fail(desk: Desk) -> None:
    """Regression 11: on the emulated instance too, with one of our own resources changed so."""
    table = desk.instance.table("sys_ws_operation")
    (row,) = table.rows("name=mid-list^web_service_definition.namespace=x_claude_terminal")
    for action in ("request.pathParams = {};", "request.getRequestMethod();"):
        script = row["operation_script"].replace(
            "(request, response) {", f"(request, response) {{ {action}", 1
        )
        assert action in script
        table.update(row["sys_id"], operation_script=script)
        answer = desk.call("alice", "GET", "/mids")
        table.update(row["sys_id"], operation_script=row["operation_script"])
        assert answer.status == 500, (action, answer)

    assert desk.call("alice", "GET", "/mids").status == 200


# -- 12 ------------------------------------------------------------------------------------------------------


@pytest.fixture
def watcher(desk: Desk) -> Iterator[Bayeux]:
    """Return alice at the push channel."""
    with requests.Session() as session:
        session.trust_env = False
        session.get(desk.instance.url + APP + "/mids", auth=("alice", desk.password), timeout=30)
        yield Bayeux(desk.instance.url, session)


def test_an_update_of_the_row_alone_tells_the_browser_to_fetch(desk: Desk, watcher: Bayeux) -> None:
    """Regression 12: `output_seq` is pushed by the record watcher, without output; tests/portal has the page's half."""
    session = desk.session()
    table = f"{SCOPE}_session"
    assert watcher.subscribe(channel(table, f"session_id={session}"))["successful"]
    carry(desk, session, b"not in the event", 0)

    (event, *_) = [one for one in watcher.poll(5000) if one["channel"].startswith("/rw/")]
    data = event["data"]
    assert (data["table_name"], data["operation"]) == (table, "update")
    assert "output_seq" in data["changes"]
    assert int(data["record"]["output_seq"]["value"]) == int(desk.stored(session)["output_seq"])
    for form in ("not in the event", base64.b64encode(b"not in the event").decode()):
        assert form not in json.dumps(event)


def test_another_user_hears_nothing_of_it(desk: Desk, watcher: Bayeux) -> None:
    """Regression 12: the watched row is its owner's."""
    session = desk.session("bob")
    watcher.subscribe(channel(f"{SCOPE}_session", f"session_id={session}"))
    desk.call("bob", "POST", f"/sessions/{session}/viewers")
    desk.change("session", f"session_id={session}", output_seq="77")

    assert [one for one in watcher.poll(500) if one["channel"].startswith("/rw/")] == []


def test_no_class_of_the_push_channel_is_invented() -> None:
    """Regression 12: neither of the two that nobody has ever seen elsewhere."""
    invented = re.compile(r"AmbulatoryMessageBus|\bsn_amb\b|window\.AMB")

    assert [file for file, text in SOURCES.items() if invented.search(text)] == []


# -- 19 ------------------------------------------------------------------------------------------------------


def test_what_the_browser_gets_is_bytes(desk: Desk) -> None:
    """Regression 19: escape sequences come as base64 of what the program printed, escaped by nobody."""
    session = desk.session()
    printed = b"\x1b[32mgreen\x1b[0m" + bytes(range(256)) + b"\\x1b and \\u001b as text"
    carry(desk, session, printed, 0)

    assert base64.b64decode(desk.output("alice", session)["data"]) == printed


def test_an_answer_that_is_no_base64_is_told(desk: Desk) -> None:
    """Regression 19: text that somebody escaped instead is no answer."""
    call = typed(desk, desk.session())
    row = desk.queue.answer(
        call, results('{"v": 1, "ok": true, "status": 200, "body": {"data": "\\\\x1b[0m"}}')
    )

    assert row["error_string"] == "Unreadable answer: The output of the probe is not base64 of JSON."
