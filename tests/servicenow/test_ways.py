"""MID Server and poller side by side: which way a call goes, and that neither's trouble is the other's."""

from __future__ import annotations

import re
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.fixtures.servicenow import MID
from tests.servicenow.conftest import HEALTH, Desk
from tests.servicenow.poller import LATER, LONG_AGO, Json, Poller, newcomer, said, switched

POLLER_STATUS = f"mid_name={MID}^bridge=poller"
SILENT = f"The poller {MID} has not asked for work for 30 s."
STOPPED = f"The poller {MID} is not running."


class Both:
    """Two sessions of alice's on one name: an older one by the MID Server, a newer one by the poller."""

    def __init__(self, desk: Desk) -> None:
        desk.property("bridge", "mid")
        self.desk, self.old = desk, desk.session()
        switched(desk)
        self.new = desk.session()

    def agents(self, op: str) -> list[str]:
        """Return to whom the newest call of each session went."""
        return [self.desk.last(op, one).row["agent"] for one in (self.old, self.new)]

    def well(self) -> list[tuple[str, str]]:
        """Return of both whether they can be reached, and why not."""
        rows = [self.desk.stored(one) for one in (self.old, self.new)]
        return [(row["reachable"], row["problem"]) for row in rows]


@pytest.fixture(scope="module")
def shared(desk: Desk) -> Both:
    """Return two sessions that all tests of the file share."""
    return Both(desk)


@pytest.fixture
def both(shared: Both) -> Both:
    """Return the two sessions, with both ways open."""
    desk = shared.desk
    desk.property("bridge", "poller")
    desk.property("mids", MID)
    desk.change("mid_status", POLLER_STATUS, seen_at=LATER, problem="", state="up")
    desk.script(f"new ClaudeTerminalReach().found('{MID}', 'poller')")
    assert shared.well() == [("1", ""), ("1", "")]
    return shared


def asks(desk: Desk) -> None:
    """Let the health job ask, as if earlier checks had their answers."""
    desk.change("request", "opINhealth,sealing_key^state=queued", state="failed")
    desk.instance.run_job("claude-terminal-health")


def healths(desk: Desk) -> dict[str, int]:
    """Return how many health checks went to whom."""
    agents = [call.row["agent"] for call in desk.queue.calls("health")]
    return {agent: agents.count(agent) for agent in sorted(set(agents))}


def mids(desk: Desk) -> list[Json]:
    """Return what users see."""
    items: list[Json] = desk.call("alice", "GET", "/mids").body["items"]
    return items


# -- which way -----------------------------------------------------------------------------------------------


def test_a_session_keeps_the_bridge_it_began_with(both: Both) -> None:
    for one in (both.old, both.new):
        assert both.desk.call("alice", "POST", f"/sessions/{one}/status").status == 202

    assert both.agents("status") == [f"mid.server.{MID}", f"claude.poller.{MID}"]
    assert [both.desk.stored(one)["bridge"] for one in (both.old, both.new)] == ["mid", "poller"]
    assert both.desk.stored(both.new)["mid"] == ""


def test_a_poller_gets_the_same_call_without_a_script(both: Both) -> None:
    for one in (both.old, both.new):
        both.desk.call("alice", "POST", f"/sessions/{one}/status")
    names = [
        [item.attrib["name"] for item in ET.fromstring(both.desk.last("status", one).row["payload"])]
        for one in (both.old, both.new)
    ]

    assert names[0] == [*names[1], "script"]


def test_each_way_has_a_pump_of_its_own(both: Both) -> None:
    desk = both.desk
    for one in (both.old, both.new):
        assert desk.call("alice", "POST", f"/sessions/{one}/viewers", {}).status == 200
    calls = {call.row["agent"]: call for call in desk.queue.calls("outputs")}
    old, new = calls[f"mid.server.{MID}"], calls[f"claude.poller.{MID}"]

    assert (list(old.body["cursors"]), list(new.body["cursors"])) == ([both.old], [both.new])
    assert new.body["pump"] == old.body["pump"].replace(f":{MID}", f":{MID}:poller")
    slots = {row["slot"] for row in desk.rows("request", "op=outputs")}
    assert {re.sub(r"\d+$", "n", slot) for slot in slots} == {f"{MID}:n", f"{MID}:poller:n"}


def test_an_answer_of_one_pump_tells_nothing_of_the_others_sessions(both: Both) -> None:
    desk = both.desk
    desk.call("alice", "POST", f"/sessions/{both.new}/viewers", {})
    call = next(
        one for one in reversed(desk.queue.calls("outputs")) if one.row["agent"].startswith("claude.poller")
    )
    poller = Poller(desk, MID)
    row = next(row for row in poller.claim(50) if row["row"] == call.sys_id)
    piece = {
        "data": "YQ==",
        "cursor": 0,
        "nextCursor": 1,
        "dropped": 0,
        "state": "running",
        "activity": "idle",
    }
    poller.answer(row, said({"sessions": {both.old: piece, both.new: piece}}))

    assert [desk.output("alice", one)["data"] for one in (both.old, both.new)] == ["", "YQ=="]


