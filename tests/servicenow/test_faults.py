"""Answers that get lost, come twice, overtake each other or make no sense; links that are slow, limited or silent."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from emulator.midserver import Sidecar
from emulator.servicenow import Row
from tests.fakes.queue import Call, Queue, encoded, good, results
from tests.fixtures.loop import Loop
from tests.servicenow.conftest import Desk
from tests.servicenow.terminal import Terminal, mark, opened
from tests.waiting import until

PATIENCE_S = 40
LONG_AGO = "2026-01-01 00:00:00"
WATCHDOG = "claude-terminal-pump-watchdog"
UNREADABLE = "Unreadable answer"
NO_CALL = "This answers no call of the application."


@pytest.fixture(scope="module")
def calm(loop: Loop) -> Loop:
    """Return the loop without jobs of its own: the next answer is the one that a test has caused."""
    for job in loop.admin.table("sysauto_script").rows():
        loop.admin.table("sysauto_script").update(job["sys_id"], active="false")
    return loop


@pytest.fixture(scope="module")
def inside(calm: Loop) -> Desk:
    """Return the app's tables and the queue."""
    return Desk(calm.admin, Queue(calm.admin), {})


@pytest.fixture
def terminal(calm: Loop, inside: Desk) -> Iterator[Terminal]:
    """Return a session nobody looks at, while no pump is under way; no fault is on afterwards."""
    still(calm, inside)
    made = opened(calm, look=False)
    yield made
    calm.admin.faults(
        latencyMs=0, amb=True, tooManyRequests=None, answers={"lose": 0, "double": 0, "reorder": 0}
    )
    made.user.terminate(made.session)


def still(loop: Loop, inside: Desk) -> None:
    """Let nobody look at anything, and forget the pump."""
    inside.change("session", "viewed_atISNOTEMPTY", viewed_at=LONG_AGO)
    inside.change("mid_status", f"mid_name={loop.mid.name}", pump_request="", pump_at="", watched="")


def request_of(inside: Desk, request: str) -> Row:
    """Return the row of a request."""
    return inside.rows("request", f"sys_id={request}")[0]


def answers_to(loop: Loop, inside: Desk, request: str) -> list[Row]:
    """Return the inputs that answer a request."""
    return loop.rows(f"queue=input^response_to={request_of(inside, request)['ecc_output']}")


def pumps(inside: Desk, query: str = "") -> list[Row]:
    """Return the requests of pumps."""
    return inside.rows("request", "op=outputs" + (f"^{query}" if query else ""))


def pump_of(loop: Loop, inside: Desk) -> Row:
    """Return the row that says which pump is the present one."""
    return inside.rows("mid_status", f"mid_name={loop.mid.name}")[0]


def watched(terminal: Terminal, inside: Desk) -> None:
    """Look, and wait until the pump has told all there is and waits at the sidecar for more."""
    terminal.look()
    terminal.await_end()

    def waits() -> bool:
        present = pump_of(terminal.loop, inside)["pump_request"]
        found = pumps(inside, f"sys_id={present}^state=queued") if present else []
        return bool(found) and terminal.loop.rows(f"sys_id={found[0]['ecc_output']}")[0]["state"] == (
            "processing"
        )

    assert until(waits, PATIENCE_S)


def left_behind(inside: Desk, loop: Loop, **values: str) -> None:
    """Leave a request as an instance does that was killed, long ago, before it wrote the call."""
    values = {"state": "queued", "mid_name": loop.mid.name, "ecc_output": uuid4().hex} | values
    inside.script(f"new ClaudeTerminalTable('request').insert({json.dumps(values)});")
    inside.change("request", f"key={values['key']}", sys_created_on=LONG_AGO)


def consumed(loop: Loop, fault: str) -> bool:
    """Tell whether a fault of answers has happened."""
    return bool(loop.admin.faults()["answers"][fault] == 0)


# -- an answer to a command ----------------------------------------------------------------------------------


def test_a_lost_answer_is_told_and_what_it_carried_comes_all_the_same(
    terminal: Terminal, inside: Desk
) -> None:
    word = mark()
    terminal.loop.admin.faults(answers={"lose": 1})
    request = terminal.send(word)
    assert until(lambda: consumed(terminal.loop, "lose"), PATIENCE_S)

    inside.change("request", f"sys_id={request}", sys_created_on=LONG_AGO)
    late = terminal.user.call("GET", f"/requests/{request}")
    terminal.loop.admin.run_job(WATCHDOG)
    given_up = terminal.user.call("GET", f"/requests/{request}")
    terminal.look()
    terminal.await_output(f"You said: {word}".encode())

    assert (late["state"], late["problem"]["title"]) == ("queued", "No answer yet")
    assert (given_up["state"], given_up["status"]) == ("failed", 504)
    assert "Whether it was done is not known" in given_up["problem"]["detail"]
    assert terminal.asked(word) == [word]
    terminal.await_reach()


