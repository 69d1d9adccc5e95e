"""What is not ours any more is not begun, and what was begun is answered by whoever has it."""

from __future__ import annotations

import threading

from tests.integration.poller.conftest import Bench
from tests.integration.poller.stub import CLAIM, COMPLETE, problem
from tests.waiting import until


def test_a_row_whose_lease_ran_out_is_not_begun(bench: Bench) -> None:
    """The poller stood still: what waited in it may be somebody else's by now."""
    bench.sidecar.free.clear()
    bench.start()
    bench.give("1", order="s", key="1")
    bench.give("2", order="s", key="2")
    assert until(lambda: bench.sidecar.requests)
    bench.instance.gates[CLAIM] = threading.Event()
    asked = len(bench.instance.of(CLAIM))
    assert until(lambda: len(bench.instance.of(CLAIM)) > asked)

    bench.clock.stood_s += 31
    bench.sidecar.free.set()
    assert bench.answered("1")
    bench.instance.gates[CLAIM].set()
    assert until(lambda: bench.instance.of(CLAIM)[-1]["held"] == [])

    assert [request.headers["Idempotency-Key"] for request in bench.sidecar.requests] == ["1"]
    assert bench.instance.answers().keys() == {"1" * 32}


def test_a_row_that_somebody_else_has_is_not_begun(bench: Bench) -> None:
    bench.sidecar.free.clear()
    bench.start()
    for row in "123":
        bench.give(row, order="s", key=row)
    assert until(lambda: len(bench.instance.of(CLAIM)[-1]["held"]) == 3)
    bench.instance.lost = ["2" * 32]
    assert until(lambda: not bench.instance.lost)
    asked = len(bench.instance.of(CLAIM))
    assert until(lambda: len(bench.instance.of(CLAIM)) > asked)
    bench.sidecar.free.set()
    assert bench.answered("1")
    assert until(lambda: bench.instance.of(CLAIM)[-1]["held"] == [])

    assert [request.headers["Idempotency-Key"] for request in bench.sidecar.requests] == ["1"]


def test_an_answer_that_comes_too_late_is_thrown_away_with_what_waits_behind_it(bench: Bench) -> None:
    """Whoever has the first row now has to do it before the second."""
    bench.instance.always[COMPLETE] = problem(409, "Lease lost")
    bench.start()
    bench.give("1", order="s", key="1")
    bench.give("2", order="s", key="2")
    assert until(lambda: bench.instance.of(COMPLETE))
    assert until(lambda: bench.instance.of(CLAIM)[-1]["held"] == [])

    assert len(bench.instance.of(COMPLETE)) == 1
    assert len(bench.sidecar.requests) == 1


def test_a_lease_lasts_while_the_row_is_in_work(bench: Bench) -> None:
    bench.sidecar.free.clear()
    bench.start()
    bench.give("1", order="s")
    bench.give("2", order="s")
    assert until(lambda: len(bench.instance.of(CLAIM)[-1]["held"]) == 2)
    for _ in range(3):
        bench.clock.stood_s += 10
        asked = len(bench.instance.of(CLAIM))
        assert until(lambda asked=asked: len(bench.instance.of(CLAIM)) > asked + 1)  # type: ignore[misc]
    bench.sidecar.free.set()

    assert bench.answered("1", "2")


def test_a_row_that_is_given_again_while_it_is_in_work_is_done_once(bench: Bench) -> None:
    """The answer to a claim may have been lost; the instance then gives its rows again."""
    bench.sidecar.free.clear()
    bench.start()
    bench.give("1", order="s")
    assert until(lambda: bench.sidecar.requests)
    bench.give("1", order="s")
    assert until(lambda: not bench.instance.rows)
    bench.sidecar.free.set()
    assert bench.answered("1")
    assert until(lambda: bench.instance.of(CLAIM)[-1]["held"] == [])

    assert len(bench.sidecar.requests) == len(bench.instance.of(COMPLETE)) == 1


def test_an_answer_the_instance_does_not_take_is_replaced_by_one_it_does(bench: Bench) -> None:
    """Something has to be answered, or the row would come again and again."""
    bench.instance.next[COMPLETE] = [problem(422, "Invalid request")]
    bench.start()
    bench.give("1", order="s")
    assert until(lambda: len(bench.instance.of(COMPLETE)) == 2)

    answer = bench.instance.answers()["1" * 32]
    assert (answer["status"], answer["problem"]["title"]) == (502, "Answer not taken")
