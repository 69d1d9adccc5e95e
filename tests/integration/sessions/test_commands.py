"""Commands: in order, once, verified."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from sidecar.claude import gates
from sidecar.claude.keystrokes import checked_text
from sidecar.errors import (
    InputStalled,
    LimitReached,
    MenuOpen,
    OutcomeUnknown,
    OutOfOrder,
    SessionEnded,
    SidecarError,
)
from sidecar.model.command import Command, InputMode
from sidecar.model.session import Activity, Size
from sidecar.services import Services
from sidecar.sessions.turns import MOST_WAITING
from tests.integration.sessions.driver import Driver
from tests.waiting import until


@pytest.fixture
def session(services: Services) -> Driver:
    return Driver.create(services)


def questions(session: Driver) -> list[str]:
    """Return what the program was asked, in its order, from its own record."""
    return re.findall(r"● You said: (q\d+)", session.everything().decode())


def waiting(session: Driver) -> int:
    return session.live.turns._waiting


def test_twenty_commands_at_once_arrive_once_each_in_the_order_they_came(session: Driver) -> None:
    """M10: five workers must not reorder one session's commands."""
    threads = []
    for number in range(20):
        threads.append(threading.Thread(target=session.command, args=(f"q{number}",)))
        threads[-1].start()
        # In the order received: the next is sent when this one has its place in the queue, or is through.
        assert until(lambda: _placed(session, threads))
    for thread in threads:
        thread.join()

    assert until(lambda: len(questions(session)) == 20), questions(session)
    assert questions(session) == [f"q{number}" for number in range(20)]


def _placed(session: Driver, threads: list[threading.Thread]) -> bool:
    return len(session.live.turns._queue) >= sum(thread.is_alive() for thread in threads)


def test_concurrent_commands_with_numbers_arrive_once_in_their_order(session: Driver) -> None:
    """M10: whatever thread of the ECC queue serves which item first."""
    numbers = [8, 3, 1, 12, 5, 2, 9, 4, 20, 7, 6, 11, 10, 13, 19, 14, 18, 15, 17, 16]

    with ThreadPoolExecutor(20) as pool:
        receipts = list(pool.map(lambda n: session.command(f"q{n}", stream="tab", seq=n), numbers))

    assert all(receipt.submitted for receipt in receipts)
    assert until(lambda: len(questions(session)) == 20), questions(session)
    assert questions(session) == [f"q{number}" for number in range(1, 21)]


def test_a_number_already_executed_is_accepted_and_not_executed_again(session: Driver) -> None:
    session.command("q1", stream="tab", seq=1)
    again = session.command("q1", stream="tab", seq=1)
    session.command("q2", stream="tab", seq=2)

    assert again.accepted
    assert until(lambda: len(questions(session)) == 2)
    assert questions(session) == ["q1", "q2"]


def test_the_same_number_twice_at_once_is_executed_once(session: Driver) -> None:
    with ThreadPoolExecutor(6) as pool:
        receipts = list(pool.map(lambda _: session.command("q1", stream="tab", seq=1), range(6)))
    session.say("end")

    assert all(receipt.accepted for receipt in receipts)
    assert questions(session) == ["q1"]


def test_a_gap_is_given_up_after_a_while_and_the_late_number_refused(session: Driver) -> None:
    session.command("q1", stream="tab", seq=1)

    session.command("q3", stream="tab", seq=3)

    with pytest.raises(OutOfOrder):
        session.command("q2", stream="tab", seq=2)
    session.command("q4", stream="tab", seq=4)
    assert until(lambda: len(questions(session)) == 3)
    assert questions(session) == ["q1", "q3", "q4"]


def test_a_wild_number_costs_no_memory_and_later_ones_go_on(session: Driver) -> None:
    session.command("q1", stream="tab", seq=2**53)
    session.command("q2", stream="tab", seq=2**53 + 1)

    assert len(session.live.turns._streams["tab"].missed) <= 1000
    assert until(lambda: questions(session) == ["q1", "q2"])


