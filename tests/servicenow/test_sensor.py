"""Answers: each is applied once, output lands at its offset, and what is late, doubled or rubbish harms nothing."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from tests.fakes.queue import Call, bad, encoded, good, results
from tests.servicenow.conftest import Desk, told


def b64(data: bytes) -> str:
    """Return base64."""
    return base64.b64encode(data).decode()


def piece(data: bytes, cursor: int, dropped: int = 0, state: str = "running") -> dict[str, object]:
    """Return output as the sidecar gives it; `cursor` is where the data begins."""
    return {
        "data": b64(data),
        "encoding": "base64",
        "cursor": cursor - dropped,
        "nextCursor": cursor + len(data),
        "dropped": dropped,
        "state": state,
    }


def typed(desk: Desk, session: str) -> Call:
    """Type something; return the row that is to be answered."""
    answer = desk.call("alice", "POST", f"/sessions/{session}/commands", {"command": "hello"})
    assert answer.status == 202, answer
    return desk.last("command", session)


def carry(desk: Desk, session: str, data: bytes, cursor: int, dropped: int = 0) -> None:
    """Let a command's answer carry output."""
    body = {"accepted": True, "submitted": True, "cursor": cursor, "output": piece(data, cursor, dropped)}
    row = desk.queue.answer(typed(desk, session), good(body))
    assert row["state"] == "processed", row


def read(desk: Desk, session: str, cursor: int = 0) -> bytes:
    """Return the session's output on the instance."""
    return base64.b64decode(desk.output("alice", session, cursor)["data"])


def state_of(desk: Desk, call: Call) -> str:
    """Return the state of the request behind a call."""
    return desk.rows("request", f"ecc_output={call.sys_id}")[0]["state"]


def test_an_answer_marks_its_row_processed_and_settles_its_request(desk: Desk) -> None:
    session = desk.session()
    call = typed(desk, session)
    row = desk.queue.answer(call, good({"accepted": True, "submitted": True, "cursor": 0, "output": None}))

    assert (row["state"], row["error_string"]) == ("processed", "")
    request = desk.rows("request", f"ecc_output={call.sys_id}")[0]
    assert (request["state"], request["status"], request["answered_by"]) == ("done", "200", row["sys_id"])


def test_every_byte_value_arrives_as_it_was(desk: Desk) -> None:
    session = desk.session()
    data = bytes(range(256))
    carry(desk, session, data, 0)

    assert read(desk, session) == data
    assert read(desk, session, 100) == data[100:]


def test_the_answer_of_a_request_has_no_output_in_it(desk: Desk) -> None:
    session = desk.session()
    carry(desk, session, b"secret of the screen", 0)
    answers = [row["answer"] for row in desk.rows("request", "op=command")]

    assert answers
    assert not [answer for answer in answers if b64(b"secret of the screen") in answer]


@pytest.mark.parametrize(
    ("data", "cursor", "expected"),
    [
        pytest.param(b"0123456789", 0, b"0123456789", id="the same again"),
        pytest.param(b"345", 3, b"0123456789", id="old"),
        pytest.param(b"789abc", 7, b"0123456789abc", id="overlapping"),
        pytest.param(b"0123456789abc", 0, b"0123456789abc", id="longer"),
        pytest.param(b"xyz", 20, b"0123456789", id="ahead"),
    ],
)
def test_output_is_placed_by_its_offset(desk: Desk, data: bytes, cursor: int, expected: bytes) -> None:
    session = desk.session()
    carry(desk, session, b"0123456789", 0)
    carry(desk, session, data, cursor)

    assert read(desk, session) == expected
    assert desk.stored(session)["output_offset"] == str(len(expected))


@pytest.mark.parametrize("known", ["0", "3"], ids=["nothing", "half"])
@pytest.mark.parametrize(
    ("cursor", "dropped"), [(0, 0), (2, 0), (6, 0), (8, 2)], ids=["whole", "in it", "next", "after a gap"]
)
def test_a_row_that_was_overtaken_misplaces_no_output(
    desk: Desk, known: str, cursor: int, dropped: int
) -> None:
    """Another thread's output is stored, and its number of the session's row is not yet."""
    session, data = desk.session(), b"0123456789"
    carry(desk, session, data[:3], 0)
    carry(desk, session, data[3:6], 3)
    desk.change("session", f"session_id={session}", output_offset=known)
    carry(desk, session, data[cursor:], cursor, dropped)
    rest = desk.output("alice", session, 6)

    assert read(desk, session)[:6] == data[:6]
    assert (base64.b64decode(rest["data"]), rest["dropped"]) == (data[6 + dropped :], dropped)
    assert desk.stored(session)["output_offset"] == "10"


