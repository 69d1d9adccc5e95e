"""Faults of the predecessor on the way through the queue, each by its number, shown to be absent end to end.

Instance, MID Server and sidecar are all there, with the update set and fix scripts installed as an administrator does.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree as ET

import pytest

from emulator.browser import Browser, Refused
from emulator.installation import check_health
from emulator.midserver import keep_token
from emulator.servicenow import Row
from tests.fakes.tap import Tap
from tests.fixtures.loop import KEY, Loop, joined
from tests.fixtures.probe import ROOT
from tests.fixtures.servicenow import MID, MID_PASSWORD
from tests.markers import Markers
from tests.servicenow.terminal import Terminal, mark, opened
from tests.servicenow.test_loop import arguments, decoded, files, parameters, tables
from tests.servicenow.wire import wired
from tests.waiting import until

PATIENCE_S = 60

#: The operations that act for a user, by the ends of their paths at the sidecar.
OF_USERS = {
    "create": "/create",
    "command": "/command",
    "output": "/output",
    "screen": "/screen",
    "status": "/status",
    "resize": "/resize",
    "list": "/sessions",
    "credential.store": "/credentials",
}
APP = {
    file.name: file.read_text()
    for file in (ROOT / "servicenow-app").rglob("*.js")
    if "mid-script-includes" not in file.parts
}


@pytest.fixture(scope="module")
def tap(loop: Loop) -> Iterator[Tap]:
    """Listen between the MID Server and the sidecar."""
    with wired(loop) as tap:
        yield tap


@pytest.fixture(scope="module")
def told(loop: Loop, tap: Tap) -> Terminal:
    """Return a session with which every operation was done; it has ended."""
    tap.requests.clear()
    terminal = opened(loop, columns=90, rows=25)
    user, path = terminal.user, f"/sessions/{terminal.session}"
    terminal.type("every operation")
    terminal.await_output(b"You said: every operation")
    user.ask("POST", f"{path}/status")
    user.ask("POST", f"{path}/resize", {"columns": 100, "rows": 30})
    user.screen(terminal.session)
    user.ask("POST", f"{path}/output", {"cursor": 0})
    user.ask("POST", "/sessions/refresh")
    user.terminate(terminal.session)
    (credential,) = user.call("GET", "/credentials")["items"]
    user.ask("DELETE", f"/credentials/{credential['id']}")
    check_health(loop.admin)
    return terminal


@pytest.fixture
def terminal(loop: Loop, tap: Tap) -> Iterator[Terminal]:
    """Return a session of a new user; all goes well again afterwards."""
    terminal = opened(loop)
    yield terminal
    tap.restore()
    loop.admin.faults(answers={"lose": 0, "double": 0, "reorder": 0}, discovery=False)
    terminal.user.terminate(terminal.session)


def outputs(loop: Loop, op: str, session: str = "") -> list[Row]:
    """Return the output rows of an operation, oldest first."""
    query = "queue=output" + (f"^agent_correlator={session}" if session else "")
    return [row for row in loop.rows(query) if parameters(row)["op"] == op]


# -- 1 -------------------------------------------------------------------------------------------------------


def test_the_answer_is_the_input_that_responds(loop: Loop, told: Terminal) -> None:
    """Regression 1, M3: each result comes from a `queue=input` row, and never from the output row."""
    rows = loop.rows(f"queue=output^agent_correlator={told.session}")
    answers = loop.rows(f"queue=input^agent_correlator={told.session}")

    assert {row["response_to"] for row in answers} == {row["sys_id"] for row in rows}
    assert {row["response_to"] for row in rows} == {""}
    assert {row["state"] for row in rows} == {"processed"}
    assert {ET.fromstring(row["payload"]).tag for row in rows} == {"parameters"}


def test_a_request_says_which_input_answered_it(loop: Loop, told: Terminal) -> None:
    """Regression 1, M3: what the app keeps of an answer is its input row."""
    kept = loop.admin.script(
        "(function () { var found = {}; var row = new GlideRecord('x_claude_terminal_request');"
        f"row.addQuery('session.session_id', '{told.session}'); row.query();"
        "while (row.next()) { found[row.getValue('ecc_output')] = row.getValue('answered_by'); }"
        "return found; })()",
        scope="x_claude_terminal",
    )
    inputs = loop.rows(f"queue=input^agent_correlator={told.session}")

    assert kept == {row["response_to"]: row["sys_id"] for row in inputs}


@pytest.mark.parametrize("access", ["row.output", "row.getValue('output')", "row.setValue('output', 'x')"])
def test_a_column_named_output_fails_whoever_touches_it(loop: Loop, access: str) -> None:
    """Regression 1: the emulated queue has no such column, so a script that reads it would be seen."""
    ran = loop.admin.attempt(f"var row = new GlideRecord('ecc_queue'); row.query(); row.next(); {access};")

    assert "table ecc_queue has no column output" in str(ran.error)


def test_nothing_of_ours_looks_for_answers_among_outputs() -> None:
    """Regression 1: no query joins the direction `output` with `response_to`, whichever way it is written."""
    users = [text for text in APP.values() if "GlideRecord('ecc_queue')" in text]

    assert users
    for text in users:
        assert not ("queue=output" in text and "response_to" in text), text
        outputs = re.search(r"addQuery\('queue', *'output'\)", text)
        assert not (outputs and "response_to" in text), text


# -- 2 -------------------------------------------------------------------------------------------------------

ODD = "a & b < c > \"d\" 'e' &amp; ü ß 世界 \U0001d11e ]]> <output>no</output>"


def test_text_that_xml_has_to_escape_is_the_same_at_both_ends(loop: Loop, terminal: Terminal) -> None:
    """Regression 2: payloads are XML and are read as XML; nothing is lost or doubled on the way."""
    terminal.type(ODD)

    terminal.await_output(b"You said: a & b < c")
    assert terminal.asked() == [ODD]
    (row,) = outputs(loop, "command", terminal.session)
    (answer,) = loop.rows(f"queue=input^response_to={row['sys_id']}")
    assert answer["payload"].startswith("<?xml")
    with pytest.raises(json.JSONDecodeError):
        json.loads(answer["payload"])


# -- 7 -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("op", "ending"), OF_USERS.items(), ids=OF_USERS)
def test_every_operation_of_a_user_names_them(
    loop: Loop, tap: Tap, told: Terminal, op: str, ending: str
) -> None:
    """Regression 7, M1: the sidecar is told the user by every call, and refuses the same call without."""
    calls = [call for call in tap.of(ending) if call.headers.get("X-User-ID") == told.user.user_id]
    assert calls, op

    call = calls[-1]
    body = {name: value for name, value in json.loads(call.body or b"{}").items() if name != "userId"}
    again = loop.sidecar.call(call.method, call.path, json=body if call.method == "POST" else None)

    assert again.status_code == 400, again.text
    assert "X-User-ID" in again.text


@pytest.mark.parametrize("path", ["/api/session/", "/api/credentials/"])
def test_what_is_removed_is_removed_by_its_user(loop: Loop, tap: Tap, told: Terminal, path: str) -> None:
    """Regression 7, M1: and so are the two operations that delete."""
    own = [call for call in tap.requests if call.headers.get("X-User-ID") == told.user.user_id]
    (call,) = [call for call in own if call.method == "DELETE" and call.path.startswith(path)]

    assert loop.sidecar.call("DELETE", call.path).status_code == 400


@pytest.mark.usefixtures("told")
def test_no_call_of_a_user_goes_without_their_name(tap: Tap) -> None:
    """Regression 7: only health, the public key and the pump act for nobody."""
    nobodys = {call.path for call in tap.requests if "X-User-ID" not in call.headers}

    assert nobodys == {"/health", "/api/credentials/key", "/api/outputs"}


@pytest.mark.usefixtures("told")
def test_both_sides_have_the_same_table_of_names(loop: Loop) -> None:
    """Regression 7: what the rows carry is what the MID script reads, and no other name."""
    source = (ROOT / "servicenow-app/mid-script-includes/ClaudeTerminalProbe.js").read_text()
    read = set(re.findall(r"_parameter\('(\w+)'\)", source))
    carried = {name for row in loop.rows("queue=output") for name in parameters(row)}

    assert carried - read == {"skip_sensor", "script"}
    assert read <= carried


# -- 8 -------------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("told")
def test_a_full_run_leaves_no_secret_anywhere(loop: Loop, tap: Tap) -> None:
    """Regression 8, M4: neither rows, properties, logs, addresses nor arguments hold a marker."""
    markers = Markers()
    for name, secret in {
        "token": loop.sidecar.token,
        "API key": KEY,
        "encryption key": loop.sidecar.environment["ENCRYPTION_KEY"],
        "password of the MID's user": MID_PASSWORD,
    }.items():
        markers.add(name, secret)
    keep_token(loop.mid.home, markers.add("wrong token", f"wrong-{uuid4().hex}{uuid4().hex}"))
    with pytest.raises(Refused, match="token is not the sidecar's") as refused:
        loop.alice.create()
    keep_token(loop.mid.home, loop.sidecar.token)

    texts = {
        **tables(loop.platform.data / "instance.db"),
        **files(loop.platform.data, without={"instance.db"}),
        **files(loop.mid.home, without={"claude-token", "config.xml"}),
        **arguments(loop),
        "addresses": " ".join(call.path for call in tap.requests),
        "an error": str(refused.value),
    }

    assert "every operation" in decoded(texts["table ecc_queue"]), "the search finds nothing"
    found = {name: markers.found(decoded(text).encode()) for name, text in texts.items()}
    assert {name: secrets for name, secrets in found.items() if secrets} == {}
    assert "encrypted:" in (loop.mid.home / "config.xml").read_text()
    assert markers.found((loop.mid.home / "config.xml").read_bytes()) == set()


# -- 17 ------------------------------------------------------------------------------------------------------


def test_discovery_leaves_our_answers_alone(loop: Loop, terminal: Terminal) -> None:
    """Regression 17: with Discovery's sensor on, no answer of ours ends in `error`."""
    loop.admin.faults(discovery=True)
    terminal.type("with Discovery")
    terminal.user.screen(terminal.session)
    terminal.user.ask("POST", f"/sessions/{terminal.session}/status")
    terminal.await_output(b"You said: with Discovery")

    rows = loop.rows(f"agent_correlator={terminal.session}")
    assert {row["error_string"] for row in rows} == {""}
    assert {row["state"] for row in rows if row["queue"] == "input"} == {"processed"}
    assert {parameters(row)["skip_sensor"] for row in rows if row["queue"] == "output"} == {"true"}


