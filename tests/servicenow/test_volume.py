"""Much output: all of it arrives, and nobody else waits for it."""

from __future__ import annotations

import base64

import pytest

from emulator import installation
from tests.fixtures.loop import MID_BRIDGE, Loop
from tests.servicenow.terminal import Terminal, mark, opened
from tests.waiting import until

pytestmark = [pytest.mark.bridges, pytest.mark.timeout(240)]  # a flood takes its time on a busy computer
FLOOD_BYTES = 5_000_000
#: Much more than the flood needs on a busy computer; it only ends a test that would never end.
FLOOD_S = 150
#: What a user would call responsive, with room for a busy computer.
RESPONSIVE_S = 60


@pytest.fixture(scope="module")
def roomy(loop: Loop) -> Loop:
    """Return a loop whose instance keeps more of a session than it does by default."""
    installation.set_property(loop.admin, f"{installation.SCOPE}.output_bytes", "20000000")
    return loop


def flooded(terminal: Terminal) -> bool:
    """Read what is there; tell whether the flood is over and everything has come."""
    terminal.look()
    for _ in range(20):
        before = terminal.cursor
        terminal.take()
        if terminal.cursor == before:
            break
    return terminal.cursor > FLOOD_BYTES and b"You said: [[flood" in terminal.read[-4000:]


def test_five_megabytes_arrive_complete_while_another_session_stays_responsive(roomy: Loop) -> None:
    flood, other = opened(roomy), opened(roomy)
    flood.type(f"[[flood {FLOOD_BYTES}]]")

    rounds = 0
    while not until(lambda: flooded(flood), 2):
        word = mark()
        other.look()
        answer = other.user.result(other.send(word), RESPONSIVE_S)
        assert answer["accepted"]
        other.await_output(f"You said: {word}".encode(), seconds=RESPONSIVE_S)
        rounds += 1
        assert rounds < FLOOD_S / 2, f"{flood.cursor} bytes came"

    assert rounds > 0, "the flood was over before the other session could do anything"
    flood.assert_complete()
    lines = b"".join(b"%09d\n" % number for number in range(FLOOD_BYTES // 10))
    assert lines in flood.read


@pytest.mark.bridges(MID_BRIDGE)  # it is the instance that does not keep it, whoever brings it
def test_what_the_instance_does_not_keep_is_told_as_dropped_and_fetched_from_the_sidecar(
    roomy: Loop,
) -> None:
    installation.set_property(roomy.admin, f"{installation.SCOPE}.output_bytes", "200000")
    terminal = opened(roomy)
    terminal.type("[[flood 600000]]")
    terminal.await_stored(600_000)

    kept = terminal.user.output(terminal.session, 0)
    older = terminal.user.ask("POST", f"/sessions/{terminal.session}/output", {"cursor": 0})

    assert kept.dropped > 0
    assert terminal.at_sidecar()[kept.dropped :].startswith(kept.data)
    assert base64.b64decode(older["data"]) == terminal.at_sidecar()[: older["nextCursor"]]
