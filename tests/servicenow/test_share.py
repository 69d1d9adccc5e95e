"""What a poller gets of a queue that is long: fair shares, answers of bounded size, and nothing that was given up."""

from __future__ import annotations

import json
from uuid import uuid4

import pytest

from emulator.servicenow import Row
from tests.fixtures.servicenow import MID
from tests.servicenow.conftest import Desk
from tests.servicenow.poller import (
    LONG_AGO,
    Poller,
    claims,
    newcomer,
    put,
    run_out,
    said,
    switched,
)

WATCHDOG = "claude-terminal-pump-watchdog"


@pytest.fixture(scope="module", autouse=True)
def _pollers(desk: Desk) -> None:
    """Let the app use pollers."""
    switched(desk)


@pytest.fixture
def poller(desk: Desk) -> Poller:
    """Return a poller whose part of the queue is empty."""
    return newcomer(desk)


def flood(poller: Poller, count: int) -> str:
    """Put so many calls of one session into the queue at once; return the session."""
    session = str(uuid4())
    poller.desk.instance.script(f"""
        (function () {{
            var i, row;
            for (i = 0; i < {count}; i++) {{
                row = new GlideRecord('ecc_queue');
                row.initialize();
                row.setValue('agent', 'claude.poller.{poller.name}');
                row.setValue('topic', 'ClaudeTerminal');
                row.setValue('name', 'ClaudeTerminalProbe');
                row.setValue('queue', 'output');
                row.setValue('state', 'ready');
                row.setValue('agent_correlator', '{session}');
                row.setValue('payload', '<parameters/>');
                row.insert();
            }}
        }})()""")
    return session


def orders(poller: Poller, limit: int) -> list[str]:
    """Claim; return the orders of the rows."""
    return [row["order"] for row in poller.claim(limit)]


# -- shares --------------------------------------------------------------------------------------------------


def test_a_session_that_floods_leaves_room_for_the_others(poller: Poller) -> None:
    """Its rows are all older, and a poller that has taken them all asks for no more."""
    busy = flood(poller, 30)
    quiet = str(uuid4())
    for _ in range(2):
        put(poller, quiet)
    first, second = orders(poller, 10), orders(poller, 10)

    assert (first.count(busy), first.count(quiet)) == (8, 2)
    assert second == []


def test_calls_of_no_session_come_before_a_flood(poller: Poller) -> None:
    """The pump and health checks: all terminals stand still without them."""
    flood(poller, 30)
    pump = put(poller)

    assert poller.ids(3)[0] == pump


def test_while_there_is_room_a_session_gets_all_that_is_typed_at_once(poller: Poller) -> None:
    """The sidecar puts numbered commands in order, and for that has to have those with the small numbers."""
    busy = flood(poller, 30)

    assert orders(poller, 50) == [busy] * 20
    assert orders(poller, 30) == []


def test_a_session_gets_more_when_some_are_answered(poller: Poller) -> None:
    flood(poller, 30)
    rows = poller.claim(50)
    for row in rows[:3]:
        poller.answer(row, said({}))

    assert len(poller.claim(33)) == 3


def test_rows_that_another_holds_hide_no_later_ones(poller: Poller) -> None:
    other = poller.other()
    flood(poller, 305)
    other.claim(5)
    free, apart = put(poller, str(uuid4())), put(poller)

    assert poller.ids(10) == [apart, free]


# -- one claim -----------------------------------------------------------------------------------------------


def test_a_claim_brings_no_more_than_can_be_carried(poller: Poller) -> None:
    first, second, third = (put(poller, payload="x" * 190_000) for _ in range(3))

    assert poller.ids() == [first, second]
    assert poller.ids() == [third]


def test_a_row_that_is_told_again_has_a_whole_lease(desk: Desk, poller: Poller) -> None:
    sys_id = put(poller)
    poller.claim()
    poller.held.clear()
    soon = desk.script("new ClaudeTerminalClock().ahead(28)")
    desk.change("claim", f"queue_row={sys_id}", leased_until=soon)
    again = [row["attempt"] for row in poller.claim()]

    assert again == [1]
    assert claims(desk, sys_id)[0]["leased_until"] > soon


# -- given up ------------------------------------------------------------------------------------------------


def typed(desk: Desk) -> str:
    """Let a user type something; return the row's sys_id."""
    given = desk.session()
    desk.call("alice", "POST", f"/sessions/{given}/commands", {"command": "hello"})
    return desk.last("command", given).sys_id


def looked_at(desk: Desk, sys_id: str) -> Row:
    """Let a quarter of an hour go by, and the watchdog run; return the request."""
    desk.change("request", f"ecc_output={sys_id}", sys_created_on=LONG_AGO)
    desk.instance.run_job(WATCHDOG)
    return desk.rows("request", f"ecc_output={sys_id}")[0]


def test_a_call_whose_poller_died_is_withdrawn_before_the_user_is_told(desk: Desk) -> None:
    """Or it would be typed by the next poller, long after the user heard that there is no answer."""
    sys_id = typed(desk)
    dead = Poller(desk, MID)
    row = next(row for row in dead.claim(50) if row["row"] == sys_id)
    run_out(desk, sys_id)
    request = looked_at(desk, sys_id)
    run_out(desk, sys_id)

    assert (request["state"], "Whether it was done is not known" in request["answer"]) == ("failed", True)
    assert desk.queue.row(sys_id)["state"] == "error"
    assert [claim["owner"] for claim in claims(desk, sys_id)] == [dead.owner, "withdrawn"]
    assert sys_id not in Poller(desk, MID).ids(50)
    assert dead.answer(row, said({})).status == 409


def test_a_call_that_a_poller_has_is_given_up_only_when_its_lease_has_ended(desk: Desk) -> None:
    sys_id = typed(desk)
    Poller(desk, MID).claim(50)
    desk.instance.table("ecc_queue").update(sys_id, state="ready")  # as in the moment before it is marked
    during = looked_at(desk, sys_id)
    state = desk.queue.row(sys_id)["state"]
    run_out(desk, sys_id)
    after = looked_at(desk, sys_id)

    assert (during["state"], state) == ("queued", "ready")
    assert "Whether it was done is not known" in json.loads(after["answer"])["detail"]