def test_discovery_takes_an_answer_that_does_not_ask_it_not_to(loop: Loop, terminal: Terminal) -> None:
    """Regression 17: without `skip_sensor` the same row ends in `error`, so the test above can fail."""
    loop.admin.faults(discovery=True)
    (row, *_) = outputs(loop, "create", terminal.session)
    payload = row["payload"].replace('<parameter name="skip_sensor" value="true"/>', "")
    assert payload != row["payload"]
    queue = loop.admin.table("ecc_queue")
    columns = {name: row[name] for name in ("agent", "topic", "priority")}
    bad = queue.insert(**columns, name="WithoutSkipSensor", queue="output", state="ready", payload=payload)

    def marked() -> bool:
        answers = queue.rows(f"queue=input^response_to={bad['sys_id']}")
        return [one["error_string"] for one in answers] == ["No sensors defined"]

    assert until(marked, PATIENCE_S)


# -- 18 ------------------------------------------------------------------------------------------------------


def fetched(user: Browser, session: str) -> bytes:
    """Read a session's output from its beginning, straight from the sidecar."""
    return base64.b64decode(user.ask("POST", f"/sessions/{session}/output", {"cursor": 0})["data"])


def test_an_answer_that_is_lost_behind_the_mid_loses_no_output(loop: Loop) -> None:
    """Regression 18, M7: reading again from the same offset gives the same bytes."""
    user = loop.newcomer()
    terminal = Terminal(loop, user, user.create())  # nobody looks: the pump's answer would be lost instead
    terminal.type("read me twice")
    assert until(lambda: b"You said: read me twice" in terminal.at_sidecar(), PATIENCE_S)
    first = fetched(terminal.user, terminal.session)
    path = f"/sessions/{terminal.session}/output"

    def idle() -> bool:
        return not loop.rows("queue=output^stateINready,processing")

    assert until(idle, PATIENCE_S)
    loop.admin.faults(answers={"lose": 1})
    lost = terminal.user.call("POST", path, {"cursor": 0})["request"]
    assert until(lambda: loop.admin.faults()["answers"]["lose"] == 0, PATIENCE_S)

    assert terminal.user.call("GET", f"/requests/{lost}")["state"] == "queued"
    assert fetched(terminal.user, terminal.session).startswith(first)
    assert b"You said: read me twice" in first
    user.terminate(terminal.session)


