"""Answers of a poller: exactly one for each call, from whoever has the lease, and never a second one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4
from xml.etree import ElementTree as ET

import pytest

from tests.fixtures.servicenow import MID
from tests.servicenow.conftest import Desk
from tests.servicenow.poller import (
    Json,
    Poller,
    answers,
    claims,
    newcomer,
    put,
    refused,
    run_out,
    said,
    switched,
)

DONE = said({"accepted": True, "submitted": True, "cursor": 0, "output": None})


@pytest.fixture(scope="module", autouse=True)
def _pollers(desk: Desk) -> None:
    """Let the app use pollers."""
    switched(desk)


@pytest.fixture
def poller(desk: Desk) -> Poller:
    """Return a poller whose part of the queue is empty."""
    return newcomer(desk)


def typed(desk: Desk) -> tuple[Poller, Json]:
    """Let a user type; return the poller that took the call, and the row."""
    given = desk.session()
    made = desk.call("alice", "POST", f"/sessions/{given}/commands", {"command": "hello"})
    assert made.status == 202, made
    poller = Poller(desk, MID)
    return poller, next(row for row in poller.claim(50) if row["order"] == given)


def request_of(desk: Desk, row: Json) -> dict[str, str]:
    """Return the request behind a row."""
    return desk.rows("request", f"ecc_output={row['row']}")[0]


def test_an_answer_is_one_input_row_as_a_mid_server_would_post_it(desk: Desk) -> None:
    """P4 and P5: no column `output` is written, and the answer is an input that says what it responds to."""
    poller, row = typed(desk)
    done = poller.answer(row, DONE)
    output, (answer,) = desk.queue.row(row["row"]), answers(desk, row["row"])

    assert (done.status, done.body) == (200, {"state": "answered"})
    assert (answer["queue"], answer["state"], answer["error_string"]) == ("input", "processed", "")
    for column in ("agent", "topic", "name", "source", "agent_correlator", "priority"):
        assert answer[column] == output[column]
    assert output["state"] == "processed"
    assert request_of(desk, row)["state"] == "done"


def test_the_answer_carries_the_calls_parameters_and_nothing_of_the_poller(desk: Desk) -> None:
    poller, row = typed(desk)
    poller.answer(row, DONE)
    payload = ET.fromstring(answers(desk, row["row"])[0]["payload"])
    sent = [parameter.attrib for parameter in ET.fromstring(row["payload"])]

    assert payload.findtext("result/output") == DONE
    assert [parameter.attrib for parameter in payload.findall("parameters/parameter")] == sent


def test_what_went_wrong_stands_in_its_own_column(desk: Desk) -> None:
    """P9 of the predecessor's poller: the error's text came in `output`, and error_string stayed empty."""
    poller, row = typed(desk)
    poller.answer(
        row, refused(502, "Sidecar not reachable", "It does not answer."), "Sidecar not reachable: x"
    )
    answer = answers(desk, row["row"])[0]

    assert (answer["state"], answer["error_string"]) == ("processed", "Sidecar not reachable: x")
    assert (request_of(desk, row)["state"], request_of(desk, row)["status"]) == ("failed", "502")


def test_a_repeat_is_told_the_same_and_changes_nothing(desk: Desk) -> None:
    poller, row = typed(desk)
    first = poller.answer(row, DONE)
    before = (request_of(desk, row), answers(desk, row["row"]))
    again = poller.answer(row, refused(502, "Other", "Another answer."), "Other: x")

    assert (first.status, again.status, again.body) == (200, 200, {"state": "answered"})
    assert (request_of(desk, row), answers(desk, row["row"])) == before


def test_answers_at_the_same_moment_are_one(desk: Desk) -> None:
    poller, row = typed(desk)
    with ThreadPoolExecutor(6) as pool:
        told = list(pool.map(lambda _: poller.post("complete", poller.completing(row, DONE)), range(6)))

    assert [answer.status for answer in told] == [200] * 6
    assert len(answers(desk, row["row"])) == 1
    assert request_of(desk, row)["state"] == "done"


def test_who_wakes_after_another_took_over_is_told_that_its_lease_is_lost(desk: Desk) -> None:
    poller, row = typed(desk)
    run_out(desk, row["row"])
    other = poller.other()
    taken = next(one for one in other.claim(50) if one["row"] == row["row"])
    late = poller.answer(row, DONE)

    assert (late.status, late.body["error"]["title"]) == (409, "Lease lost")
    assert answers(desk, row["row"]) == []
    assert other.answer(taken, DONE).status == 200
    assert poller.answer(row, DONE).status == 409
    assert len(answers(desk, row["row"])) == 1


def test_a_lease_that_ran_out_unnoticed_still_counts(desk: Desk) -> None:
    poller, row = typed(desk)
    run_out(desk, row["row"])

    assert poller.answer(row, DONE).status == 200
    assert len(answers(desk, row["row"])) == 1


def test_an_answer_that_came_another_way_stays_the_only_one(desk: Desk, poller: Poller) -> None:
    """As when the table rotated in between, so that no key refuses the second."""
    put(poller)
    row = poller.claim()[0]
    there = {"agent": f"claude.poller.{poller.name}", "topic": "ClaudeTerminal", "queue": "input"}
    desk.instance.table("ecc_queue").insert(**there, name="another", state="ready", response_to=row["row"])
    desk.instance.table("ecc_queue").update(row["row"], state="processing")

    assert poller.answer(row, DONE).status == 200
    assert [answer["name"] for answer in answers(desk, row["row"])] == ["another"]
    assert desk.queue.row(row["row"])["state"] == "processed"
    assert poller.ids() == []


def test_the_key_of_an_answer_follows_from_its_calls(desk: Desk, poller: Poller) -> None:
    """So the table's own key refuses the second, whatever happens at the same moment."""
    put(poller, session := str(uuid4()))
    row = poller.claim()[0]
    key = "".join(f"{15 - int(digit, 16):x}" for digit in row["row"])
    poller.answer(row, DONE)

    assert row["order"] == session
    assert [answer["sys_id"] for answer in answers(desk, row["row"])] == [key]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"attempt": 2}, id="another attempt"),
        pytest.param({"row": "0" * 32}, id="another row"),
        pytest.param({"owner": "somebody/else"}, id="another owner"),
    ],
)
def test_what_was_not_claimed_is_not_answered(desk: Desk, poller: Poller, change: Json) -> None:
    sys_id = put(poller)
    row = poller.claim()[0]
    done = poller.post("complete", poller.completing(row, DONE) | change)

    assert (done.status, answers(desk, sys_id)) == (404, [])
    assert desk.queue.row(sys_id)["state"] == "processing"


