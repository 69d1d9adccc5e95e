"""What administrators see: MID Servers, sessions, the queue's last hour, errors and the audit."""

from __future__ import annotations

import json
from typing import Any

import pytest

from emulator.servicenow import ScriptError
from tests.fakes.queue import Call, bad, good
from tests.fixtures.servicenow import MID
from tests.servicenow.conftest import HEALTH, SEALED, Desk, Json

HOUR_MS = 3_600_000


def overview(desk: Desk, user: str = "keeper", **asked: Any) -> Json:
    """Return the whole of it."""
    found: Json = desk.script(f"new ClaudeTerminalOverview().all({json.dumps(asked)})", user)
    return found


def audit(desk: Desk, **asked: Any) -> Json:
    """Return a page of the audit."""
    found: Json = desk.script(f"new ClaudeTerminalOverview().audit({json.dumps(asked)})", "keeper")
    return found


def asked(desk: Desk, session: str, text: str = "hello") -> Call:
    """Submit a text; return its row in the queue."""
    made = desk.call("alice", "POST", f"/sessions/{session}/commands", {"command": text})
    assert made.status == 202, made
    return desk.last("command", session)


def after(call: Call, milliseconds: int) -> str:
    """Return the sequence of a row that was written so much later."""
    return f"{int(call.row['sequence'][:-7], 16) + milliseconds:x}0000001"


def answered(desk: Desk, call: Call, milliseconds: int) -> None:
    """Answer a command, as a MID Server whose clock says that so much time has gone by."""
    desk.queue.answer(call, good({"status": "completed"}), sequence=after(call, milliseconds))


@pytest.fixture
def clean(desk: Desk) -> None:
    """Let the calls of other tests be of yesterday."""
    desk.script(
        "['x_claude_terminal_request', 'ecc_queue'].forEach(function (table) {"
        "var row = new GlideRecord(table); row.query(); while (row.next()) {"
        "row.setValue('sys_created_on', new ClaudeTerminalClock().ago(86400)); row.setWorkflow(false);"
        "row.update(); } })"
    )


# -- who may see it ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["all({})", "audit({})"])
def test_users_are_refused(desk: Desk, what: str) -> None:
    with pytest.raises(ScriptError, match=r"This needs the role x_claude_terminal\.admin"):
        desk.script(f"new ClaudeTerminalOverview().{what}", "alice")


def test_nothing_sealed_typed_or_printed_is_in_it(desk: Desk) -> None:
    session = desk.session()
    call = asked(desk, session, "typed-in-the-terminal")
    output = {"data": "cHJpbnRlZA==", "cursor": 0, "nextCursor": 7, "dropped": 0}
    desk.queue.answer(call, good({"status": "completed", "output": output}))

    shown = json.dumps(overview(desk))

    assert SEALED not in shown
    assert "typed-in-the-terminal" not in shown
    assert "cHJpbnRlZA" not in shown


# -- MID Servers and sessions --------------------------------------------------------------------------------


def test_a_mid_server_is_shown_with_its_sessions_and_what_waits(desk: Desk) -> None:
    desk.healthy()
    before = overview(desk)["mids"][0]
    session = desk.session()
    asked(desk, session)
    mid = overview(desk)["mids"][0]

    assert (mid["name"], mid["state"], mid["version"]) == (MID, "up", HEALTH["version"])
    assert mid["waiting"] == before["waiting"] + 1
    assert count(mid["sessions"], "running") == count(before["sessions"], "running") + 1


def test_a_mid_server_that_is_down_says_why(desk: Desk) -> None:
    agents = desk.instance.table("ecc_agent")
    agent = agents.rows(f"name={MID}")[0]["sys_id"]
    agents.update(agent, status="Down")
    mid = overview(desk)["mids"][0]
    agents.update(agent, status="Up")

    assert (mid["state"], mid["problem"]) == ("down", f"The MID Server {MID} is down.")


