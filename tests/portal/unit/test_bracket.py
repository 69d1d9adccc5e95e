"""Whether a program is in the middle of a paste, and what ends it."""

from __future__ import annotations

import pytest

from tests.portal.unit.conftest import Page

OPEN, CLOSE = "\x1b[200~", "\x1b[201~"
SCRIPT = """
    var bracket = new ns.Bracket();
    given.pieces.forEach(function (piece) { bracket.pass(piece); });
    var open = bracket.open;
    bracket.cut();
    return [open, bracket.closing(), bracket.closing()];
"""


@pytest.mark.parametrize(
    "pieces",
    [
        [OPEN + "text"],
        ["a", OPEN, "b"],
        [f"{OPEN}a{CLOSE}{OPEN}b"],
        *([(OPEN + "x")[:at], (OPEN + "x")[at:]] for at in range(1, 6)),
    ],
    ids=range(8),
)
def test_a_paste_that_is_cut_is_closed_once(page: Page, pieces: list[str]) -> None:
    assert page.run(SCRIPT, pieces=pieces) == [True, CLOSE, ""]


@pytest.mark.parametrize(
    "pieces",
    [[], ["text"], [f"{OPEN}a{CLOSE}"], *([OPEN + CLOSE[:at], CLOSE[at:]] for at in range(1, 6))],
    ids=range(8),
)
def test_what_is_closed_needs_nothing(page: Page, pieces: list[str]) -> None:
    assert page.run(SCRIPT, pieces=pieces) == [False, "", ""]