def test_the_claim_of_one_name_answers_nothing_for_another(desk: Desk, poller: Poller) -> None:
    put(poller)
    row = poller.claim()[0]
    done = poller.post("complete", poller.completing(row, DONE) | {"name": "stranger"})

    assert (done.status, answers(desk, row["row"])) == (422, [])


@pytest.mark.parametrize(
    ("change", "field"),
    [
        pytest.param({"output": "%%%%"}, "output", id="output no base64"),
        pytest.param({"output": "abc"}, "output", id="output cut off"),
        pytest.param({"output": "<x>="}, "output", id="output XML"),
        pytest.param({"output": "A" * 131_076}, "output", id="output too long"),
        pytest.param({"output": None}, "output", id="output missing"),
        pytest.param({"error": 5}, "error", id="error number"),
        pytest.param({"error": "x" * 4001}, "error", id="error too long"),
        pytest.param({"row": "x"}, "row", id="row no sys_id"),
        pytest.param({"row": "javascript:gs.info('x')"}, "row", id="row a script"),
        pytest.param({"attempt": "1"}, "attempt", id="attempt text"),
        pytest.param({"attempt": 0}, "attempt", id="attempt none"),
        pytest.param({"surprise": 1}, "surprise", id="unknown"),
    ],
)
def test_an_answer_with_rubbish_around_it_is_refused(
    desk: Desk, poller: Poller, change: dict[str, Any], field: str
) -> None:
    sys_id = put(poller)
    row = poller.claim()[0]
    done = poller.post("complete", poller.completing(row, DONE) | change)

    assert done.status == 422, done
    assert {error["field"] for error in done.body["error"]["errors"]} == {field}
    assert (answers(desk, sys_id), len(claims(desk, sys_id))) == ([], 1)


def test_the_longest_answer_arrives(desk: Desk, poller: Poller) -> None:
    put(poller)
    row = poller.claim()[0]
    longest = "A" * 131_072

    assert poller.answer(row, longest).status == 200
    payload = ET.fromstring(answers(desk, row["row"])[0]["payload"])
    assert payload.findtext("result/output") == longest


def test_an_answer_that_makes_no_sense_fails_the_call(desk: Desk) -> None:
    poller, row = typed(desk)
    poller.answer(row, "AAAA")

    assert answers(desk, row["row"])[0]["state"] == "error"
    assert request_of(desk, row)["state"] == "failed"


def test_a_forged_agent_answers_nothing(desk: Desk) -> None:
    """A call that went to a poller is answered from there, and not by a MID Server of the same name."""
    _, row = typed(desk)
    forged = desk.instance.table("ecc_queue").insert(
        agent=f"mid.server.{MID}",
        topic="JavascriptProbe",
        name="ClaudeTerminalProbe",
        queue="input",
        state="ready",
        response_to=row["row"],
        payload=f"<results><result><output>{DONE}</output></result></results>",
    )

    assert desk.queue.row(forged["sys_id"])["error_string"] == "This answers no call of the application."
    assert request_of(desk, row)["state"] == "queued"
