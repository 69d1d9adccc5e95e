"""Business rules and script actions: answers are taken, sessions go with all they have, MID Servers come and go."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.queue import good
from tests.fixtures.servicenow import MID
from tests.servicenow.conftest import HEALTH, SCOPE, Desk, told
from tests.waiting import until


def set_status(desk: Desk, status: str) -> None:
    """Let the MID Server go up or down."""
    table = desk.instance.table("ecc_agent")
    table.update(table.rows(f"name={MID}")[0]["sys_id"], status=status)


def seen(desk: Desk, session: str) -> Any:
    """Return a session as its user sees it."""
    return desk.call("alice", "GET", f"/sessions/{session}").body


def remove(desk: Desk, session: str) -> None:
    """Delete a session's row."""
    desk.script(
        f"var row = new GlideRecord('{SCOPE}_session'); row.get('{desk.stored(session)['sys_id']}');"
        "row.deleteRecord();"
    )


def test_the_sensor_leaves_inputs_of_others_alone(desk: Desk) -> None:
    table = desk.instance.table("ecc_queue")
    made = table.insert(
        queue="input", name="Other", topic="JavascriptProbe", agent="mid.server.x", state="ready"
    )

    assert desk.queue.row(made["sys_id"])["state"] == "ready"


def test_the_sensor_leaves_outputs_alone(desk: Desk) -> None:
    session = desk.session()
    desk.call("alice", "POST", f"/sessions/{session}/status")

    assert desk.last("status", session).row["state"] == "ready"


def test_a_deleted_session_ends_at_the_sidecar_and_takes_its_rows_along(desk: Desk) -> None:
    session = desk.session()
    sys_id = desk.stored(session)["sys_id"]
    desk.call("alice", "POST", f"/sessions/{session}/screen")
    desk.reply("screen", {"offset": 10}, session)
    assert desk.rows("output", f"session={sys_id}")
    remove(desk, session)

    assert desk.rows("output", f"session={sys_id}") == []
    assert [row["op"] for row in desk.rows("request", f"session={sys_id}")] == ["terminate"]
    call = desk.last("terminate", session)
    assert call.parameters["user"] == desk.users["alice"]
    assert desk.queue.answer(call, good({"terminated": True}))["state"] == "processed"


def test_a_deleted_session_that_had_ended_is_not_ended_again(desk: Desk) -> None:
    session = desk.session()
    desk.call("alice", "POST", f"/sessions/{session}/status")
    desk.reply("status", told(session, "x", state="terminated"), session)
    remove(desk, session)

    assert desk.queue.calls("terminate", session) == []


def test_a_mid_server_that_goes_down_is_told_at_once_and_forgotten_when_it_is_back(desk: Desk) -> None:
    session = desk.session()
    set_status(desk, "Down")
    down = seen(desk, session)
    refused = desk.call("alice", "POST", f"/sessions/{session}/commands", {"command": "hello"})
    set_status(desk, "Up")
    up = seen(desk, session)

    assert (down["reachable"], down["problem"]) == (False, f"The MID Server {MID} is down.")
    assert (refused.status, refused.body["error"]["detail"]) == (503, f"The MID Server {MID} is down.")
    assert (up["reachable"], up["problem"]) == (True, None)


@pytest.mark.parametrize("op", ["status", "health", "outputs", "screen"])
def test_an_answer_later_than_the_news_that_the_mid_server_is_down_does_not_undo_it(
    desk: Desk, op: str
) -> None:
    """A MID Server that ends posts the answers it still has, before or after it says that it is down."""
    desk.change("request", "opINhealth,outputs^state=queued", state="failed")
    session = desk.session()
    piece = {"data": "bGF0ZQ==", "encoding": "base64", "nextCursor": 4, "dropped": 0, "state": "running"}
    answers: dict[str, Any] = {
        "status": told(session, desk.users["alice"]),
        "health": HEALTH,
        "outputs": {"sessions": {session: {**piece, "activity": "idle"}}},
        "screen": {"offset": 0},
    }
    path, user = (
        (f"/mids/{MID}/health", "keeper") if op == "health" else (f"/sessions/{session}/{op}", "alice")
    )
    path = f"/sessions/{session}/viewers" if op == "outputs" else path
    assert desk.call(user, "POST", path, {}).status in {200, 202}
    set_status(desk, "Down")
    desk.reply(op, answers[op], "" if op in {"health", "outputs"} else session)
    late = seen(desk, session)
    set_status(desk, "Up")

    assert (late["reachable"], late["problem"]) == (False, f"The MID Server {MID} is down.")
    assert seen(desk, session)["reachable"]


def test_a_waiting_request_says_that_the_mid_server_went_down(desk: Desk) -> None:
    session = desk.session()
    made = desk.call("alice", "POST", f"/sessions/{session}/status").body
    set_status(desk, "Down")
    waiting = desk.call("alice", "GET", f"/requests/{made['request']}").body
    set_status(desk, "Up")

    assert (waiting["state"], waiting["problem"]["detail"]) == ("queued", f"The MID Server {MID} is down.")


def test_a_mid_server_that_is_back_is_asked_for_its_health_at_once(desk: Desk) -> None:
    """The health job may have found it down; nobody has to wait for its next round."""
    # The instance may have run the job at its start, because its turn was past: an open question is not put twice.
    desk.change("request", "opINhealth,sealing_key^state=queued", state="failed")
    session = desk.session()
    set_status(desk, "Down")
    desk.instance.run_job("claude-terminal-health")
    before = len(desk.queue.calls("health"))
    set_status(desk, "Up")
    asked = len(desk.queue.calls("health"))
    still = seen(desk, session)
    desk.reply("health", HEALTH)

    assert asked == before + 1
    assert (still["reachable"], seen(desk, session)["reachable"]) == (False, True)
    assert desk.call("alice", "POST", "/sessions", {}).status == 202


def test_an_ended_session_does_not_care(desk: Desk) -> None:
    session = desk.session()
    desk.call("alice", "DELETE", f"/sessions/{session}")
    desk.reply("terminate", {"terminated": True}, session)
    set_status(desk, "Down")
    down = seen(desk, session)
    set_status(desk, "Up")

    assert (down["state"], down["reachable"], down["problem"]) == ("terminated", True, None)


def test_the_events_of_mid_servers_look_at_all_of_ours(desk: Desk) -> None:
    session = desk.session()
    desk.change("session", f"session_id={session}", reachable="0", problem="left over")
    desk.instance.script(
        f"var agent = new GlideRecord('ecc_agent'); agent.get('name', '{MID}');"
        "gs.eventQueue('mid_server.up', agent, agent.getUniqueValue(), '');"
    )

    assert until(lambda: seen(desk, session)["reachable"])
