"""An instance that is away, busy, or something else: nothing is lost, and it is left alone for a while."""

from __future__ import annotations

import base64
import json
import logging
import threading

import pytest

from sidecar.poller.patience import Patience
from tests.integration.poller.conftest import Site
from tests.integration.poller.stub import CLAIM, COMPLETE, Said, problem
from tests.waiting import until


@pytest.fixture(autouse=True)
def hear(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "sidecar.poller")


def in_a_hurry(site: Site) -> None:
    """Let no pause be long; those that are asked for stay."""
    site.poller._patience = Patience(site.clock, lambda _, __: 0.05)


def skip(site: Site, seconds: float) -> None:
    """Let time pass; the pause that is under way ends with it at the next look."""
    site.clock.stood_s += seconds


def wait_for_claims(site: Site, more: int) -> None:
    asked = len(site.instance.of(CLAIM))
    assert until(lambda: len(site.instance.of(CLAIM)) >= asked + more)


FAULTS = {
    "500": Said(500),
    "502 in HTML": Said(502, b"<html>Bad gateway</html>", {"Content-Type": "text/html"}),
    "503": problem(503, "Service unavailable"),
    "a login page": Said(200, b"<html>Log in</html>", {"Content-Type": "text/html"}),
    "a redirect": Said(302, b"", {"Location": "https://login.example/"}),
    "other JSON": Said(200, b'{"result":[]}'),
    "no rows": Said(200, b'{"result":{"rows":3}}'),
    "rows of another form": Said(
        200, b'{"result":{"rows":[{"row":"x"}],"lost":[],"leaseSeconds":30,"viewers":0}}'
    ),
    "no lease": Said(200, b'{"result":{"rows":[],"lost":[],"leaseSeconds":0,"viewers":0}}'),
    "deep JSON": Said(200, b"[" * 200_000),
    "without end": Said(200, b"x" * (65 << 20)),
    "another version": problem(422, "Invalid request"),
    "no app": Said(404, b"{}"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_is_answered_to_a_claim_it_is_asked_again(
    site: Site, fault: str, caplog: pytest.LogCaptureFixture
) -> None:
    site.instance.next[CLAIM] = [FAULTS[fault]] * 2
    site.give("a")
    site.start()
    assert site.answered("a")

    told = [record.getMessage() for record in caplog.records]
    assert sum("It is asked again, with pauses." in line for line in told) == 1
    assert sum(line == "the instance answers again" for line in told) == 1
    assert "html" not in caplog.text
    assert "x" * 20 not in caplog.text


@pytest.mark.parametrize("fault", ["500", "a login page", "deep JSON"])
def test_whatever_is_answered_to_an_answer_it_is_handed_in_again(site: Site, fault: str) -> None:
    site.instance.next[COMPLETE] = [FAULTS[fault]] * 2
    site.give("a")
    site.start()
    assert until(lambda: len(site.instance.of(COMPLETE)) == 3)
    assert until(lambda: site.instance.of(CLAIM)[-1]["held"] == [])

    first, second, third = site.instance.of(COMPLETE)
    assert first == second == third
    assert len(site.sidecar.requests) == 1


def test_an_instance_that_goes_away_and_comes_back_gets_its_answer(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.sidecar.free.clear()
    site.start()
    site.give("a", order="s")
    assert until(lambda: site.sidecar.requests)
    site.instance.stop()
    site.sidecar.free.set()
    assert until(lambda: "does not answer" in caplog.text)
    site.instance.start()

    assert site.answered("a")
    assert len(site.sidecar.requests) == 1


@pytest.mark.parametrize("what", [CLAIM, COMPLETE])
def test_the_pause_an_instance_asks_for_holds_for_everything(site: Site, what: str) -> None:
    site.start()
    in_a_hurry(site)
    site.instance.next[what] = [problem(429, "Too many", Retry_After="100")]
    site.give("a")
    assert until(lambda: site.poller._patience.left_s() > 30)
    asked = len(site.instance.asked)
    skip(site, 30)
    assert until(lambda: site.poller._patience.left_s() < 69.5)
    assert len(site.instance.asked) == asked

    skip(site, 70)
    assert site.answered("a")


def test_a_pause_that_ends_at_a_time_of_day_counts_from_the_instances_own(site: Site) -> None:
    site.start()
    date = {"Date": "Sun, 01 Nov 2020 00:00:00 GMT", "Retry-After": "Sun, 01 Nov 2020 00:01:00 GMT"}
    site.instance.next[CLAIM] = [Said(503, b"{}", date)]

    assert until(lambda: 50 < site.poller._patience.left_s() <= 60)
    skip(site, 61)


@pytest.mark.parametrize("value", ["soon", "-5", "1e9", "Sun, 01 Nov 2020", "99999999999"])
def test_a_pause_that_cannot_be_read_is_our_own(site: Site, value: str) -> None:
    site.instance.next[CLAIM] = [problem(429, "Too many", Retry_After=value)]
    site.start()

    wait_for_claims(site, 1)


def test_a_name_that_is_taken_out_later_is_asked_for_again(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.start()
    wait_for_claims(site, 1)
    site.instance.next[CLAIM] = [problem(422, "Unknown poller")]
    assert until(lambda: "does not know a poller named poller-a" in caplog.text)
    site.stop()
    site.join()

    assert site.refusal is None
    assert json.dumps(site.instance.of(CLAIM)[-1]["leaving"]) == "true"


# -- one row that cannot be answered -----------------------------------------------------------------------


def held(site: Site) -> object:
    return site.instance.of(CLAIM)[-1]["held"]


def test_a_row_that_cannot_be_answered_is_let_go_and_holds_up_nobody(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.instance.stubborn = {"a" * 32}
    site.start()
    in_a_hurry(site)
    site.give("a", order="s")
    site.give("b", order="t")
    assert until(lambda: held(site) == [{"row": "a" * 32, "attempt": 1, "expire": True}])

    tried = [body["output"] for body in site.instance.of(COMPLETE) if body["row"] == "a" * 32]
    assert len(tried) >= 6
    assert len(set(tried)) == 2
    assert b"Answer not taken" in base64.b64decode(tried[-1])
    assert len(site.sidecar.requests) == 2
    assert site.answered("b")
    assert "It is asked again" not in caplog.text
    skip(site, 61)
    assert until(lambda: held(site) == [])


@pytest.mark.parametrize("kind", ["all calls fail", "too many answers"])
def test_an_instance_that_takes_no_answers_for_long_gets_them_in_the_end(site: Site, kind: str) -> None:
    site.start()
    in_a_hurry(site)
    said = problem(503, "Busy") if kind == "all calls fail" else problem(429, "Too many")
    site.instance.gates[COMPLETE] = threading.Event()
    site.instance.always = {COMPLETE: said}
    site.give("a")
    assert until(lambda: site.instance.of(COMPLETE))
    if kind == "all calls fail":
        site.instance.always[CLAIM] = said
        assert until(lambda: site.poller._away)
    site.instance.gates[COMPLETE].set()
    assert until(lambda: len(site.instance.of(COMPLETE)) > 12)
    site.instance.always.clear()
    assert until(lambda: held(site) == [])

    assert site.instance.answers()["a" * 32]["ok"] is True
    assert len(site.sidecar.requests) == 1
