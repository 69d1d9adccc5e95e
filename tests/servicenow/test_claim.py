"""Claims: which rows a poller gets, in which order, for how long, and who else gets none of them meanwhile."""

from __future__ import annotations

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree as ET

import pytest

from emulator.installation import check_health
from emulator.servicenow import Answer
from tests.fixtures.servicenow import MID
from tests.servicenow.conftest import KID, SEALED, Desk
from tests.servicenow.poller import (
    LONG_AGO,
    POLLER_USER,
    Json,
    Poller,
    answers,
    claims,
    newcomer,
    put,
    run_out,
    said,
    switched,
)

TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


@pytest.fixture(scope="module", autouse=True)
def _pollers(desk: Desk) -> None:
    """Let the app use pollers."""
    switched(desk)


@pytest.fixture
def poller(desk: Desk) -> Poller:
    """Return a poller whose part of the queue is empty."""
    return newcomer(desk)


def session() -> str:
    """Return an id of a session; the queue knows no more of it."""
    return str(uuid4())


# -- which rows, in which order ------------------------------------------------------------------------------


def test_rows_come_oldest_first_in_whichever_order_they_were_stored(poller: Poller) -> None:
    """P2 of the predecessor's poller: it read without an order."""
    late, early, middle = (put(poller, sequence=f"17919fea7ed000000{digit}") for digit in (9, 1, 5))

    assert poller.ids() == [early, middle, late]


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"agent": "claude.poller.another"}, id="another poller"),
        pytest.param({"agent": f"mid.server.{MID}"}, id="mid server"),
        pytest.param({"queue": "input"}, id="input"),
        pytest.param({"topic": "JavascriptProbe"}, id="another topic"),
        pytest.param({"state": "processed"}, id="answered"),
        pytest.param({"state": "error"}, id="withdrawn"),
        pytest.param({"state": "cancelled"}, id="cancelled"),
    ],
)
def test_only_its_own_open_calls_are_given(poller: Poller, columns: dict[str, str]) -> None:
    """P1 of the predecessor's poller: it filtered neither by queue nor by agent."""
    put(poller, **columns)
    own = put(poller)

    assert poller.ids() == [own]


def test_a_row_tells_its_session_as_its_order_and_another_call_has_none(poller: Poller) -> None:
    one = session()
    put(poller, one)
    put(poller)
    rows = poller.claim()

    assert [row["order"] for row in rows] == ["", one]
    assert [row["attempt"] for row in rows] == [1, 1]
    assert ET.fromstring(rows[1]["payload"])[0].attrib == {"name": "op", "value": "test"}


def test_a_claim_is_a_row_of_its_own_and_marks_the_calls(desk: Desk, poller: Poller) -> None:
    """P4 and P8: nothing is written into a column that is not there, and times are the platform's own."""
    sys_id = put(poller)
    poller.claim()
    row, claim = desk.queue.row(sys_id), claims(desk, sys_id)[0]

    assert (row["state"], claim["attempt"], claim["owner"]) == ("processing", "1", poller.owner)
    assert TIME.fullmatch(row["processed"])
    assert TIME.fullmatch(claim["leased_until"])
    assert "output" not in row


def test_no_more_are_given_than_asked_for(poller: Poller) -> None:
    first, second, third = (put(poller) for _ in range(3))

    assert poller.ids(0) == []
    assert poller.ids(2) == [first, second]
    assert poller.ids(2) == [third]


def test_a_payload_that_is_too_long_is_left_out(poller: Poller) -> None:
    whole = put(poller, payload="x" * 200_000)
    longer = put(poller, payload="x" * 200_001)
    rows = {row["row"]: row["payload"] for row in poller.claim()}

    assert rows == {whole: "x" * 200_000, longer: None}


