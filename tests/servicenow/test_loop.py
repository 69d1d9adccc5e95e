"""The whole way: instance, ECC queue, MID Server or poller, sidecar, CLI, and back; one suite for both bridges.

M1 to M4 are faults of the predecessor: nothing worked after *create* because no user was named, the MID script hid the
host's `probe`, answers were looked for in the wrong direction of the queue, and secrets travelled as parameters.
"""

from __future__ import annotations

import base64
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree as ET

import pytest

from emulator.browser import Browser, Refused
from emulator.servicenow import Row
from tests.fixtures.loop import KEY, MID_BRIDGE, POLLER_BRIDGE, Loop
from tests.waiting import until

pytestmark = pytest.mark.bridges
PATIENCE_S = 60

#: The operations a user's session meets on its way.
STORY = {
    "sealing_key",
    "credential.store",
    "create",
    "command",
    "output",
    "outputs",
    "screen",
    "status",
    "resize",
    "list",
    "terminate",
}


@pytest.fixture(scope="module")
def session(loop: Loop) -> Iterator[str]:
    """Return a session of alice that the tests share."""
    made = loop.alice.create(columns=100, rows=30)
    yield made
    loop.alice.terminate(made)


@pytest.fixture
def user(loop: Loop) -> Browser:
    """Return a user nobody else uses, with a key stored."""
    return loop.newcomer()


def parameters(row: Row) -> dict[str, str]:
    """Return the parameters in a row's payload."""
    found = ET.fromstring(row["payload"]).iter("parameter")
    return {one.attrib["name"]: one.attrib["value"] for one in found}


def read_until(user: Browser, session: str, wanted: bytes, cursor: int = 0) -> bytes:
    """Read output from the instance until it holds `wanted`; return all of it."""
    read = bytearray()

    def arrived() -> bool:
        nonlocal cursor
        piece = user.output(session, cursor)
        read.extend(piece.data)
        cursor = piece.next_cursor
        return wanted in read

    assert until(arrived, PATIENCE_S), bytes(read)
    return bytes(read)


# -- the story -----------------------------------------------------------------------------------------------


def test_a_session_is_created_used_and_ended_through_the_queue(loop: Loop, user: Browser) -> None:
    """M1: every call of a session works, each in the name of its user."""
    session = user.create(columns=90, rows=25)
    user.view(session)

    answer = user.command(session, "Good morning")
    assert answer["accepted"] is True
    assert b"You said: Good morning" in read_until(user, session, b"You said: Good morning")
    assert user.ask("POST", f"/sessions/{session}/status")["state"] == "running"
    resized = user.ask("POST", f"/sessions/{session}/resize", {"columns": 70, "rows": 20})
    assert (resized["columns"], resized["rows"]) == (70, 20)
    screen = user.screen(session)
    assert screen["columns"] == 70
    assert any("You said: Good morning" in line for line in screen["lines"])
    listed = user.ask("POST", "/sessions/refresh")
    assert [item["sessionId"] for item in listed["items"]] == [session]
    older = user.ask("POST", f"/sessions/{session}/output", {"cursor": 0})
    assert base64.b64decode(older["data"])
    user.terminate(session)

    assert until(lambda: user.session(session)["state"] == "terminated", PATIENCE_S)
    own = {row["agent_correlator"] for row in loop.rows(f"agent_correlator={session}")}
    assert own == {session}
    assert {parameters(row)["op"] for row in loop.rows("queue=output")} >= STORY


def test_the_sidecar_knows_the_user_by_their_sys_id(loop: Loop, session: str) -> None:
    listed = loop.sidecar.call("GET", "/api/sessions", user=loop.alice.user_id).json()["items"]

    assert session in [item["sessionId"] for item in listed]
    assert {item["userId"] for item in listed} == {loop.alice.user_id}


def test_the_instance_and_the_sidecar_tell_the_same_of_a_session(loop: Loop, session: str) -> None:
    there = loop.sidecar.call("GET", f"/api/session/{session}/status", user=loop.alice.user_id).json()
    here = loop.alice.session(session)

    for name in ("sessionId", "state", "columns", "rows", "workspaceType"):
        assert here[name] == there[name], name


