"""The pump: one long call for each MID Server while somebody watches, whatever the number of terminals."""

from __future__ import annotations

import base64
import json
from uuid import uuid4

import pytest

from sidecar.poller.answer import MAX_CHARS
from sidecar.sessions.pump import _LEAST_BYTES
from tests.fakes.queue import Call, good
from tests.fixtures.servicenow import MID
from tests.servicenow.conftest import Desk


@pytest.fixture(autouse=True)
def alone(desk: Desk) -> None:
    """Begin each test with nobody watching and no pump."""
    desk.change("session", "viewed_atISNOTEMPTY", viewed_at="", state="terminated")
    desk.change("mid_status", f"mid_name={MID}", pump_request="", pump_at="", watched="")


def view(desk: Desk, session: str, user: str = "alice") -> None:
    """Look at a session."""
    answer = desk.call(user, "POST", f"/sessions/{session}/viewers")
    assert (answer.status, answer.body) == (200, {"seconds": 60, "writer": None})


def pumps(desk: Desk) -> list[Call]:
    """Return all pump rows."""
    return desk.queue.calls("outputs")


def news(data: bytes = b"", cursor: int = 0, state: str | None = "running") -> dict[str, object]:
    """Return one session's news; `cursor` is where the data begins."""
    return {
        "data": base64.b64encode(data).decode(),
        "encoding": "base64",
        "nextCursor": cursor + len(data),
        "dropped": 0,
        "state": state,
        "activity": "busy" if state else None,
    }


def answer(desk: Desk, call: Call, **sessions: dict[str, object]) -> None:
    """Answer a pump."""
    row = desk.queue.answer(call, good({"sessions": sessions}))
    assert row["state"] == "processed", row


def present(desk: Desk) -> dict[str, str]:
    """Return the row of the MID Server."""
    return desk.rows("mid_status", f"mid_name={MID}")[0]


def test_nobody_watches_so_there_is_none(desk: Desk) -> None:
    before = desk.queue.count()
    desk.session()
    rows = desk.queue.count()
    desk.instance.run_job("claude-terminal-pump-watchdog")

    assert rows == before + 2  # the create and its answer
    assert desk.queue.count() == rows


def test_the_first_viewer_starts_it_and_asks_for_base64_from_where_the_instance_is(desk: Desk) -> None:
    session = desk.session()
    count = len(pumps(desk))
    view(desk, session)
    call = pumps(desk)[-1]

    assert len(pumps(desk)) == count + 1
    assert (call.parameters["user"], call.parameters["session"]) == ("", "")
    name = call.body.pop("pump")
    assert name.endswith(f":{MID}")
    assert call.body == {"wait": 20, "maxBytes": 65536, "cursors": {session: 0}}


def test_looking_again_starts_no_second_one(desk: Desk) -> None:
    session = desk.session()
    view(desk, session)
    count = len(pumps(desk))
    for _ in range(5):
        view(desk, session)

    assert len(pumps(desk)) == count


def test_its_answer_is_applied_and_the_next_goes_on_from_there(desk: Desk) -> None:
    session = desk.session()
    view(desk, session)
    first = pumps(desk)[-1]
    answer(desk, first, **{session: news(b"hello")})
    second = pumps(desk)[-1]

    assert base64.b64decode(desk.output("alice", session)["data"]) == b"hello"
    assert second.sys_id != first.sys_id
    assert second.body["cursors"] == {session: 5}
    assert second.body["pump"] == first.body["pump"]


def test_twenty_terminals_cost_as_many_rows_as_one(desk: Desk) -> None:
    sessions = [desk.session(user) for user in ("alice", "bob") for _ in range(10)]
    for number, session in enumerate(sessions):
        view(desk, session, "alice" if number < 10 else "bob")
    count = len(pumps(desk))
    for round_ in range(3):
        answer(desk, pumps(desk)[-1], **{session: news(b"x", round_) for session in sessions})

    assert len(pumps(desk)) == count + 3
    assert pumps(desk)[-1].body["cursors"] == dict.fromkeys(sessions, 3)


def test_another_watched_session_replaces_it_and_the_older_answer_starts_none(desk: Desk) -> None:
    one, other = desk.session(), desk.session("bob")
    view(desk, one)
    older = pumps(desk)[-1]
    view(desk, other, "bob")
    newer = pumps(desk)[-1]
    count = len(pumps(desk))
    answer(desk, older, **{one: news(b"still counts")})

    assert set(newer.body["cursors"]) == {one, other}
    assert len(pumps(desk)) == count
    assert base64.b64decode(desk.output("alice", one)["data"]) == b"still counts"


def test_without_a_viewer_the_last_answer_is_the_end(desk: Desk) -> None:
    session = desk.session()
    view(desk, session)
    desk.change("session", f"session_id={session}", viewed_at="2026-01-01 00:00:00")
    count = len(pumps(desk))
    answer(desk, pumps(desk)[-1], **{session: news(b"bye")})

    assert len(pumps(desk)) == count
    assert present(desk)["pump_request"] == ""
    assert base64.b64decode(desk.output("alice", session)["data"]) == b"bye"


def test_a_lost_one_is_replaced_after_a_minute_under_another_name(desk: Desk) -> None:
    session = desk.session()
    view(desk, session)
    lost = pumps(desk)[-1]
    count = len(pumps(desk))
    desk.instance.run_job("claude-terminal-pump-watchdog")
    assert len(pumps(desk)) == count

    desk.change("mid_status", f"mid_name={MID}", pump_at="2026-01-01 00:00:00")
    desk.instance.run_job("claude-terminal-pump-watchdog")
    assert len(pumps(desk)) == count + 1
    assert pumps(desk)[-1].body["pump"] != lost.body["pump"]