def test_sessions_are_counted_by_state(desk: Desk) -> None:
    before = overview(desk)["sessions"]
    session = desk.session()
    desk.session("bob")
    desk.call("alice", "DELETE", f"/sessions/{session}")
    desk.reply("terminate", {"sessionId": session, "state": "terminated"}, session)
    groups = overview(desk)["sessions"]

    assert count(groups, "running") == count(before, "running") + 1
    assert count(groups, "terminated") == count(before, "terminated") + 1
    assert [group["count"] for group in groups] == sorted((group["count"] for group in groups), reverse=True)


def count(groups: list[Json], state: str) -> int:
    """Return how many sessions are in a state."""
    return sum(group["count"] for group in groups if group["state"] == state)


# -- the queue -----------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("clean")
def test_rows_of_the_queue_are_counted_by_five_minutes(desk: Desk) -> None:
    call = asked(desk, desk.session())
    asked(desk, desk.session())
    answered(desk, call, 400)
    desk.script(
        "(function () { var row = new GlideRecord('ecc_queue'); row.get('response_to', '"
        + call.sys_id
        + "');"
        "row.setValue('sys_created_on', new ClaudeTerminalClock().ago(1800)); row.update(); })()"
    )
    queue = overview(desk)["queue"]
    steps = queue["steps"]

    # Two creates and two commands went out; both creates were answered now, and one command half an hour ago.
    assert (queue["seconds"], len(steps)) == (300, 12)
    assert [step["at"] for step in steps] == sorted(step["at"] for step in steps)
    assert all(step["at"][14:16] in {f"{minute:02}" for minute in range(0, 60, 5)} for step in steps)
    assert sum(step["output"] for step in steps) == 4
    assert sum(step["input"] for step in steps) == 3
    assert [step["input"] for step in steps[4:7] if step["input"]] == [1]


@pytest.mark.usefixtures("clean")
def test_the_time_to_an_answer_is_told_in_milliseconds(desk: Desk) -> None:
    session = desk.session()
    for milliseconds in (100, 200, 300, 400, 900):
        answered(desk, asked(desk, session), milliseconds)
    latency = overview(desk)["latency"]
    typed = next(one for one in latency["operations"] if one["op"] == "command")

    assert typed == {"op": "command", "count": 5, "p50": 300, "p95": 900, "exact": True}
    assert latency["count"] == 6
    assert not latency["limited"]


@pytest.mark.usefixtures("clean")
def test_a_mid_server_whose_clock_is_wrong_leaves_whole_seconds(desk: Desk) -> None:
    answered(desk, asked(desk, desk.session()), HOUR_MS)
    typed = next(one for one in overview(desk)["latency"]["operations"] if one["op"] == "command")

    assert not typed["exact"]
    assert typed["p50"] < 60_000
    assert typed["p50"] % 1000 == 0


@pytest.mark.usefixtures("clean")
def test_the_long_call_for_output_is_no_latency(desk: Desk) -> None:
    session = desk.session()
    desk.call("alice", "POST", f"/sessions/{session}/viewers", {})
    desk.reply("outputs", {"pump": "x", "replaced": False, "items": []})
    operations = [one["op"] for one in overview(desk)["latency"]["operations"]]

    assert desk.queue.calls("outputs")
    assert "outputs" not in operations


@pytest.mark.usefixtures("clean")
def test_an_hour_without_calls_has_no_latency(desk: Desk) -> None:
    latency = overview(desk)["latency"]

    assert (latency["count"], latency["p50"], latency["operations"]) == (0, None, [])


# -- errors and audit ----------------------------------------------------------------------------------------


def test_the_newest_error_says_what_failed_why_and_for_whom(desk: Desk) -> None:
    call = asked(desk, desk.session())
    desk.queue.answer(call, bad(502, "Sidecar away", "It is not reachable."))
    desk.change("request", f"ecc_output={call.sys_id}", sys_created_on="2099-01-01 00:00:00")
    error = overview(desk)["errors"][0]
    desk.change("request", f"ecc_output={call.sys_id}", sys_created_on="2026-01-01 00:00:00")

    assert error.pop("id")
    assert error == {
        "op": "command",
        "at": "2099-01-01T00:00:00Z",
        "status": 502,
        "title": "Sidecar away",
        "detail": "It is not reachable.",
        "user": "alice",
        "mid": MID,
    }


