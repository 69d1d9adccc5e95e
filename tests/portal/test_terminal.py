"""The terminal on the portal, key by key and cell by cell, in a real browser: the fake CLI, everything else real."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Route

from tests.fixtures.browser import WIDE
from tests.fixtures.loop import Loop
from tests.portal.seat import Seat
from tests.servicenow.terminal import mark
from tests.waiting import until

pytestmark = pytest.mark.timeout(300)  # everything is started for the first test
PATIENCE_S = 40
#: The program hears so many bytes and prints them between BEGIN and END.
HEARD = re.compile(rb"BEGIN(.*)END", re.DOTALL)
#: What xterm says of bytes that are no text.
NO_TEXT = re.compile(r"xterm\.js: Parsing error")
#: The upper palette is the same everywhere: 6 levels of each colour, then greys.
LEVELS = (0, 95, 135, 175, 215, 255)


def listen(seat: Seat, count: int) -> None:
    """Let the program take `count` bytes from the keyboard, whatever they mean."""
    seat.terminal.type(f"[[hear {count}]]")
    seat.await_text("hears")


def heard(seat: Seat) -> bytes:
    """Return what the program has heard, once it has."""
    found: list[re.Match[bytes]] = []

    def complete() -> bool:
        found.extend(HEARD.finditer(seat.terminal.at_sidecar()))
        return bool(found)

    assert until(complete, PATIENCE_S), seat.lines
    return found[0][1]


def rows_of_keys(loop: Loop, seat: Seat) -> int:
    """Return how many rows of the queue carried keys of this session."""
    rows = loop.rows(f"queue=output^agent_correlator={seat.terminal.session}")
    return sum('name="op" value="command"' in row["payload"] for row in rows)


def show(seat: Seat, data: bytes) -> None:
    """Let the program print bytes."""
    seat.terminal.type(f"[[bytes {data.hex()}]]")


# -- what is painted -----------------------------------------------------------------------------------------


#: What the program prints, each text in a style of its own.
STYLES = {
    "plain": "0",
    "exact colour": "38;2;12;200;77",
    "exact ground": "48;2;90;20;150",
    "of the palette": "38;5;208",
    "bold": "1;31",
    "slanted": "3",
    "underlined": "4",
    "turned": "7",
}
NAMES = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")


def painted(seat: Seat, text: str) -> dict[str, Any]:
    """Return how the cells of a text are painted, which must be all the same."""
    row = seat.cells(text)
    place = "".join(cell["character"] for cell in row).index(text)
    cells = [{**cell, "character": ""} for cell in row[place : place + len(text)]]
    assert all(cell == cells[0] for cell in cells), cells
    return cells[0]


def rgb(*levels: int) -> str:
    return f"rgb({', '.join(str(level) for level in levels)})"


def test_cells_have_the_colours_and_styles_the_program_chose(seat: Seat) -> None:
    """Regression 19: a colour sequence colours, and nothing of it is painted."""
    styles = STYLES | {f"in {name}": str(30 + number) for number, name in enumerate(NAMES)}
    lines = [f"\r\n\x1b[{sequence}m{text} text\x1b[0m" for text, sequence in styles.items()]
    show(seat, "".join([*lines, "\r\nthat is all\r\n"]).encode())
    seat.await_text("that is all")
    cells = {text: painted(seat, f"{text} text") for text in styles}
    theme = seat.page.evaluate("() => window.claudeTerminal.Screen.themes.dark")
    ours = {name: rgb(*bytes.fromhex(value[1:])) for name, value in theme.items()}

    assert cells["plain"]["color"] == ours["foreground"]
    assert cells["exact colour"]["color"] == rgb(12, 200, 77)
    assert cells["exact ground"]["background"] == rgb(90, 20, 150)
    assert cells["of the palette"]["color"] == rgb(LEVELS[5], LEVELS[2], LEVELS[0])
    assert [cells[f"in {name}"]["color"] for name in NAMES] == [ours[name] for name in NAMES]
    assert cells["bold"]["color"] == ours["red"]
    assert int(cells["bold"]["weight"]) > int(cells["plain"]["weight"])
    assert cells["slanted"]["slant"] == "italic"
    assert "underline" in cells["underlined"]["line"]
    assert cells["turned"]["background"] == ours["foreground"]
    assert not any("\\x1b" in line or "[0m" in line or "38;" in line for line in seat.lines)
    seat.visitor.picture("terminal-colours")


def test_every_byte_reaches_the_terminal_unchanged(seat: Seat) -> None:
    """Regression 19: 0x00 to 0xFF through the instance to the terminal's `write`; nobody decodes or escapes."""
    every = bytes(range(256))
    seat.visitor.complaints.expect(NO_TEXT)
    show(seat, b"BEGIN" + every + every[::-1] + b"END")

    assert until(lambda: every + every[::-1] in seat.written(), PATIENCE_S)
    assert b"\\x1b" not in seat.written()


