"""A repaint brings a terminal into the modes the program has set, whatever it was in before."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.model.session import Size
from sidecar.terminal.modes import KEPT
from sidecar.terminal.screen import Screen

SMALL = Size(20, 5)
#: As left behind by a history that was cut.
MESS = b"\x1b[?1049h\x1b[?1;6;7;1002;1004;1006;2004h\x1b[4h\x1b[2;3r\x1b[3;3Hold"
Switches = st.lists(
    st.tuples(st.sampled_from([*sorted(KEPT), "7", "25", "1049"]), st.sampled_from("hl")), max_size=12
)


def fed(*pieces: bytes) -> Screen:
    screen = Screen(SMALL, 0)
    for piece in pieces:
        screen.feed(piece)
    return screen


def ansi(*pieces: bytes) -> str:
    return fed(*pieces).snapshot().ansi


@given(Switches)
def test_whatever_a_terminal_was_in_it_gets_into_the_programs_modes(switches: list[tuple[str, str]]) -> None:
    picture = ansi("".join(f"\x1b[?{number}{final}" for number, final in switches).encode(), b"new")

    assert ansi(MESS, picture.encode()) == picture


@pytest.mark.parametrize(
    "program",
    [b"", b"\x1b[2;4r", b"\x1b[4h", b"\x1b[?1049h", b"\x1b[?1049h\x1b[?1049l", b"\x1b[?1049;2004;25l", MESS],
    ids=["nothing", "a region", "insertion", "alternate", "and back", "several at once", "everything"],
)
def test_what_comes_after_a_repaint_lands_where_it_would_have(program: bytes) -> None:
    next_piece = b"x\r\ny\x1b[1;1Hz\x1b[5;20Hxx\x1b[?1049lq"
    repainted = fed(MESS, ansi(program, b"one").encode())
    original = fed(program, b"one")
    for screen in (repainted, original):
        screen.feed(b"\x1b[3;2H" + next_piece.partition(b"\x1b[?1049l")[0])

    assert repainted.lines == original.lines
    assert repainted.cursor == original.cursor


def test_turning_off_any_way_to_tell_of_the_mouse_ends_it() -> None:
    both, off = ansi(b"\x1b[?1000h\x1b[?1002h"), ansi(b"\x1b[?1000h\x1b[?1002h\x1b[?1000l")

    assert both.rpartition("h\x1b[0m")[0].endswith("\x1b[?1002")
    assert off == ansi(b"")


def test_a_full_reset_ends_all_modes_and_the_alternate_screen() -> None:
    assert ansi(MESS, b"\x1bc") == ansi(b"")


def test_modes_of_before_what_was_seen_stay_as_the_terminal_has_them() -> None:
    """A paste would lose its brackets: the CLI asks for them once, at its start."""
    screen = Screen(SMALL, 5000)
    screen.skip(9000)
    screen.feed(b"\x1b[?1hnew")

    picture = screen.snapshot().ansi
    assert "2004" not in picture
    assert "1049" not in picture
    assert "\x1b[?1h" in picture


def test_modes_known_before_a_flood_are_known_behind_it() -> None:
    screen = fed(b"\x1b[?2004h")
    screen.skip(90_000)

    assert "\x1b[?2004h" in screen.snapshot().ansi
