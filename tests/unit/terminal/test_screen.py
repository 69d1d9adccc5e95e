"""The screen: what a person would see, whatever the bytes are."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sidecar.model.screen import Snapshot
from sidecar.model.session import Size
from sidecar.terminal.screen import Screen
from sidecar.terminal.sequences import _LONGEST, Scanner

SMALL = Size(20, 5)

#: Pieces of escape sequences and of what breaks terminals.
SHARDS = st.sampled_from(
    [
        *(
            b"\x1b",
            b"\x1b[",
            b"\x1b]",
            b"\x1bP",
            b"\x1b_",
            b"\x1b^",
            b"\x1bX",
            b"\x9b",
            b"\x9d",
            b"\x07",
            b"\x1b\\",
        ),
        *(bytes([number]) for number in b"\r\n\t\x08\x00\x0e\x0f\x7f\x85\xff\xc3\x01"),
        b"\xf0\x9f",
        *b"0; ; : ? > < = $ ! 1 38 48 58 5 2 1049 2004 25 99999999999999999999 4:3".split(),
        *b"m h l H J K A B r b c n p q t u @ L".split(),
        *"ä 漢 🎉 👨‍👩‍👧 e\u0301 \u200b \u202e \ufeff ❯ ──────────────────────────".encode().split(),
        b" ",
    ]
)
Streams = st.lists(SHARDS | st.binary(max_size=6), max_size=40).map(b"".join)


def shown(data: bytes, size: Size = SMALL) -> Snapshot:
    screen = Screen(size, 0)
    screen.feed(data)
    return screen.snapshot()


@given(Streams)
@example(b"\x1b[38:2::1:2:3m\x1b[4:3mx")
@example(b"\x1b[?6h\x1b[?3h\x1b[99999999999999999999;1Hx")
@example(b"\x1b[5;1r\x1b[3J\x1b[2;9L")
def test_no_bytes_break_it(stream: bytes) -> None:
    snapshot = shown(stream)

    assert len(snapshot.lines) == SMALL.rows
    assert 0 <= snapshot.cursor.row < SMALL.rows
    assert 0 <= snapshot.cursor.column < SMALL.columns
    assert snapshot.offset <= len(stream)
    assert len(snapshot.title) <= 256


@given(Streams, st.data())
def test_cuts_anywhere_change_nothing(stream: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=6)))
    screen = Screen(SMALL, 0)
    for begin, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        screen.feed(stream[begin:end])

    assert screen.snapshot() == shown(stream)


@given(Streams)
@example("漢\b".encode() + b"x" * 19)  # half of a wide character is overwritten
@example(b"x" * 19 + "漢!".encode())  # a wide character where one cell is left
@example("\x1b[5;20Hq\u0302\x1b[1;20Hq\u0302".encode())  # a combining one where none is left
@example("漢\r\x1b[4h!\x1b[2;19H漢\x1b[2;1H\x1b[4h!".encode())  # insertion parts a wide character
def test_a_repaint_gives_the_same_text_and_cursor(stream: bytes) -> None:
    before = shown(stream)
    replayed = Screen(SMALL, 0)
    replayed.feed(before.ansi.encode())

    assert replayed.lines == before.lines
    place = replayed.cursor
    assert (place.row, place.column, place.visible) == (
        before.cursor.row,
        before.cursor.column,
        before.cursor.visible,
    )


@given(Streams, st.lists(st.tuples(st.integers(1, 500), st.integers(1, 500)), max_size=4))
def test_any_change_of_size_is_survived(stream: bytes, sizes: list[tuple[int, int]]) -> None:
    screen = Screen(SMALL, 0)
    for columns, rows in sizes:
        screen.feed(stream)
        screen.resize(Size(columns, rows))
        assert len(screen.lines) == rows
        assert screen.cursor.row < rows
        assert screen.cursor.column < columns


def test_wide_characters_take_two_cells_and_combining_ones_none() -> None:
    snapshot = shown("漢字e\u0301!".encode())

    assert snapshot.lines[0] == "漢字é!"
    assert snapshot.cursor.column == 6


def test_a_wide_character_goes_to_the_next_row_where_only_one_cell_is_left() -> None:
    snapshot = shown(b"x" * 19 + "漢!".encode())

    assert snapshot.lines[:2] == ("x" * 19, "漢!")


def test_a_wide_character_vanishes_when_half_of_it_is_overwritten() -> None:
    assert shown("漢字\b\b\b!".encode()).lines[0] == " !字"
    assert shown("漢字\r!".encode()).lines[0] == "! 字"


def test_a_combining_character_joins_the_one_before_it_also_at_the_edge_and_after_a_wide_one() -> None:
    snapshot = shown(b"\x1b[5;20Hq" + "\u0302\x1b[1;1H漢\u0302!".encode())

    assert snapshot.lines[4] == " " * 19 + "q\u0302"
    assert snapshot.lines[0] == "漢\u0302!"


def test_ten_thousand_combining_characters_do_not_fill_a_cell() -> None:
    snapshot = shown(b"e" + "\u0301".encode() * 10_000)

    assert len(snapshot.lines[0]) <= 10


def test_the_alternate_screen_hides_the_normal_one_and_gives_it_back() -> None:
    screen = Screen(SMALL, 0)
    screen.feed(b"normal\r\n\x1b[?1049h\x1b[Hother")
    assert screen.lines[0] == "other"

    screen.feed(b"\x1b[?1049l")

    assert screen.lines[0] == "normal"
    assert "other" not in "".join(screen.lines)
    assert screen.cursor.row == 1


def test_the_alternate_screen_survives_a_change_of_size() -> None:
    screen = Screen(Size(40, 10), 0)
    screen.feed(b"\x1b[9;30Hx\x1b[?1049h")

    screen.resize(Size(10, 3))
    screen.feed(b"\x1b[?1049lafter")

    assert screen.cursor.row < 3


@pytest.mark.parametrize(
    "opening",
    [b"\x1b]0;", b"\x1bP", b"\x1b_", b"\x1b[", b"\x1b]52;c;"],
    ids=["title", "dcs", "apc", "csi", "clip"],
)
def test_an_endless_sequence_takes_no_memory_and_ends(opening: bytes) -> None:
    screen = Screen(SMALL, 0)
    screen.feed(opening)
    for _ in range(100):
        screen.feed(b"1" * 10_000)
        assert screen._scanner.pending <= _LONGEST + 10_000
    screen.feed(b"\x07\x1b\\\x1b[2J\x1b[Hafter")

    assert "after" in "\n".join(screen.lines)


def test_a_title_is_cut_and_other_strings_are_not_shown() -> None:
    snapshot = shown(b"\x1b]0;" + b"t" * 3000 + b"\x07\x1b]52;c;secret\x07\x1bPq#data\x1b\\seen")

    assert snapshot.title == "t" * 256
    assert snapshot.lines[0] == "seen"


@pytest.mark.parametrize(
    "unseen", ["\x1b[<u", "\x1b[>4;2m", "\x1b[?2004h", "\x1b[4:3m", "\x1b[58;2;1;2;3m", "\x1b[?2031h"]
)
def test_what_the_cli_sends_for_better_terminals_leaves_no_trace(unseen: str) -> None:
    assert shown(f"a{unseen}b".encode()).lines[0] == "ab"


def test_repeating_a_character_is_bounded_by_the_row() -> None:
    assert shown(b"x\x1b[999999999b").lines[0].strip("x") == ""


def test_skipped_bytes_make_it_approximate_until_it_is_painted_anew() -> None:
    screen = Screen(SMALL, 0)
    screen.feed(b"before")
    screen.skip(1000)
    assert screen.snapshot().approximate

    screen.feed(b"\x1b[2J\x1b[Hfresh")

    snapshot = screen.snapshot()
    assert not snapshot.approximate
    assert snapshot.lines[0] == "fresh"
    assert snapshot.offset == 1000 + len(b"\x1b[2J\x1b[Hfresh")


def test_the_offset_leaves_out_what_waits_for_its_rest() -> None:
    assert shown(b"ab\xf0\x9f").offset == 2
    assert shown(b"ab\x1b[3").offset == 2
    assert shown(b"ab\x1b]0;ti").offset == 2


@given(st.lists(st.text(max_size=30), max_size=10))
def test_the_scanner_gives_the_same_tokens_however_text_is_cut(pieces: list[str]) -> None:
    whole = Scanner()
    cut = Scanner()

    together = [(token.kind, token.value) for token in whole.feed("".join(pieces))]
    apart = [(token.kind, token.value) for piece in pieces for token in cut.feed(piece)]

    assert _joined(together) == _joined(apart)


def _joined(tokens: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Join neighbouring texts: where they are cut does not matter."""
    found: list[tuple[str, str]] = []
    for kind, value in tokens:
        if kind == "text" and found and found[-1][0] == "text":
            found[-1] = ("text", found[-1][1] + value)
        else:
            found.append((kind, value))
    return found