def test_output_comes_by_itself_while_somebody_looks(loop: Loop, session: str) -> None:
    user = loop.alice
    user.view(session)
    cursor = int(user.session(session)["outputOffset"])

    user.call("POST", f"/sessions/{session}/commands", {"command": "[[work 3]] patience"})

    answer = b"You said: [[work 3]] patience"
    assert answer not in read_until(user, session, b"patience", cursor)
    assert answer in read_until(user, session, answer, cursor)


def test_what_was_read_is_read_again_from_the_same_offset(loop: Loop, session: str) -> None:
    loop.alice.command(session, "the same again")
    first = loop.alice.output(session, 0)

    assert loop.alice.output(session, 0).data.startswith(first.data)


# -- the rows ------------------------------------------------------------------------------------------------


def test_an_answer_is_an_input_that_names_its_output(loop: Loop, session: str) -> None:
    """M3: the queue has two directions, and only `response_to` joins them."""
    loop.alice.command(session, "which way?")

    outputs = [row for row in loop.rows("queue=output") if parameters(row)["op"] == "command"]
    inputs = loop.rows(f"queue=input^response_to={outputs[-1]['sys_id']}")

    assert len(inputs) == 1
    assert until(lambda: loop.rows(f"sys_id={inputs[0]['sys_id']}")[0]["state"] == "processed")
    assert loop.rows(f"sys_id={outputs[-1]['sys_id']}")[0]["state"] == "processed"
    for name in ("topic", "name", "source", "agent", "agent_correlator", "priority"):
        assert inputs[0][name] == outputs[-1][name], name


def test_the_queue_has_no_column_for_output(loop: Loop) -> None:
    """M3: the predecessor read a column that never was."""
    columns = loop.admin.table("sys_dictionary").rows("name=ecc_queue", fields="element")

    assert "payload" in {row["element"] for row in columns}
    assert "output" not in {row["element"] for row in columns}


@pytest.mark.bridges(MID_BRIDGE)
def test_the_script_is_one_constant_line_that_hides_nothing_of_the_host(loop: Loop, session: str) -> None:
    """M2: a script that declares `probe` cannot reach its parameters."""
    loop.alice.command(session, "');//\n\"<&> what a name")

    scripts = {parameters(row)["script"] for row in loop.rows("queue=output")}

    assert len(scripts) == 1
    assert not re.search(r"\b(var|function)\b|[\r\n]|//", scripts.pop())


@pytest.mark.bridges(POLLER_BRIDGE)
def test_a_row_for_a_poller_carries_no_script(loop: Loop, session: str) -> None:
    loop.alice.command(session, "nothing is executed but what the poller knows")

    rows = loop.rows("queue=output")

    assert {row["topic"] for row in rows} == {"ClaudeTerminal"}
    assert [row for row in rows if "script" in parameters(row)] == []


def test_every_output_row_keeps_out_of_discoverys_way(loop: Loop, session: str) -> None:
    rows = loop.rows("queue=output")

    assert session in {row["agent_correlator"] for row in rows}
    assert {parameters(row)["skip_sensor"] for row in rows} == {"true"}
    assert {row["priority"] for row in rows} == {"1"}
    assert {row["agent"] for row in rows} == {loop.agent}


def test_a_call_that_is_sent_again_is_one_request_and_one_row(loop: Loop, session: str) -> None:
    body = {"command": "once only", "key": uuid4().hex}
    path = f"/sessions/{session}/commands"

    first = loop.alice.call("POST", path, body)
    again = loop.alice.call("POST", path, body)
    loop.alice.result(first["request"])

    assert again["request"] == first["request"]
    keys = [parameters(row)["key"] for row in loop.rows("queue=output")]
    assert len([key for key in keys if key.endswith(body["key"].replace("-", ""))]) == 1
    read_until(loop.alice, session, b"You said: once only")
    lines = loop.alice.screen(session)["lines"]
    assert sum("You said: once only" in line for line in lines) == 1