def test_an_answer_that_is_lost_before_the_browser_loses_no_output(terminal: Terminal) -> None:
    """Regression 18, M7: the instance's copy is not used up by reading, and `clear` is no word of ours."""
    terminal.type("read me again")
    terminal.await_output(b"You said: read me again")
    user, session = terminal.user, terminal.session

    assert user.output(session, 0).data.startswith(bytes(terminal.read))
    assert user.output(session, 0).data.startswith(bytes(terminal.read))
    with pytest.raises(Refused, match="query parameter"):
        user.call("GET", f"/sessions/{session}/output?cursor=0&clear=true")


# -- 19 ------------------------------------------------------------------------------------------------------


def test_every_byte_a_program_prints_arrives_unchanged(terminal: Terminal) -> None:
    """Regression 19: 0x00 to 0xFF through the REST output; tests/portal has the terminal's half."""
    every = bytes(range(256))
    terminal.type(f"[[bytes {every.hex()}]]")

    terminal.await_output(every)
    assert b"\\x1b" not in terminal.read


def test_a_colour_is_the_escape_sequence_itself(terminal: Terminal) -> None:
    """Regression 19: nothing escapes what is an escape already."""
    red = b"\x1b[31mred\x1b[0m"
    terminal.type(f"[[bytes {red.hex()}]]")

    terminal.await_output(red)
    assert b"\\u001b" not in terminal.read


