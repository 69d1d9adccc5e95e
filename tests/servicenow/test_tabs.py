"""Several tabs of one user: one types, the others look; each is told what became of what it typed."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from emulator.servicenow import Answer
from tests.fakes.queue import bad, good
from tests.fixtures.servicenow import MID
from tests.servicenow.conftest import Desk

ONE, OTHER = "1" * 32, "2" * 32
LONG_AGO = "2026-01-01 00:00:00"
ACCEPTED = {"accepted": True, "submitted": True, "cursor": 0, "output": None}


def look(desk: Desk, session: str, tab: str | None = None, **fields: Any) -> str | None:
    """Look at a session of alice; return the tab that types."""
    body = fields | ({"tab": tab} if tab else {})
    answer = desk.call("alice", "POST", f"/sessions/{session}/viewers", body)
    assert answer.status == 200, answer
    assert answer.body["seconds"] == 60
    writer: str | None = answer.body["writer"]
    return writer


def send(desk: Desk, session: str, stream: str | None, seq: int | None = None, **fields: Any) -> Answer:
    """Type into a session of alice."""
    body = {"command": "x", "stream": stream, "seq": seq} | fields
    body = {name: value for name, value in body.items() if value is not None}
    return desk.call("alice", "POST", f"/sessions/{session}/commands", body)


def told(desk: Desk, session: str, query: str = "") -> dict[str, Any]:
    """Return what a GET of the output says."""
    answer = desk.call("alice", "GET", f"/sessions/{session}/output?cursor=0{query}")
    assert answer.status == 200, answer
    body: dict[str, Any] = answer.body
    return body


def writer_of(desk: Desk, session: str) -> str:
    """Return the tab that stands in the session's row."""
    return desk.stored(session)["writer"]


# -- who types -------------------------------------------------------------------------------------------------


def test_who_looks_without_a_tab_claims_nothing(desk: Desk) -> None:
    session = desk.session()

    assert look(desk, session) is None
    assert (writer_of(desk, session), told(desk, session)["writer"]) == ("", None)


def test_the_first_tab_types_and_the_second_looks(desk: Desk) -> None:
    session = desk.session()

    assert [look(desk, session, tab) for tab in (ONE, OTHER, ONE, OTHER)] == [ONE] * 4
    assert told(desk, session)["writer"] == ONE
    assert look(desk, session) == ONE


def test_a_tab_takes_over_and_gives_back(desk: Desk) -> None:
    session = desk.session()
    look(desk, session, ONE)

    assert look(desk, session, OTHER, take=True) == OTHER
    assert look(desk, session, ONE) == OTHER
    assert look(desk, session, ONE, release=True) == OTHER  # it is not its to release
    assert look(desk, session, OTHER, release=True) is None
    assert look(desk, session, ONE) == ONE


def test_a_change_of_the_writer_wakes_who_watches(desk: Desk) -> None:
    session = desk.session()
    counts = []
    for tab, fields in ((ONE, {}), (ONE, {}), (OTHER, {"take": True}), (OTHER, {"release": True})):
        look(desk, session, tab, **fields)
        counts.append(int(desk.stored(session)["output_seq"]))

    assert counts == [counts[0], counts[0], counts[0] + 1, counts[0] + 2]


def test_a_tab_that_died_is_followed_by_the_next_that_looks(desk: Desk) -> None:
    session = desk.session()
    look(desk, session, ONE)
    desk.change("session", f"session_id={session}", writer_at=LONG_AGO)

    assert told(desk, session)["writer"] is None
    assert send(desk, session, OTHER, 1).status == 202
    assert look(desk, session, OTHER) == OTHER
    assert send(desk, session, ONE, 1).status == 409


def test_looking_keeps_it(desk: Desk) -> None:
    session = desk.session()
    look(desk, session, ONE)
    desk.property("viewer_seconds", "3600")
    desk.change("session", f"session_id={session}", writer_at=minutes_ago(desk, 30))
    desk.call("alice", "POST", f"/sessions/{session}/viewers", {"tab": ONE})
    renewed = desk.stored(session)["writer_at"]
    desk.property("viewer_seconds", "60")

    assert renewed > minutes_ago(desk, 5)
    assert look(desk, session, OTHER) == ONE