def test_a_list_is_asked_for_on_each_way(both: Both) -> None:
    made = both.desk.call("alice", "POST", "/sessions/refresh", {})
    asked = {call.row["agent"] for call in both.desk.queue.calls("list")}

    assert len(made.body["requests"]) == 2
    assert asked == {f"mid.server.{MID}", f"claude.poller.{MID}"}


def test_one_health_check_goes_by_each_way_that_is_used(both: Both) -> None:
    before = healths(both.desk)
    asks(both.desk)
    during = healths(both.desk)

    assert {agent: during[agent] - before.get(agent, 0) for agent in during} == {
        f"mid.server.{MID}": 1,
        f"claude.poller.{MID}": 1,
    }


# -- trouble -------------------------------------------------------------------------------------------------


def test_a_poller_that_falls_silent_takes_its_own_sessions_with_it(both: Both) -> None:
    desk = both.desk
    desk.change("mid_status", POLLER_STATUS, seen_at=LONG_AGO)
    desk.instance.run_job("claude-terminal-pump-watchdog")
    refused = desk.call("alice", "POST", f"/sessions/{both.new}/status")

    assert both.well() == [("1", ""), ("0", SILENT)]
    assert (refused.status, refused.body["error"]["detail"]) == (503, SILENT)
    assert refused.body["error"]["title"] == "Poller not available"
    assert desk.call("alice", "POST", f"/sessions/{both.old}/status").status == 202
    assert [(one["state"], one["problem"]) for one in mids(desk)] == [("down", SILENT)]


def test_a_poller_that_asks_again_brings_them_back(both: Both) -> None:
    desk = both.desk
    desk.change("mid_status", POLLER_STATUS, seen_at=LONG_AGO)
    desk.instance.run_job("claude-terminal-pump-watchdog")
    Poller(desk, MID).ask(0)

    assert both.well() == [("1", ""), ("1", "")]
    assert mids(desk)[0]["state"] == "up"


def test_after_a_check_that_failed_its_sidecar_is_asked_first(both: Both) -> None:
    desk = both.desk
    desk.change("mid_status", POLLER_STATUS, seen_at=LONG_AGO)
    asks(desk)
    before = healths(desk)[f"claude.poller.{MID}"]
    poller = Poller(desk, MID)
    poller.ask(0)
    asked = healths(desk)[f"claude.poller.{MID}"] - before
    down = both.well()[1]
    row = next(row for row in poller.claim(50) if row["row"] == desk.last("health").sys_id)
    poller.answer(row, said(HEALTH))

    assert (asked, down[1]) == (1, SILENT)
    assert both.well() == [("1", ""), ("1", "")]


def test_a_poller_that_leaves_is_told_at_once(both: Both) -> None:
    desk = both.desk
    alone(desk)
    Poller(desk, MID).ask(0, leaving=True)
    left = [both.well()[1][1], mids(desk)[0]["problem"], mids(desk)[0]["seenAt"]]
    Poller(desk, MID).ask(0)

    assert left == [STOPPED, STOPPED, None]
    assert both.well()[1] == ("1", "")


def alone(desk: Desk) -> None:
    """Let it be long ago that other runs of the poller asked."""
    desk.change("mid_status", POLLER_STATUS, asked_by="")


def test_while_another_of_its_name_asks_a_poller_that_leaves_is_not_missed(both: Both) -> None:
    """As when one is updated after the other."""
    desk = both.desk
    alone(desk)
    one, other = Poller(desk, MID), Poller(desk, MID)
    for poller in (one, other):
        poller.ask(0)
    one.ask(0, leaving=True)
    during = [both.well()[1], mids(desk)[0]["state"]]
    other.ask(0, leaving=True)

    assert during == [("1", ""), "up"]
    assert both.well()[1] == ("0", STOPPED)


def test_one_that_was_killed_is_missed_when_the_other_leaves_later(both: Both) -> None:
    desk = both.desk
    desk.change("mid_status", POLLER_STATUS, asked_by=f"{LONG_AGO} {Poller(desk, MID).owner}")
    Poller(desk, MID).ask(0, leaving=True)

    assert both.well()[1] == ("0", STOPPED)


def test_a_mid_server_that_is_down_leaves_the_pollers_sessions_alone(both: Both) -> None:
    agents = both.desk.instance.table("ecc_agent")
    agent = agents.rows(f"name={MID}")[0]["sys_id"]
    agents.update(agent, status="Down")
    down = both.well()
    agents.update(agent, status="Up")

    assert (down[0][1], down[1]) == (f"The MID Server {MID} is down.", ("1", ""))
    assert both.well() == [("1", ""), ("1", "")]