def test_the_applications_own_calls_do_not_push_the_errors_of_users_out(desk: Desk) -> None:
    """An outage fails a pump every few seconds."""
    call = asked(desk, desk.session())
    desk.queue.answer(call, bad(502, "Sidecar away", "It is not reachable."))
    desk.change("request", f"ecc_output={call.sys_id}", sys_created_on="2098-01-01 00:00:00")
    desk.script(
        "(function () { var i; for (i = 0; i < 25; i++) { new ClaudeTerminalTable('request').insert("
        f"{{key: gs.generateGUID(), op: 'outputs', state: 'failed', status: 502, mid_name: '{MID}'}}); }} }})()"
    )
    own = desk.rows("request", "op=outputs^state=failed")
    desk.change("request", "op=outputs^state=failed", sys_created_on="2099-01-01 00:00:00")
    errors = overview(desk)["errors"]
    desk.change("request", "sys_created_on>=2098-01-01 00:00:00", sys_created_on="2026-01-01 00:00:00")

    assert len(own) >= 25
    assert (errors[0]["op"], errors[0]["user"]) == ("command", "alice")
    assert not {"outputs"} & {error["op"] for error in errors}


def test_an_error_whose_answer_was_cut_off_is_shown_all_the_same(desk: Desk) -> None:
    call = asked(desk, desk.session())
    desk.queue.answer(call, bad(502))
    desk.change("request", f"ecc_output={call.sys_id}", answer='{"title":"Ref')

    assert "Failed" in [error["title"] for error in overview(desk)["errors"]]


@pytest.fixture(scope="module")
def pages(desk: Desk) -> str:
    """Note 45 entries of one event; return its name."""
    desk.script(
        "(function () { for (var i = 0; i < 45; i++) { new ClaudeTerminalAudit().write('page.test', {}); } })()"
    )
    return "page.test"


def test_the_audit_comes_in_pages_newest_first(desk: Desk, pages: str) -> None:
    found = [audit(desk, event=pages, offset=offset) for offset in (0, 20, 40)]

    assert [len(page["items"]) for page in found] == [20, 20, 5]
    assert {page["total"] for page in found} == {45}
    assert len({item["id"] for page in found for item in page["items"]}) == 45
    times = [item["at"] for page in found for item in page["items"]]
    assert times == sorted(times, reverse=True)
    assert pages in found[0]["events"]


@pytest.mark.parametrize(
    ("offset", "given"),
    [(9999, 40), (27, 20), (-5, 0), ("x", 0), (None, 0)],
    ids=["beyond", "amid", "negative", "no-number", "nothing"],
)
def test_an_offset_that_begins_no_page_gives_one_that_exists(
    desk: Desk, pages: str, offset: Any, given: int
) -> None:
    page = audit(desk, event=pages, offset=offset)

    assert (page["offset"], len(page["items"])) == (given, min(20, 45 - given))


@pytest.mark.parametrize("text", ["alice", "ALI", MID, "needle", "filter.test"])
def test_the_audit_is_searched_in_all_its_columns(desk: Desk, text: str) -> None:
    about = {"user": desk.users["alice"], "session": "s-1", "mid": MID, "detail": "a needle in hay"}
    desk.script(f"new ClaudeTerminalAudit().write('filter.test', {json.dumps(about)})")
    desk.script("new ClaudeTerminalAudit().write('other.test', {detail: 'hay', mid: 'elsewhere'})")

    events = {item["event"] for item in audit(desk, text=text)["items"]}

    assert "filter.test" in events
    assert "other.test" not in events


@pytest.mark.parametrize(
    "text",
    ["javascript:gs.getUserID()", " JavaScript: gs.getUserID()", "java^script:gs.getUserID()", "x^ORevent=a"],
    ids=["script", "spaced", "hidden", "condition"],
)
def test_a_search_is_a_text_and_nothing_that_runs(desk: Desk, text: str) -> None:
    desk.script("new ClaudeTerminalAudit().write('a', {})")

    assert audit(desk, text=text)["total"] == 0
    assert audit(desk, event=text)["total"] == 0