def minutes_ago(desk: Desk, minutes: int) -> str:
    """Return a time as the tables hold it."""
    return str(desk.script(f"new ClaudeTerminalClock().ago({minutes * 60})"))


def test_tabs_that_come_at_the_same_moment_agree_on_one(desk: Desk) -> None:
    session = desk.session()
    tabs = [f"{number:032x}" for number in range(6)]
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda tab: look(desk, session, tab), tabs))
    winner = writer_of(desk, session)

    assert winner in tabs
    assert {look(desk, session, tab) for tab in tabs} == {winner}
    assert {send(desk, session, tab, 1).status for tab in tabs if tab != winner} == {409}
    assert send(desk, session, winner, 1).status == 202


def between(desk: Desk, session: str, body: str, meanwhile: str) -> str:
    """Look at a session; between its row's being read and written another tab looks. Return who types then."""
    typing: str = desk.script(
        f"""(function () {{
            var own = ClaudeTerminalAccess.prototype.session;
            var api = new ClaudeTerminalAPI();
            var told;
            ClaudeTerminalAccess.prototype.session = function (id) {{
                var stale = own.call(this, id);
                ClaudeTerminalAccess.prototype.session = own;
                new ClaudeTerminalAPI().view(id, {meanwhile});
                return stale;
            }};
            told = api.view('{session}', {body}).writer;
            return told + ' ' + api.output('{session}', {{}}).writer;
        }})()""",
        user="alice",
    )
    return typing


def test_a_release_that_comes_late_does_not_undo_a_take_over(desk: Desk) -> None:
    session = desk.session()
    look(desk, session, ONE)
    before = int(desk.stored(session)["output_seq"])
    typing = between(desk, session, f"{{tab: '{ONE}', release: true}}", f"{{tab: '{OTHER}', take: true}}")

    assert typing == f"{OTHER} {OTHER}"
    assert look(desk, session, "3" * 32) == OTHER
    assert int(desk.stored(session)["output_seq"]) == before + 2  # each change has a number of its own


def test_a_tab_that_gave_back_may_take_it_again(desk: Desk) -> None:
    session = desk.session()
    look(desk, session, ONE)
    look(desk, session, ONE, release=True)

    assert told(desk, session)["writer"] is None
    assert look(desk, session, ONE, take=True) == ONE
    assert told(desk, session)["writer"] == ONE


def test_an_ended_session_has_no_writer(desk: Desk) -> None:
    session = desk.session()
    desk.call("alice", "DELETE", f"/sessions/{session}")
    desk.reply("terminate", {"terminated": True}, session)

    assert look(desk, session, ONE) is None
    assert writer_of(desk, session) == ""


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"tab": "short"}, "tab"),
        ({"tab": "A" * 32}, "tab"),
        ({"tab": "1" * 33}, "tab"),
        ({"tab": 5}, "tab"),
        ({"take": True}, "tab"),
        ({"release": True}, "tab"),
        ({"tab": ONE, "take": "yes"}, "take"),
        ({"tab": ONE, "release": 1}, "release"),
        ({"tab": ONE, "take": True, "release": True}, "release"),
    ],
)
def test_a_look_that_makes_no_sense_is_refused(desk: Desk, body: dict[str, Any], field: str) -> None:
    session = desk.session()
    before = desk.stored(session)
    answer = desk.call("alice", "POST", f"/sessions/{session}/viewers", body)

    assert answer.status == 422, answer
    assert [item["field"] for item in answer.body["error"]["errors"]] == [field]
    assert desk.stored(session) == before


def test_another_user_can_neither_take_over_nor_release(desk: Desk) -> None:
    session = desk.session()
    look(desk, session, ONE)
    for body in ({"tab": OTHER, "take": True}, {"tab": ONE, "release": True}):
        assert desk.call("bob", "POST", f"/sessions/{session}/viewers", body).status == 404

    assert writer_of(desk, session) == ONE


# -- typing ----------------------------------------------------------------------------------------------------


