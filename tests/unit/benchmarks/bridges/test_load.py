"""What is asked of terminals, here of the scripted program's composer without anything in between."""

from __future__ import annotations

import base64

import pytest

from benchmarks.bridges import cell, terminal
from benchmarks.bridges.load import Pauses, Taken, at_random, conversation, in_turns, long_answers
from benchmarks.bridges.program import Composer
from benchmarks.bridges.stream import Event, Stream
from benchmarks.bridges.terminal import Terminal
from benchmarks.emulated import Overdue

AT_ONCE = Pauses(0, 0.001)


class Straight(Terminal):
    """A terminal whose program is called directly; it may lose a command, or refuse it."""

    def __init__(self, *, loses: int = 0, refuses: int = 0) -> None:
        super().__init__(Stream("straight", strict=True))
        self._loses, self._refuses = loses, refuses
        self._composer = Composer()
        self.cleared = 0
        self.stream.take(0, 0, b"", 0.0)

    def put(self, body: dict[str, str]) -> Event:
        typed = base64.b64decode(body["command"]).decode() if "mode" in body else f"{body['command']}\r"
        self.cleared += typed == "\x15"
        if typed == f"mark-{self._refuses:05d}\r":
            raise Overdue("refused")
        if typed != f"mark-{self._loses:05d}\r":
            for shown in self._composer.take(typed):
                assert self.stream.end is not None
                self.stream.take(self.stream.end, 0, shown.encode(), 1e9)
        answered = Event()
        answered.happen(1e9)
        return answered

    def look(self) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "PATIENCE_S", 0.05)
    monkeypatch.setattr(cell, "_LAST_S", 0.05)


def test_rounds_go_on_until_there_are_enough() -> None:
    terminals, taken = [Straight(), Straight()], Taken()

    in_turns(terminals, taken, conversation(2, 2), AT_ONCE, lambda: len(taken.key) >= 8)
    cell.judge(terminals, taken)

    assert len(taken.command) == len(taken.settled) >= 8
    assert len(taken.key) >= 8
    assert taken.faults == []


def test_the_composer_is_empty_after_keys_also_when_the_time_is_up_among_them() -> None:
    one, taken = Straight(), Taken()

    in_turns([one], taken, conversation(0, 5), AT_ONCE, lambda: len(taken.key) >= 2)
    in_turns([one], taken, long_answers(1), AT_ONCE, lambda: len(taken.long) >= 1)

    assert (one.keys, one.cleared, len(taken.long)) == (2, 1, 1)
    assert taken.faults == []


@pytest.mark.parametrize("what", ["command", "key"])
def test_what_is_asked_at_random_is_all_waited_for(what: str) -> None:
    terminals, taken = [Straight(), Straight()], Taken()

    at_random(terminals, taken, what, 40, 0.0001)
    cell.judge(terminals, taken)

    assert len(getattr(taken, what)) == 40
    assert taken.faults == []


def test_a_lost_command_is_told() -> None:
    one, taken = Straight(loses=2), Taken()

    at_random([one], taken, "command", 3, 0.0001)
    cell.judge([one], taken)

    assert [fault.partition(": ")[2] for fault in taken.faults] == [
        "a command did not show within 120 s",
        "mark-00003 came after number 1",
        "done-00003 came after number 1",
        "mark-00002 never showed",
    ]


def test_the_last_command_without_an_answer_is_told() -> None:
    one, taken = Straight(), Taken()
    in_turns([one], taken, conversation(2, 0), AT_ONCE, lambda: len(taken.command) >= 2)
    one.commands += 1

    cell.judge([one], taken)

    assert taken.faults == ["straight: 2 of 3 commands were answered"]


def test_a_refused_call_is_told_and_ends_the_terminals_rounds() -> None:
    one, taken = Straight(refuses=2), Taken()

    in_turns([one], taken, conversation(2, 0), AT_ONCE, lambda: len(taken.command) >= 4)

    assert taken.faults == ["straight: Overdue: refused"]
    assert len(taken.command) == 1
