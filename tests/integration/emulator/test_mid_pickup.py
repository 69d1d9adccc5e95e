"""When the emulated MID Server looks for work, in which order, and how much at once."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count

import pytest

from emulator.midserver import MidServer
from emulator.servicenow import Instance
from tests.fixtures.servicenow import MakeMid, mid_at
from tests.integration.emulator.probing import Desk
from tests.waiting import until

#: Well below the poll interval beside a push channel, so that only the channel can be the reason.
AT_ONCE_S = 30.0
SLEEP = "java.lang.Thread.sleep(%d); 'slept';"


_numbers = count(1)


@pytest.fixture
def desk(instance: Instance) -> Iterator[Desk]:
    """Give each test a MID Server of its own at one instance, without the faults of the test before."""
    yield Desk(instance, f"mid-{next(_numbers)}")
    instance.faults(amb=True, tooManyRequests=None, answers={"lose": 0})


@pytest.fixture(scope="module")
def mid(instance: Instance, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MidServer]:
    """Run one MID Server that looks every second for the tests that may share it."""
    with mid_at(instance, tmp_path_factory.mktemp("shared"), "mid-shared", mid__poll__time="1") as one:
        yield one


def waits_for(desk: Desk, output: str) -> float:
    began = time.monotonic()
    desk.answer(output)
    return time.monotonic() - began


def test_a_push_message_makes_it_look_at_once(desk: Desk, make_mid: MakeMid) -> None:
    make_mid(desk.instance, desk.mid)

    assert desk.answer(desk.put("'x'"), AT_ONCE_S).output == "x"


def test_without_the_push_channel_work_waits_for_the_poll(desk: Desk, make_mid: MakeMid) -> None:
    desk.instance.faults(amb=False)
    mid: MidServer = make_mid(desk.instance, desk.mid, mid__poll__time="4")
    desk.run("'first'")

    assert any(waits_for(desk, desk.put("'x'")) > 2 for _ in range(4))
    assert "polling goes on" in mid.log()


def test_the_push_channel_is_subscribed_again_after_an_outage(desk: Desk, make_mid: MakeMid) -> None:
    mid: MidServer = make_mid(desk.instance, desk.mid)
    desk.instance.faults(amb=False)
    desk.put("'ends the long poll that is under way'")
    assert until(lambda: "no push channel" in mid.log())

    desk.instance.faults(amb=True)

    assert until(lambda: mid.log().count("subscribed to") == 2)
    assert desk.answer(desk.put("'x'"), AT_ONCE_S).output == "x"


def test_with_push_switched_off_it_polls_every_five_seconds(desk: Desk, make_mid: MakeMid) -> None:
    mid: MidServer = make_mid(desk.instance, desk.mid, mid__disable_amb="true")
    desk.run("'first'")

    assert any(waits_for(desk, desk.put("'x'")) > 3 for _ in range(4))
    assert "subscribed" not in mid.log()


def test_an_explicit_poll_time_counts_without_push(desk: Desk, make_mid: MakeMid) -> None:
    make_mid(desk.instance, desk.mid, mid__disable_amb="true", mid__poll__time="1")
    desk.run("'first'")

    # A busy computer adds to what is waited, but not each time so much as the usual five seconds.
    assert any(waits_for(desk, desk.put("'x'")) < 3 for _ in range(20))


def test_an_explicit_poll_time_counts_with_push(shared: Desk) -> None:
    output = shared.put("'x'", state="hidden")
    # An update is no push message: only the poll can find the row.
    shared.instance.table("ecc_queue").update(output, state="ready")

    assert shared.answer(output).output == "x"


def test_a_mid_that_is_not_validated_takes_nothing(shared: Desk, mid: MidServer) -> None:
    agents = shared.instance.table("ecc_agent")
    agent = agents.rows(f"name={mid.name}")[0]["sys_id"]
    agents.update(agent, validated="false")
    time.sleep(2.5)

    output = shared.put("'x'")
    assert not until(lambda: shared.state(output) != "ready", 3)

    agents.update(agent, validated="true")
    assert shared.answer(output).output == "x"


def test_urgent_and_old_outputs_come_first(desk: Desk, make_mid: MakeMid) -> None:
    mid: MidServer = make_mid(desk.instance, desk.mid, start=False)
    note = "ms.log('ran ' + probe.getParameter('mark')); 'x';"
    marks = [("2", "third"), ("1", "second"), ("0", "first"), ("2", "fourth")]
    outputs = [desk.put(note, parameters={"mark": mark}, priority=priority) for priority, mark in marks]
    mid.start()
    for output in outputs:
        desk.answer(output)

    claims = desk.instance.table("ecc_queue").rows(f"topic=queue.processing^agent=mid.server.{desk.mid}")
    order = [claims[0]["payload"].index(output) for output in outputs]
    assert sorted(order) == [order[2], order[1], order[0], order[3]]


def test_thread_maxima_bound_what_runs_at_once(desk: Desk, make_mid: MakeMid) -> None:
    make_mid(desk.instance, desk.mid, threads__expedited__max="2")
    outputs = [desk.put(SLEEP % 700) for _ in range(4)]
    began = time.monotonic()

    assert [desk.answer(output).output for output in outputs] == ["slept"] * 4
    assert time.monotonic() - began > 1.0


def test_a_full_pool_does_not_hold_up_another_priority(desk: Desk, make_mid: MakeMid) -> None:
    make_mid(desk.instance, desk.mid, threads__expedited__max="1")
    slow = desk.put(SLEEP % 20_000)
    assert until(lambda: desk.state(slow) == "processing")

    assert desk.answer(desk.put("'x'", priority="0")).output == "x"
    assert desk.answers(slow) == []


def test_a_busy_mid_looks_after_five_seconds_unless_the_message_is_interactive(
    desk: Desk, make_mid: MakeMid
) -> None:
    mid: MidServer = make_mid(desk.instance, desk.mid, threads__expedited__max="1")
    slow = desk.put("ms.log('begun'); " + SLEEP % 20_000)
    # It is claimed before it is begun, and only then is the MID busy.
    assert until(lambda: "begun" in mid.log())

    output = desk.put("'x'", priority="2")
    assert not until(lambda: desk.state(output) != "ready", 2)
    assert desk.answer(output).output == "x"
    assert desk.answers(slow) == []


def test_more_outputs_than_a_batch_holds_are_all_run(desk: Desk, make_mid: MakeMid) -> None:
    small = {"threads__max": "1", "threads__expedited__max": "2", "threads__interactive__max": "1"}
    mid: MidServer = make_mid(desk.instance, desk.mid, start=False, **small)
    outputs = [desk.put("'x'") for _ in range(11)]

    mid.start()

    assert [desk.answer(output).output for output in outputs] == ["x"] * 11
    assert (
        len(desk.instance.table("ecc_queue").rows(f"topic=queue.processing^agent=mid.server.{desk.mid}")) >= 3
    )


def test_every_output_is_run_once(shared: Desk) -> None:
    outputs = [shared.put("'x'") for _ in range(20)]
    for output in outputs:
        shared.answer(output)

    assert [len(shared.answers(output)) for output in outputs] == [1] * 20
