"""Scheduled jobs: health each minute, what got stuck, what is old."""

from __future__ import annotations

import json

import pytest

from emulator.servicenow import Row
from tests.fakes.queue import good
from tests.fixtures.servicenow import MID
from tests.servicenow.conftest import HEALTH, KID, SEALED, Desk

LONG_AGO = "2026-01-01 00:00:00"
JWK = {"kty": "EC", "crv": "P-256", "x": "x", "y": "y", "use": "enc", "alg": "ECDH-ES", "kid": KID}


def status(desk: Desk) -> dict[str, str]:
    """Return the row of the MID Server."""
    return desk.rows("mid_status", f"mid_name={MID}")[0]


def issues(desk: Desk, query: str = "state!=resolved") -> list[Row]:
    """Return our lines under the MID Server's issues."""
    return desk.instance.table("ecc_agent_issue").rows(f"source=ClaudeTerminal^{query}")


def check(desk: Desk) -> None:
    """Run the health job as if the last check was answered or long ago."""
    desk.change("request", "opINhealth,sealing_key^state=queued", state="failed")
    desk.instance.run_job("claude-terminal-health")


@pytest.fixture(autouse=True)
def well(desk: Desk) -> None:
    """Begin each test with a healthy sidecar."""
    check(desk)
    desk.reply("health", HEALTH)


def test_each_mid_server_is_asked_and_the_answer_kept(desk: Desk) -> None:
    row = status(desk)

    assert (row["state"], row["version"], row["problem"]) == ("up", "1.2.3", "")
    assert int(row["latency_ms"]) >= 0
    assert desk.call("alice", "GET", "/mids").body["items"][0]["state"] == "up"


def test_the_sealing_key_is_asked_for_when_unknown_or_old(desk: Desk) -> None:
    desk.change("mid_status", f"mid_name={MID}", jwk="", key_at="")
    before = len(desk.queue.calls("sealing_key"))
    check(desk)
    desk.reply("sealing_key", JWK)
    check(desk)
    known = len(desk.queue.calls("sealing_key"))
    desk.change("mid_status", f"mid_name={MID}", key_at=LONG_AGO)
    check(desk)

    assert known == before + 1
    assert len(desk.queue.calls("sealing_key")) == before + 2
    item = desk.call("alice", "GET", "/mids").body["items"][0]
    assert (item["kid"], item["jwk"]) == (KID, JWK)


def test_an_unhealthy_sidecar_is_one_issue_until_it_is_well_again(desk: Desk) -> None:
    for _ in range(2):
        check(desk)
        desk.refuse("health", 502, "The sidecar is not reachable.")
    raised = issues(desk)
    state = status(desk)
    placed = desk.call("alice", "POST", "/sessions", {})
    check(desk)
    desk.reply("health", HEALTH)

    assert [(row["message"], row["count"]) for row in raised] == [("The sidecar is not reachable.", "2")]
    assert (state["state"], state["problem"]) == ("down", "The sidecar is not reachable.")
    assert (placed.status, placed.body["error"]["detail"]) == (503, "The sidecar is not reachable.")
    assert issues(desk) == []
    assert status(desk)["state"] == "up"


@pytest.mark.parametrize("health", [{}, {"status": "well"}, {"status": None, "version": "1"}])
def test_an_answer_that_tells_no_health_changes_nothing(desk: Desk, health: dict[str, object]) -> None:
    check(desk)
    desk.refuse("health", 502, "The sidecar is not reachable.")
    check(desk)
    desk.reply("health", health)

    assert (status(desk)["state"], status(desk)["problem"]) == ("down", "The sidecar is not reachable.")


def test_an_unhealthy_sidecar_makes_its_sessions_unreachable_until_it_is_well(desk: Desk) -> None:
    session = desk.session()
    check(desk)
    desk.refuse("health", 502, "The sidecar is not reachable.")
    down = desk.stored(session)
    check(desk)
    desk.reply("health", HEALTH)

    assert (down["reachable"], down["problem"]) == ("0", "The sidecar is not reachable.")
    assert (desk.stored(session)["reachable"], desk.stored(session)["problem"]) == ("1", "")


def test_a_draining_sidecar_gets_no_new_sessions_and_keeps_its_old_ones(desk: Desk) -> None:
    session = desk.session()
    check(desk)
    desk.reply("health", HEALTH | {"status": "draining"})

    assert status(desk)["state"] == "down"
    assert desk.stored(session)["reachable"] == "1"
    assert desk.call("alice", "POST", "/sessions", {}).status == 503