def test_bytes_that_are_gone_are_told_as_dropped(desk: Desk) -> None:
    session = desk.session()
    carry(desk, session, b"begin", 0)
    carry(desk, session, b"end", 105, dropped=100)

    first = desk.output("alice", session)
    rest = desk.output("alice", session, first["nextCursor"])
    assert (base64.b64decode(first["data"]), first["dropped"]) == (b"begin", 0)
    assert (base64.b64decode(rest["data"]), rest["dropped"], rest["nextCursor"]) == (b"end", 100, 108)


def test_pieces_that_come_at_the_same_moment_leave_no_gap_and_no_repeat(desk: Desk) -> None:
    session = desk.session()
    data = bytes(range(200))
    calls = [typed(desk, session) for _ in range(8)]
    bodies = [
        {"accepted": True, "submitted": True, "cursor": 0, "output": piece(data[begin : begin + 60], begin)}
        for begin in (0, 20, 40, 60, 80, 100, 120, 140)
    ]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(desk.queue.answer, calls, map(good, bodies)))
    for begin in (50, 100, 150):  # what came too early was left out, and comes again
        carry(desk, session, data[begin : begin + 60], begin)

    assert read(desk, session) == data
    rows = desk.rows("output", f"session={desk.stored(session)['sys_id']}^ORDERBYstart")
    ends = [int(row["start"]) + int(row["length"]) for row in rows]
    assert [int(row["start"]) for row in rows] == [0, *ends[:-1]]
    assert desk.stored(session)["output_offset"] == "200"


def test_a_doubled_answer_changes_nothing_more(desk: Desk) -> None:
    session = desk.session()
    call = typed(desk, session)
    body = {"accepted": True, "submitted": True, "cursor": 0, "output": piece(b"once", 0)}
    first = desk.queue.answer(call, good(body))
    before = desk.stored(session)
    second = desk.queue.answer(call, good(body))

    assert (first["state"], second["state"]) == ("processed", "processed")
    assert desk.stored(session) == before
    assert read(desk, session) == b"once"


def test_an_answer_that_was_overtaken_does_not_bring_a_session_back(desk: Desk) -> None:
    session = desk.session()
    late = typed(desk, session)
    desk.call("alice", "DELETE", f"/sessions/{session}")
    desk.reply("terminate", {"terminated": True}, session)
    body = {"accepted": True, "submitted": True, "cursor": 0, "output": piece(b"late", 0)}
    desk.queue.answer(late, good(body))

    assert desk.stored(session)["state"] == "terminated"
    assert read(desk, session) == b"late"


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param("", id="empty"),
        pytest.param("no XML", id="no xml"),
        pytest.param("<results><result>", id="cut off"),
        pytest.param(results(""), id="no output"),
        pytest.param(results("%%%"), id="no base64"),
        pytest.param(results(b64(b"no JSON")), id="no json"),
        pytest.param(results(encoded([1])), id="a list"),
        pytest.param(results(encoded({"v": 2, "ok": True, "status": 200})), id="another version"),
        pytest.param(results("undefined"), id="undefined"),
    ],
)
def test_rubbish_fails_the_request_and_a_good_answer_still_counts(desk: Desk, payload: str) -> None:
    session = desk.session()
    call = typed(desk, session)
    row = desk.queue.answer(call, payload)

    assert row["state"] == "error"
    assert row["error_string"].startswith("Unreadable answer: ")
    assert state_of(desk, call) == "failed"
    body = {"accepted": True, "submitted": True, "cursor": 0, "output": piece(b"after all", 0)}
    assert desk.queue.answer(call, good(body))["state"] == "processed"
    assert state_of(desk, call) == "done"
    assert read(desk, session) == b"after all"


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        pytest.param(
            '<results error="one"><result error="two"><error>three</error></result></results>', "one", id="1"
        ),
        pytest.param('<results><result error="two"><error>three</error></result></results>', "two", id="2"),
        pytest.param(
            "<results><result><error>three</error><output>x</output></result></results>", "three", id="3"
        ),
    ],
)
def test_errors_of_the_platform_are_read_in_their_order(desk: Desk, payload: str, expected: str) -> None:
    call = typed(desk, desk.session())
    row = desk.queue.answer(call, payload)

    assert (row["state"], row["error_string"]) == ("error", f"MID Server error: {expected}")
    problem = json.loads(desk.rows("request", f"ecc_output={call.sys_id}")[0]["answer"])
    assert (problem["status"], problem["detail"]) == (502, expected)