def test_an_answer_that_comes_twice_counts_once(terminal: Terminal, inside: Desk) -> None:
    word = mark()
    terminal.loop.admin.faults(answers={"double": 1})
    request = terminal.send(word)
    terminal.user.result(request)

    assert until(lambda: len(answers_to(terminal.loop, inside, request)) == 2, PATIENCE_S)
    assert until(
        lambda: {row["state"] for row in answers_to(terminal.loop, inside, request)} == {"processed"}
    )
    terminal.look()
    terminal.await_end()
    assert terminal.read.count(f"You said: {word}".encode()) == 1
    terminal.assert_complete()
    assert terminal.asked(word) == [word]


def test_an_answer_that_comes_after_the_end_changes_only_the_output(terminal: Terminal, inside: Desk) -> None:
    word = mark()
    terminal.user.screen(terminal.session)  # from which the instance goes on
    terminal.cursor = int(terminal.told["outputOffset"])
    terminal.loop.admin.faults(answers={"reorder": 2})
    request = terminal.send(word)
    assert until(lambda: terminal.loop.admin.faults()["answers"]["reorder"] == 1, PATIENCE_S)
    ended = terminal.user.call("DELETE", f"/sessions/{terminal.session}")["request"]

    terminal.user.result(ended)
    answer = terminal.user.result(request)

    assert answer["accepted"]
    told = terminal.told
    assert (told["state"], told["problem"]) == ("terminated", None)
    terminal.take()
    assert word.encode() in terminal.read
    assert {row["state"] for row in answers_to(terminal.loop, inside, request)} == {"processed"}


def test_a_call_whose_row_was_never_written_is_sent_when_it_comes_again(
    terminal: Terminal, inside: Desk
) -> None:
    """The instance was killed between its two writes; whoever asked sees no answer, and asks again."""
    word, key, user = mark(), uuid4().hex, terminal.user.user_id
    row = inside.rows("session", f"session_id={terminal.session}")[0]["sys_id"]
    left_behind(inside, terminal.loop, key=user + key, op="command", user=user, session=row)

    terminal.type(word, key=key)
    terminal.type(word, key=key)

    assert terminal.asked(word) == [word]


# -- an answer of the pump -----------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["the watchdog", "a viewer"])
def test_a_lost_pump_is_replaced_and_nothing_is_missing(terminal: Terminal, inside: Desk, who: str) -> None:
    word, mid = mark(), f"mid_name={terminal.loop.mid.name}"
    watched(terminal, inside)
    terminal.loop.admin.faults(answers={"lose": 1})
    terminal.type_past_the_queue(word)
    assert until(lambda: consumed(terminal.loop, "lose"), PATIENCE_S)

    terminal.look()
    terminal.loop.admin.run_job(WATCHDOG)
    terminal.take()
    assert f"You said: {word}".encode() not in terminal.read, "the test lost another answer than the pump's"
    inside.change("mid_status", mid, pump_at=LONG_AGO)
    if who == "a viewer":
        terminal.look()
    else:
        terminal.loop.admin.run_job(WATCHDOG)

    terminal.await_output(f"You said: {word}".encode())
    terminal.assert_complete()
    assert terminal.asked(word) == [word]


def test_a_pump_whose_maker_was_killed_does_not_stop_the_others(terminal: Terminal, inside: Desk) -> None:
    """Its number is taken and nobody will ever answer."""
    number = int(pump_of(terminal.loop, inside)["pump_number"] or 0) + 1
    slot = f"{terminal.loop.mid.name}:{number}"
    left_behind(inside, terminal.loop, key=uuid4().hex, op="outputs", slot=slot)
    word = mark()
    terminal.type_past_the_queue(word)

    terminal.look()
    terminal.look()

    terminal.await_output(f"You said: {word}".encode())


def test_an_answer_that_was_applied_by_half_is_applied_to_its_end(terminal: Terminal, inside: Desk) -> None:
    """The instance was killed while it applied the pump's answer, which the MID Server therefore sends again."""
    word = mark()
    watched(terminal, inside)
    present = pump_of(terminal.loop, inside)["pump_request"]
    inside.change("request", f"sys_id={present}", state="done", status="200", answer="{}")
    terminal.type_past_the_queue(word)

    terminal.await_output(f"You said: {word}".encode())
    terminal.assert_complete()
    assert pump_of(terminal.loop, inside)["pump_request"] not in ("", present)