def test_rubbish_is_given_as_it_is_and_answered_once(desk: Desk, poller: Poller) -> None:
    put(poller, payload="<parameters><broken &")
    row = poller.claim()[0]
    done = poller.answer(row, said({}), "Unreadable call: The payload is not XML.")

    assert row["payload"] == "<parameters><broken &"
    assert done.status == 200
    assert ET.fromstring(answers(desk, row["row"])[0]["payload"]).findall("parameters/*") == []
    assert poller.ids() == []


# -- leases --------------------------------------------------------------------------------------------------


def test_what_it_holds_is_not_given_again(poller: Poller) -> None:
    one = session()
    first = put(poller, one)
    held = poller.ids()
    second = put(poller, one)

    assert (held, poller.ids()) == ([first], [second])


def test_a_claim_whose_answer_was_lost_is_told_again(desk: Desk, poller: Poller) -> None:
    sys_id = put(poller)
    poller.claim()
    poller.held.clear()
    again = poller.claim()

    assert [(row["row"], row["attempt"]) for row in again] == [(sys_id, 1)]
    assert len(claims(desk, sys_id)) == 1


def test_another_gets_neither_the_row_nor_a_later_one_of_its_session(poller: Poller) -> None:
    one, another = session(), session()
    put(poller, one)
    poller.claim()
    put(poller, one)
    free, apart = put(poller, another), put(poller)

    assert poller.other().ids() == [apart, free]


def test_calls_without_a_session_do_not_wait_for_each_other(poller: Poller) -> None:
    put(poller)
    poller.claim()
    free = put(poller)

    assert poller.other().ids() == [free]


def test_what_a_dead_poller_held_goes_to_another_and_is_lost_to_it(desk: Desk, poller: Poller) -> None:
    """P7 of the predecessor's poller: what a crash left in processing was never taken up again."""
    sys_id = put(poller, session())
    poller.claim()
    run_out(desk, sys_id)
    other = poller.other()
    taken = other.claim()
    told = poller.ask()

    assert [(row["row"], row["attempt"]) for row in taken] == [(sys_id, 2)]
    assert (told["lost"], told["rows"]) == ([sys_id], [])
    assert [claim["owner"] for claim in claims(desk, sys_id)] == [poller.owner, other.owner]


def test_a_lease_that_ran_out_is_renewed_while_nobody_took_the_row(desk: Desk, poller: Poller) -> None:
    sys_id = put(poller)
    poller.claim()
    run_out(desk, sys_id)
    told = poller.ask()

    assert (told["lost"], told["rows"]) == ([], [])
    assert claims(desk, sys_id)[0]["leased_until"] > LONG_AGO
    assert poller.other().ids() == []


def test_a_row_that_its_poller_lets_go_comes_again_once_its_lease_has_ended(
    desk: Desk, poller: Poller
) -> None:
    sys_id = put(poller)
    poller.claim()
    let_go = [{"row": sys_id, "attempt": 1, "expire": True}]
    assert poller.ask(held=let_go)["rows"] == []
    run_out(desk, sys_id)
    told = poller.ask(held=let_go)

    assert [(row["row"], row["attempt"]) for row in told["rows"]] == [(sys_id, 2)]


def test_a_row_that_was_never_claimed_is_no_lease(desk: Desk, poller: Poller) -> None:
    sys_id = put(poller, state="processed")
    poller.held = {sys_id: 1}

    assert poller.ask()["lost"] == [sys_id]
    assert claims(desk, sys_id) == []


def test_a_row_in_processing_without_a_claim_is_free(poller: Poller) -> None:
    sys_id = put(poller, state="processing")

    assert poller.ids() == [sys_id]


