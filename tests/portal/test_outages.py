"""What a person sees while a part is down, and that everything goes on by itself when it is back."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from emulator.installation import check_health
from emulator.midserver import Sidecar
from tests.fixtures.browser import REFUSALS, UNREACHED
from tests.fixtures.loop import PASSWORD, Loop
from tests.portal.seat import ROWS, Seat
from tests.servicenow.terminal import mark

pytestmark = pytest.mark.timeout(300)  # everything is started for the first test


@pytest.fixture(scope="module")
def loop(loop: Loop) -> Loop:
    """Return everything, with a MID Server that looks into the queue each 2 s.

    After a restart of the instance its push channel needs a moment, and rows of that moment would wait for 40 s.
    """
    loop.mid.stop()
    loop.mid.prepare(Sidecar(loop.sidecar.url, loop.mid.home / "claude-token"), mid__poll__time="2")
    loop.mid.start()
    return loop


@pytest.fixture
def seat(loop: Loop, seat: Seat) -> Iterator[Seat]:
    """Return a session that is open in a window; whatever a test stops, all of it runs for the next."""
    seat.visitor.complaints.expect(REFUSALS, UNREACHED)
    yield seat
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


def test_without_the_push_channel_the_page_asks_by_itself(seat: Seat) -> None:
    """Something between this browser and the instance lets no push through; the MID Server has its own."""
    seat.visitor.complaints.expect(re.compile("net::ERR_FAILED"))
    seat.page.route("**/amb*", lambda route: route.abort())
    seat.open()
    goes_on(seat)
    seat.page.get_by_text("Polling").first.wait_for()
    seat.visitor.picture("terminal-polling")

    seat.page.unroute_all(behavior="wait")
    goes_on(seat)


def test_a_push_channel_that_dies_without_a_word_costs_no_more_than_seconds(seat: Seat) -> None:
    """What is pushed last still comes; after that nothing ever answers, and no connection is closed."""
    silent: list[bool] = []
    seat.page.route("**/amb*", lambda route: None if silent else route.continue_())
    seat.open()
    goes_on(seat)
    seat.page.get_by_text("Polling").first.wait_for(state="hidden")
    silent.append(True)

    for word in (mark(), mark()):
        seat.type(word + " ")
        # The safety net alone would look after 15 s.
        seat.page.locator(ROWS, has_text=word).first.wait_for(timeout=10_000)
    seat.page.get_by_text("Polling").first.wait_for()
    seat.page.unroute_all(behavior="ignoreErrors")


def test_an_instance_that_restarts_asks_to_sign_in_and_the_session_is_there_again(
    loop: Loop, seat: Seat
) -> None:
    word = mark()
    seat.say(word)
    seat.await_text(f"You said: {word}")
    loop.platform.stop()
    seat.press("x")
    seat.page.get_by_text("The instance cannot be reached").first.wait_for()
    seat.visitor.picture("terminal-instance-down")

    loop.platform.start()

    seat.page.get_by_text("You are signed out").first.wait_for()
    seat.visitor.picture("terminal-signed-out")
    seat.page.get_by_role("button", name="Sign in").click()
    seat.visitor.sign_in("alice", PASSWORD)
    seat.await_text(f"You said: {word}")
    # What had the keyboard before could not give it back: for the instance this is another tab.
    seat.page.get_by_role("button", name="Take over").click()
    goes_on(seat)


def test_a_session_that_another_ends_is_said_to_have_ended(seat: Seat) -> None:
    seat.terminal.type("[[exit 0]]")

    seat.page.get_by_text("This session has ended").first.wait_for()
    seat.visitor.picture("terminal-ended")