def test_silence_is_an_issue_and_is_not_asked_again_and_again(desk: Desk) -> None:
    check(desk)
    asked = len(desk.queue.calls("health"))
    desk.instance.run_job("claude-terminal-health")
    soon = status(desk)["state"]
    desk.script(
        "(function () { var row = new GlideRecord('x_claude_terminal_request');"
        "row.addQuery('op', 'health'); row.addQuery('state', 'queued'); row.query();"
        "while (row.next()) { row.setValue('sys_created_on', new ClaudeTerminalClock().ago(90));"
        "row.update(); } })()"
    )
    desk.instance.run_job("claude-terminal-health")

    assert soon == "up"
    assert len(desk.queue.calls("health")) == asked
    assert (status(desk)["state"], status(desk)["problem"]) == (
        "down",
        f"The MID Server {MID} does not answer.",
    )


def test_a_mid_server_that_is_down_is_not_asked(desk: Desk) -> None:
    agents = desk.instance.table("ecc_agent")
    agent = agents.rows(f"name={MID}")[0]["sys_id"]
    agents.update(agent, status="Down")
    asked = len(desk.queue.calls("health"))
    check(desk)
    state, asked_then = status(desk), len(desk.queue.calls("health"))
    agents.update(agent, status="Up")

    assert asked_then == asked
    assert (state["state"], state["problem"]) == ("down", f"The MID Server {MID} is down.")


def test_a_sealed_key_that_did_not_arrive_is_sent_again_when_the_sidecar_is_well(desk: Desk) -> None:
    body = {"mid": MID, "sealed": SEALED, "hint": "wxyz", "kid": KID}
    made = desk.call("alice", "POST", "/credentials", body).body
    desk.refuse("credential.store", 502, "The sidecar is not reachable.")
    waiting = desk.rows("credential", f"sys_id={made['credential']}")[0]
    sent = len(desk.queue.calls("credential.store"))
    check(desk)
    desk.reply("health", HEALTH)

    assert (waiting["state"], bool(waiting["sealed"])) == ("pending", True)
    assert len(desk.queue.calls("credential.store")) == sent + 1
    desk.reply("credential.store", {"credentialId": "c" * 36, "hint": "wxyz"})
    assert desk.rows("credential", f"sys_id={made['credential']}")[0]["state"] == "stored"


def test_a_call_nobody_took_is_withdrawn(desk: Desk) -> None:
    session = desk.session()
    made = desk.call("alice", "POST", f"/sessions/{session}/commands", {"command": "rm -rf build"}).body
    call = desk.last("command", session)
    desk.change("request", f"sys_id={made['request']}", sys_created_on=LONG_AGO)
    desk.instance.run_job("claude-terminal-pump-watchdog")
    request = desk.call("alice", "GET", f"/requests/{made['request']}").body

    assert desk.queue.row(call.sys_id)["state"] == "error"
    assert (request["state"], request["status"]) == ("failed", 504)
    assert "nothing was done" in request["problem"]["detail"]


def test_a_health_check_that_got_lost_long_ago_tells_nothing_of_now(desk: Desk) -> None:
    check(desk)
    desk.change("request", "op=health^state=queued", sys_created_on=LONG_AGO)
    desk.instance.run_job("claude-terminal-pump-watchdog")

    assert desk.rows("request", "op=health^state=queued") == []
    assert status(desk)["state"] == "up"


def test_a_call_that_was_taken_is_given_up_but_its_answer_still_counts(desk: Desk) -> None:
    session = desk.session()
    made = desk.call("alice", "POST", f"/sessions/{session}/commands", {"command": "slow"}).body
    call = desk.last("command", session)
    desk.instance.table("ecc_queue").update(call.sys_id, state="processing")
    desk.change("request", f"sys_id={made['request']}", sys_created_on=LONG_AGO)
    desk.instance.run_job("claude-terminal-pump-watchdog")
    given_up = desk.call("alice", "GET", f"/requests/{made['request']}").body
    desk.queue.answer(call, good({"accepted": True, "submitted": True, "cursor": 0, "output": None}))
    answered = desk.call("alice", "GET", f"/requests/{made['request']}").body

    assert "not known" in given_up["problem"]["detail"]
    assert (answered["state"], answered["body"]["accepted"]) == ("done", True)


