"""Rows come, are done at the sidecar, and are answered; in order within a session, side by side across them."""

from __future__ import annotations

import json

import pytest

from sidecar import __version__
from tests.fixtures.probe import Request
from tests.integration.poller.conftest import NAME, TOKEN, Site
from tests.integration.poller.stub import CLAIM, COMPLETE, problem
from tests.unit.poller.payload import KEY, USER, payload
from tests.waiting import until


def keys(requests: list[Request]) -> list[str]:
    return [request.headers["Idempotency-Key"] for request in requests]


def test_a_row_becomes_a_call_and_an_answer(site: Site) -> None:
    site.sidecar.reply = b'{"state":"running"}'
    site.start()
    site.give("a", order="s")
    assert site.answered("a")

    (request,) = site.sidecar.requests
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert (request.headers["X-User-ID"], request.headers["Idempotency-Key"]) == (USER, KEY)
    assert site.instance.answers()["a" * 32] == {
        "v": 1,
        "ok": True,
        "status": 200,
        "body": {"state": "running"},
    }
    (done,) = site.instance.of(COMPLETE)
    assert (done["name"], done["attempt"], done["error"]) == (NAME, 1, "")


def test_it_says_who_it_is_and_what_it_holds(site: Site) -> None:
    site.sidecar.free.clear()
    site.start()
    site.give("a", order="s", attempt=2)
    assert until(lambda: site.sidecar.requests)
    asked = len(site.instance.of(CLAIM))
    assert until(lambda: len(site.instance.of(CLAIM)) > asked + 1)

    first, last = site.instance.of(CLAIM)[0], site.instance.of(CLAIM)[-1]
    owner, _, run = first["owner"].partition("/")
    assert (owner, len(run), int(run, 16) >= 0) == (NAME, 16, True)
    assert (first["name"], first["version"], first["held"], first["limit"]) == (NAME, __version__, [], 8)
    assert (last["held"], last["limit"]) == ([{"row": "a" * 32, "attempt": 2}], 7)
    assert (first["look"], first["leaving"]) == (False, False)


def test_two_runs_of_one_poller_have_different_owners(site: Site) -> None:
    for _ in range(2):
        site.start()
        site.stop()
        site.join()

    owners = {body["owner"] for body in site.instance.of(CLAIM)}
    assert len(owners) == 2


def test_rows_of_a_session_wait_for_each_other_and_different_sessions_do_not(site: Site) -> None:
    site.sidecar.free.clear()
    site.start()
    for row, order in (("1", "s"), ("2", "s"), ("3", "s"), ("4", "t"), ("5", "")):
        site.give(row, order=order, key=row)
    assert until(lambda: len(site.sidecar.requests) == 3)
    assert sorted(keys(site.sidecar.requests)) == ["1", "4", "5"]

    site.sidecar.free.set()
    assert site.answered("1", "2", "3", "4", "5")
    assert [key for key in keys(site.sidecar.requests) if key in "123"] == ["1", "2", "3"]
    rows = [body["row"][0] for body in site.instance.of(COMPLETE)]
    assert [row for row in rows if row in "123"] == ["1", "2", "3"]


def test_the_next_row_of_a_session_waits_for_the_answer_of_the_first(site: Site) -> None:
    """An answer that is not in the queue yet may have to be given by somebody else."""
    site.instance.next[COMPLETE] = [problem(503, "Busy")]
    site.start()
    site.give("1", order="s", key="1")
    site.give("2", order="s", key="2")
    assert site.answered("1", "2")

    what = [asked.body.get("row", "")[:1] for asked in site.instance.asked if asked.what == COMPLETE]
    assert what == ["1", "1", "2"]


def test_no_more_is_claimed_than_the_workers_need(site: Site) -> None:
    site.sidecar.free.clear()
    site.start()
    for number in range(12):
        site.give(f"{number:x}", key=str(number))
    assert until(lambda: site.instance.of(CLAIM)[-1]["limit"] == 0)

    assert len(site.sidecar.requests) <= 4
    assert len(site.instance.rows) == 4
    site.sidecar.free.set()
    assert site.answered(*(f"{number:x}" for number in range(12)))


def test_a_claim_may_bring_as_much_as_users_can_type(site: Site) -> None:
    names = [f"{number:02x}" for number in range(50)]
    site.environment["POLLER_WORKERS"] = "25"
    for name in names:
        site.instance.rows.append(
            {
                "row": name * 16,
                "attempt": 1,
                "order": "",
                "payload": payload("command", {"command": "x" * 100_000}, key=name),
            }
        )
    site.start()
    assert until(lambda: site.instance.answers().keys() == {name * 16 for name in names})


# -- rows that are not right -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "garbage",
    [
        *(None, "", "<", "<!DOCTYPE x><x/>", "\u0000", "<parameters/>", "\ud800", "x" * 5000),
        '<?xml version="1.0" encoding="hex"?><parameters/>',
    ],
    ids=["too long", "empty", "broken", "doctype", "nul", "nothing in it", "half", "text", "encoding"],
)
def test_a_row_with_garbage_in_it_is_answered_as_an_error(site: Site, garbage: str | None) -> None:
    site.start()
    site.instance.rows.append({"row": "a" * 32, "attempt": 1, "order": "s", "payload": garbage})
    assert site.answered("a")

    answer = site.instance.answers()["a" * 32]
    assert (answer["ok"], answer["status"], answer["problem"]["title"]) == (False, 422, "Bad request")
    assert site.instance.of(COMPLETE)[0]["error"].startswith("Bad request: ")
    assert site.sidecar.requests == []


def test_an_answer_that_is_too_large_is_answered_as_an_error(site: Site) -> None:
    site.sidecar.reply = json.dumps({"data": "x" * 131_072}).encode()
    site.start()
    site.give("a")
    assert site.answered("a")

    (done,) = site.instance.of(COMPLETE)
    assert len(done["output"]) <= 131_072
    assert done["error"].startswith("Answer too large: ")


def test_a_sidecar_that_is_away_is_an_answer_and_no_second_try(site: Site) -> None:
    site.environment["POLLER_SIDECAR_URL"] = "http://127.0.0.1:1"
    site.start()
    site.give("a", order="s")
    site.give("b", order="s")
    assert site.answered("a", "b")

    assert len(site.instance.of(COMPLETE)) == 2
    assert {answer["status"] for answer in site.instance.answers().values()} == {502}


def test_a_sidecar_that_does_not_answer_in_time_is_an_answer(site: Site) -> None:
    site.sidecar.free.clear()
    site.start()
    site.give("a", "command")
    assert until(lambda: site.sidecar.requests)
    site.clock.stood_s += 3600
    site.sidecar.free.set()
    assert site.answered("a")

    problem = site.instance.answers()["a" * 32]["problem"]
    assert (problem["status"], problem["title"]) == (504, "Sidecar timed out")
    assert "Whether it was done is not known." in problem["detail"]
