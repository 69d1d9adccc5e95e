"""Faults of the predecessor on the MID Server, each by its number, shown to be absent on an emulated MID Server.

The MID script is the one in the update set; the sidecar answers as it is told, so that nothing it is asked is missed.
"""

from __future__ import annotations

import base64
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator import installation
from emulator.midserver import MidServer, Sidecar, keep_token
from emulator.servicenow import Instance
from tests.fixtures.probe import INCLUDE, KEY, ROOT, SESSION, TOKEN, USER, Bench, StubSidecar, encoded
from tests.fixtures.servicenow import MID, mid_account, running
from tests.integration.emulator.probing import Desk
from tests.waiting import until

Json = dict[str, Any]

SCRIPT = "new ClaudeTerminalProbe().execute();"
CREDENTIAL = "7b1d6a52-5a0c-4c1e-8f0b-9f2f6f3d1c11"
MID_SOURCES = {file.name: file.read_text() for file in INCLUDE.parent.glob("*.js")}
SOURCES = {
    str(file.relative_to(ROOT)): file.read_text()
    for folder in ("servicenow-app", "fix-scripts")
    for file in sorted((ROOT / folder).rglob("*.js"))
}


@pytest.fixture(scope="module")
def desk(
    installed: Instance, stub_sidecar: StubSidecar, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    """Run a MID Server with the shipped script beside a sidecar that answers as it is told."""
    installation.use_mids(installed, "another")  # so that nobody asks this sidecar but the tests
    mid = MidServer(tmp_path_factory.mktemp("mid"), MID, mid_account(installed))
    mid.prepare(Sidecar(stub_sidecar.url, keep_token(mid.home, TOKEN)))
    with running(mid):
        yield Desk(installed, MID)


@pytest.fixture
def sidecar(stub_sidecar: StubSidecar) -> StubSidecar:
    """Return the sidecar, which has answered nothing yet."""
    stub_sidecar.reset()
    return stub_sidecar


def parameters(op: str, **changes: str) -> dict[str, str]:
    """Return what a row of the app carries besides its script."""
    body = {"credentialId": CREDENTIAL} if op == "credential.delete" else {}
    given = {"skip_sensor": "true", "v": "1", "op": op, "user": USER, "session": SESSION, "key": KEY}
    return given | {"body": encoded(body)} | changes


def operations(instance: Instance) -> list[str]:
    """Return what the app may ask."""
    found: list[str] = instance.script("ClaudeTerminalBridge.OPERATIONS", scope="x_claude_terminal")
    return found


def decoded(text: str) -> Json:
    """Return the answer in a completion value; fail when it is none."""
    answer: Json = json.loads(base64.b64decode(text, validate=True))
    assert answer["v"] == 1
    assert isinstance(answer["status"], int)
    if answer["ok"]:
        assert isinstance(answer["body"], dict)
    else:
        assert answer["problem"]["status"] == answer["status"]
        assert answer["problem"]["title"]
        assert answer["problem"]["detail"]
    return answer


# -- 3 -------------------------------------------------------------------------------------------------------


def test_values_of_the_row_reach_the_script(desk: Desk, sidecar: StubSidecar) -> None:
    """Regression 3, M2: the class reads the host's `probe`, with the rows' own script."""
    body = {"command": "hello", "mode": "text"}
    answer = desk.run(SCRIPT, parameters=parameters("command", body=encoded(body)))

    assert decoded(answer.output)["ok"] is True
    (request,) = sidecar.requests
    assert request.path == f"/api/session/{SESSION}/command"
    assert request.json == body | {"maxBytes": 65536}
    assert (request.headers["X-User-ID"], request.headers["Idempotency-Key"]) == (USER, KEY)


def test_a_script_that_hides_the_host_is_seen_to_fail(desk: Desk, sidecar: StubSidecar) -> None:
    """Regression 3, M2: the predecessor's own words, so that the test above can fail."""
    hidden = "var probe = new ClaudeTerminalProbe(); probe.execute();"
    answer = desk.run(hidden, parameters=parameters("status"))

    assert decoded(answer.output)["problem"]["title"] == "Probe failed"
    assert sidecar.requests == []


def test_nothing_of_ours_declares_a_name_of_the_host(installed: Instance) -> None:
    """Regression 3: neither the rows' script nor the MID's file declares `probe` or `ms`."""
    row = installed.script("ClaudeTerminalBridge.prototype.SCRIPT", scope="x_claude_terminal")

    for name, source in (MID_SOURCES | {"row": row}).items():
        assert not re.search(r"\b(var|function)\s+(probe|ms)\b|\b(probe|ms)\s*=[^=]", source), name
    assert row == SCRIPT


# -- 4 -------------------------------------------------------------------------------------------------------

#: How the sidecar answers → the status that the answer of each operation has then.
ANSWERS: dict[str, tuple[Json, int]] = {
    "well": ({"reply": b'{"done": true}'}, 200),
    "wrong token": ({"status": 401, "reply": b'{"title": "Unauthorized"}'}, 401),
    "not found": ({"status": 404, "reply": b'{"title": "Not found", "detail": "No such session."}'}, 404),
    "full": ({"status": 429, "reply": b"{}", "headers": {"Retry-After": "3"}}, 429),
    "fault": ({"status": 500, "reply": b"<html>"}, 502),
    "empty": ({"reply": b""}, 502),
    "redirect": ({"status": 302, "headers": {"Location": "/elsewhere"}}, 502),
    "too much": ({"reply": json.dumps({"data": "x" * 200_000}).encode()}, 502),
}


@pytest.mark.parametrize(("answers", "status"), ANSWERS.values(), ids=ANSWERS)
def test_every_operation_returns_an_answer_whatever_the_sidecar_does(
    desk: Desk, sidecar: StubSidecar, answers: Json, status: int
) -> None:
    """Regression 4: the completion value is a string that decodes to an answer, for every operation."""
    for name, value in answers.items():
        setattr(sidecar, name, value)
    rows = {op: desk.put(SCRIPT, parameters=parameters(op)) for op in operations(desk.instance)}

    told = {op: decoded(desk.answer(row).output)["status"] for op, row in rows.items()}

    assert told == dict.fromkeys(rows, status)


def test_every_operation_returns_an_answer_when_the_sidecar_hangs_up(
    desk: Desk, sidecar: StubSidecar
) -> None:
    """Regression 4: of what may have been done that is said, and only that differs."""
    sidecar.hang_up = True
    rows = {op: desk.put(SCRIPT, parameters=parameters(op)) for op in operations(desk.instance)}

    told = {op: decoded(desk.answer(row).output)["status"] for op, row in rows.items()}

    doubtful = {
        "create",
        "command",
        "resize",
        "credential.store",
    }  # what is not there cannot be deleted twice
    assert told == {op: 504 if op in doubtful else 502 for op in rows}


#: What is wrong on the MID's host.
SETTINGS: dict[str, Json] = {
    "no token": {"mid.claude.sidecar.token_file": "/nowhere/at/all"},
    "nothing listens": {"mid.claude.sidecar.url": "http://127.0.0.1:9"},
    "not loopback": {"mid.claude.sidecar.url": "http://sidecar.example:3000"},
    "no address": {"mid.claude.sidecar.url": "what is this?"},
}


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_every_operation_returns_an_answer_whatever_the_host_is_like(
    bench: Bench, desk: Desk, settings: Json
) -> None:
    """Regression 4: also where the sidecar cannot be asked."""
    bench.config.update(settings)

    for op in operations(desk.instance):
        body = {"credentialId": CREDENTIAL} if op == "credential.delete" else {}
        assert decoded(bench.run(op, body).text)["ok"] is False
    assert bench.stub.requests == []


@pytest.mark.parametrize(
    "row",
    [{"op": "-"}, {"op": "nonsense"}, {"v": "2"}, {"body": "?"}, {"body": encoded([1])}, {"user": "-"}],
    ids=lambda row: "-".join(row.keys()),
)
def test_a_row_that_is_wrong_gets_an_answer_too(bench: Bench, row: dict[str, str]) -> None:
    """Regression 4: also when the row itself is bad."""
    op = row.get("op", "command")

    assert (
        decoded(bench.run(op, **{key: value for key, value in row.items() if key != "op"}).text)["status"]
        == 422
    )


def test_a_script_that_returns_nothing_fails_the_probe(desk: Desk) -> None:
    """Regression 4: without a value the MID Server answers with an error, so that the tests above can fail."""
    answer = desk.run("var result = new ClaudeTerminalProbe().execute();", parameters=parameters("status"))

    assert answer.error


# -- 5 and 6 -------------------------------------------------------------------------------------------------


def test_the_script_knows_no_names_but_those_of_a_mid_server(tmp_path: Path) -> None:
    """Regression 5: every free name of the file, told by ESLint with no name declared but ES5's own."""
    config = tmp_path / "eslint.config.js"
    config.write_text(
        "module.exports = [{languageOptions: {ecmaVersion: 5, sourceType: 'script'},"
        " rules: {'no-undef': 'error'}}];"
    )
    files = [str(file.relative_to(ROOT)) for file in INCLUDE.parent.glob("*.js")]
    command = ["node_modules/.bin/eslint", "--config", str(config), "--format", "json", "--no-inline-config"]
    done = subprocess.run(
        [*command, *files], cwd=ROOT, capture_output=True, text=True, check=False, timeout=60
    )
    told = [message for file in json.loads(done.stdout) for message in file["messages"]]

    names = {re.sub(r"^'(\w+)' is not defined\.$", r"\1", message["message"]) for message in told}

    assert names == {"Class", "Packages", "ms", "probe"}


def test_an_invented_http_class_is_seen_to_fail(desk: Desk) -> None:
    """Regression 5: the emulated MID Server has no more than a real one."""
    assert "HTTPRequest" in desk.run("new HTTPRequest('http://127.0.0.1/').get();").error


def test_the_host_takes_no_output_and_nothing_of_ours_gives_it_any(desk: Desk) -> None:
    """Regression 6: `probe` has neither method, and no file names them."""
    has = desk.run("'' + (typeof probe.setOutput) + ' ' + (typeof probe.setError);").output

    assert has == "undefined undefined"
    assert [name for name, text in SOURCES.items() if re.search(r"\bprobe\.set", text)] == []
    assert [name for name, text in MID_SOURCES.items() if re.search(r"setOutput|setError", text)] == []


# -- 21 ------------------------------------------------------------------------------------------------------

#: Session ids that lead elsewhere when they are joined into a path as they are.
BAD_IDS = {
    "climbs": "../health",
    "has a query": "a/b?x=1",
    "is escaped": "%2e%2e",
    "ends the line": f"{SESSION}\r\nX-User-ID: another",
    "is empty": "",
    "is too long": SESSION * 40,
    "has more behind it": f"{SESSION}/output",
    "begins with a space": f" {SESSION}",
}


def test_a_session_id_that_is_none_reaches_nobody(desk: Desk, sidecar: StubSidecar) -> None:
    """Regression 21: refused on the MID Server before any call, for every operation of a session."""
    ops = ["command", "output", "screen", "status", "resize", "terminate"]
    rows = [
        desk.put(SCRIPT, parameters=parameters(op, session=bad)) for op in ops for bad in BAD_IDS.values()
    ]

    for row in rows:
        answer = decoded(desk.answer(row).output)
        assert (answer["status"], answer["problem"]["detail"]) == (422, "session is not a UUID.")
    assert sidecar.requests == []


def test_a_session_id_that_is_one_passes_escaped(desk: Desk, sidecar: StubSidecar) -> None:
    """Regression 21: what passes is still escaped, and capitals are no fault."""
    for session in (SESSION, SESSION.upper()):
        desk.run(SCRIPT, parameters=parameters("status", session=session))

    assert [request.path for request in sidecar.requests] == [
        f"/api/session/{session}/status" for session in (SESSION, SESSION.upper())
    ]
    assert "return encodeURIComponent(value);" in MID_SOURCES["ClaudeTerminalProbe.js"]


def test_the_instance_queues_nothing_for_such_an_id(installed: Instance) -> None:
    """Regression 21: nor does the instance write a row for it."""
    installed.create_user("erin", "the password of erin", ["x_claude_terminal.user"])
    before = len(installed.table("ecc_queue").rows(fields="sys_id"))
    calls = ", ".join(
        f"function () {{ new ClaudeTerminalAPI().status({json.dumps(bad)}, {{}}); }}"
        for bad in BAD_IDS.values()
    )
    script = f"[{calls}].map(function (call) {{ try {{ call(); }} catch (e) {{ return e.status; }} }})"

    told = installed.script(script, scope="x_claude_terminal", user="erin")

    assert told == [404] * len(BAD_IDS)
    assert len(installed.table("ecc_queue").rows(fields="sys_id")) == before


def test_the_queue_empties(desk: Desk) -> None:
    """No row of this file is left unanswered."""
    assert until(
        lambda: not desk.instance.table("ecc_queue").rows("queue=output^stateINready,processing"), 15
    )