def test_characters_cut_in_two_between_answers_are_whole_on_the_screen(seat: Seat) -> None:
    """68 KB of characters of four bytes come in several answers, which end anywhere."""
    expected = b"BEGIN" + "".join(chr(0x10000 + place) for place in range(17_000)).encode() + b"END"
    seat.terminal.type("[[wide 17000]]")

    seat.await_text("END")
    assert expected in seat.written()
    assert not any("\ufffd" in line for line in seat.lines)


def test_a_long_answer_is_painted_to_its_end_and_can_be_scrolled_back(seat: Seat) -> None:
    seat.terminal.type("[[flood 200000]]")

    seat.await_text("You said: [[flood 200000]]")
    seat.press("Shift+PageUp", "Shift+PageUp")
    seat.await_no_text("000019999")
    seat.await_text("000019900")


# -- keys ----------------------------------------------------------------------------------------------------


def test_keys_typed_fast_stay_in_order_and_share_rows(loop: Loop, seat: Seat) -> None:
    text = "".join(f"{number:02d} the quick brown fox, " for number in range(6))
    listen(seat, len(text))
    before = rows_of_keys(loop, seat)

    seat.type(text, pause_ms=5)

    assert heard(seat) == text.encode()
    assert rows_of_keys(loop, seat) - before <= len(text) / 4


def test_a_paste_of_10_kb_arrives_whole_in_its_brackets(seat: Seat) -> None:
    text = "".join(f"{number:04d} Grüße aus dem Portal 🎉\n" for number in range(320))
    expected = b"\x1b[200~" + text.replace("\n", "\r").encode() + b"\x1b[201~"
    assert len(expected) > 10_000
    listen(seat, len(expected))

    seat.paste(text)

    assert heard(seat) == expected


def test_special_keys_are_what_a_terminal_makes_of_them(seat: Seat) -> None:
    keys = {
        "ArrowUp": b"\x1b[A",
        "ArrowDown": b"\x1b[B",
        "ArrowLeft": b"\x1b[D",
        "Tab": b"\t",
        "Shift+Tab": b"\x1b[Z",
        "Home": b"\x1b[H",
        "End": b"\x1b[F",
        "Delete": b"\x1b[3~",
        "Backspace": b"\x7f",
        "Enter": b"\r",
        "Escape": b"\x1b",
        "Control+c": b"\x03",
        "Control+r": b"\x12",
        "F1": b"\x1bOP",
    }
    expected = b"".join(keys.values())
    listen(seat, len(expected))

    seat.press(*keys)

    assert heard(seat) == expected


def test_escape_interrupts_what_claude_does(seat: Seat) -> None:
    seat.say("[[endless]] this never ends")
    seat.await_text("esc to interrupt")
    seat.visitor.picture("terminal-busy")

    seat.press("Escape")

    seat.await_text("Interrupted")
    seat.await_text("? for shortcuts")


