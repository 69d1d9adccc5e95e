"""Output rows: their columns, their payload, and that both sides call every operation and field by one name."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.fixtures.servicenow import MID
from tests.servicenow.conftest import Desk

ROOT = Path(__file__).resolve().parents[2]
PROBE = ROOT / "servicenow-app/mid-script-includes/ClaudeTerminalProbe.js"

CALL = {
    "ecc": "0" * 32,
    "op": "command",
    "mid": "mid-a",
    "bridge": "mid",
    "user": "u1",
    "session": "s1",
    "key": "k1",
    "body": {"command": "hi"},
}

AWKWARD = "a&b<c>d\"e'f\tg\nh\ri \u00fc\u4e16\U0001f600 \x1b[31m\u2028 ${x} </parameters>"


def row(desk: Desk, **changes: Any) -> dict[str, str]:
    """Return the columns that the bridge makes of a call."""
    found: dict[str, str] = desk.script(f"new ClaudeTerminalBridge().row({json.dumps(CALL | changes)})")
    return found


def parameters(payload: str) -> dict[str, str]:
    """Return the parameters in a payload, as an XML parser sees them."""
    return {item.attrib["name"]: item.attrib["value"] for item in ET.fromstring(payload)}


def operations(desk: Desk) -> dict[str, Any]:
    """Return the table of operations of the MID Script Include."""
    source = "var Class = {create: function () { return function () {}; }};" + PROBE.read_text()
    found: dict[str, Any] = desk.instance.script(
        f"(function () {{ {source}\nreturn ClaudeTerminalProbe.OPERATIONS; }})()"
    )
    return found


def test_a_row_for_a_mid_server(desk: Desk) -> None:
    made = row(desk)
    payload = made.pop("payload")

    assert made == {
        "agent": "mid.server.mid-a",
        "topic": "JavascriptProbe",
        "name": "ClaudeTerminalProbe",
        "source": "",
        "queue": "output",
        "state": "ready",
        "priority": "1",
        "agent_correlator": "s1",
    }
    assert parameters(payload) == {
        "skip_sensor": "true",
        "v": "1",
        "op": "command",
        "user": "u1",
        "session": "s1",
        "key": "k1",
        "body": base64.b64encode(b'{"command":"hi"}').decode(),
        "script": "new ClaudeTerminalProbe().execute();",
    }


def test_a_row_for_a_poller_is_not_for_a_mid_server_and_has_no_script(desk: Desk) -> None:
    made = row(desk, bridge="poller")

    assert (made["agent"], made["topic"]) == ("claude.poller.mid-a", "ClaudeTerminal")
    assert (made["name"], made["state"], made["queue"]) == ("ClaudeTerminalProbe", "ready", "output")
    assert "script" not in parameters(made["payload"])


def test_skip_sensor_comes_first(desk: Desk) -> None:
    first = ET.fromstring(row(desk)["payload"])[0]

    assert first.attrib == {"name": "skip_sensor", "value": "true"}


def test_any_text_arrives_in_the_body_as_it_was(desk: Desk) -> None:
    made = parameters(row(desk, body={"command": AWKWARD})["payload"])
    sent = base64.b64decode(made["body"])

    assert json.loads(sent) == {"command": AWKWARD}
    assert sent.isascii()


def test_any_text_arrives_in_a_parameter_as_it_was(desk: Desk) -> None:
    text = AWKWARD.replace("\x1b", "")
    made = parameters(row(desk, key=text)["payload"])

    assert made["key"] == text


def test_nothing_a_user_wrote_is_in_the_script(desk: Desk) -> None:
    payloads = [row(desk, op=op, body={"command": "marker"})["payload"] for op in ("command", "create")]

    assert {parameters(payload)["script"] for payload in payloads} == {"new ClaudeTerminalProbe().execute();"}


def test_an_unknown_operation_is_a_fault(desk: Desk) -> None:
    assert "unknown operation" in str(
        desk.instance.attempt(
            f"new ClaudeTerminalBridge().row({json.dumps(CALL | {'op': 'nonsense'})})",
            scope="x_claude_terminal",
        ).error
    )


def test_a_refused_insert_is_reported(desk: Desk) -> None:
    rule = desk.instance.table("sys_script").insert(
        name="refuse all",
        collection="ecc_queue",
        when="before",
        action_insert="true",
        active="true",
        script="current.setAbortAction(true);",
    )
    try:
        session = desk.rows("session", "state=running")
        answer = (
            desk.call("alice", "POST", f"/sessions/{session[0]['session_id']}/status") if session else None
        )
        key = desk.call("keeper", "POST", f"/mids/{MID}/key")
    finally:
        desk.instance.table("sys_script").delete(rule["sys_id"])

    assert answer is None or answer.status == 503
    assert (key.status, key.body["error"]["title"]) == (503, "Queue refused the call")
    assert desk.rows("request", "op=sealing_key^state=failed")


def test_both_sides_know_the_same_operations(desk: Desk) -> None:
    ours = desk.script("ClaudeTerminalBridge.OPERATIONS")
    effects = desk.script("Object.keys(ClaudeTerminalEffect.METHODS)")

    assert sorted(ours) == sorted(operations(desk))
    assert sorted(effects) == sorted(ours)


def test_the_probe_reads_the_parameters_that_are_sent(desk: Desk) -> None:
    read = set(re.findall(r"_parameter\('(\w+)'\)", PROBE.read_text()))
    sent = set(parameters(row(desk)["payload"]))

    assert read == sent - {"skip_sensor", "script"}


@pytest.mark.parametrize(
    ("op", "path", "body"),
    [
        ("command", "commands", {"command": "hello", "stream": "tab", "seq": 1}),
        ("command", "commands", {"command": "aGk=", "mode": "raw"}),
        ("command", "commands", {"command": ["Enter"], "mode": "keys"}),
        ("output", "output", {"cursor": 5}),
        ("screen", "screen", {}),
        ("status", "status", {}),
        ("resize", "resize", {"columns": 80, "rows": 24}),
        ("outputs", "viewers", {}),
    ],
)
def test_a_body_has_only_fields_the_probe_passes_on(
    desk: Desk, op: str, path: str, body: dict[str, Any]
) -> None:
    session = desk.session()
    answer = desk.call("alice", "POST", f"/sessions/{session}/{path}", body)
    known = operations(desk)[op]

    assert answer.status in {200, 202}, answer
    assert set(desk.last(op).body) <= set(known["query"] + known["body"])


def test_create_and_credentials_have_only_fields_the_probe_passes_on(desk: Desk) -> None:
    session = desk.session()
    desk.enrol("bob")
    known = operations(desk)

    assert set(desk.last("create", session).body) <= set(known["create"]["body"])
    assert set(desk.last("credential.store").body) <= set(known["credential.store"]["body"])


def test_every_operation_is_one_of_the_sidecars(desk: Desk) -> None:
    paths = json.loads((ROOT / "docs/openapi.json").read_text())["paths"]
    known = {
        (method.upper(), re.sub(r"\{[^}]+\}", "{}", path))
        for path, methods in paths.items()
        for method in methods
    }
    asked = {(item["method"], re.sub(r"\{[^}]+\}", "{}", item["path"])) for item in operations(desk).values()}

    assert asked <= known


def test_no_row_carries_a_secret(desk: Desk) -> None:
    desk.session()
    rows = desk.instance.table("ecc_queue").rows("name=ClaudeTerminalProbe")
    names = {name for row_ in rows if row_["queue"] == "output" for name in parameters(row_["payload"])}

    assert names == {"skip_sensor", "v", "op", "user", "session", "key", "body", "script"}


def test_base64_is_cut_and_joined_as_bytes(desk: Desk) -> None:
    data = bytes(range(256)) + b"\x00\xff\x80"
    cuts = [(start, end) for start in (0, 1, 2, 3, 7, 255) for end in (0, 1, 5, 9, 254, 259, 300)]
    pieces = [data[start:][:7] for start in range(0, len(data), 7)]
    found = desk.script(
        "(function (whole, cuts, pieces) { var base64 = new ClaudeTerminalBase64(); return {"
        "lengths: [base64.length(''), base64.length('AA=='), base64.length('AAA='), base64.length(whole)],"
        "slices: cuts.map(function (cut) { return base64.slice(whole, cut[0], cut[1]); }),"
        "joined: base64.join(pieces) }; })"
        f"({json.dumps(_b64(data))}, {json.dumps(cuts)}, {json.dumps([_b64(piece) for piece in pieces])})"
    )

    assert found["lengths"] == [0, 1, 2, len(data)]
    assert [base64.b64decode(part) for part in found["slices"]] == [data[start:end] for start, end in cuts]
    assert base64.b64decode(found["joined"]) == data


def _b64(data: bytes) -> str:
    return base64.b64encode(data).decode()
