"""What a command's answer carries, and so a pump need not say."""

from __future__ import annotations

from uuid import UUID

import pytest

from sidecar.sessions.carriage import Carriage

SESSION, OTHER = UUID(int=1), UUID(int=2)


@pytest.mark.parametrize(
    ("cursor", "end", "has"),
    [(100, 200, True), (150, 200, True), (200, 200, True), (99, 200, False), (150, 201, False)],
    ids=["whole", "part", "nothing left", "something before", "something behind"],
)
def test_only_what_lies_within_the_answer_is_had(cursor: int, end: int, has: bool) -> None:
    carriage = Carriage()
    carriage.carried(SESSION, 100, 200)

    assert carriage.has(SESSION, cursor, end, 0) is has
    assert not carriage.has(OTHER, cursor, end, 0)


def test_answers_that_touch_are_one_range() -> None:
    carriage = Carriage()
    carriage.carried(SESSION, 100, 200)
    carriage.carried(SESSION, 200, 300)

    assert carriage.has(SESSION, 120, 300, 0)


def test_a_later_answer_apart_replaces_an_earlier_one() -> None:
    carriage = Carriage()
    carriage.carried(SESSION, 100, 200)
    carriage.carried(SESSION, 250, 300)

    assert not carriage.has(SESSION, 100, 200, 0)
    assert carriage.has(SESSION, 250, 300, 0)


def test_a_command_under_way_holds_all_but_its_first_bytes_for_a_moment() -> None:
    carriage = Carriage()
    ticket = carriage.begin(SESSION, 100, now=10)

    assert not carriage.has(SESSION, 100, 150, now=10)
    assert carriage.has(SESSION, 101, 150, now=10)
    assert not carriage.has(OTHER, 101, 150, now=10)
    assert carriage.held_s(10) == pytest.approx(2.5)
    assert not carriage.has(SESSION, 101, 150, now=12.5)
    carriage.end(ticket)
    assert not carriage.has(SESSION, 101, 150, now=10)


def test_sessions_no_longer_watched_are_forgotten() -> None:
    carriage = Carriage()
    carriage.carried(SESSION, 100, 200)
    carriage.keep({OTHER: 0})

    assert not carriage.has(SESSION, 100, 200, 0)


def test_a_quick_answer_holds_its_first_bytes_too_but_not_what_it_does_not_carry() -> None:
    carriage = Carriage()
    carriage.begin(SESSION, 100, now=10, quick=True)

    assert carriage.has(SESSION, 100, 150, now=10)
    assert carriage.has(SESSION, 120, 150, now=10)
    assert not carriage.has(SESSION, 99, 150, now=10)
    assert not carriage.has(SESSION, 100, 150, now=12.5)


def test_what_was_carried_is_no_gap_before_the_next_answer() -> None:
    """The cursor of a pump's call is of its beginning; what was typed since came with the answers."""
    carriage = Carriage()
    carriage.carried(SESSION, 90, 100)
    carriage.begin(SESSION, 100, now=10, quick=True)

    assert carriage.has(SESSION, 90, 150, now=10)
    assert not carriage.has(SESSION, 80, 150, now=10)


@pytest.mark.parametrize(
    ("cursor", "offset", "begin"),
    [(100, 100, 100), (90, 100, 90), (0, 4196, 100), (200, 100, 100)],
    ids=["nothing missing", "a little", "too much", "ahead"],
)
def test_a_quick_answer_begins_where_its_reader_has_got_to(cursor: int, offset: int, begin: int) -> None:
    carriage = Carriage()
    carriage.keep({SESSION: cursor})

    assert carriage.since(SESSION, offset) == begin
    assert carriage.since(OTHER, offset) == offset