def test_the_program_asks_the_terminal_and_only_one_answers(seat: Seat) -> None:
    """The sidecar answers for all viewers; an answer of each browser would be typed into the program."""
    seat.terminal.type("[[ask]]")
    seat.await_text("You said:")
    asked = [line for line in seat.lines if line.lstrip("● ").startswith("asked=")]

    assert asked
    listen(seat, 1)
    seat.press("x")
    assert heard(seat) == b"x"


# -- the window ----------------------------------------------------------------------------------------------


def test_the_program_gets_the_size_of_the_window(loop: Loop, seat: Seat) -> None:
    def told() -> tuple[int, int]:
        path = f"/api/session/{seat.terminal.session}/status"
        answer = loop.sidecar.call("GET", path, user=loop.alice.user_id).json()
        return answer["columns"], answer["rows"]

    def fits() -> bool:
        return told()[1] == len(seat.lines) and any(line == "─" * told()[0] for line in seat.lines)

    assert until(fits, PATIENCE_S), (told(), seat.lines)
    wide = told()
    seat.page.set_viewport_size({"width": 900, "height": 560})

    assert until(lambda: told() != wide and fits(), PATIENCE_S), (wide, told(), seat.lines)
    assert told()[0] < wide[0]
    assert told()[1] < wide[1]
    seat.page.set_viewport_size(WIDE)  # type: ignore[arg-type]  # a TypedDict of the same two
    assert until(lambda: told() == wide and fits(), PATIENCE_S), (wide, told(), seat.lines)


def test_after_a_reload_the_screen_is_there_again_with_what_was_before(seat: Seat) -> None:
    word = mark()
    seat.say(f"keep {word}")
    seat.await_text(f"You said: keep {word}")
    seat.type("half a question")
    seat.await_text("half a question")
    before = seat.lines

    seat.page.reload()

    seat.await_text("half a question")
    assert until(lambda: seat.lines == before, PATIENCE_S), (before, seat.lines)
    seat.focus()
    seat.type(" and the rest")
    seat.await_text("half a question and the rest")


# -- news ----------------------------------------------------------------------------------------------------

BUMP = """
var session = new GlideRecord('x_claude_terminal_session');
session.get('{row}');
session.setValue('output_seq', parseInt(session.getValue('output_seq'), 10) + 1);
session.update();
"""


def test_an_update_of_the_watched_row_alone_makes_the_page_fetch(loop: Loop, seat: Seat) -> None:
    """Regression 12: pushed by the record watcher. Three in a row: the safety net of polling looks each 15 s only."""
    row = seat.terminal.told["sysId"]
    seat.say("something new")
    seat.await_text("You said: something new")
    seat.page.get_by_text("Push").first.wait_for()

    for _ in range(3):
        with seat.page.expect_request("**/output?*", timeout=10_000):
            loop.admin.script(BUMP.format(row=row), scope="x_claude_terminal")


# -- answers that are lost -----------------------------------------------------------------------------------


@pytest.fixture
def thief(seat: Seat) -> Iterator[list[str]]:
    """Take every other answer of a read away from the page, after the instance has given it; return which."""
    taken: list[str] = []
    asked = 0

    def steal(route: Route) -> None:
        nonlocal asked
        asked += 1
        if asked % 2:
            route.continue_()
            return
        route.fetch()
        taken.append(route.request.url)
        route.abort()

    seat.visitor.complaints.expect(re.compile("net::ERR_FAILED"))
    seat.page.route("**/output?*", steal)
    yield taken
    seat.page.unroute_all(behavior="wait")


def test_reads_whose_answers_are_lost_before_the_page_lose_no_output(seat: Seat, thief: list[str]) -> None:
    """Regression 18: a read uses nothing up, so what was lost on the way comes again, once."""
    words = [mark() for _ in range(4)]
    for word in words:
        seat.say(f"[[work 0.5]] {word}")
        seat.await_text(f"You said: [[work 0.5]] {word}")

    assert thief
    for word in words:
        assert sum(f"You said: [[work 0.5]] {word}" in line for line in seat.lines) == 1