def test_a_call_is_given_up_after_five_attempts_and_answered(desk: Desk) -> None:
    """It is the instance that answers then, so that the user hears of it and no row is tried for ever."""
    given = desk.session()
    desk.call("alice", "POST", f"/sessions/{given}/commands", {"command": "hello"})
    sys_id = desk.last("command", given).sys_id
    taken = []
    for _ in range(6):
        rows = [row for row in Poller(desk, MID).claim(50) if row["row"] == sys_id]
        taken.append([row["attempt"] for row in rows])
        run_out(desk, *[claim["queue_row"] for claim in desk.rows("claim")])
    request = desk.rows("request", f"ecc_output={sys_id}")[0]
    input_row = answers(desk, sys_id)[0]

    assert taken == [[1], [2], [3], [4], [5], []]
    assert (request["state"], json.loads(request["answer"])["title"]) == ("failed", "No answer")
    assert (input_row["state"], "given up after 5 attempts" in input_row["error_string"]) == (
        "processed",
        True,
    )
    assert desk.queue.row(sys_id)["state"] == "processed"


# -- two at a time -------------------------------------------------------------------------------------------


def test_of_many_that_claim_at_once_each_row_goes_to_one_and_each_session_to_one(
    desk: Desk, poller: Poller
) -> None:
    """P3 and P6 of the predecessor's poller: two that overlapped read, and then both wrote."""
    sessions = [session() for _ in range(3)]
    rows = [(one, put(poller, one)) for _ in range(4) for one in sessions]
    pollers = [poller.other() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        taken = list(pool.map(lambda one: one.claim(50), pollers))

    flat = [row["row"] for part in taken for row in part]
    assert sorted(flat) == sorted(sys_id for _, sys_id in rows)
    for one in sessions:
        mine = [[row["row"] for row in part if row["order"] == one] for part in taken]
        assert [part for part in mine if part] == [[sys_id for given, sys_id in rows if given == one]]
    assert all(len(claims(desk, sys_id)) == 1 for sys_id in flat)


def test_who_loses_a_race_gets_no_later_row_of_that_session_either(desk: Desk, poller: Poller) -> None:
    """The other's claim came after this one had looked which claims there are."""
    one = session()
    put(poller, one)
    poller.claim()
    put(poller, one)
    free = put(poller, session())
    taken = desk.script(f"""
        (function (claims) {{
            claims._last = function () {{ return {{}}; }};
            return claims.take(10, []).map(function (row) {{ return row.row; }});
        }})(new ClaudeTerminalClaims('{poller.name}', 'late/0'))""")

    assert taken == [free]


def test_two_names_do_not_see_each_others_rows(desk: Desk, poller: Poller) -> None:
    desk.property("mids", f"{MID}, {poller.name}, poller-z")
    other = Poller(desk, "poller-z")
    own, others = put(poller), put(other)

    assert (poller.ids(), other.ids()) == ([own], [others])


# -- who, and what is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["alice", "keeper"])
@pytest.mark.parametrize("path", ["claim", "complete"])
def test_nobody_but_a_poller_claims_or_answers(desk: Desk, poller: Poller, path: str, user: str) -> None:
    sys_id = put(poller)
    row = {"row": sys_id, "attempt": 1}
    body = poller.claiming() if path == "claim" else poller.completing(row, said({}))
    answer = desk.call(user, "POST", f"/bridge/{path}", body)

    assert answer.status == 403, answer
    assert (claims(desk, sys_id), answers(desk, sys_id)) == ([], [])


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/sessions"),
        ("GET", "/mids"),
        ("GET", "/credentials"),
        ("POST", "/sessions"),
        ("POST", f"/mids/{MID}/key"),
    ],
    ids=lambda part: part.replace("/", " ").strip(),
)
def test_a_poller_does_nothing_that_users_do(desk: Desk, method: str, path: str) -> None:
    assert desk.call(POLLER_USER, method, path).status == 403


@pytest.mark.parametrize("table", ["ecc_queue", "x_claude_terminal_claim", "x_claude_terminal_session"])
def test_a_poller_reads_and_writes_no_table(desk: Desk, table: str) -> None:
    person = desk.instance.signed_in(POLLER_USER, desk.password)
    read = person.request("GET", f"/api/now/table/{table}")

    assert read.status_code == 403 or read.json()["result"] == []
    assert person.request("POST", f"/api/now/table/{table}", json={}).status_code == 403


