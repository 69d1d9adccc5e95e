"""Questions of programs, found however they are cut, and their answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.terminal import queries
from sidecar.terminal.queries import Questions

#: No question is longer, so no more of one has to be remembered.
LONGEST = 10

QUESTIONS = [
    b"\x1b[c",
    b"\x1b[0c",
    b"\x1b[>c",
    b"\x1b[>0c",
    b"\x1b[5n",
    b"\x1b[6n",
    b"\x1b[?6n",
    b"\x1b[?2026$p",
    b"\x1b]10;?\x07",
    b"\x1b]11;?\x1b\\",
]


@given(
    st.lists(st.sampled_from([*QUESTIONS, b"text", b"\x1b[31m", "❯".encode(), b"\x1b"]), max_size=12),
    st.data(),
)
def test_each_question_is_found_once_wherever_the_reads_cut(parts: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(parts)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=10)))
    finder = Questions()

    found = [
        question
        for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for question in finder.find(stream[begin:end])
    ]

    assert found == Questions().find(stream)
    assert found == [part for part in parts if part in QUESTIONS]


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_garbage_is_survived_and_the_memory_stays_small(pieces: list[bytes]) -> None:
    finder = Questions()

    for piece in pieces:
        finder.find(piece)

        assert len(finder._tail) <= LONGEST


def test_an_endless_unfinished_question_does_not_grow() -> None:
    finder = Questions()

    for _ in range(1000):
        finder.find(b"\x1b[?" + b"1" * 100)

    assert len(finder._tail) <= LONGEST
    assert finder.find(b"\x1b[c") == [b"\x1b[c"]


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        (b"\x1b[c", b"\x1b[?62;22c"),
        (b"\x1b[>c", b"\x1b[>1;10;0c"),
        (b"\x1b[5n", b"\x1b[0n"),
        (b"\x1b[6n", b"\x1b[3;5R"),
        (b"\x1b[?6n", b"\x1b[?3;5R"),
        (b"\x1b[?2026$p", b"\x1b[?2026;0$y"),
        (b"\x1b]10;?\x07", b"\x1b]10;rgb:d0d0/d0d0/d0d0\x1b\\"),
        (b"\x1b]11;?\x1b\\", b"\x1b]11;rgb:1010/1010/1010\x1b\\"),
    ],
)
def test_the_answers_are_those_of_a_terminal(question: bytes, answer: bytes) -> None:
    assert queries.answer(question, row=2, column=4) == answer


def test_no_answer_is_a_question_or_two_sidecars_would_talk_for_ever() -> None:
    for question in QUESTIONS:
        assert Questions().find(queries.answer(question)) == []