def test_text_that_xml_has_to_escape_comes_through(desk: Desk) -> None:
    session = desk.session()
    problem = 'a & b < c > "d" \u00fc \u4e16 \x1b[0m'
    desk.queue.answer(typed(desk, session), bad(503, "Away & gone", problem))

    assert desk.stored(session)["problem"] == problem


def test_an_answer_that_is_an_attachment_is_read(desk: Desk) -> None:
    session = desk.session()
    call = typed(desk, session)
    body = {"accepted": True, "submitted": True, "cursor": 0, "output": piece(b"z" * 60_000, 0)}
    # The platform attaches the payload before the row's rules run; here the rule runs again on a waiting row.
    row = desk.queue.answer(call, "<see_attachment/>", name="WaitsForItsAttachment")
    attach = (
        "var row = new GlideRecord('ecc_queue'); row.get('{}');"
        "new GlideSysAttachment().write(row, 'payload', 'text/xml', {});"
    ).format(row["sys_id"], json.dumps(good(body)))
    desk.instance.script(attach)
    desk.script(
        f"var row = new GlideRecord('ecc_queue'); row.get('{row['sys_id']}');"
        "new ClaudeTerminalSensor().take(row);"
    )

    assert desk.queue.row(row["sys_id"])["state"] == "processed"
    assert desk.output("alice", session)["nextCursor"] == 60_000


@pytest.mark.parametrize("agent", ["mid.server.other", "claude.poller.other", ""])
def test_an_answer_from_somebody_else_is_none(desk: Desk, agent: str) -> None:
    call = typed(desk, desk.session())
    row = desk.queue.answer(call, good({"accepted": True, "submitted": True, "cursor": 0}), agent=agent)

    assert (row["state"], row["error_string"]) == ("error", "This answers no call of the application.")
    assert state_of(desk, call) == "queued"


def test_an_answer_to_nothing_is_marked(desk: Desk) -> None:
    row = desk.queue.answer(typed(desk, desk.session()), good({}), response_to=uuid4().hex)

    assert (row["state"], row["error_string"]) == ("error", "This answers no call of the application.")


def test_a_refused_create_fails_the_session_in_words(desk: Desk) -> None:
    made = desk.call("alice", "POST", "/sessions", {}).body
    desk.refuse("create", 429, "You have 3 sessions already.", made["session"])
    session = desk.call("alice", "GET", f"/sessions/{made['session']}").body

    assert (session["state"], session["reason"]) == ("failed", "Refused: You have 3 sessions already.")
    request = desk.call("alice", "GET", f"/requests/{made['request']}").body
    assert (request["state"], request["problem"]["status"]) == ("failed", 429)


def test_a_create_of_unknown_outcome_is_not_given_up(desk: Desk) -> None:
    made = desk.call("alice", "POST", "/sessions", {}).body
    desk.refuse("create", 504, "The sidecar did not answer in time.", made["session"])
    row = desk.stored(made["session"])

    assert (row["state"], row["reachable"]) == ("starting", "0")
    assert "did not answer in time" in row["problem"]


@pytest.mark.parametrize(("status", "reachable"), [(502, False), (504, False), (503, True)])
def test_a_sidecar_that_fails_is_told_and_forgotten_when_it_answers(
    desk: Desk, status: int, reachable: bool
) -> None:
    session = desk.session()
    typed(desk, session)
    desk.refuse("command", status, "It is away.", session)
    told_then = desk.call("alice", "GET", f"/sessions/{session}").body
    carry(desk, session, b"back", 0)
    told_later = desk.call("alice", "GET", f"/sessions/{session}").body

    assert (told_then["problem"], told_then["reachable"]) == ("It is away.", reachable)
    assert (told_later["problem"], told_later["reachable"]) == (None, True)


