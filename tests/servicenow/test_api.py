"""What users can do: each operation becomes one row, once for each key, on a MID Server that was chosen well."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from tests.fixtures.servicenow import MID
from tests.servicenow.conftest import KID, SEALED, Desk

OTHER = "mid-b"


@pytest.fixture
def second_mid(desk: Desk) -> Iterator[str]:
    """Have a second healthy MID Server, for which alice has a key; return its sys_id."""
    agents = desk.instance.table("ecc_agent")
    agent = agents.insert(name=OTHER, status="Up", validated="true")["sys_id"]
    desk.property("mids", f"{MID}, {OTHER}")
    desk.script(
        f"new ClaudeTerminalMid('{OTHER}', 'mid').healthy({{status: 'ok', version: '1'}}, '');"
        "new ClaudeTerminalTable('credential').insert("
        f"{{user: '{desk.users['alice']}', mid_name: '{OTHER}', credential_id: 'cred-b', state: 'stored'}})"
    )
    yield agent
    desk.property("mids", MID)
    desk.script(
        f"new ClaudeTerminalTable('credential').find({{mid_name: '{OTHER}'}}).deleteRecord();"
        f"new ClaudeTerminalTable('mid_status').find({{mid_name: '{OTHER}'}}).deleteRecord();"
    )
    agents.delete(agent)


def place(desk: Desk, **fields: Any) -> str:
    """Create a session; return the MID Server it was given."""
    answer = desk.call("alice", "POST", "/sessions", fields)
    assert answer.status == 202, answer
    return desk.stored(answer.body["session"])["mid_name"]


def end_all(desk: Desk) -> None:
    """Let no session be active."""
    desk.change("session", "stateINstarting,running", state="terminated")


# -- create ----------------------------------------------------------------------------------------------------


def test_create_asks_for_what_was_wanted(desk: Desk) -> None:
    given = desk.call("alice", "GET", "/credentials").body["items"]
    wanted = {
        "workspaceType": "persistent",
        "workspaceName": "work",
        "columns": 100,
        "rows": 30,
        "model": "opus",
    }
    made = desk.call("alice", "POST", "/sessions", wanted).body
    call = desk.last("create", made["session"])

    credential = call.body.pop("credentials")["credentialId"]
    assert credential in {item["credentialId"] for item in given}
    assert call.body == wanted | {
        "userId": desk.users["alice"],
        "sessionId": made["session"],
        "renderer": "classic",
        "waitMs": 15_000,
    }
    row = desk.stored(made["session"])
    assert (row["state"], row["mid_name"], row["user"]) == ("starting", MID, desk.users["alice"])
    assert (row["columns"], row["rows"]) == ("100", "30")


def test_the_same_key_gives_the_same_session_and_one_row(desk: Desk) -> None:
    key = str(uuid4())
    first = desk.call("alice", "POST", "/sessions", {"key": key})
    second = desk.call("alice", "POST", "/sessions", {"key": key})

    assert (first.status, second.status) == (202, 202)
    assert first.body == second.body
    assert len(desk.queue.calls("create", first.body["session"])) == 1
    assert desk.last("create", first.body["session"]).parameters["key"] == (
        desk.users["alice"] + key.replace("-", "")
    )


def test_the_same_key_at_the_same_moment_gives_one_session(desk: Desk) -> None:
    key = str(uuid4())
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: desk.call("alice", "POST", "/sessions", {"key": key}), range(4)))

    assert {answer.status for answer in answers} == {202}
    assert len({answer.body["session"] for answer in answers}) == 1
    assert len(desk.queue.calls("create", answers[0].body["session"])) == 1


@pytest.mark.parametrize("age_s", [0, 60], ids=["just now", "a minute ago"])
def test_a_create_whose_row_was_never_written_is_sent_with_the_next_try(desk: Desk, age_s: int) -> None:
    key, wanted = str(uuid4()), {"columns": 90, "rows": 30, "model": "opus"}
    first = desk.call("alice", "POST", "/sessions", wanted | {"key": key}).body
    lost = desk.last("create", first["session"])
    desk.instance.table("ecc_queue").delete(lost.sys_id)  # as if the node had died before it wrote it
    made = str(desk.script(f"new ClaudeTerminalClock().ago({age_s})"))
    desk.change("request", f"sys_id={first['request']}", sys_created_on=made)
    again = desk.call("alice", "POST", "/sessions", wanted | {"key": key})
    sent = desk.queue.calls("create", first["session"])

    assert (again.status, again.body) == (202, first)
    # Younger, the node may still be about to write it.
    assert [call.sys_id for call in sent] == ([lost.sys_id] if age_s else [])
    assert [call.parameters for call in sent] == ([lost.parameters] if age_s else [])


def test_a_create_that_is_sent_again_needs_what_the_first_needed(desk: Desk) -> None:
    key = str(uuid4())
    first = desk.call("alice", "POST", "/sessions", {"key": key}).body
    desk.instance.table("ecc_queue").delete(desk.last("create", first["session"]).sys_id)
    desk.change("request", f"sys_id={first['request']}", sys_created_on="2026-01-01 00:00:00")
    mine = f"user={desk.users['alice']}^state=stored"
    desk.change("credential", mine, state="deleting")
    refused = desk.call("alice", "POST", "/sessions", {"key": key})
    desk.change("credential", mine.replace("stored", "deleting"), state="stored")

    assert (refused.status, refused.body["error"]["title"]) == (422, "No API key")
    assert desk.queue.calls("create", first["session"]) == []
    assert desk.call("alice", "POST", "/sessions", {"key": key}).body == first
    assert len(desk.queue.calls("create", first["session"])) == 1


def test_users_do_not_share_keys(desk: Desk) -> None:
    key = str(uuid4())
    alices = desk.call("alice", "POST", "/sessions", {"key": key}).body["session"]
    bobs = desk.call("bob", "POST", "/sessions", {"key": key}).body["session"]

    assert alices != bobs
    assert desk.stored(bobs)["user"] == desk.users["bob"]


# -- placing ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("second_mid")
def test_the_mid_server_with_the_fewest_sessions_is_chosen(desk: Desk) -> None:
    end_all(desk)

    assert [place(desk) for _ in range(4)] == [MID, OTHER, MID, OTHER]


@pytest.mark.usefixtures("second_mid")
def test_a_named_mid_server_is_taken(desk: Desk) -> None:
    assert [place(desk, mid=OTHER) for _ in range(2)] == [OTHER, OTHER]


@pytest.mark.usefixtures("second_mid")
def test_a_sick_one_is_passed_over(desk: Desk) -> None:
    end_all(desk)
    desk.change("mid_status", f"mid_name={MID}", state="down", problem="gone")
    chosen = [place(desk) for _ in range(2)]
    refused = desk.call("alice", "POST", "/sessions", {"mid": MID})
    desk.change("mid_status", f"mid_name={MID}", state="up", problem="")

    assert chosen == [OTHER, OTHER]
    assert (refused.status, refused.body["error"]["detail"]) == (503, "gone")


@pytest.mark.usefixtures("second_mid")
def test_one_without_the_users_key_is_passed_over(desk: Desk) -> None:
    end_all(desk)
    answers = [desk.call("bob", "POST", "/sessions", {}) for _ in range(2)]
    named = desk.call("bob", "POST", "/sessions", {"mid": OTHER})

    assert [desk.stored(answer.body["session"])["mid_name"] for answer in answers] == [MID, MID]
    assert (named.status, named.body["error"]["title"]) == (422, "No API key")


def test_a_member_of_a_cluster_is_refused(desk: Desk, second_mid: str) -> None:
    members = desk.instance.table("ecc_agent_cluster_member_m2m")
    cluster = desk.instance.table("ecc_agent_cluster").insert(name="balanced")["sys_id"]
    member = members.insert(cluster=cluster, agent=second_mid)["sys_id"]
    named = desk.call("alice", "POST", "/sessions", {"mid": OTHER})
    chosen = place(desk)
    members.delete(member)

    assert (named.status, named.body["error"]["title"]) == (409, "MID Server in a cluster")
    assert "another host" in named.body["error"]["detail"]
    assert chosen == MID


def test_a_mid_server_that_is_not_set_up_is_unknown(desk: Desk) -> None:
    answer = desk.call("alice", "POST", "/sessions", {"mid": "mid-x"})

    assert (answer.status, answer.body["error"]["title"]) == (422, "Unknown MID Server")


def test_without_any_mid_server_that_is_said(desk: Desk) -> None:
    desk.property("mids", "")
    answer = desk.call("alice", "POST", "/sessions", {})
    desk.property("mids", MID)

    assert (answer.status, answer.body["error"]["title"]) == (503, "Not set up")


# -- sessions --------------------------------------------------------------------------------------------------


def test_the_list_has_only_own_sessions_newest_first_in_pages(desk: Desk) -> None:
    mine = [desk.session() for _ in range(3)]
    theirs = desk.session("bob")
    page = desk.call("alice", "GET", "/sessions?limit=100").body
    ids = [item["sessionId"] for item in page["items"]]
    parts = [desk.call("alice", "GET", f"/sessions?limit=1&offset={n}").body["items"] for n in range(2)]

    assert set(mine) <= set(ids)
    assert theirs not in ids
    assert page["total"] == len(desk.rows("session", f"user={desk.users['alice']}"))
    assert [part[0]["sessionId"] for part in parts] == ids[:2]
    assert {item["state"] for item in desk.call("alice", "GET", "/sessions?state=running").body["items"]} == {
        "running"
    }
    assert desk.call("alice", "GET", "/sessions?state=nonsense").status == 422


def test_a_living_session_is_found_though_many_have_ended_since(desk: Desk) -> None:
    living, ended = desk.session(), [desk.session() for _ in range(3)]
    for session in ended:
        desk.change("session", f"session_id={session}", state="terminated")
    # Seconds are all that a row's age is told in.
    desk.change("session", f"session_id={living}", sys_created_on="2026-01-01 00:00:00")
    newest = desk.call("alice", "GET", "/sessions?limit=3").body["items"]
    page = desk.call("alice", "GET", "/sessions?state=living&limit=100").body
    over = desk.call("alice", "GET", "/sessions?state=ended&limit=100").body

    assert living not in {item["sessionId"] for item in newest}
    assert living in {item["sessionId"] for item in page["items"]}
    assert page["total"] == len(page["items"])
    assert {item["state"] for item in page["items"]} <= {"starting", "running", "hibernated", "interrupted"}
    assert set(ended) <= {item["sessionId"] for item in over["items"]}
    assert {item["state"] for item in over["items"]} <= {"terminated", "failed"}


@pytest.mark.parametrize("state", ["nonsense", "living,ended", "constructor", "javascript:x", "LIVING"])
def test_a_state_that_there_is_not_is_refused(desk: Desk, state: str) -> None:
    assert desk.call("alice", "GET", f"/sessions?state={state}").status == 422


def test_a_command_keeps_its_number_and_waits_for_the_screen(desk: Desk) -> None:
    session = desk.session()
    body = {"command": "hello\u00fc", "stream": "tab-1", "seq": 7}
    answer = desk.call("alice", "POST", f"/sessions/{session}/commands", body)
    call = desk.last("command", session)

    assert answer.status == 202
    assert call.body.pop("pump").endswith(f":{MID}")
    assert call.body == body | {"mode": "text", "encoding": "base64", "maxBytes": 65_536, "waitMs": 1_300}
    assert call.row["agent_correlator"] == session
    request = desk.rows("request", f"sys_id={answer.body['request']}")[0]
    assert (request["stream"], request["seq"], request["state"]) == ("tab-1", "7", "queued")


@pytest.mark.parametrize(("mode", "command"), [("raw", "Gw=="), ("keys", ["C-c"])])
def test_keys_wait_for_no_more_than_their_echo(desk: Desk, mode: str, command: Any) -> None:
    session = desk.session()
    desk.call("alice", "POST", f"/sessions/{session}/commands", {"command": command, "mode": mode})
    call = desk.last("command", session)

    assert call.body["command"] == command
    assert call.body["waitMs"] == 120
    assert call.body["pump"].endswith(f":{MID}")


def test_a_command_with_the_same_key_is_sent_once(desk: Desk) -> None:
    session, other, key = desk.session(), desk.session(), uuid4().hex
    path = f"/sessions/{session}/commands"
    answers = [desk.call("alice", "POST", path, {"command": "once", "key": key}) for _ in range(3)]
    elsewhere = desk.call("alice", "POST", f"/sessions/{other}/commands", {"command": "x", "key": key})
    otherwise = desk.call("alice", "POST", f"/sessions/{session}/screen", {"key": key})

    assert len({answer.body["request"] for answer in answers}) == 1
    assert len(desk.queue.calls("command", session)) == 1
    assert (elsewhere.status, otherwise.status) == (409, 409)


def test_an_ended_session_takes_no_input(desk: Desk) -> None:
    session = desk.session()
    desk.call("alice", "DELETE", f"/sessions/{session}")
    desk.reply("terminate", {"terminated": True}, session)
    answer = desk.call("alice", "POST", f"/sessions/{session}/commands", {"command": "hello"})

    assert (answer.status, answer.body["error"]["title"]) == (409, "Session ended")
    assert desk.call("alice", "GET", f"/sessions/{session}").body["state"] == "terminated"
    assert desk.call("alice", "GET", f"/sessions/{session}").body["endedAt"]


def test_a_request_tells_what_became_of_it(desk: Desk) -> None:
    session = desk.session()
    made = desk.call("alice", "POST", f"/sessions/{session}/screen").body
    queued = desk.call("alice", "GET", f"/requests/{made['request']}").body
    desk.reply("screen", {"ansi": "\x1b[1m", "offset": 0}, session)
    done = desk.call("alice", "GET", f"/requests/{made['request']}").body

    assert (queued["state"], queued["op"], queued["problem"]) == ("queued", "screen", None)
    assert (done["state"], done["status"], done["body"]) == ("done", 200, {"ansi": "\x1b[1m", "offset": 0})


def test_a_request_without_an_answer_says_so_after_a_minute(desk: Desk) -> None:
    made = desk.call("alice", "POST", f"/sessions/{desk.session()}/screen").body
    desk.change("request", f"sys_id={made['request']}", sys_created_on="2026-01-01 00:00:00")
    late = desk.call("alice", "GET", f"/requests/{made['request']}").body

    assert (late["state"], late["problem"]["status"]) == ("queued", 504)
    assert MID in late["problem"]["detail"]


def test_older_output_comes_with_the_request(desk: Desk) -> None:
    session = desk.session()
    made = desk.call("alice", "POST", f"/sessions/{session}/output", {"cursor": 0, "maxBytes": 10}).body
    assert desk.last("output", session).body == {"cursor": 0, "maxBytes": 10, "encoding": "base64"}
    body = {
        "data": "aGk=",
        "encoding": "base64",
        "cursor": 0,
        "nextCursor": 2,
        "dropped": 0,
        "state": "running",
    }
    desk.reply("output", body, session)

    assert desk.call("alice", "GET", f"/requests/{made['request']}").body["body"] == body
    assert desk.output("alice", session)["data"] == "aGk="


# -- API keys --------------------------------------------------------------------------------------------------


def test_a_sealed_key_is_forgotten_once_it_is_stored(desk: Desk) -> None:
    body = {"mid": MID, "sealed": SEALED, "hint": "wxyz", "kid": KID}
    made = desk.call("alice", "POST", "/credentials", body).body
    waiting = desk.rows("credential", f"sys_id={made['credential']}")[0]
    call = desk.last("credential.store")
    desk.reply("credential.store", {"credentialId": "5c0f", "hint": "wxyz"})
    stored = desk.rows("credential", f"sys_id={made['credential']}")[0]

    assert (waiting["state"], waiting["sealed"]) == ("pending", SEALED)
    assert call.body == {"userId": desk.users["alice"], "sealed": SEALED}
    assert (stored["state"], stored["sealed"], stored["credential_id"]) == ("stored", "", "5c0f")
    listed = desk.call("alice", "GET", "/credentials")
    assert SEALED not in str(listed.body)
    assert made["credential"] not in str(desk.call("bob", "GET", "/credentials").body)


def test_a_refused_key_is_forgotten_too(desk: Desk) -> None:
    body = {"mid": MID, "sealed": SEALED, "hint": "wxyz", "kid": KID}
    made = desk.call("alice", "POST", "/credentials", body).body
    desk.refuse("credential.store", 422, "The seal was refused.")
    row = desk.rows("credential", f"sys_id={made['credential']}")[0]

    assert (row["state"], row["sealed"], row["problem"]) == ("failed", "", "The seal was refused.")


def test_only_pinned_sealing_keys_are_accepted(desk: Desk) -> None:
    body = {"mid": MID, "sealed": SEALED, "hint": "wxyz", "kid": KID}
    desk.property("sealing_keys", "q" * 43)
    refused = desk.call("alice", "POST", "/credentials", body)
    desk.property("sealing_keys", f"{'q' * 43}, {KID}")
    accepted = desk.call("alice", "POST", "/credentials", body)
    desk.property("sealing_keys", "")

    assert (refused.status, refused.body["error"]["title"]) == (422, "Sealing key not allowed")
    assert accepted.status == 202


def test_a_key_is_removed_at_the_sidecar_first(desk: Desk) -> None:
    given = desk.enrol("alice")
    item = next(
        one for one in desk.call("alice", "GET", "/credentials").body["items"] if one["credentialId"] == given
    )
    desk.call("alice", "DELETE", f"/credentials/{item['id']}")
    waiting = desk.rows("credential", f"sys_id={item['id']}")[0]["state"]
    call = desk.last("credential.delete")
    desk.reply("credential.delete", {"removed": True})

    assert (waiting, call.body) == ("deleting", {"credentialId": given})
    assert desk.rows("credential", f"sys_id={item['id']}") == []


def test_without_a_key_there_is_no_session(desk: Desk) -> None:
    desk.change("credential", f"user={desk.users['bob']}", state="failed")
    answer = desk.call("bob", "POST", "/sessions", {})
    desk.change("credential", f"user={desk.users['bob']}", state="stored")

    assert (answer.status, answer.body["error"]["title"]) == (422, "No API key")


# -- audit -----------------------------------------------------------------------------------------------------


def test_what_users_do_is_written_down_without_what_they_type(desk: Desk) -> None:
    session = desk.session()
    desk.call("alice", "POST", f"/sessions/{session}/commands", {"command": "a secret thought"})
    desk.call("alice", "DELETE", f"/sessions/{session}")
    rows = desk.rows("audit")

    assert [row["event"] for row in rows if row["session"] == session] == [
        "session.create",
        "session.terminate",
    ]
    assert "thought" not in str(rows)
