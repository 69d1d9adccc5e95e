"""Parts that stop, die and come back in the middle of things: said clearly, nothing done twice, and it goes on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator.browser import Browser, Refused
from emulator.installation import check_health
from tests.fixtures.loop import MID_BRIDGE, Loop
from tests.waiting import until

pytestmark = pytest.mark.bridges
PATIENCE_S = 40


@pytest.fixture
def mended(loop: Loop) -> Iterator[Loop]:
    """Return all of it; whatever a test stops or disturbs, all of it runs for the next."""
    yield loop
    if loop.sidecar.process is None:
        loop.sidecar.start()
    if not loop.platform.program.running:
        loop.platform.start()
    if not loop.carrier.program.running:
        loop.carrier.start()
    loop.admin.faults(answers={"lose": 0, "double": 0, "reorder": 0})
    check_health(loop.admin)
    loop.alice.await_mid(loop.name)


def said(user: Browser, session: str, text: str) -> int:
    """Return how often the screen shows the fake CLI's answer to a text."""
    return sum(f"You said: {text}" in line for line in user.screen(session)["lines"])


def answers(user: Browser, session: str, text: str) -> bool:
    """Submit a text; tell whether it was answered, on whatever is there again by now."""
    user.command(session, text)
    return until(lambda: said(user, session, text) > 0, PATIENCE_S)


def test_a_killed_sidecar_is_named_and_the_conversation_goes_on_with_the_next(mended: Loop) -> None:
    user = mended.newcomer()
    session = user.create()
    assert answers(user, session, "before")
    mended.sidecar.kill9()

    with pytest.raises(Refused, match=r"(?i)sidecar") as refused:
        user.command(session, "nobody is there")
    mended.sidecar.start()

    assert refused.value.status == 502
    assert answers(user, session, "after")
    assert said(user, session, "before") == 1
    assert said(user, session, "nobody is there") == 0


def test_an_instance_killed_in_mid_command_gets_the_answer_once_when_it_is_back(mended: Loop) -> None:
    user = mended.newcomer()
    session = user.create()
    asked = user.call("POST", f"/sessions/{session}/commands", {"command": "[[work 2]] meanwhile"})
    mended.platform.kill9()

    mended.platform.start()

    user.result(asked["request"], PATIENCE_S)
    assert until(lambda: said(user, session, "[[work 2]] meanwhile") == 1, PATIENCE_S)
    assert answers(user, session, "and on")
    assert said(user, session, "[[work 2]] meanwhile") == 1


def test_a_carrier_killed_in_mid_command_has_it_done_once_when_it_is_back(mended: Loop) -> None:
    """A MID Server looks at its start for what it had begun; what a poller had begun comes back with its lease."""
    user = mended.newcomer()
    session = user.create()
    asked = user.call("POST", f"/sessions/{session}/commands", {"command": "[[work 2]] again"})
    assert until(lambda: mended.rows(f"agent_correlator={session}^state=processing"), PATIENCE_S)
    mended.carrier.kill9()

    mended.carrier.start()

    user.result(asked["request"], PATIENCE_S)
    assert until(lambda: said(user, session, "[[work 2]] again") == 1, PATIENCE_S)
    assert answers(user, session, "and on")
    assert said(user, session, "[[work 2]] again") == 1


def test_a_carrier_that_is_down_is_named_at_once_and_its_sessions_are_unreachable(mended: Loop) -> None:
    user = mended.newcomer()
    session = user.create()
    mended.carrier.stop()
    assert until(lambda: not user.session(session)["reachable"], PATIENCE_S), user.session(session)

    with pytest.raises(Refused, match=mended.name) as refused:
        user.command(session, "is anybody there?")
    unreachable = user.session(session)
    mended.carrier.start()

    assert refused.value.status == 503
    assert mended.name in unreachable["problem"]
    assert until(lambda: user.session(session)["reachable"], PATIENCE_S)
    assert answers(user, session, "yes")


@pytest.mark.bridges(MID_BRIDGE)  # only MID Servers post answers that can be disturbed
@pytest.mark.parametrize("fault", ["double", "reorder"])
def test_answers_that_come_twice_or_in_another_order_change_nothing(mended: Loop, fault: str) -> None:
    user = mended.newcomer()
    session = user.create()
    mended.admin.faults(answers={fault: 2})

    texts = ["first", "second"]
    asked = [user.call("POST", f"/sessions/{session}/commands", {"command": text}) for text in texts]

    for one in asked:
        user.result(one["request"])
    assert mended.admin.faults()["answers"][fault] == 0
    assert until(lambda: said(user, session, "second") == 1, PATIENCE_S)
    assert said(user, session, "first") == 1


@pytest.mark.bridges(MID_BRIDGE)
def test_a_lost_answer_comes_with_the_next_start_of_the_mid_and_nothing_is_done_twice(mended: Loop) -> None:
    user = mended.newcomer()
    session = user.create()
    mended.admin.faults(answers={"lose": 1})
    asked = user.call("POST", f"/sessions/{session}/commands", {"command": "only once"})
    assert until(lambda: mended.admin.faults()["answers"]["lose"] == 0, PATIENCE_S)
    assert user.call("GET", f"/requests/{asked['request']}")["state"] == "queued"

    mended.mid.stop()
    mended.mid.start()

    assert user.result(asked["request"], PATIENCE_S)["accepted"] is True
    assert answers(user, session, "and on")
    assert said(user, session, "only once") == 1