def test_a_session_the_sidecar_does_not_know_has_failed(desk: Desk) -> None:
    session = desk.session()
    typed(desk, session)
    desk.refuse("command", 404, "No such session.", session)

    assert desk.stored(session)["state"] == "failed"
    assert desk.stored(session)["reason"] == "The sidecar does not know this session."


def test_status_is_taken_over(desk: Desk) -> None:
    session = desk.session()
    desk.call("alice", "POST", f"/sessions/{session}/status")
    body = told(
        session, "x", state="hibernated", activity="awaiting_input", columns=90, reason="Nobody used it."
    )
    desk.reply("status", body, session)
    seen = desk.call("alice", "GET", f"/sessions/{session}").body

    assert (seen["state"], seen["activity"], seen["columns"]) == ("hibernated", "awaiting_input", 90)
    assert (seen["reason"], seen["lastActivityAt"]) == ("Nobody used it.", "2026-01-15T09:30:01Z")


def test_a_screen_moves_the_output_on_when_nobody_watched(desk: Desk) -> None:
    session = desk.session()
    desk.call("alice", "POST", f"/sessions/{session}/screen")
    desk.reply("screen", {"columns": 120, "rows": 40, "ansi": "x", "lines": [], "offset": 5000}, session)
    carry(desk, session, b"next", 5000)

    assert desk.output("alice", session, 5000)["data"] == b64(b"next")
    skipped = desk.output("alice", session)
    assert (skipped["dropped"], skipped["nextCursor"]) == (5000, 5004)


def test_a_list_mends_what_the_instance_believes(desk: Desk) -> None:
    slept, gone, other = desk.session("bob"), desk.session("bob"), desk.session("alice")
    desk.change("session", f"session_idIN{slept},{gone}", sys_created_on="2026-01-01 00:00:00")
    made = desk.call("bob", "POST", "/sessions/refresh", {})
    assert made.status == 202, made
    desk.reply(
        "list", {"items": [told(slept, "x", state="hibernated")], "total": 1, "limit": 100, "offset": 0}
    )

    assert [desk.stored(one)["state"] for one in (slept, gone, other)] == ["hibernated", "failed", "running"]


def test_every_change_a_viewer_sees_counts_the_watched_column_up(desk: Desk) -> None:
    session = desk.session()
    before = int(desk.stored(session)["output_seq"])
    carry(desk, session, b"one", 0)
    after_output = int(desk.stored(session)["output_seq"])
    desk.call("alice", "POST", f"/sessions/{session}/output", {"cursor": 0})
    desk.reply("output", piece(b"one", 0), session)

    assert after_output == before + 1
    assert int(desk.stored(session)["output_seq"]) == after_output


@pytest.mark.parametrize(
    ("op", "path", "body"),
    [
        pytest.param("command", "commands", {"command": "x"}, id="command"),
        pytest.param("resize", "resize", {"columns": 9, "rows": 9}, id="resize"),
    ],
)
def test_a_session_that_had_ended_unheard_is_ended_by_the_refusal(
    desk: Desk, op: str, path: str, body: dict[str, Any]
) -> None:
    session = desk.session()
    desk.call("alice", "POST", f"/sessions/{session}/{path}", body)
    desk.queue.answer(desk.last(op, session), bad(409, "Session ended", "The session has ended."))
    row = desk.stored(session)

    assert (row["state"], row["activity"]) == ("terminated", "idle")
    assert row["ended_at"]
    assert "sidecar" in row["reason"]
    assert desk.call("alice", "POST", f"/sessions/{session}/commands", {"command": "x"}).status == 409


def test_another_conflict_ends_nothing(desk: Desk) -> None:
    session = desk.session()
    call = typed(desk, session)
    desk.queue.answer(call, bad(409, "Menu open", "A menu is open."))

    assert (desk.stored(session)["state"], state_of(desk, call)) == ("running", "failed")


def test_a_late_word_of_the_end_changes_nothing_of_one_that_is_told(desk: Desk) -> None:
    session = desk.session()
    calls = [typed(desk, session) for _ in range(2)]
    desk.queue.answer(calls[0], bad(404, "Not found", "There is no such session."))
    before = desk.stored(session)
    desk.queue.answer(calls[1], bad(409, "Session ended", "The session has ended."))
    after = desk.stored(session)

    assert before["state"] == after["state"] == "failed"
    assert before["reason"] == after["reason"]
