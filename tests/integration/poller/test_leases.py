"""What is not ours any more is not begun, and what was begun is answered by whoever has it."""

from __future__ import annotations

import threading

from tests.integration.poller.conftest import Site
from tests.integration.poller.stub import CLAIM, COMPLETE, problem
from tests.waiting import until


def test_a_row_whose_lease_ran_out_is_not_begun(site: Site) -> None:
    """The poller stood still: what waited in it may be somebody else's by now."""
    site.sidecar.free.clear()
    site.start()
    site.give("1", order="s", key="1")
    site.give("2", order="s", key="2")
    assert until(lambda: site.sidecar.requests)
    site.instance.gates[CLAIM] = threading.Event()
    asked = len(site.instance.of(CLAIM))
    assert until(lambda: len(site.instance.of(CLAIM)) > asked)

    site.clock.stood_s += 31
    site.sidecar.free.set()
    assert site.answered("1")
    site.instance.gates[CLAIM].set()
    assert until(lambda: site.instance.of(CLAIM)[-1]["held"] == [])

    assert [request.headers["Idempotency-Key"] for request in site.sidecar.requests] == ["1"]
    assert site.instance.answers().keys() == {"1" * 32}


def test_after_an_outage_that_is_longer_than_the_lease_the_order_is_kept(site: Site) -> None:
    """The claim that ends the outage brings the third row, while the second is let go."""
    site.sidecar.free.clear()
    site.start()
    site.give("1", order="s", key="1")
    site.give("2", order="s", key="2")
    assert until(lambda: len(site.instance.of(CLAIM)[-1]["held"]) == 2)
    assert until(lambda: site.sidecar.requests)
    site.instance.always[CLAIM] = problem(503, "Service unavailable")
    assert until(lambda: site.poller._away)
    site.clock.stood_s += 31
    site.instance.gates[CLAIM] = threading.Event()
    asked = len(site.instance.of(CLAIM))
    assert until(lambda: len(site.instance.of(CLAIM)) > asked)
    del site.instance.always[CLAIM]

    site.sidecar.free.set()
    assert site.answered("1")
    site.give("3", order="s", key="3")
    assert until(lambda: site.poller.lanes.held() == [])
    site.instance.gates[CLAIM].set()
    assert until(lambda: site.instance.of(CLAIM)[-1]["held"] == [])
    site.give("2", order="s", key="2")
    site.give("3", order="s", key="3")
    assert site.answered("2", "3")

    assert [request.headers["Idempotency-Key"] for request in site.sidecar.requests] == ["1", "2", "3"]


def test_a_row_that_somebody_else_has_is_not_begun(site: Site) -> None:
    site.sidecar.free.clear()
    site.start()
    for row in "123":
        site.give(row, order="s", key=row)
    assert until(lambda: len(site.instance.of(CLAIM)[-1]["held"]) == 3)
    site.instance.lost = ["2" * 32]
    assert until(lambda: not site.instance.lost)
    asked = len(site.instance.of(CLAIM))
    assert until(lambda: len(site.instance.of(CLAIM)) > asked)
    site.sidecar.free.set()
    assert site.answered("1")
    assert until(lambda: site.instance.of(CLAIM)[-1]["held"] == [])

    assert [request.headers["Idempotency-Key"] for request in site.sidecar.requests] == ["1"]


def test_an_answer_that_comes_too_late_is_thrown_away_with_what_waits_behind_it(site: Site) -> None:
    """Whoever has the first row now has to do it before the second."""
    site.instance.always[COMPLETE] = problem(409, "Lease lost")
    site.start()
    site.give("1", order="s", key="1")
    site.give("2", order="s", key="2")
    assert until(lambda: site.instance.of(COMPLETE))
    assert until(lambda: site.instance.of(CLAIM)[-1]["held"] == [])

    assert len(site.instance.of(COMPLETE)) == 1
    assert len(site.sidecar.requests) == 1


def test_a_lease_lasts_while_the_row_is_in_work(site: Site) -> None:
    site.sidecar.free.clear()
    site.start()
    site.give("1", order="s")
    site.give("2", order="s")
    assert until(lambda: len(site.instance.of(CLAIM)[-1]["held"]) == 2)
    for _ in range(3):
        site.clock.stood_s += 10
        asked = len(site.instance.of(CLAIM))
        assert until(lambda asked=asked: len(site.instance.of(CLAIM)) > asked + 1)  # type: ignore[misc]
    site.sidecar.free.set()

    assert site.answered("1", "2")


def test_a_row_that_is_given_again_while_it_is_in_work_is_done_once(site: Site) -> None:
    """The answer to a claim may have been lost; the instance then gives its rows again."""
    site.sidecar.free.clear()
    site.start()
    site.give("1", order="s")
    assert until(lambda: site.sidecar.requests)
    site.give("1", order="s")
    assert until(lambda: not site.instance.rows)
    site.sidecar.free.set()
    assert site.answered("1")
    assert until(lambda: site.instance.of(CLAIM)[-1]["held"] == [])

    assert len(site.sidecar.requests) == len(site.instance.of(COMPLETE)) == 1


def test_an_answer_the_instance_does_not_take_is_replaced_by_one_it_does(site: Site) -> None:
    """Something has to be answered, or the row would come again and again."""
    site.instance.next[COMPLETE] = [problem(422, "Invalid request")]
    site.start()
    site.give("1", order="s")
    assert until(lambda: len(site.instance.of(COMPLETE)) == 2)

    answer = site.instance.answers()["1" * 32]
    assert (answer["status"], answer["problem"]["title"]) == (502, "Answer not taken")
