"""The scripted program's pattern and records, and the checks that look at them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.check import Check, Track
from benchmarks.program import BLOCK, COMPOSER, RECORD, VERSION, parse_record, pattern, record
from sidecar.claude import gates, version

#: How many a track is to see.
RECORDS = 20
#: Where one block ends and the next begins.
EDGE = pattern(BLOCK - 5_000, 10_000)


class TestThePattern:
    @given(st.integers(0, 9_900), st.integers(0, 100))
    def test_is_the_same_wherever_one_begins(self, start: int, length: int) -> None:
        assert pattern(BLOCK - 5_000 + start, length) == EDGE[start : start + length]

    def test_is_text_without_control_sequences(self) -> None:
        assert all(char == "\n" or char.isprintable() for char in EDGE.decode("ascii"))

    def test_of_one_block_is_not_that_of_another(self) -> None:
        assert pattern(0, 64) != pattern(BLOCK, 64)

    @given(st.integers(1, 9_000))
    def test_differs_from_itself_moved(self, by: int) -> None:
        assert EDGE[:200] != EDGE[by : by + 200]


class TestTheCheck:
    def test_accepts_every_byte_at_its_offset(self) -> None:
        check = Check(EDGE)

        check.take(0, EDGE[:4_000])
        check.take(4_000, EDGE[4_000:])

        assert check.faults == []

    def test_names_the_first_byte_that_is_wrong(self) -> None:
        check = Check(EDGE)

        check.take(100, EDGE[100:150] + b"\0" + EDGE[151:200])

        assert check.faults == ["the byte at offset 150 is not the one printed there"]

    def test_finds_bytes_that_moved(self) -> None:
        check = Check(EDGE)

        check.take(100, EDGE[101:200])

        assert len(check.faults) == 1

    def test_finds_bytes_behind_the_end(self) -> None:
        check = Check(EDGE)

        check.take(9_990, EDGE[9_990:] + b"x")

        assert check.faults == ["the byte at offset 10000 is not the one printed there"]


class TestARecord:
    def test_is_one_kilobyte_with_number_and_time(self) -> None:
        line = record(7, 123_456_789)

        assert len(line) == RECORD
        assert parse_record(line.removesuffix(b"\n")) == (7, 123_456_789)

    @pytest.mark.parametrize("line", [b"", record(7, 1)[1:-1], record(7, 1)[:-2], record(7, 1)[:-2] + b"x"])
    def test_that_is_not_whole_is_refused(self, line: bytes) -> None:
        with pytest.raises(ValueError, match="not a record"):
            parse_record(line)


def track(data: bytes) -> Track:
    found = Track(RECORDS)
    for place in range(0, len(data), 700):  # records arrive in pieces
        found.take(data[place : place + 700], 3_000_000)
    found.close()
    return found


class TestATrack:
    def test_of_all_records_in_order_has_no_fault(self) -> None:
        found = track(b"".join(record(number, 1_000_000) for number in range(RECORDS)))

        assert (found.complete, found.faults, found.delays_ms) == (True, [], [2.0] * RECORDS)

    @pytest.mark.parametrize(
        "numbers",
        [
            [*range(RECORDS - 1)],
            [*range(5), *range(6, RECORDS)],
            [0, 2, 1, *range(3, RECORDS)],
            [0, 0, *range(1, RECORDS)],
        ],
        ids=["the last lost", "one lost", "two exchanged", "one twice"],
    )
    def test_of_anything_else_has(self, numbers: list[int]) -> None:
        assert track(b"".join(record(number, 1) for number in numbers)).faults


class TestTheProgram:
    def test_shows_what_the_sidecar_takes_for_a_prompt(self) -> None:
        assert gates.ready([COMPOSER.decode()])

    def test_tells_the_tested_version(self) -> None:
        found = version.parse(VERSION)

        assert found is not None
        assert found.tested