def test_a_pump_answered_twice_starts_one_pump(terminal: Terminal, inside: Desk) -> None:
    word, before = mark(), {row["sys_id"] for row in pumps(inside)}
    watched(terminal, inside)
    terminal.loop.admin.faults(answers={"double": 1})
    terminal.type_past_the_queue(word)

    terminal.await_output(f"You said: {word}".encode())
    terminal.assert_complete()
    new = [row for row in pumps(inside) if row["sys_id"] not in before]
    assert [row["state"] for row in new].count("queued") == 1


def test_a_pump_overtaken_by_a_later_answer_leaves_no_gap(terminal: Terminal, inside: Desk) -> None:
    """The command's answer is stored first, although its output lies behind that of the pump."""
    first, second = mark(), mark()
    watched(terminal, inside)
    terminal.loop.admin.faults(answers={"reorder": 2})
    terminal.type_past_the_queue(first)
    assert until(lambda: terminal.loop.admin.faults()["answers"]["reorder"] == 1, PATIENCE_S)

    terminal.type(second)

    terminal.await_output(f"You said: {second}".encode())
    terminal.assert_complete()
    assert terminal.asked("mark-") == [first, second]


def test_the_same_pump_asked_from_elsewhere_ends_the_other_and_loses_nothing(
    terminal: Terminal, inside: Desk
) -> None:
    """Two copies of an instance, say: each ends the other's call, and both go on."""
    word = mark()
    watched(terminal, inside)
    present = pump_of(terminal.loop, inside)["pump_request"]
    name = next(
        call
        for call in inside.queue.calls("outputs")
        if call.sys_id == request_of(inside, present)["ecc_output"]
    )
    body = {"pump": name.body["pump"], "wait": 0, "cursors": {terminal.session: 0}}
    answer = terminal.loop.sidecar.call("POST", "/api/outputs", json=body)
    assert answer.status_code == 200, answer.text

    assert until(lambda: request_of(inside, present)["state"] == "done", PATIENCE_S)
    terminal.type_past_the_queue(word)
    terminal.await_output(f"You said: {word}".encode())
    terminal.assert_complete()


def test_another_watched_session_ends_the_pump_under_way(terminal: Terminal, inside: Desk) -> None:
    """Without that its news would come after as long as the older call waits."""
    other = opened(terminal.loop, look=False)
    watched(terminal, inside)
    older = pump_of(terminal.loop, inside)["pump_request"]
    word = mark()

    other.look()

    assert until(lambda: request_of(inside, older)["state"] == "done", PATIENCE_S)
    newer = pump_of(terminal.loop, inside)
    assert newer["pump_request"] not in ("", older)
    assert set(newer["watched"].split(",")) == {terminal.session, other.session}
    for each in (terminal, other):
        each.type_past_the_queue(word)
        each.await_output(f"You said: {word}".encode())
    other.user.terminate(other.session)


def test_without_a_viewer_the_pump_ends_and_a_new_viewer_sees_what_came_meanwhile(
    terminal: Terminal, inside: Desk
) -> None:
    seen, unseen = mark(), mark()
    watched(terminal, inside)
    inside.change("session", "viewed_atISNOTEMPTY", viewed_at=LONG_AGO)
    terminal.type_past_the_queue(seen)
    assert until(lambda: pump_of(terminal.loop, inside)["pump_request"] == "", PATIENCE_S)
    count = len(pumps(inside))
    terminal.type_past_the_queue(unseen)
    terminal.loop.admin.run_job(WATCHDOG)
    assert len(pumps(inside)) == count

    terminal.look()

    terminal.await_output(f"You said: {unseen}".encode())
    terminal.assert_complete()


# -- answers that make no sense ------------------------------------------------------------------------------


def b64(text: str) -> str:
    """Return base64."""
    return base64.b64encode(text.encode()).decode()


OTHERS = str(uuid4())
GARBAGE: dict[str, tuple[str, str]] = {
    "no XML": ("this is no XML", UNREADABLE),
    "cut off": ("<results><result><output>", UNREADABLE),
    "no base64": (results("%%%"), UNREADABLE),
    "no JSON": (results(b64("no JSON")), UNREADABLE),
    "another JSON": (results(encoded(["v", 1])), UNREADABLE),
    "a body that is a text": (results(encoded({"v": 1, "ok": True, "status": 200, "body": "x"})), UNREADABLE),
    "no body": (results(encoded({"v": 1, "ok": True, "status": 200})), UNREADABLE),
    "somebody else's session": (good({"sessionId": OTHERS, "state": "terminated"}), UNREADABLE),
    "no session": (good({}), UNREADABLE),
    "no attachment": ("<see_attachment/>", UNREADABLE),
    "a million characters": ("x" * 1_000_000, UNREADABLE),
    "a million characters in base64": (results("QUFB" * 250_000), UNREADABLE),
    "entities": (
        '<!DOCTYPE r [<!ENTITY e "e">]><results><result><output>&e;</output></result></results>',
        UNREADABLE,
    ),
}


