"""Bytes as they are, and commands in the order in which they were typed, however many threads carry them."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from emulator.servicenow import Json
from tests.fixtures.loop import MID_BRIDGE, Loop
from tests.servicenow.terminal import PATIENCE_S, Terminal, mark, opened
from tests.waiting import until

pytestmark = pytest.mark.bridges
EVERY_BYTE = bytes(range(256))
TAB = tuple(range(1, 11))


@pytest.fixture(scope="module")
def terminal(loop: Loop) -> Terminal:
    """Return a session that the tests share."""
    return opened(loop)


# -- bytes ---------------------------------------------------------------------------------------------------


def test_every_byte_reaches_the_program_and_comes_back_as_it_was(terminal: Terminal) -> None:
    """What is typed in raw mode is listened to by the program, which prints it as it came."""
    terminal.type(f"[[hear {len(EVERY_BYTE)}]]")
    terminal.await_output(b"hears")

    terminal.send_raw(EVERY_BYTE)

    terminal.await_output(b"BEGIN" + EVERY_BYTE + b"END")


def test_bytes_arrive_in_order_over_many_commands(terminal: Terminal) -> None:
    """Keys typed quickly: each is a command of its own, and none waits for the one before."""
    typed = [bytes([number, 255 - number]) for number in range(60, 100)]
    terminal.type(f"[[hear {2 * len(typed)}]] {mark()}")
    terminal.await_output(b"hears", after=terminal.cursor)

    requests = [
        terminal.send_raw(data, stream="keys", seq=number) for number, data in enumerate(typed, start=1)
    ]

    assert all(terminal.user.result(request)["accepted"] for request in requests)
    terminal.await_output(b"BEGIN" + b"".join(typed) + b"END")


@pytest.mark.bridges(MID_BRIDGE)  # only MID Servers post answers that can be held back
def test_who_types_is_told_of_every_key_though_answers_overtake_each_other(terminal: Terminal) -> None:
    stream, keys = mark(), range(1, 13)
    terminal.loop.admin.faults(answers={"reorder": 6})

    requests = [terminal.send_raw(b"k", stream=stream, seq=number) for number in keys]

    assert until(lambda: [item["seq"] for item in settled(terminal, stream)] == list(keys), PATIENCE_S)
    assert [item["request"] for item in settled(terminal, stream)] == requests
    assert {item["state"] for item in settled(terminal, stream)} == {"done"}
    assert [item["seq"] for item in settled(terminal, stream, after=10)] == [11, 12]
    terminal.send_raw(b"\x7f" * len(keys))
    terminal.assert_complete()


def settled(terminal: Terminal, stream: str, after: int = 0) -> list[Json]:
    """Return what the instance tells of a sender's commands."""
    path = f"/sessions/{terminal.session}/output?cursor=0&max_bytes=3&stream={stream}&after={after}"
    found: list[Json] = terminal.user.call("GET", path)["input"]
    return found


# -- order ---------------------------------------------------------------------------------------------------


def tabs_type(terminal: Terminal, word: str) -> list[list[str]]:
    """Let two tabs submit ten texts each at the same time, without waiting for answers; return their requests."""
    begin = threading.Barrier(2)

    def tab(name: str) -> list[str]:
        begin.wait(10)
        return [
            terminal.send(f"{word} {name}{number:02}", stream=f"{name}-{word}", seq=number) for number in TAB
        ]

    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(tab, "ab"))


def results(terminal: Terminal, requests: Sequence[str]) -> list[Json]:
    """Return the sidecar's answers."""
    return [terminal.user.result(request) for request in requests]


def expected(word: str, tab: str) -> list[str]:
    """Return what a tab typed."""
    return [f"{word} {tab}{number:02}" for number in TAB]


def assert_once_and_in_order(terminal: Terminal, word: str) -> None:
    """Fail unless the program got everything both tabs typed, once, in the order of each."""
    terminal.await_output(f"You said: {word} a{TAB[-1]}".encode())
    terminal.await_output(f"You said: {word} b{TAB[-1]}".encode())
    asked = terminal.asked(word)
    for tab in "ab":
        assert [text for text in asked if f"{word} {tab}" in text] == expected(word, tab)
    assert len(asked) == 2 * len(TAB)


def test_twenty_commands_of_two_tabs_at_once_are_typed_once_and_in_each_tabs_order(
    terminal: Terminal,
) -> None:
    word = mark()

    requests = tabs_type(terminal, word)

    for tab in requests:
        assert [answer["accepted"] for answer in results(terminal, tab)] == [True] * len(TAB)
    assert_once_and_in_order(terminal, word)


def test_twenty_commands_sent_in_the_same_moment_are_put_in_order_by_their_numbers(
    terminal: Terminal,
) -> None:
    """Every command is a call of its own on a connection of its own, so nothing but its number says its place."""
    word, begin = mark(), threading.Barrier(2 * len(TAB))

    def one(tab: str, number: int) -> str:
        begin.wait(10)
        return terminal.send(f"{word} {tab}{number:02}", stream=f"{tab}-{word}", seq=number)

    with ThreadPoolExecutor(2 * len(TAB)) as pool:
        sent = [pool.submit(one, tab, number) for number in TAB for tab in "ab"]
        requests = [future.result() for future in sent]

    assert [answer["accepted"] for answer in results(terminal, requests)] == [True] * len(requests)
    assert_once_and_in_order(terminal, word)


@pytest.mark.bridges(MID_BRIDGE)  # only MID Servers post answers that can be held back
def test_answers_that_overtake_each_other_leave_the_output_in_order(terminal: Terminal) -> None:
    """The last of six answers is stored first."""
    word = mark()
    terminal.loop.admin.faults(answers={"reorder": 6})

    requests = tabs_type(terminal, word)

    for tab in requests:
        results(terminal, tab)
    assert_once_and_in_order(terminal, word)
    terminal.assert_complete()


def test_the_terminal_has_seen_exactly_what_the_program_printed(terminal: Terminal) -> None:
    """After all of it: every byte at its place, none twice, none missing."""
    word = mark()
    terminal.type(word)
    terminal.await_output(f"You said: {word}".encode())

    terminal.assert_complete()


def test_a_number_of_a_stream_that_was_executed_is_not_executed_again(terminal: Terminal) -> None:
    """The same text of the same tab under a new key, as a page sends it that never saw the first answer."""
    word = mark()
    for _ in range(2):
        assert terminal.type(word, stream=f"again-{word}", seq=1)["accepted"]
    terminal.await_output(f"You said: {word}".encode())

    assert terminal.asked(word) == [word]
