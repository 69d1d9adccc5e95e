"""What the queue and Java do without being asked: deliver again, resend, make attachments. Each harms nothing."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from uuid import uuid4

import pytest

from emulator.browser import Refused
from emulator.installation import set_property
from emulator.servicenow import Row
from tests.fakes.tap import Passed, Tap
from tests.fixtures.loop import Loop
from tests.servicenow.terminal import Terminal, mark, opened
from tests.servicenow.test_loop import parameters
from tests.servicenow.wire import wired
from tests.waiting import until

PATIENCE_S = 40
LARGE_FIELD = "glide.soapprocessor.large_field_patch_max"


@pytest.fixture(scope="module")
def tap(loop: Loop) -> Iterator[Tap]:
    """Listen between the MID Server and the sidecar."""
    with wired(loop) as tap:
        yield tap


@pytest.fixture
def terminal(loop: Loop, tap: Tap) -> Iterator[Terminal]:
    """Return a session of a new user that nobody looks at; all goes well again afterwards."""
    user = loop.newcomer()
    terminal = Terminal(loop, user, user.create())
    yield terminal
    tap.restore()
    loop.admin.faults(answers={"lose": 0, "double": 0, "reorder": 0})
    user.terminate(terminal.session)


def commands(tap: Tap, terminal: Terminal) -> list[Passed]:
    """Return the commands of a session that reached the sidecar."""
    return tap.of(f"{terminal.session}/command")


def row_of(loop: Loop, terminal: Terminal, op: str) -> Row:
    """Return the newest output row of an operation."""
    rows = loop.rows(f"queue=output^agent_correlator={terminal.session}")
    return [row for row in rows if parameters(row)["op"] == op][-1]


def answers(loop: Loop, row: Row) -> list[Row]:
    """Return the inputs that answer a row."""
    return loop.rows(f"queue=input^response_to={row['sys_id']}")


def test_a_row_that_is_run_twice_has_one_effect(loop: Loop, tap: Tap, terminal: Terminal) -> None:
    """At-least-once delivery: the same sys_id again is the same key, so the sidecar does it once."""
    word = mark()
    request = terminal.send(word)
    first = terminal.user.result(request)
    row = row_of(loop, terminal, "command")

    loop.admin.table("ecc_queue").update(row["sys_id"], state="ready")
    terminal.user.ask("POST", f"/sessions/{terminal.session}/status")  # lets the MID look

    assert until(lambda: len(answers(loop, row)) == 2, PATIENCE_S)
    one, other = commands(tap, terminal)
    assert one.headers["Idempotency-Key"] == other.headers["Idempotency-Key"]
    assert one.body == other.body
    assert terminal.asked(word) == [word]
    assert terminal.user.result(request) == first
    assert until(lambda: {answer["state"] for answer in answers(loop, row)} == {"processed"}, PATIENCE_S)


def test_a_create_that_is_run_twice_makes_one_session(loop: Loop, terminal: Terminal) -> None:
    """At-least-once delivery of what makes something."""
    row = row_of(loop, terminal, "create")
    loop.admin.table("ecc_queue").update(row["sys_id"], state="ready")
    terminal.user.ask("POST", f"/sessions/{terminal.session}/status")

    assert until(lambda: len(answers(loop, row)) == 2, PATIENCE_S)
    there = loop.sidecar.call("GET", "/api/sessions", user=terminal.user.user_id).json()["items"]
    assert [item["sessionId"] for item in there] == [terminal.session]
    assert terminal.told["state"] == "running"


def test_an_answer_of_100_kb_arrives_whole(loop: Loop, terminal: Terminal) -> None:
    """64 KiB of output are more than 100 KB in base64 of JSON of base64, and fit into one row."""
    terminal.type("[[flood 150000]]")
    assert until(lambda: len(terminal.at_sidecar()) > 150_000, PATIENCE_S)
    path = f"/sessions/{terminal.session}/output"
    told = terminal.user.ask("POST", path, {"cursor": 40_000, "maxBytes": 65_536})

    data = base64.b64decode(told["data"])
    assert data == terminal.at_sidecar()[40_000 : 40_000 + 65_536]
    (answer,) = answers(loop, row_of(loop, terminal, "output"))
    assert 100_000 < len(answer["payload"]) < 128 * 1024
    assert answer["state"] == "processed"


def test_an_answer_that_became_an_attachment_is_taken(loop: Loop, terminal: Terminal) -> None:
    """The platform puts a large field aside and leaves `<see_attachment/>`; a lower limit makes it do so here."""
    terminal.type("put me aside")
    (before,) = loop.admin.table("sys_properties").rows(f"name={LARGE_FIELD}")
    set_property(loop.admin, LARGE_FIELD, "2000")
    try:
        screen = terminal.user.screen(terminal.session)
    finally:
        set_property(loop.admin, LARGE_FIELD, before["value"])

    assert any("You said: put me aside" in line for line in screen["lines"])
    (answer,) = answers(loop, row_of(loop, terminal, "screen"))
    assert (answer["payload"], answer["state"]) == ("<see_attachment/>", "processed")


def test_a_mid_that_is_killed_in_mid_job_does_it_again_and_it_is_done_once(
    loop: Loop, tap: Tap, terminal: Terminal
) -> None:
    """At its start a MID Server runs what is `processing`."""
    word = mark()
    tap.held = lambda passed: passed.path.endswith("/command")
    tap.let_go.clear()
    request = terminal.send(word)
    assert until(lambda: commands(tap, terminal) and tap.answered[-1] in commands(tap, terminal), PATIENCE_S)
    row = row_of(loop, terminal, "command")
    assert row["state"] == "processing"
    loop.mid.kill9()
    tap.restore()
    loop.mid.start()

    assert terminal.user.result(request)["accepted"] is True
    assert terminal.asked(word) == [word]
    one, other = commands(tap, terminal)
    assert one.headers["Idempotency-Key"] == other.headers["Idempotency-Key"]
    assert len(answers(loop, row)) == 1


def test_a_post_that_was_read_and_dropped_is_sent_once(tap: Tap, terminal: Terminal) -> None:
    """Java sends a POST again, silently, when its answer does not come; with a fixed length it does not."""
    word = mark()
    tap.deaf = lambda passed: passed.path.endswith("/command")
    request = terminal.send(word)

    with pytest.raises(Refused, match="known") as refused:
        terminal.user.result(request)

    assert refused.value.status == 504
    assert len(commands(tap, terminal)) == 1
    assert until(lambda: terminal.asked(word) == [word], PATIENCE_S)
    tap.restore()
    assert terminal.type("and on")["accepted"] is True
    assert terminal.asked(word) == [word]


def test_a_create_that_was_read_and_dropped_is_found_again(loop: Loop, tap: Tap) -> None:
    """Nobody knows whether it was done, so nothing is given up: the sidecar is asked, and has the session."""
    user = loop.newcomer()
    tap.deaf = lambda passed: passed.path.endswith("/create")
    made = user.call("POST", "/sessions", {"key": uuid4().hex})
    with pytest.raises(Refused):
        user.result(made["request"])
    then = user.session(made["session"])
    tap.restore()
    user.ask("POST", f"/sessions/{made['session']}/status")

    assert (then["state"], then["reachable"]) == ("starting", False)
    assert then["problem"]
    assert until(lambda: user.session(made["session"])["state"] == "running", PATIENCE_S)
    assert len([call for call in tap.of("/create") if made["session"].encode() in call.body]) == 1
    user.terminate(made["session"])


def test_each_operation_works_and_shows_its_effect(loop: Loop) -> None:
    """M1: create, command, output, status, resize and delete over the MID Server, end to end."""
    terminal = opened(loop, columns=90, rows=25)
    user, path = terminal.user, f"/sessions/{terminal.session}"
    word = mark()

    terminal.type(word)
    terminal.await_output(f"You said: {word}".encode())
    assert user.ask("POST", f"{path}/status")["state"] == "running"
    assert user.ask("POST", f"{path}/resize", {"columns": 70, "rows": 20})["columns"] == 70
    older = user.ask("POST", f"{path}/output", {"cursor": 0})
    assert f"You said: {word}".encode() in base64.b64decode(older["data"])
    user.terminate(terminal.session)

    there = loop.sidecar.call("GET", f"/api/session/{terminal.session}/status", user=user.user_id).json()
    assert there["state"] == "terminated"
    assert until(lambda: terminal.told["state"] == "terminated", PATIENCE_S)