def test_two_streams_do_not_wait_for_each_other(session: Driver) -> None:
    early = threading.Thread(target=session.command, args=("q2",), kwargs={"stream": "one", "seq": 2})
    early.start()
    session.command("q9", stream="two", seq=1)

    assert until(lambda: "q9" in questions(session), 1.5)
    session.command("q1", stream="one", seq=1)
    early.join()
    assert until(lambda: len(questions(session)) == 3)
    assert questions(session) == ["q9", "q1", "q2"]


def test_more_than_fifty_waiting_are_refused_and_fifty_are_served(session: Driver) -> None:
    # One is held up in its turn while the others queue behind it.
    refused: list[SidecarError] = []

    def press() -> None:
        try:
            session.raw(b"x")
        except LimitReached as error:
            refused.append(error)

    with session.live.turns.turn(Command(InputMode.RAW)):
        threads = [threading.Thread(target=press) for _ in range(MOST_WAITING)]
        for thread in threads:
            thread.start()
        assert until(lambda: waiting(session) == MOST_WAITING + 1)
        assert not refused
        press()
        assert len(refused) == 1
    for thread in threads:
        thread.join()

    assert len(refused) == 1
    assert session.shows("x" * MOST_WAITING)


def test_status_and_output_answer_while_a_command_waits(session: Driver) -> None:
    with session.live.turns.turn(Command(InputMode.RAW)):
        assert session.activity() is Activity.IDLE
        assert session.everything()


def test_a_swallowed_carriage_return_is_sent_again(session: Driver) -> None:
    receipt = session.command("take two [[swallow 1]]")

    assert receipt.submitted
    assert session.shows("You said: take two")
    assert session.everything().count("● You said: take two".encode()) == 1


def test_a_submit_that_fails_twice_is_told_and_what_it_left_can_be_sent_by_key(session: Driver) -> None:
    receipt = session.command("old text [[swallow 2]]")
    assert receipt.accepted
    assert not receipt.submitted

    session.keys("Enter")

    assert session.shows("● You said: old text")


def test_a_text_that_meets_a_repaint_is_still_one_message(session: Driver) -> None:
    session.command("busy [[flicker 3]]")

    for number in range(3):
        assert until(lambda: gates.composer(session.live.console.lines()[0]) is None)
        session.command(f"q{number}\n" + "a long line " * 60)

    assert until(lambda: len(questions(session)) == 3), session.screen()
    assert questions(session) == [f"q{number}" for number in range(3)]


def test_a_long_text_arrives_as_one_message_byte_by_byte(session: Driver) -> None:
    text = "\n".join(f"line {number} äöü 🎉" for number in range(600))[:16_000]

    session.command(text)

    last = text.splitlines()[-1]
    assert session.shows(last)
    said = session.everything().decode().replace("\r\n", "\n")
    assert text.replace("\n", "\n  ") in said


def test_a_trailing_line_feed_still_submits_once(session: Driver) -> None:
    """M9: a line feed does not submit; Enter does."""
    session.command(checked_text("q7\n"))

    assert until(lambda: questions(session) == ["q7"])


def test_escape_interrupts_a_turn(session: Driver) -> None:
    """M9: the input filter of the predecessor dropped ESC."""
    session.command("go on [[endless]]")
    assert until(lambda: session.activity() is Activity.BUSY)

    session.keys("Escape")

    assert session.shows("Interrupted")
    assert until(lambda: session.activity() is Activity.IDLE)


def test_text_sent_while_it_works_waits_there_and_is_answered_later(session: Driver) -> None:
    session.command("first [[work 1]]")

    receipt = session.command("second")

    assert receipt.submitted
    assert session.shows("● You said: second")