def test_a_name_that_is_not_set_up_is_refused(desk: Desk) -> None:
    answer = Poller(desk, "stranger").post("claim", Poller(desk, "stranger").claiming())

    assert (answer.status, answer.body["error"]["title"]) == (422, "Unknown poller")
    assert desk.rows("mid_status", "mid_name=stranger") == []


def broken(answer: Answer) -> list[str]:
    """Return the names of the fields that were refused."""
    assert answer.status == 422, answer
    return sorted({error["field"] for error in answer.body["error"]["errors"]})


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"limit": -1}, "limit", id="limit below"),
        pytest.param({"limit": 51}, "limit", id="limit above"),
        pytest.param({"limit": 1.5}, "limit", id="limit broken"),
        pytest.param({"limit": "1"}, "limit", id="limit text"),
        pytest.param({"limit": None}, "limit", id="limit missing"),
        pytest.param({"name": ""}, "name", id="name empty"),
        pytest.param({"name": 5}, "name", id="name number"),
        pytest.param({"owner": "a\nb"}, "owner", id="owner with a line break"),
        pytest.param({"owner": "x" * 101}, "owner", id="owner too long"),
        pytest.param({"version": "1 0"}, "version", id="version with a space"),
        pytest.param({"look": "yes"}, "look", id="look text"),
        pytest.param({"held": {}}, "held", id="held no list"),
        pytest.param({"held": [5]}, "held", id="held numbers"),
        pytest.param({"held": [{"row": "x", "attempt": 1}]}, "held", id="held no sys_id"),
        pytest.param({"held": [{"row": "0" * 32, "attempt": 0}]}, "held", id="held no attempt"),
        pytest.param({"held": [{"row": "0" * 32, "attempt": 1}] * 201}, "held", id="held too many"),
        pytest.param({"surprise": 1}, "surprise", id="unknown"),
    ],
)
def test_a_claim_with_rubbish_in_it_is_refused(desk: Desk, change: Json, field: str) -> None:
    one = Poller(desk, MID)

    assert broken(one.post("claim", one.claiming() | change)) == [field]