def test_a_session_that_still_starts_is_asked_about_once_a_minute(desk: Desk) -> None:
    made = desk.call("alice", "POST", "/sessions", {}).body["session"]
    desk.reply("create", {"sessionId": made, "state": "starting", "activity": "busy"}, made)
    desk.script(
        "(function () { var row = new GlideRecord('x_claude_terminal_session');"
        f"row.addQuery('session_id', '{made}'); row.query(); row.next();"
        "row.setValue('sys_created_on', new ClaudeTerminalClock().ago(40)); row.update(); })()"
    )
    for _ in range(2):
        desk.instance.run_job("claude-terminal-pump-watchdog")

    assert len(desk.queue.calls("status", made)) == 1


def test_old_rows_go_and_with_a_session_all_it_has(desk: Desk) -> None:
    old, ended, live = desk.session(), desk.session(), desk.session()
    for session in (old, ended):
        desk.call("alice", "DELETE", f"/sessions/{session}")
        desk.reply("terminate", {"terminated": True}, session)
    old_id = desk.stored(old)["sys_id"]
    desk.change("session", f"session_idIN{old},{live}", ended_at=LONG_AGO)
    desk.change("audit", f"session={old}", sys_created_on=LONG_AGO)
    desk.change("request", f"session={old_id}", sys_created_on=LONG_AGO)
    desk.instance.run_job("claude-terminal-expiry")

    assert [bool(desk.rows("session", f"session_id={one}")) for one in (old, ended, live)] == [
        False,
        True,
        True,
    ]
    assert desk.rows("request", f"session={old_id}") == []
    assert desk.rows("audit", f"session={old}") == []
    assert desk.rows("audit", f"session={ended}")


def test_output_is_kept_up_to_a_number_of_bytes(desk: Desk) -> None:
    session = desk.session()
    sys_id = desk.stored(session)["sys_id"]
    piece = "new ClaudeTerminalOutput('{}').append({{data: {}, nextCursor: {}, dropped: 0}})"
    data = json.dumps("QUFB" * 12_000)
    for number in range(1, 5):
        desk.script(piece.format(sys_id, data, number * 36_000))
    desk.property("output_bytes", "65536")
    desk.change("session", f"session_id={session}", output_offset="144000")
    desk.instance.run_job("claude-terminal-expiry")
    desk.property("output_bytes", "2000000")

    assert [row["start"] for row in desk.rows("output", f"session={sys_id}^ORDERBYstart")] == [
        "72000",
        "108000",
    ]
    first = desk.output("alice", session)
    assert (first["dropped"], first["nextCursor"]) == (72_000, 108_000)


def test_what_many_hours_left_goes_in_one_run(desk: Desk) -> None:
    """More rows than one page of the job; of claims those that say how often an open call was tried stay."""
    row = desk.instance.table("ecc_queue").insert(queue="output", state="processing", topic="ClaudeTerminal")
    desk.script(f"""
        (function () {{
            var claims = new ClaudeTerminalTable('claim');
            var i;
            for (i = 0; i <= 510; i++) {{
                claims.insert({{queue_row: i ? gs.generateGUID() : '{row["sys_id"]}', attempt: 1, owner: 'old/0'}});
                new ClaudeTerminalTable('request').insert({{op: 'health', state: 'done', key: gs.generateGUID()}});
            }}
        }})()""")
    hours_ago = desk.script("new ClaudeTerminalClock().ago(7200)")
    desk.change("claim", "owner=old/0", leased_until=hours_ago, sys_created_on=hours_ago)
    desk.change("request", "userISEMPTY^op=health^state=done", sys_created_on=hours_ago)
    desk.instance.run_job("claude-terminal-expiry")

    assert desk.rows("request", "userISEMPTY^op=health^state=done") == []
    assert [claim["queue_row"] for claim in desk.rows("claim", "owner=old/0")] == [row["sys_id"]]


def test_idle_jobs_write_nothing_of_ours_into_the_queue(desk: Desk) -> None:
    desk.change("session", "stateNOT INterminated,failed", state="terminated")
    rows = desk.queue.count()
    for _ in range(3):
        desk.instance.run_job("claude-terminal-pump-watchdog")
    desk.instance.run_job("claude-terminal-expiry")

    assert desk.queue.count() == rows