def test_each_way_has_its_own_line_among_the_issues(both: Both) -> None:
    desk = both.desk

    def sources() -> list[str]:
        rows = desk.instance.table("ecc_agent_issue").rows("sourceSTARTSWITHClaudeTerminal^state!=resolved")
        return sorted(row["source"] for row in rows)

    desk.change("mid_status", POLLER_STATUS, seen_at=LONG_AGO)
    asks(desk)
    raised = sources()
    desk.change("mid_status", POLLER_STATUS, seen_at=LATER)
    asks(desk)
    poller = Poller(desk, MID)
    row = next(row for row in poller.claim(50) if row["row"] == newest_health(desk))
    poller.answer(row, said(HEALTH))

    assert (raised, sources()) == (["ClaudeTerminalPoller"], [])


def newest_health(desk: Desk) -> str:
    """Return the newest check that went to a poller."""
    agent = f"claude.poller.{MID}"
    return [call for call in desk.queue.calls("health") if call.row["agent"] == agent][-1].sys_id


def test_a_poller_of_another_name_raises_no_issue(both: Both) -> None:
    """Issues stand under MID Servers, and there is none of that name."""
    other = newcomer(both.desk)
    before = len(both.desk.instance.table("ecc_agent_issue").rows())
    both.desk.script(f"new ClaudeTerminalMid('{other.name}', 'poller').sick('It is sick.')")

    assert len(both.desk.instance.table("ecc_agent_issue").rows()) == before
    assert both.desk.rows("mid_status", f"mid_name={other.name}")[0]["problem"] == "It is sick."


def test_a_key_beside_a_host_that_is_used_no_more_can_be_deleted_there(both: Both) -> None:
    """Names may differ before and after the switch; the key is where it was stored."""
    desk = both.desk
    desk.instance.table("ecc_agent").insert(name="mid-before", status="Up", validated="true")
    desk.script("new ClaudeTerminalMid('mid-before', 'mid').row()")
    desk.enrol("bob")
    key = desk.rows("credential", f"user={desk.users['bob']}^state=stored")[0]["sys_id"]
    desk.change("credential", f"sys_id={key}", mid_name="mid-before")
    made = desk.call("bob", "DELETE", f"/credentials/{key}")
    desk.reply("credential.delete", {})

    assert made.status == 202, made
    assert desk.last("credential.delete").row["agent"] == "mid.server.mid-before"
    assert desk.rows("credential", f"sys_id={key}") == []


def test_a_key_beside_a_host_of_both_bridges_goes_by_the_present_one(both: Both) -> None:
    desk = both.desk
    newcomer(desk)
    names = desk.script(
        f"['{MID}', 'nobody'].map(function (name) {{ return new ClaudeTerminalHosts().bridge(name); }})"
    )

    assert names == ["poller", "poller"]


# -- what is seen of it --------------------------------------------------------------------------------------


def test_administrators_see_both_ways(both: Both) -> None:
    cards: list[Any] = both.desk.script(
        "new ClaudeTerminalOverview().all({}).mids",
        user="keeper",
    )
    seen = [(card["name"], card["bridge"], card["pollerVersion"]) for card in cards]

    assert seen == [(MID, "poller", "1.0.0"), (MID, "mid", None)]
    assert [
        sum(group["count"] for group in card["sessions"] if group["state"] == "running") for card in cards
    ] == [1, 1]


@pytest.mark.parametrize("bridge", ["mid", "poller"])
def test_an_administrator_checks_either(both: Both, bridge: str) -> None:
    made = both.desk.call("keeper", "POST", f"/mids/{MID}/health", {"bridge": bridge})
    request = both.desk.rows("request", f"sys_id={made.body['request']}")[0]

    assert (made.status, request["bridge"]) == (202, bridge)


def test_a_poller_notes_when_it_asked_but_not_each_time(both: Both) -> None:
    desk = both.desk
    desk.change("mid_status", POLLER_STATUS, seen_at=LONG_AGO, poller_version="0.9")
    poller = Poller(desk, MID)
    poller.ask(0)
    first = desk.rows("mid_status", POLLER_STATUS)[0]
    desk.change("mid_status", POLLER_STATUS, seen_at=LATER, asked_by=f"{LATER} {poller.owner}")
    poller.ask(0)
    second = desk.rows("mid_status", POLLER_STATUS)[0]

    assert (first["poller_version"], first["seen_at"] > LONG_AGO) == ("1.0.0", True)
    assert (second["seen_at"], second["asked_by"]) == (LATER, f"{LATER} {poller.owner}")


def test_when_the_last_session_of_a_way_has_ended_it_is_asked_no_more(both: Both) -> None:
    desk = both.desk
    desk.change("session", f"session_id={both.old}", state="terminated")
    before = healths(desk)
    asks(desk)
    after = healths(desk)
    desk.change("session", f"session_id={both.old}", state="running")

    assert after[f"mid.server.{MID}"] == before[f"mid.server.{MID}"]
    assert after[f"claude.poller.{MID}"] == before[f"claude.poller.{MID}"] + 1
