"""What is seen in a terminal's output: when a number shows, and that none is lost, double or out of order."""

from __future__ import annotations

import pytest

from benchmarks.bridges.program import answer
from benchmarks.bridges.stream import Stream


def stream(*, strict: bool = True) -> Stream:
    found = Stream("one", strict=strict)
    found.take(0, 0, b"", 0.0)
    return found


def put(found: Stream, *pieces: bytes, at: float = 1.0) -> None:
    for piece in pieces:
        assert found.end is not None
        found.take(found.end, 0, piece, at)


def test_a_number_is_seen_when_it_shows() -> None:
    found = stream()
    shown = found.expect("mark-00001")

    put(found, b"nothing yet", at=1.0)
    put(found, b"here: mark-00001", at=2.0)
    put(found, b"mark-00001 once more", at=3.0)

    assert shown.at == 2.0
    assert found.faults == []


def test_a_number_in_two_pieces_is_seen() -> None:
    found = stream()
    shown = found.expect("~00001")

    put(found, b"abc~00", b"001def")

    assert shown.wait(0)
    assert found.faults == []


def test_answers_that_count_up_are_right() -> None:
    found = stream()

    put(found, b"mark-00001\r\nmark-00001 done-00001", b"mark-00002 done-00002", b"~00001~00002")

    assert (found.faults, found.answered()) == ([], 2)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param(b"done-00002", "done-00002 came after number 0", id="lost"),
        pytest.param(b"done-00001 done-00001", "done-00001 came after number 1", id="twice"),
        pytest.param(b"~00001~00002~00004", "~00004 came after number 2", id="lost key"),
        pytest.param(b"mark-00001 mark-00002 mark-00001", "mark-00001 came after number 2", id="order"),
    ],
)
def test_what_is_lost_double_or_out_of_order_is_told(text: bytes, fault: str) -> None:
    found = stream()

    put(found, text)

    assert found.faults == [f"one: {fault}"]


def test_pieces_have_to_join() -> None:
    found = stream()
    put(found, b"0123456789")

    found.take(12, 0, b"ab", 1.0)

    assert found.faults == ["one: a piece begins at 12, the one before ended at 10"]


def test_dropped_bytes_are_told() -> None:
    found = stream()

    found.take(0, 7, b"", 1.0)

    assert found.faults == ["one: 7 bytes were dropped at 0"]
    assert found.end == 7


def test_an_interface_that_repaints_may_show_a_number_often_but_not_out_of_order() -> None:
    found = stream(strict=False)
    for number in (1, 2):
        found.expect(f"mark-{number:05d}")

    put(found, b"mark-00001 mark-00001", b"mark-00002 mark-00001")
    assert found.faults == []

    found.expect("mark-00004")
    put(found, b"mark-00004")
    assert found.faults == ["one: mark-00004 came after number 2"]


def test_what_never_showed_is_missing() -> None:
    found = stream()
    found.expect("mark-00001")
    found.expect("~00001")
    put(found, b"mark-00001")

    assert found.missing() == ["~00001"]


def test_the_scripted_program_answers_by_numbers() -> None:
    assert list(answer("mark-00007")) == ["● done-00007"]
    assert [len(part) for part in answer("print-00007")] == [200_000, len("● done-00007")]
    assert list(answer("hello")) == ["● hello"]