def test_only_the_tab_that_types_may_type(desk: Desk) -> None:
    session = desk.session()
    look(desk, session, ONE)
    before = desk.queue.count()
    refused = send(desk, session, OTHER, 1)

    assert (refused.status, refused.body["error"]["title"]) == (409, "Another tab writes")
    assert desk.queue.count() == before
    assert send(desk, session, ONE, 1).status == 202
    assert send(desk, session, None).status == 202  # who says no stream is no tab


def test_what_was_accepted_before_a_take_over_stays_accepted(desk: Desk) -> None:
    session, key = desk.session(), uuid4().hex
    look(desk, session, ONE)
    first = send(desk, session, ONE, 1, key=key)
    look(desk, session, OTHER, take=True)
    again = send(desk, session, ONE, 1, key=key)

    assert (first.status, again.status) == (202, 202)
    assert first.body == again.body
    assert len(desk.queue.calls("command", session)) == 1
    assert send(desk, session, ONE, 2, key=uuid4().hex).status == 409


def test_what_was_accepted_before_the_end_stays_accepted(desk: Desk) -> None:
    session, key = desk.session(), uuid4().hex
    first = send(desk, session, ONE, 1, key=key)
    desk.change("session", f"session_id={session}", state="terminated")

    assert send(desk, session, ONE, 1, key=key).body == first.body
    assert send(desk, session, ONE, 2).status == 409


# -- what became of it -----------------------------------------------------------------------------------------


def test_a_sender_is_told_what_became_of_its_commands_in_their_order(desk: Desk) -> None:
    session = desk.session()
    requests = {seq: send(desk, session, ONE, seq).body["request"] for seq in (1, 2, 3, 10)}
    send(desk, session, OTHER, 1)
    calls = {
        call.body["seq"]: call for call in desk.queue.calls("command", session) if call.body["stream"] == ONE
    }
    nothing = told(desk, session, f"&stream={ONE}")["input"]
    desk.queue.answer(calls[10], good(ACCEPTED))
    desk.queue.answer(calls[2], bad(409, "Menu open", "A menu is open."))
    desk.queue.answer(calls[1], good(ACCEPTED))

    done = {"state": "done", "status": 200, "problem": None}
    failed = {"state": "failed", "status": 409}
    found = told(desk, session, f"&stream={ONE}&after=0")["input"]
    problem = found[1].pop("problem")
    assert nothing == []
    assert found == [
        {"seq": 1, "request": requests[1]} | done,
        {"seq": 2, "request": requests[2]} | failed,
        {"seq": 10, "request": requests[10]} | done,
    ]
    assert problem["detail"] == "A menu is open."
    assert [item["seq"] for item in told(desk, session, f"&stream={ONE}&after=2")["input"]] == [10]
    assert told(desk, session, f"&stream={OTHER}")["input"] == []
    assert told(desk, session)["input"] == []


def test_at_most_twenty_are_told_at_once(desk: Desk) -> None:
    session = desk.session()
    for seq in range(1, 24):
        send(desk, session, ONE, seq)
        desk.reply("command", ACCEPTED, session)
    first = told(desk, session, f"&stream={ONE}")["input"]
    rest = told(desk, session, f"&stream={ONE}&after=20")["input"]

    assert [item["seq"] for item in first + rest] == list(range(1, 24))
    assert len(first) == 20


@pytest.mark.parametrize(
    "query",
    [
        "stream=",
        "stream=a%20b",
        "stream=javascript:gs.getUserID()",
        "stream=JavaScript:x",
        "stream=x%5ENQstate=done",
        f"stream={'s' * 65}",
        "after=-1",
        "after=x",
        "after=2147483648",
    ],
)
def test_a_sender_that_makes_no_sense_is_refused(desk: Desk, query: str) -> None:
    session = desk.session()

    assert desk.call("alice", "GET", f"/sessions/{session}/output?{query}").status == 422


@pytest.mark.parametrize("stream", ["javascript:x", "a b", "x^NQstate=done", "", "s" * 65])
def test_nobody_types_under_a_name_that_makes_no_sense(desk: Desk, stream: str) -> None:
    session = desk.session()
    before = desk.queue.count()
    refused = send(desk, session, stream, 1)

    assert refused.status == 422, refused
    assert [item["field"] for item in refused.body["error"]["errors"]] == ["stream"]
    assert desk.queue.count() == before


