"""Text and keys as bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.claude import keystrokes
from sidecar.errors import InvalidRequest


def test_named_keys_are_the_bytes_of_a_terminal() -> None:
    assert keystrokes.key_bytes(["Enter", "Escape", "C-c", "S-Tab", "Up", "y", "ä"]) == (
        b"\r\x1b\x03\x1b[Z\x1b[Ay" + "ä".encode()
    )


@pytest.mark.parametrize("name", ["", "Entr", "enter", "C-", "C-A", "C-ab", "\x1b", "\n", "F5", "ab"])
def test_an_unknown_key_is_refused_and_its_place_told(name: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        keystrokes.key_bytes(["Up", name])

    assert [problem.field for problem in caught.value.problems] == ["command.1"]


@pytest.mark.parametrize(
    ("text", "checked"),
    [
        ("help\n", "help"),
        ("help\r\n", "help"),
        ("a\n\n", "a\n"),
        ("\n", ""),
        ("", ""),
        ("a\tb\nc", "a\tb\nc"),
    ],
)
def test_one_trailing_line_end_goes(text: str, checked: str) -> None:
    """M9: `help` with a line feed must submit once, not add a line."""
    assert keystrokes.checked_text(text) == checked


@pytest.mark.parametrize("number", [n for n in range(32) if chr(n) not in "\t\n\r"])
def test_control_characters_that_act_as_keys_are_refused_in_text(number: int) -> None:
    with pytest.raises(InvalidRequest):
        keystrokes.checked_text(f"a{chr(number)}b")


@given(st.text())
def test_a_paste_holds_no_marker_but_its_own(text: str) -> None:
    pasted = keystrokes.paste("\x1b[200~" + text + "\x1b[201~")

    assert pasted.startswith(b"\x1b[200~")
    assert pasted.endswith(b"\x1b[201~")


@pytest.mark.parametrize("text", ["\x1b[20\x1b[201~1~", "\x1b[\x1b[200~201~", "\x1b[2\x1b[20\x1b[201~1~01~"])
def test_markers_nested_in_each_other_do_not_end_a_paste_early(text: str) -> None:
    assert b"\x1b[201~" not in keystrokes.paste(text)[: -len(b"\x1b[201~")]