def test_text_is_refused_while_a_menu_is_open_and_keys_answer_it(session: Driver) -> None:
    session.command("please [[menu Shall I?]]")
    assert until(lambda: session.activity() is Activity.AWAITING_INPUT)

    with pytest.raises(MenuOpen):
        session.command("yes please")

    assert session.activity() is Activity.AWAITING_INPUT
    session.keys("Enter")
    assert session.shows("The answer was Yes.")


def test_a_single_character_chooses_from_a_menu(session: Driver) -> None:
    session.command("please [[menu]]")
    assert until(lambda: session.activity() is Activity.AWAITING_INPUT)

    assert session.command("2").submitted

    assert session.shows("The answer was No.")


def test_a_program_that_does_not_read_is_reported_and_holds_nobody_else_up(services: Services) -> None:
    deaf, other = Driver.create(services), Driver.create(services)
    deaf.command("[[deaf]]")
    assert deaf.shows("[[deaf]]")

    with ThreadPoolExecutor(1) as pool:
        stalled = pool.submit(deaf.raw, b"x" * 200_000)
        other.say("I am served")
        with pytest.raises(OutcomeUnknown):
            stalled.result()

    assert deaf.activity() is Activity.BUSY


#: More than a terminal takes that nobody reads; each piece tells its place.
LONG = b"".join(b"%05d." % number for number in range(25_000))


def heard(session: Driver) -> bytes | None:
    """Return what the program says it was sent."""
    found = re.search(rb"BEGIN(.*)END", session.everything(), re.DOTALL)
    return found[1] if found else None


def keys(data: bytes, seq: int | None) -> Command:
    return Command(InputMode.RAW, data=data, stream="tab" if seq else None, seq=seq)


def test_numbered_keys_a_program_stopped_reading_go_on_where_it_stopped(session: Driver) -> None:
    """Sent again from their beginning, they would be typed twice; passed by later ones, they would change places."""
    put = partial(session.services.sessions.command, session.access)
    session.command(f"[[deaf 8]] [[hear {len(LONG) + 6}]]")
    assert session.shows("[[deaf")

    with pytest.raises(InputStalled) as stalled:
        put(keys(LONG, 1))
    with ThreadPoolExecutor(1) as pool:
        later = pool.submit(put, keys(b"behind", 2))
        assert put(keys(LONG, 1)).submitted
        assert later.result(timeout=20).submitted

    assert 0 < stalled.value.written < len(LONG)
    assert until(lambda: heard(session) is not None)
    assert heard(session) == LONG + b"behind"


def test_keys_without_a_number_that_went_in_partly_are_not_said_to_be_sendable_again(
    services: Services,
) -> None:
    deaf = Driver.create(services)
    deaf.command("[[deaf]]")
    assert deaf.shows("[[deaf]]")

    with pytest.raises(OutcomeUnknown):
        deaf.raw(LONG)


def test_a_command_races_with_the_end_and_nothing_hangs(services: Services) -> None:
    for _ in range(5):
        session = Driver.create(services)
        with ThreadPoolExecutor(4) as pool:
            commands = [pool.submit(session.command, f"q{number}") for number in range(3)]
            ended = pool.submit(session.terminate)
            ended.result(timeout=20)
            for command in commands:
                error = command.exception(timeout=20)
                assert error is None or isinstance(error, SessionEnded), repr(error)


def test_a_resize_storm_ends_at_the_last_size(session: Driver) -> None:
    sizes = [Size(40 + number % 50, 10 + number % 20) for number in range(100)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda size: session.services.sessions.resize(session.access, size), sizes))
    status = session.services.sessions.resize(session.access, Size(70, 20))

    assert status.session.size == Size(70, 20)
    assert until(lambda: ("─" * 70) in session.screen().splitlines())
    session.say("still well")
    snapshot = session.services.sessions.screen(session.access)
    assert (snapshot.columns, snapshot.rows, len(snapshot.lines)) == (70, 20, 20)