# -- 20 ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["first.last@example.com", "o'neil", "plain"])
def test_a_user_of_any_name_works_end_to_end(loop: Loop, tap: Tap, name: str) -> None:
    """Regression 20: the one identity is the sys_id, and nobody else reaches the session."""
    user = joined(loop.admin, name)
    terminal = Terminal(loop, user, user.create())
    terminal.look()
    word = mark()
    terminal.type(word)

    terminal.await_output(f"You said: {word}".encode())
    with pytest.raises(Refused) as refused:
        loop.bob.command(terminal.session, "let me in")
    assert refused.value.status == 404
    named = [call.headers["X-User-ID"] for call in tap.requests if terminal.session in call.path]
    assert set(named) == {user.user_id}
    user.terminate(terminal.session)


def test_another_user_does_not_reach_a_session_past_the_instance(loop: Loop, terminal: Terminal) -> None:
    """Regression 20: a row forged for another user is refused by the sidecar, which knows whose it is."""
    (row,) = outputs(loop, "create", terminal.session)
    changes: dict[str, Any] = {"op": "status", "user": loop.bob.user_id, "key": uuid4().hex, "body": "e30="}
    document = ET.fromstring(row["payload"])
    for one in document:
        one.set("value", changes.get(one.attrib["name"], one.attrib["value"]))
    columns = {name: row[name] for name in ("agent", "topic", "name", "priority")}
    queue = loop.admin.table("ecc_queue")
    payload = ET.tostring(document, encoding="unicode")
    forged = queue.insert(**columns, queue="output", state="ready", payload=payload)["sys_id"]

    assert until(lambda: queue.rows(f"queue=input^response_to={forged}"), PATIENCE_S)
    (answer,) = queue.rows(f"queue=input^response_to={forged}")
    told = json.loads(base64.b64decode(ET.fromstring(answer["payload"]).findtext("result/output", "")))
    assert (told["ok"], told["status"]) == (False, 404)
    assert MID in answer["agent"]