@pytest.mark.parametrize("path", ["claim", "complete"])
@pytest.mark.parametrize("body", [b"[]", b'"x"', b"{", b"\xff\xfe"], ids=["list", "text", "cut off", "bytes"])
def test_a_body_that_is_no_object_is_refused(desk: Desk, path: str, body: bytes) -> None:
    person = desk.instance.signed_in(POLLER_USER, desk.password)
    url = f"/api/x_claude_terminal/v1/bridge/{path}"
    answer = person.request("POST", url, data=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400, answer.text


def test_to_look_writes_nothing(desk: Desk, poller: Poller) -> None:
    sys_id = put(poller)
    told = poller.ask(look=True)

    assert (told["rows"], told["lost"], told["leaseSeconds"]) == ([], [], 30)
    assert (claims(desk, sys_id), desk.queue.row(sys_id)["state"]) == ([], "ready")
    assert desk.rows("mid_status", f"mid_name={poller.name}") == []


# -- in the course of time -----------------------------------------------------------------------------------


def test_a_call_that_was_withdrawn_is_taken_by_nobody(desk: Desk) -> None:
    """Its claim is the instance's own, so that a poller that comes in this moment loses."""
    given = desk.session()
    desk.call("alice", "POST", f"/sessions/{given}/commands", {"command": "hello"})
    sys_id = desk.last("command", given).sys_id
    desk.change("request", f"ecc_output={sys_id}", sys_created_on=LONG_AGO)
    desk.instance.run_job("claude-terminal-pump-watchdog")
    request = desk.rows("request", f"ecc_output={sys_id}")[0]

    assert (request["state"], "nothing was done" in request["answer"]) == ("failed", True)
    assert [claim["owner"] for claim in claims(desk, sys_id)] == ["withdrawn"]
    assert sys_id not in Poller(desk, MID).ids(50)


def test_old_claims_go_and_young_ones_stay(desk: Desk, poller: Poller) -> None:
    old, young = put(poller), put(poller)
    poller.claim()
    desk.change("claim", f"queue_row={old}", sys_created_on=LONG_AGO)
    desk.instance.run_job("claude-terminal-expiry")

    assert (claims(desk, old), len(claims(desk, young))) == ([], 1)


def test_a_row_that_rotated_away_is_answered_by_nobody(desk: Desk, poller: Poller) -> None:
    put(poller)
    row = poller.claim()[0]
    desk.instance.script(
        f"(function (row) {{ row.get('{row['row']}'); row.autoSysFields(false);"
        f"row.setValue('sys_created_on', '{LONG_AGO}'); row.setWorkflow(false); row.update(); }})"
        "(new GlideRecord('ecc_queue'))"
    )
    desk.instance.run_job("ECC Queue - rotation")
    done = poller.answer(row, said({}))

    assert (done.status, answers(desk, row["row"])) == (404, [])
    assert poller.ids() == []


def unwanted(desk: Desk) -> None:
    """Let it be long ago that a user wanted anything."""
    desk.change("mid_status", "bridge=poller", wanted_at=LONG_AGO)


def test_a_claim_tells_how_many_sessions_of_its_own_are_watched(desk: Desk) -> None:
    unwanted(desk)
    before = Poller(desk, MID).ask(0)["viewers"]
    given = desk.session()
    desk.call("alice", "POST", f"/sessions/{given}/viewers", {})
    during = Poller(desk, MID).ask(0)["viewers"]
    desk.change("session", f"session_id={given}", viewed_at=LONG_AGO)
    unwanted(desk)

    assert (before, during, Poller(desk, MID).ask(0)["viewers"]) == (0, 1, 0)


@pytest.mark.parametrize("path", ["/mids", "/sessions"])
def test_a_user_who_begins_counts_as_one_who_watches(desk: Desk, path: str) -> None:
    """Otherwise each step to the first session would wait for the poller's longest pause."""
    unwanted(desk)
    before = Poller(desk, MID).ask(0)["viewers"]

    desk.call("alice", "GET" if path == "/mids" else "POST", path, None if path == "/mids" else {})

    assert (before, Poller(desk, MID).ask(0)["viewers"]) == (0, 1)


def test_a_health_check_is_no_user(desk: Desk) -> None:
    unwanted(desk)
    check_health(desk.instance)

    assert Poller(desk, MID).ask(0)["viewers"] == 0


def test_a_key_goes_to_a_poller_sealed(desk: Desk) -> None:
    """P10 of the predecessor's poller: its rows held the user's API key in clear."""
    body = {"mid": MID, "sealed": SEALED, "hint": "wxyz", "kid": KID}
    made = desk.call("bob", "POST", "/credentials", body)
    assert made.status == 202, made
    sys_id = desk.last("credential.store").sys_id
    row = next(row for row in Poller(desk, MID).claim(50) if row["row"] == sys_id)
    values = {item.attrib["name"]: item.attrib["value"] for item in ET.fromstring(row["payload"])}

    assert set(values) == {"skip_sensor", "v", "op", "user", "session", "key", "body"}
    assert json.loads(base64.b64decode(values["body"])) == {"userId": desk.users["bob"], "sealed": SEALED}


def test_what_users_typed_is_claimed_in_their_order(desk: Desk) -> None:
    given = desk.session()
    for text in ("one", "two", "three"):
        assert desk.call("alice", "POST", f"/sessions/{given}/commands", {"command": text}).status == 202
    rows: list[Any] = [row for row in Poller(desk, MID).claim(50) if row["order"] == given]
    bodies = [
        json.loads(base64.b64decode(parameter.attrib["value"]))["command"]
        for row in rows
        for parameter in ET.fromstring(row["payload"])
        if parameter.attrib["name"] == "body"
    ]

    assert bodies == ["one", "two", "three"]
