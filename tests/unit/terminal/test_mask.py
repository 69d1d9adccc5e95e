"""The user's own key does not come out of a terminal, however it is cut, and nothing else changes."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.terminal.mask import Mask

KEY = b"sk-ant-api03-Zq8xW1vN5tR7yU2pL9kJ4hG6fD3sA0mBcVzXe"
FRAGMENT, FREE = 16, 5

Keys = st.permutations([bytes([number]) for number in range(33, 127)]).flatmap(
    lambda order: st.integers(17, 90).map(lambda length: b"".join(order)[:length])
)


@st.composite
def streams(draw: st.DrawFn, key: bytes) -> bytes:
    """Return noise with the key and pieces of it in between."""
    places = st.integers(0, len(key))
    pieces = st.builds(lambda one, other: key[min(one, other) : max(one, other)], places, places)
    return b"".join(
        draw(st.lists(st.binary(max_size=8) | pieces | st.just(key) | st.just(b"*"), max_size=12))
    )


def cut(stream: bytes, places: set[int]) -> list[bytes]:
    marks = sorted({0, len(stream), *(place % (len(stream) + 1) for place in places)})
    return [stream[begin:end] for begin, end in pairwise(marks)]


def fragments(stream: bytes, key: bytes) -> list[tuple[int, int]]:
    """Return all places of at least FRAGMENT bytes in a row of the key, by the plainest way there is."""
    found: list[tuple[int, int]] = []
    for begin in range(len(stream) - FRAGMENT + 1):
        if stream[begin : begin + FRAGMENT] in key:
            if (
                found
                and begin + FRAGMENT - 1 == found[-1][1]
                and stream[found[-1][0] : begin + FRAGMENT] in key
            ):
                found[-1] = (found[-1][0], begin + FRAGMENT)
            else:
                found.append((begin, begin + FRAGMENT))
    return found


@given(st.data())
def test_whatever_is_cut_wherever_only_the_key_is_hidden(data: st.DataObject) -> None:
    key = data.draw(Keys)
    stream = data.draw(streams(key))
    parts = cut(stream, data.draw(st.sets(st.integers(0, 1 << 16), max_size=8)))
    mask = Mask(key)
    shown = b"".join([*map(mask.feed, parts), mask.flush()])

    assert len(shown) == len(stream)
    assert key not in shown
    inside = {place for begin, end in fragments(stream, key) for place in range(begin, end)}
    late = {place for begin, end in fragments(stream, key) for place in range(begin + FREE, end)}
    changed = {place for place, byte in enumerate(stream) if shown[place] != byte}
    assert changed <= inside
    assert all(shown[place] == ord("*") for place in changed | late)


@given(st.data())
def test_in_one_piece_every_byte_of_a_fragment_is_hidden(data: st.DataObject) -> None:
    key = data.draw(Keys)
    stream = data.draw(streams(key))
    mask = Mask(key)

    expected = bytearray(stream)
    for begin, end in fragments(stream, key):
        expected[begin:end] = b"*" * (end - begin)
    assert mask.feed(stream) + mask.flush() == bytes(expected)


@given(st.binary(min_size=1, max_size=6), st.integers(2, 30), st.data())
def test_a_key_that_repeats_itself_is_hidden_too(unit: bytes, times: int, data: st.DataObject) -> None:
    key = unit * times
    stream = data.draw(st.lists(st.just(key) | st.just(unit * 3) | st.binary(max_size=4)).map(b"".join))
    mask = Mask(key)
    parts = cut(stream, data.draw(st.sets(st.integers(0, 1 << 16), max_size=8)))
    shown = b"".join([*map(mask.feed, parts), mask.flush()])

    assert len(shown) == len(stream)
    assert all(shown[place] in (byte, ord("*")) for place, byte in enumerate(stream))
    if len(key) > FREE and set(key) != {ord("*")}:
        assert key not in shown


def test_the_key_byte_by_byte_is_hidden_but_for_its_beginning() -> None:
    mask = Mask(KEY)
    shown = b"".join([*(mask.feed(bytes([byte])) for byte in b"key: " + KEY + b"!"), mask.flush()])

    assert shown == b"key: sk-an" + b"*" * (len(KEY) - FREE) + b"!"


def test_pauses_between_all_bytes_show_no_more_than_a_fragment() -> None:
    mask = Mask(KEY)
    shown = b"".join(mask.feed(bytes([byte])) + mask.flush() for byte in KEY)

    assert shown == KEY[: FRAGMENT - 1] + b"*" * (len(KEY) - FRAGMENT + 1)


def test_a_key_cut_by_the_end_of_a_row_is_hidden_in_both_rows() -> None:
    mask = Mask(KEY)

    assert mask.feed(KEY[:20] + b"\r\n" + KEY[20:]) == b"*" * 20 + b"\r\n" + b"*" * (len(KEY) - 20)


def test_typing_is_never_held_back_before_the_sixth_byte() -> None:
    mask = Mask(KEY)

    assert [mask.feed(bytes([byte])) for byte in b"sk-an"] == [b"s", b"k", b"-", b"a", b"n"]
    assert not mask.holding


def test_what_is_held_back_comes_when_it_turns_out_to_be_something_else() -> None:
    mask = Mask(KEY)

    assert mask.feed(b"see sk-ant-api") == b"see "
    assert mask.holding
    assert mask.feed(b" keys") == b"sk-ant-api keys"
    assert not mask.holding


def test_what_is_held_back_comes_at_the_end_once() -> None:
    mask = Mask(KEY)
    mask.feed(b"sk-ant-api")

    assert (mask.flush(), mask.flush()) == (b"sk-ant-api", b"")


@pytest.mark.parametrize("secret", [None, b""])
def test_without_a_key_everything_passes(secret: bytes | None) -> None:
    mask = Mask(secret)

    assert mask.feed(KEY) == KEY
    assert mask.flush() == b""


@pytest.mark.parametrize("length", range(1, 20))
def test_short_keys_are_hidden_as_a_whole(length: int) -> None:
    mask = Mask(KEY[:length])

    assert mask.feed(b"<" + KEY[:length] + b">") + mask.flush() == b"<" + b"*" * length + b">"