@pytest.fixture(scope="module")
def asked(calm: Loop, inside: Desk) -> tuple[Terminal, Call]:
    """Return a session, and a question of which the answer was lost: whatever comes now is taken for it."""
    still(calm, inside)
    terminal = opened(calm, look=False)
    calm.admin.faults(answers={"lose": 1})
    terminal.user.call("POST", f"/sessions/{terminal.session}/status")
    assert until(lambda: consumed(calm, "lose"), PATIENCE_S)
    return terminal, inside.queue.calls("status", terminal.session)[-1]


@pytest.mark.parametrize(("payload", "title"), GARBAGE.values(), ids=GARBAGE)
def test_rubbish_ends_as_an_error_and_harms_nothing(
    asked: tuple[Terminal, Call], inside: Desk, payload: str, title: str
) -> None:
    terminal, call = asked
    row = inside.queue.answer(call, payload)

    assert row["state"] == "error"
    assert row["error_string"].startswith(f"{title}: ")
    told = terminal.told
    assert told["state"] == "running"
    request = inside.rows("request", f"ecc_output={call.sys_id}")[0]
    assert (request["state"], json.loads(request["answer"])["title"]) == ("failed", title)
    assert terminal.type(mark())["accepted"]
    terminal.await_reach()


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"response_to": uuid4().hex}, id="of no row"),
        pytest.param({"response_to": ""}, id="of nothing"),
        pytest.param({"agent": "mid.server.another"}, id="by another MID"),
        pytest.param({"response_to": "javascript:gs.getUserID()"}, id="of a script"),
    ],
)
def test_an_answer_nobody_asked_for_ends_as_an_error(
    asked: tuple[Terminal, Call], inside: Desk, columns: dict[str, Any]
) -> None:
    terminal, call = asked
    before = inside.rows("request", f"ecc_output={call.sys_id}")[0]
    body = {"sessionId": terminal.session, "state": "terminated"}

    row = inside.queue.answer(call, good(body), **columns)

    assert (row["state"], row["error_string"]) == ("error", NO_CALL)
    assert inside.rows("request", f"ecc_output={call.sys_id}")[0] == before
    assert terminal.told["state"] == "running"


# -- the links -----------------------------------------------------------------------------------------------


def test_without_the_push_channel_the_mid_finds_its_work_by_polling(terminal: Terminal) -> None:
    loop, word = terminal.loop, mark()
    sidecar = Sidecar(loop.sidecar.url, loop.mid.home / "claude-token")
    loop.admin.faults(amb=False)
    loop.mid.stop()
    loop.mid.prepare(sidecar, mid__poll__time="1")
    try:
        loop.mid.start()
        assert "no push channel" in loop.mid.log()
        terminal.await_reach()

        assert terminal.type(word)["accepted"]

        terminal.look()
        terminal.await_output(f"You said: {word}".encode())
        assert terminal.asked(word) == [word]
    finally:
        loop.admin.faults(amb=True)
        loop.mid.stop()
        loop.mid.prepare(sidecar)
        loop.mid.start()


@pytest.mark.parametrize("when", ["before it is picked up", "while it runs"])
def test_an_instance_that_wants_to_be_left_alone_gets_its_answers_later(
    terminal: Terminal, inside: Desk, when: str
) -> None:
    word = mark()
    limit = {"path": "/ecc_queue.do", "seconds": 3}
    if when == "before it is picked up":
        terminal.loop.admin.faults(tooManyRequests=limit)
        request = terminal.send(word)
    else:
        request = terminal.send(word)
        assert until(lambda: terminal.asked(word), PATIENCE_S)
        terminal.loop.admin.faults(tooManyRequests=limit)

    assert terminal.user.call("GET", f"/requests/{request}")["state"] == "queued"
    assert terminal.user.result(request)["accepted"]
    assert "was answered 429" in terminal.loop.mid.log()
    assert len(answers_to(terminal.loop, inside, request)) == 1
    assert terminal.asked(word) == [word]


def test_over_a_slow_link_everything_arrives_once(terminal: Terminal) -> None:
    word = mark()
    terminal.loop.admin.faults(latencyMs=400)
    terminal.look()

    requests = [terminal.send(f"{word} {n}", stream=word, seq=n) for n in (1, 2, 3)]

    assert all(terminal.user.result(request)["accepted"] for request in requests)
    terminal.await_output(f"You said: {word} 3".encode())
    terminal.assert_complete()
    assert terminal.asked(word) == [f"{word} {n}" for n in (1, 2, 3)]