# -- who may what --------------------------------------------------------------------------------------------

CALLS: dict[str, Callable[[Browser, str], Any]] = {
    "get": lambda user, session: user.session(session),
    "view": lambda user, session: user.view(session),
    "command": lambda user, session: user.command(session, "let me in"),
    "read": lambda user, session: user.output(session, 0),
    "screen": lambda user, session: user.screen(session),
    "status": lambda user, session: user.ask("POST", f"/sessions/{session}/status"),
    "terminate": lambda user, session: user.terminate(session),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_another_users_session_is_the_same_as_none(
    loop: Loop, session: str, call: Callable[[Browser, str], Any]
) -> None:
    with pytest.raises(Refused) as others:
        call(loop.bob, session)
    with pytest.raises(Refused) as nobodys:
        call(loop.bob, str(uuid4()))

    assert others.value.status == nobodys.value.status == 404
    assert str(others.value) == str(nobodys.value)
    assert loop.alice.session(session)["state"] == "running"


def test_users_see_their_own_sessions_only(loop: Loop, session: str) -> None:
    assert session in [item["sessionId"] for item in loop.alice.call("GET", "/sessions")["items"]]
    assert session not in [item["sessionId"] for item in loop.bob.call("GET", "/sessions")["items"]]


def test_without_the_role_nothing_is_told(loop: Loop, session: str) -> None:
    name = "stranger"
    loop.admin.create_user(name, name)

    answer = loop.admin.signed_in(name, name).rest("GET", f"/sessions/{session}")

    assert answer.status == 403


# -- secrets -------------------------------------------------------------------------------------------------


def test_no_table_file_argument_or_log_holds_a_secret(loop: Loop, session: str) -> None:
    """M4: whoever may read the queue learns neither a user's key nor the sidecar's token."""
    loop.alice.command(session, "something to be found")
    secrets = (KEY, loop.sidecar.token, loop.sidecar.environment["ENCRYPTION_KEY"])
    forms = {form for secret in secrets for form in (secret, base64.b64encode(secret.encode()).decode())}

    texts = {
        **tables(loop.platform.data / "instance.db"),
        **files(loop.carrier.home, without={"claude-token"}),
        **files(loop.platform.data, without={"instance.db"}),
        **arguments(loop),
    }

    assert any("something to be found" in decoded(text) for text in texts.values()), (
        "the search finds nothing"
    )
    assert [name for name, text in texts.items() if any(form in decoded(text) for form in forms)] == []


def decoded(text: str) -> str:
    """Return a text with everything in it that is base64 once more in clear, answers in answers too."""
    for _ in range(3):
        opened = " ".join(_opened(piece) for piece in re.findall(r"[A-Za-z0-9+/]{16,}={0,2}", text))
        if opened in text:
            break
        text += " " + opened
    return text


def _opened(piece: str) -> str:
    padded = piece.rstrip("=")
    return base64.b64decode(padded[: len(padded) // 4 * 4]).decode("utf-8", "replace")


def tables(database: Path) -> dict[str, str]:
    """Return what every column of every table holds."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {name: connection.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}
    return {f"table {name}": "\n".join(map(str, rows)) for name, rows in found.items()}


def files(folder: Path, without: set[str]) -> dict[str, str]:
    """Return what the files of a folder hold."""
    paths = [path for path in folder.rglob("*") if path.is_file() and path.name not in without]
    return {str(path.relative_to(folder)): path.read_bytes().decode("latin-1") for path in paths}


def arguments(loop: Loop) -> dict[str, str]:
    """Return the arguments of the programs, and their environment but the poller's: there its settings are."""
    names = [(loop.platform.program.pid, "cmdline"), (loop.platform.program.pid, "environ")]
    names.append((loop.carrier.program.pid, "cmdline"))
    if loop.bridge == MID_BRIDGE:
        names.append((loop.carrier.program.pid, "environ"))
    return {
        f"{pid} {name}": Path(f"/proc/{pid}/{name}").read_text().replace("\0", " ") for pid, name in names
    }
