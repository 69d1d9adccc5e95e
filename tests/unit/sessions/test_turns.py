"""The order of inputs, without a terminal."""

from __future__ import annotations

import threading
import time

import pytest

from sidecar.clock import SystemClock
from sidecar.errors import InputStalled, MenuOpen, OutcomeUnknown, OutOfOrder
from sidecar.model.command import Command, InputMode
from sidecar.sessions.turns import Turns
from tests.waiting import until


def numbered(number: int) -> Command:
    return Command(InputMode.RAW, data=b"x", stream="tab", seq=number)


@pytest.fixture
def turns() -> Turns:
    return Turns(SystemClock())


def test_a_number_whose_execution_failed_may_come_again(turns: Turns) -> None:
    """Else a retry after an error would be told that it was executed."""
    with pytest.raises(MenuOpen), turns.turn(numbered(1)):
        raise MenuOpen
    with turns.turn(numbered(1)) as again:
        assert again
    with turns.turn(numbered(1)) as third:
        assert not third


def test_a_repeat_waits_for_the_outcome_of_the_first(turns: Turns) -> None:
    begun, told = threading.Event(), []

    def repeat() -> None:
        begun.wait(60)
        with turns.turn(numbered(1)) as mine:
            told.append(mine)

    thread = threading.Thread(target=repeat)
    thread.start()

    def fail() -> None:
        with turns.turn(numbered(1)):
            begun.set()
            time.sleep(0.2)
            assert told == []
            raise MenuOpen

    with pytest.raises(MenuOpen):
        fail()
    thread.join(60)
    assert told == [True]


def test_giving_up_a_gap_spares_the_numbers_that_wait_behind_it(turns: Turns) -> None:
    """2 never comes; 4 came before 3, and its patience ends first."""
    ran: list[int] = []

    def put(number: int) -> None:
        with turns.turn(numbered(number)) as mine:
            assert mine
            ran.append(number)

    put(1)
    early = threading.Thread(target=put, args=(4,))
    early.start()
    time.sleep(0.3)
    put(3)
    early.join(10)
    assert ran == [1, 3, 4]
    with pytest.raises(OutOfOrder), turns.turn(numbered(2)):
        pass


def test_of_a_sender_that_skips_or_fails_for_ever_only_the_latest_numbers_are_remembered(
    turns: Turns,
) -> None:
    stream = turns._stream("tab")
    for number in range(1000, 100_000, 900):
        assert stream.take(number)
        stream.failed.add(number)

    assert len(stream.missed) + len(stream.failed) <= 1000
    for old in (1, 999, 1000):  # skipped, skipped, failed
        with pytest.raises(OutOfOrder):
            stream.take(old)


def stall(turns: Turns, number: int, written: int) -> None:
    with pytest.raises(InputStalled), turns.turn(numbered(number)):
        raise InputStalled(written=written)


def test_how_much_of_a_number_is_in_adds_up_until_it_is_through(turns: Turns) -> None:
    stall(turns, 1, 3)
    stall(turns, 1, 4)
    assert turns.written(numbered(1)) == 7
    with turns.turn(numbered(1)) as again:
        assert again

    assert turns.written(numbered(1)) == 0


def test_numbers_that_queue_behind_one_that_stalls_come_back_and_are_not_put_in_before_it(
    turns: Turns,
) -> None:
    told: list[BaseException] = []

    def follow() -> None:
        try:
            with turns.turn(numbered(2)):
                pass
        except InputStalled as stalled:
            told.append(stalled)

    thread = threading.Thread(target=follow)

    def stall_with_one_behind() -> None:
        with turns.turn(numbered(1)):
            thread.start()
            assert until(lambda: len(turns._queue) == 2)
            raise InputStalled(written=1)

    with pytest.raises(InputStalled):
        stall_with_one_behind()
    thread.join(60)

    assert len(told) == 1
    for number in (1, 2):
        with turns.turn(numbered(number)) as again:
            assert again


def test_a_number_that_stalled_and_never_comes_again_holds_later_ones_up_for_a_while_only(
    turns: Turns,
) -> None:
    stall(turns, 1, 1)
    with turns.turn(numbered(2)) as later:
        assert later
    with pytest.raises(OutOfOrder), turns.turn(numbered(1)):  # it would be typed behind the later one
        pass


def test_a_number_of_which_nobody_knows_how_much_is_in_is_not_executed_again(turns: Turns) -> None:
    with pytest.raises(OutcomeUnknown), turns.turn(numbered(1)):
        raise OutcomeUnknown
    with pytest.raises(OutOfOrder), turns.turn(numbered(1)):
        pass
    with turns.turn(numbered(2)) as later:
        assert later