def test_a_doubled_answer_starts_one_pump(desk: Desk) -> None:
    session = desk.session()
    view(desk, session)
    call = pumps(desk)[-1]
    answer(desk, call, **{session: news(b"twice")})
    count = len(pumps(desk))
    answer(desk, call, **{session: news(b"twice")})

    assert len(pumps(desk)) == count
    assert base64.b64decode(desk.output("alice", session)["data"]) == b"twice"


def test_a_slot_can_be_had_once(desk: Desk) -> None:
    ask = (
        "String(new ClaudeTerminalRequests().queue({op: 'outputs', mid: 'mid-a', bridge: 'mid',"
        " slot: 'mid-a:99999', body: {}}))"
    )
    count = len(pumps(desk))
    first, second = desk.script(ask), desk.script(ask)

    assert len(first) == 32
    assert second == "null"
    assert len(pumps(desk)) == count + 1


def test_an_unreachable_sidecar_is_told_and_asked_again_a_little_later(desk: Desk) -> None:
    session = desk.session()
    view(desk, session)
    count = len(pumps(desk))
    desk.refuse("outputs", 502, "The sidecar is not reachable.")
    seen = desk.call("alice", "GET", f"/sessions/{session}").body
    view(desk, session)

    assert (seen["reachable"], seen["problem"]) == (False, "The sidecar is not reachable.")
    assert len(pumps(desk)) == count
    desk.change("mid_status", f"mid_name={MID}", pump_at="2026-01-01 00:00:00")
    view(desk, session)
    assert len(pumps(desk)) == count + 1
    answer(desk, pumps(desk)[-1])
    seen = desk.call("alice", "GET", f"/sessions/{session}").body
    assert (seen["reachable"], seen["problem"]) == (True, None)


def test_an_ended_session_is_no_longer_watched_and_its_rest_is_fetched(desk: Desk) -> None:
    session = desk.session()
    view(desk, session)
    answer(desk, pumps(desk)[-1], **{session: news(b"e" * 65536, 0, "terminated")})
    count = len(pumps(desk))
    rest = desk.last("output", session)
    assert rest.body == {"cursor": 65536, "maxBytes": 65536, "encoding": "base64"}
    end = {"data": "", "cursor": 65536, "nextCursor": 65536, "dropped": 0, "state": "terminated"}
    desk.queue.answer(rest, good(end | {"encoding": "base64"}))
    view(desk, session)

    assert desk.stored(session)["state"] == "terminated"
    assert len(desk.queue.calls("output", session)) == 1
    assert len(pumps(desk)) == count


def test_a_session_the_sidecar_does_not_know_has_failed(desk: Desk) -> None:
    session = desk.session()
    view(desk, session)
    answer(desk, pumps(desk)[-1], **{session: news(state=None)})

    assert desk.stored(session)["state"] == "failed"


def test_a_session_is_watched_once_its_create_is_answered(desk: Desk) -> None:
    made = desk.call("alice", "POST", "/sessions", {}).body["session"]
    count = len(pumps(desk))
    view(desk, made)
    assert len(pumps(desk)) == count

    body = {"sessionId": made, "state": "starting", "activity": "busy", "columns": 120, "rows": 40}
    desk.reply("create", body, made)
    assert len(pumps(desk)) == count + 1
    assert pumps(desk)[-1].body["cursors"] == {made: 0}


def test_news_of_a_session_of_another_mid_is_not_taken(desk: Desk) -> None:
    session, other = desk.session(), desk.session("bob")
    view(desk, session)
    desk.change("session", f"session_id={other}", mid_name="mid-z")
    answer(desk, pumps(desk)[-1], **{other: news(b"forged", 0, "terminated")})

    assert desk.stored(other)["state"] == "running"
    assert desk.output("bob", other)["data"] == ""


def test_a_text_command_names_the_pump_so_that_nothing_is_said_twice(desk: Desk) -> None:
    session = desk.session()
    view(desk, session)
    desk.call("alice", "POST", f"/sessions/{session}/commands", {"command": "hello"})

    assert desk.last("command", session).body["pump"] == pumps(desk)[-1].body["pump"]


@pytest.mark.parametrize("count", [20, 21, 100])
def test_an_answer_about_many_sessions_with_full_shares_fits(desk: Desk, count: int) -> None:
    """A longer one is refused on its way, and the same is asked for again for ever."""
    ids = [str(uuid4()) for _ in range(count)]
    desk.script(f"""
        {json.dumps(ids)}.forEach(function (id) {{
            new ClaudeTerminalTable('session').insert({{session_id: id, mid_name: '{MID}', bridge: 'mid',
                state: 'running', viewed_at: new ClaudeTerminalClock().now()}});
        }});
        new ClaudeTerminalPump('{MID}', 'mid').ensure()""")
    asked = pumps(desk)[-1].body
    share = max(_LEAST_BYTES, asked["maxBytes"] // len(asked["cursors"]))
    longest = news(b"x" * share, 10**12, "terminated") | {"dropped": 10**12, "activity": "waiting_for_input"}
    body = {"sessions": dict.fromkeys(asked["cursors"], longest)}
    text = json.dumps({"v": 1, "ok": True, "status": 200, "body": body})

    assert sorted(asked["cursors"]) == sorted(ids)
    assert len(base64.b64encode(text.encode())) <= MAX_CHARS
