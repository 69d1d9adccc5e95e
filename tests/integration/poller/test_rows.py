"""Rows come, are done at the sidecar, and are answered; in order within a session, side by side across them."""

from __future__ import annotations

import json

import pytest

from sidecar import __version__
from tests.fixtures.probe import Request
from tests.integration.poller.conftest import NAME, TOKEN, Bench
from tests.integration.poller.stub import CLAIM, COMPLETE, problem
from tests.unit.poller.payload import KEY, USER
from tests.waiting import until


def keys(requests: list[Request]) -> list[str]:
    return [request.headers["Idempotency-Key"] for request in requests]


def test_a_row_becomes_a_call_and_an_answer(bench: Bench) -> None:
    bench.sidecar.reply = b'{"state":"running"}'
    bench.start()
    bench.give("a", order="s")
    assert bench.answered("a")

    (request,) = bench.sidecar.requests
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    assert (request.headers["X-User-ID"], request.headers["Idempotency-Key"]) == (USER, KEY)
    assert bench.instance.answers()["a" * 32] == {
        "v": 1,
        "ok": True,
        "status": 200,
        "body": {"state": "running"},
    }
    (done,) = bench.instance.of(COMPLETE)
    assert (done["name"], done["attempt"], done["error"]) == (NAME, 1, "")


def test_it_says_who_it_is_and_what_it_holds(bench: Bench) -> None:
    bench.sidecar.free.clear()
    bench.start()
    bench.give("a", order="s", attempt=2)
    assert until(lambda: bench.sidecar.requests)
    asked = len(bench.instance.of(CLAIM))
    assert until(lambda: len(bench.instance.of(CLAIM)) > asked + 1)

    first, last = bench.instance.of(CLAIM)[0], bench.instance.of(CLAIM)[-1]
    owner, _, run = first["owner"].partition("/")
    assert (owner, len(run), int(run, 16) >= 0) == (NAME, 16, True)
    assert (first["name"], first["version"], first["held"], first["limit"]) == (NAME, __version__, [], 8)
    assert (last["held"], last["limit"]) == ([{"row": "a" * 32, "attempt": 2}], 7)
    assert (first["look"], first["leaving"]) == (False, False)


def test_two_runs_of_one_poller_have_different_owners(bench: Bench) -> None:
    for _ in range(2):
        bench.start()
        bench.stop()
        bench.join()

    owners = {body["owner"] for body in bench.instance.of(CLAIM)}
    assert len(owners) == 2


def test_rows_of_a_session_wait_for_each_other_and_different_sessions_do_not(bench: Bench) -> None:
    bench.sidecar.free.clear()
    bench.start()
    for row, order in (("1", "s"), ("2", "s"), ("3", "s"), ("4", "t"), ("5", "")):
        bench.give(row, order=order, key=row)
    assert until(lambda: len(bench.sidecar.requests) == 3)
    assert sorted(keys(bench.sidecar.requests)) == ["1", "4", "5"]

    bench.sidecar.free.set()
    assert bench.answered("1", "2", "3", "4", "5")
    assert [key for key in keys(bench.sidecar.requests) if key in "123"] == ["1", "2", "3"]
    rows = [body["row"][0] for body in bench.instance.of(COMPLETE)]
    assert [row for row in rows if row in "123"] == ["1", "2", "3"]


def test_the_next_row_of_a_session_waits_for_the_answer_of_the_first(bench: Bench) -> None:
    """An answer that is not in the queue yet may have to be given by somebody else."""
    bench.instance.next[COMPLETE] = [problem(503, "Busy")]
    bench.start()
    bench.give("1", order="s", key="1")
    bench.give("2", order="s", key="2")
    assert bench.answered("1", "2")

    what = [asked.body.get("row", "")[:1] for asked in bench.instance.asked if asked.what == COMPLETE]
    assert what == ["1", "1", "2"]


def test_no_more_is_claimed_than_the_workers_need(bench: Bench) -> None:
    bench.sidecar.free.clear()
    bench.start()
    for number in range(12):
        bench.give(f"{number:x}", key=str(number))
    assert until(lambda: bench.instance.of(CLAIM)[-1]["limit"] == 0)

    assert len(bench.sidecar.requests) <= 4
    assert len(bench.instance.rows) == 4
    bench.sidecar.free.set()
    assert bench.answered(*(f"{number:x}" for number in range(12)))


# -- rows that are not right -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "garbage",
    [None, "", "<", "<!DOCTYPE x><x/>", "\u0000", "<parameters/>", "\ud800", "x" * 5000],
    ids=["too long", "empty", "broken", "doctype", "nul", "nothing in it", "half", "text"],
)
def test_a_row_with_garbage_in_it_is_answered_as_an_error(bench: Bench, garbage: str | None) -> None:
    bench.start()
    bench.instance.rows.append({"row": "a" * 32, "attempt": 1, "order": "s", "payload": garbage})
    assert bench.answered("a")

    answer = bench.instance.answers()["a" * 32]
    assert (answer["ok"], answer["status"], answer["problem"]["title"]) == (False, 422, "Bad request")
    assert bench.instance.of(COMPLETE)[0]["error"].startswith("Bad request: ")
    assert bench.sidecar.requests == []


def test_an_answer_that_is_too_large_is_answered_as_an_error(bench: Bench) -> None:
    bench.sidecar.reply = json.dumps({"data": "x" * 131_072}).encode()
    bench.start()
    bench.give("a")
    assert bench.answered("a")

    (done,) = bench.instance.of(COMPLETE)
    assert len(done["output"]) <= 131_072
    assert done["error"].startswith("Answer too large: ")


def test_a_sidecar_that_is_away_is_an_answer_and_no_second_try(bench: Bench) -> None:
    bench.environment["POLLER_SIDECAR_URL"] = "http://127.0.0.1:1"
    bench.start()
    bench.give("a", order="s")
    bench.give("b", order="s")
    assert bench.answered("a", "b")

    assert len(bench.instance.of(COMPLETE)) == 2
    assert {answer["status"] for answer in bench.instance.answers().values()} == {502}


def test_a_sidecar_that_does_not_answer_in_time_is_an_answer(bench: Bench) -> None:
    bench.sidecar.free.clear()
    bench.start()
    bench.give("a", "command")
    assert until(lambda: bench.sidecar.requests)
    bench.clock.stood_s += 3600
    bench.sidecar.free.set()
    assert bench.answered("a")

    problem = bench.instance.answers()["a" * 32]["problem"]
    assert (problem["status"], problem["title"]) == (504, "Sidecar timed out")
    assert "Whether it was done is not known." in problem["detail"]