def test_reading_tells_how_the_terminal_is(desk: Desk) -> None:
    session = desk.session()
    desk.change("session", f"session_id={session}", reachable="0", problem="It is away.")
    found = told(desk, session)

    assert (found["columns"], found["rows"]) == (120, 40)
    assert (found["reachable"], found["problem"]) == (False, "It is away.")


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(good(ACCEPTED), id="done, without output"),
        pytest.param(bad(409, "Menu open"), id="refused"),
        pytest.param(bad(502, "Sidecar gone"), id="not delivered"),
        pytest.param("no xml", id="rubbish"),
        pytest.param(
            good(ACCEPTED | {"output": {"data": "", "nextCursor": 0, "dropped": 0, "state": "running"}}),
            id="empty",
        ),
    ],
)
def test_each_command_that_is_settled_wakes_who_watches(desk: Desk, answer: str) -> None:
    session = desk.session()
    for seq in (1, 2):  # the second of a kind changes nothing else on the session
        send(desk, session, ONE, seq)
        before = int(desk.stored(session)["output_seq"])
        desk.queue.answer(desk.last("command", session), answer)

        assert int(desk.stored(session)["output_seq"]) > before
        assert told(desk, session, f"&stream={ONE}&after={seq - 1}")["input"][0]["seq"] == seq


def test_a_session_names_the_row_to_watch(desk: Desk) -> None:
    session = desk.session()
    listed = desk.call("alice", "GET", "/sessions?limit=1").body["items"][0]

    assert desk.call("alice", "GET", f"/sessions/{session}").body["sysId"] == desk.stored(session)["sys_id"]
    assert listed["sysId"] == desk.stored(listed["sessionId"])["sys_id"]


# -- too much --------------------------------------------------------------------------------------------------


def test_a_user_may_have_a_hundred_calls_without_an_answer(desk: Desk) -> None:
    session, bobs, key = desk.session(), desk.session("bob"), uuid4().hex
    kept = send(desk, session, ONE, 1, key=key)
    queue_up(desk, 100)
    before = desk.queue.count()
    raw = desk.instance.signed_in("alice", desk.password).request(
        "POST", f"/api/x_claude_terminal/v1/sessions/{session}/commands", json={"command": "x"}
    )
    created = desk.call("alice", "POST", "/sessions", {})
    sealing = desk.call("alice", "POST", f"/mids/{MID}/key")
    again = send(desk, session, ONE, 1, key=key)
    of_bob = desk.call("bob", "POST", f"/sessions/{bobs}/commands", {"command": "x"})
    ended = desk.call("alice", "DELETE", f"/sessions/{session}")
    desk.change("request", "op=status^state=queued", state="done")
    later = send(desk, session, ONE, 2)

    assert (raw.status_code, raw.json()["error"]["title"]) == (429, "Too many calls")
    assert int(raw.headers["Retry-After"]) > 0
    assert (created.status, sealing.status) == (429, 429)
    assert (again.status, again.body) == (202, kept.body)
    assert (of_bob.status, ended.status, later.status) == (202, 202, 202)
    assert desk.queue.count() == before + 3


def queue_up(desk: Desk, number: int) -> None:
    """Let calls of alice wait for an answer."""
    desk.script(
        f"(function () {{ var i; for (i = 0; i < {number}; i++) {{ new ClaudeTerminalTable('request').insert("
        f"{{key: gs.generateGUID(), op: 'status', user: '{desk.users['alice']}', state: 'queued',"
        f" mid_name: '{MID}'}}); }} }})()"
    )


def test_raw_bytes_are_sent_as_they_are_and_wait_for_their_echo(desk: Desk) -> None:
    session = desk.session()
    data = base64.b64encode(b"\x1b[A").decode()
    send(desk, session, ONE, 1, command=data, mode="raw")
    call = desk.last("command", session)

    assert call.body == {
        "command": data,
        "mode": "raw",
        "stream": ONE,
        "seq": 1,
        "encoding": "base64",
        "maxBytes": 65_536,
        "waitMs": 120,
        "pump": call.body["pump"],
    }
