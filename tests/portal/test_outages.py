"""What a person sees while a part is down, and that everything goes on by itself when it is back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator.installation import check_health
from tests.fixtures.browser import REFUSALS, UNREACHED
from tests.fixtures.loop import Loop
from tests.portal.seat import Seat
from tests.servicenow.terminal import mark

pytestmark = pytest.mark.timeout(300)  # everything is started for the first test


@pytest.fixture
def seat(loop: Loop, seat: Seat) -> Iterator[Seat]:
    """Return a session that is open in a window; whatever a test stops, all of it runs for the next."""
    seat.visitor.complaints.expect(REFUSALS, UNREACHED)
    yield seat
    loop.admin.faults(amb=True)
    if not loop.mid.program.running:
        loop.mid.start()
    if loop.sidecar.process is None:
        loop.sidecar.start()
    check_health(loop.admin)
    loop.alice.await_mid(loop.mid.name)


def goes_on(seat: Seat) -> None:
    """Fail unless what is typed is answered on the screen."""
    word = mark()
    seat.focus()
    seat.say(word)
    seat.await_text(f"You said: {word}")


def test_a_mid_server_that_stops_is_told_and_goes_on_when_it_is_back(loop: Loop, seat: Seat) -> None:
    loop.mid.stop()
    seat.page.get_by_text("The MID Server is down").first.wait_for()
    seat.visitor.picture("terminal-mid-down")

    loop.mid.start()
    check_health(loop.admin)

    seat.page.get_by_text("The MID Server is down").first.wait_for(state="hidden")
    goes_on(seat)


def test_a_sidecar_that_is_killed_is_told_and_the_session_goes_on(loop: Loop, seat: Seat) -> None:
    word = mark()
    seat.say(word)
    seat.await_text(f"You said: {word}")
    loop.sidecar.kill9()
    check_health(loop.admin)
    seat.page.get_by_text("The sidecar does not answer").first.wait_for()
    seat.visitor.picture("terminal-sidecar-down")
    seat.await_text(f"You said: {word}")

    loop.sidecar.start()
    check_health(loop.admin)

    seat.page.get_by_text("The sidecar does not answer").first.wait_for(state="hidden")
    goes_on(seat)
    seat.await_text(f"You said: {word}")


def test_without_the_push_channel_the_page_asks_by_itself(loop: Loop, seat: Seat) -> None:
    loop.admin.faults(amb=False)
    goes_on(seat)
    seat.page.get_by_text("Polling").first.wait_for()
    seat.visitor.picture("terminal-polling")

    loop.admin.faults(amb=True)
    goes_on(seat)


def test_an_instance_that_restarts_is_waited_for(loop: Loop, seat: Seat) -> None:
    loop.platform.stop()
    seat.press("x")
    seat.page.get_by_text("The instance cannot be reached").first.wait_for()
    seat.visitor.picture("terminal-instance-down")

    loop.platform.start()

    seat.page.get_by_text("The instance cannot be reached").first.wait_for(state="hidden")
    seat.await_text("❯ x")


def test_a_session_that_another_ends_is_said_to_have_ended(seat: Seat) -> None:
    seat.terminal.type("[[exit 0]]")

    seat.page.get_by_text("This session has ended.").first.wait_for()
    seat.visitor.picture("terminal-ended")
