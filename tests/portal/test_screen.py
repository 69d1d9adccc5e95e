"""Screen.js in a real browser with the real xterm: what is painted, what keys do, and what is never said."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Dialog, Page

from tests.portal.colours import contrast

ROOT = Path(__file__).resolve().parents[2]
XTERM = ROOT / "node_modules" / "@xterm"
FILES = [
    XTERM / "xterm" / "lib" / "xterm.js",
    XTERM / "addon-fit" / "lib" / "addon-fit.js",
    ROOT / "servicenow-app" / "ui-scripts" / "Screen.js",
]
BODY = "<!doctype html><button id=other>Other</button><div id=box style='width: 900px; height: 500px'></div>"
BEGIN = """() => {
    window.typed = [];
    window.sizes = [];
    window.left = 0;
    window.links = [];
    document.getElementById('box').innerHTML = '';
    if (window.screen1) {
        window.screen1.dispose();
    }
    window.screen1 = new window.claudeTerminal.Screen({element: document.getElementById('box'),
        terminal: window.Terminal, fit: window.FitAddon, onLeave: () => { window.left += 1; },
        onLink: (address) => links.push(address)});
    window.screen1.onData((text) => window.typed.push(text));
    window.screen1.onResize((columns, rows) => window.sizes.push([columns, rows]));
    window.screen1.fit();
    window.screen1.focus();
}"""
#: What makes a terminal answer by itself, so that its answer would be typed into the program.
QUERIES = {
    "what are you": "\x1b[c",
    "what are you, in detail": "\x1b[>c",
    "are you well": "\x1b[5n",
    "where is the cursor": "\x1b[6n",
    "where is the cursor, privately": "\x1b[?6n",
    "is a mode set": "\x1b[?2004$p",
    "is an ANSI mode set": "\x1b[4$p",
    "which attributes are set": "\x1bP$qm\x1b\\",
    "which background": "\x1b]11;?\x07",
    "which foreground": "\x1b]10;?\x07",
    "which palette": "\x1b]4;1;?\x07",
    "how large": "\x1b[18t",
}
READABLE = 4.5


@pytest.fixture(scope="module")
def loaded(browser: Browser) -> Iterator[Page]:
    """Return a page with xterm and the class in it."""
    context = browser.new_context(viewport={"width": 1000, "height": 700})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    context.route("**/*", lambda route: route.fulfill(content_type="text/html", body=BODY))
    page = context.new_page()
    page.goto("http://127.0.0.1/")
    page.add_style_tag(path=XTERM / "xterm" / "css" / "xterm.css")
    for file in FILES:
        page.add_script_tag(path=file)
    yield page
    context.close()


@pytest.fixture
def page(loaded: Page) -> Page:
    """Return the page with a new screen in its box."""
    loaded.locator("#box").evaluate("(box) => { box.style.width = '900px'; box.style.height = '500px'; }")
    loaded.evaluate(BEGIN)
    return loaded


def write(page: Page, data: bytes) -> None:
    """Write, and wait until it is in the terminal's buffer."""
    page.evaluate("(data) => screen1.write(new Uint8Array(data))", list(data))
    settle(page)


def settle(page: Page) -> None:
    page.evaluate("() => new Promise((done) => screen1._terminal.write('', done))")


def restore(page: Page, ansi: str, history: bytes = b"", *, cut: bool = False) -> None:
    picture = {"ansi": ansi, "columns": 80, "rows": 10, "history": list(history), "cut": cut}
    page.evaluate(
        "(it) => screen1.restore(Object.assign(it, {history: new Uint8Array(it.history)}))", picture
    )
    settle(page)


def text(page: Page) -> str:
    found: str = page.evaluate("() => screen1.text()")
    return found


def typed(page: Page) -> str:
    found: str = page.evaluate("() => typed.join('')")
    return found


def size(page: Page) -> dict[str, int]:
    found: dict[str, int] = page.evaluate("() => screen1.size()")
    return found


def letters(page: Page) -> int:
    found: int = page.evaluate("() => screen1._terminal.options.fontSize")
    return found


def everything(page: Page) -> str:
    """Return all rows, those to scroll back to as well."""
    found: str = page.evaluate("""() => {
        const buffer = screen1._terminal.buffer.active;
        return Array.from({length: buffer.length}, (_, y) => buffer.getLine(y).translateToString(true)).join('\\n');
    }""")
    return found


# -- what is painted -----------------------------------------------------------------------------------------


def test_a_character_cut_in_two_is_painted_whole(page: Page) -> None:
    data = "❯ é😀".encode()
    for byte in data:
        write(page, bytes([byte]))

    assert text(page) == "❯ é😀\n"


def test_a_rendered_screen_is_painted_over_what_was_there(page: Page) -> None:
    write(page, b"old")
    restore(page, "\x1b[2J\x1b[2;3Hnew")

    assert text(page) == "\n  new\n"
    assert size(page) == {"columns": 80, "rows": 10}


def test_one_can_scroll_back_to_the_output_before_the_screen(page: Page) -> None:
    history = b"".join(b"line %d\r\n" % number for number in range(30))
    restore(page, "\x1b[2J\x1b[1;1Hnow", history)

    assert text(page) == "now\n"
    assert "line 0\n" in everything(page)


def test_output_that_begins_in_the_middle_is_shown_from_its_next_line(page: Page) -> None:
    restore(page, "", b"5;1;31mhalf a line\r\nwhole\r\n", cut=True)

    assert everything(page).strip() == "whole"


def test_output_that_begins_at_its_start_is_shown_whole(page: Page) -> None:
    restore(page, "", b"first\r\nsecond\r\n")

    assert everything(page).strip() == "first\nsecond"


def test_a_screen_can_be_cleared(page: Page) -> None:
    write(page, b"secret\r\n" * 100)
    page.evaluate("() => screen1.clear()")
    settle(page)

    assert everything(page).strip() == ""


# -- what is never said --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_of_the_program_is_not_answered(page: Page, name: str) -> None:
    write(page, QUERIES[name].encode() + b"done")

    assert typed(page) == ""
    assert "done" in text(page)  # and nothing of it is painted or swallowed


def test_xterm_alone_would_answer_most_of_them(page: Page) -> None:
    answered = page.evaluate(
        """async (queries) => {
            const box = document.createElement('div');
            const terminal = new window.Terminal();
            const answers = [];
            document.body.append(box);
            terminal.open(box);
            for (const query of queries) {
                const before = answers.length;
                const listener = terminal.onData((text) => answers.push(text));
                await new Promise((done) => terminal.write(query, done));
                listener.dispose();
                answers.length = before + (answers.length > before ? 1 : 0);
            }
            terminal.dispose();
            box.remove();
            return answers.length;
        }""",
        list(QUERIES.values()),
    )

    assert answered >= len(QUERIES) - 2


def test_having_the_focus_is_not_reported(page: Page) -> None:
    write(page, b"\x1b[?1004h")
    page.locator("#other").focus()
    page.evaluate("() => screen1.focus()")
    page.keyboard.press("a")

    assert typed(page) == "a"


# -- keys ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "bytes_"),
    [
        ("a", "a"),
        ("Enter", "\r"),
        ("Escape", "\x1b"),
        ("Tab", "\t"),
        ("Shift+Tab", "\x1b[Z"),
        ("ArrowUp", "\x1b[A"),
        ("Control+c", "\x03"),
        ("Control+l", "\x0c"),
    ],
)
def test_a_key_goes_to_the_program(page: Page, key: str, bytes_: str) -> None:
    page.keyboard.press(key)

    assert typed(page) == bytes_


def test_ctrl_c_copies_what_is_selected_and_interrupts_the_next_time(page: Page) -> None:
    write(page, b"to be copied")
    page.evaluate("() => screen1._terminal.select(0, 0, 5)")

    page.keyboard.press("Control+c")

    assert page.evaluate("() => navigator.clipboard.readText()") == "to be"
    assert typed(page) == ""
    page.keyboard.press("Control+c")
    assert typed(page) == "\x03"


@pytest.mark.parametrize("key", ["Control+Shift+C", "Control+Insert"])
def test_a_key_for_copying_never_interrupts(page: Page, key: str) -> None:
    page.keyboard.press(key)

    assert typed(page) == ""


@pytest.mark.parametrize("key", ["Control+v", "Control+Shift+V", "Shift+Insert"])
def test_what_is_pasted_goes_in_brackets_after_a_reload_too(page: Page, key: str) -> None:
    restore(page, "", b"rest of an output\r\n", cut=True)
    page.evaluate("() => navigator.clipboard.writeText('two\\nlines')")

    page.keyboard.press(key)
    page.wait_for_function("() => typed.length > 0")

    assert typed(page) == "\x1b[200~two\rlines\x1b[201~"


#: Text with the end of a paste's brackets in it, as ESC and as one character, and with keys after it.
TRAP = "harmless\x1b[201~\r!rm\r\x9b201~\x03\x7f\x00\tend\nnext"
DISARMED = "harmless[201~\r!rm\r201~\tend\rnext"


@pytest.mark.parametrize("key", ["Control+v", "Shift+Insert"])
def test_no_pasted_text_breaks_out_of_its_brackets(page: Page, key: str) -> None:
    restore(page, "")
    page.evaluate("(text) => navigator.clipboard.writeText(text)", TRAP)

    page.keyboard.press(key)
    page.wait_for_function("() => typed.length > 0")

    assert typed(page) == f"\x1b[200~{DISARMED}\x1b[201~"


def test_no_text_pasted_by_a_button_breaks_out_of_its_brackets(page: Page) -> None:
    restore(page, "")
    page.evaluate("(text) => screen1.paste(text)", TRAP)

    assert typed(page) == f"\x1b[200~{DISARMED}\x1b[201~"


def test_a_text_is_pasted_once_and_whole(page: Page) -> None:
    page.evaluate("(text) => navigator.clipboard.writeText(text)", "é😀 日本\tx")
    page.keyboard.press("Control+v")
    page.wait_for_function("() => typed.length > 0")
    page.keyboard.press("a")

    assert typed(page) == "é😀 日本\txa"


def test_f6_leaves_the_terminal(page: Page) -> None:
    page.keyboard.press("F6")

    assert page.evaluate("() => left") == 1
    assert typed(page) == ""


def test_the_terminal_tells_a_screen_reader_how_to_leave_it(page: Page) -> None:
    assert page.get_by_role("textbox", name="Terminal. F6 leaves it.").count() == 1


def test_a_button_types_like_a_key(page: Page) -> None:
    page.evaluate("() => screen1.type('\\u001b')")

    assert typed(page) == "\x1b"


# -- links ---------------------------------------------------------------------------------------------------


def point(page: Page, row: int) -> None:
    """Move the pointer onto the letters of a row."""
    box = page.locator(".xterm-rows > div").nth(row).bounding_box()
    assert box
    page.mouse.move(box["x"] + 30, box["y"] + box["height"] / 2)
    page.mouse.move(box["x"] + 40, box["y"] + box["height"] / 2)


def click(page: Page) -> None:
    page.mouse.down()
    page.mouse.up()


def test_a_link_is_told_with_its_true_address_and_never_opened(page: Page) -> None:
    dialogs: list[str] = []

    def refuse(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.once("dialog", refuse)
    write(
        page,
        b"\x1b[2J\x1b[H\x1b]8;;javascript:alert(1)\x07first link\x1b]8;;\x07\r\n"
        b"\x1b]8;;https://other.example/\x07https://good.example/\x1b]8;;\x07",
    )

    point(page, 0)
    click(page)
    point(page, 1)
    page.wait_for_selector(".xterm-cursor-pointer")  # xterm knows that it is a link
    click(page)
    page.wait_for_function("() => links.length > 0")

    assert page.evaluate("() => links") == ["https://other.example/"]
    assert not dialogs
    assert len(page.context.pages) == 1
    page.remove_listener("dialog", refuse)


# -- copying without a mouse ---------------------------------------------------------------------------------


def test_with_nothing_selected_the_whole_screen_is_copied(page: Page) -> None:
    write(page, b"one\r\ntwo")

    assert page.evaluate("() => screen1.copy()") == "screen"
    assert page.evaluate("() => navigator.clipboard.readText()") == "one\ntwo\n"


def test_in_screen_reader_mode_the_rows_are_text(page: Page) -> None:
    page.evaluate("() => screen1.accessible(true)")
    write(page, b"read me")

    page.wait_for_function(
        "() => document.querySelector('.xterm-accessibility').textContent.includes('read me')"
    )


# -- sizes ---------------------------------------------------------------------------------------------------


def resize_box(page: Page, width: int, height: int) -> None:
    page.locator("#box").evaluate(
        "(box, [width, height]) => { box.style.width = width + 'px'; box.style.height = height + 'px'; }",
        [width, height],
    )


def test_the_terminal_follows_its_box_and_tells_its_size(page: Page) -> None:
    before = size(page)

    resize_box(page, 600, 300)
    page.wait_for_function(f"() => screen1.size().columns < {before['columns']}")

    after = size(page)
    assert after["rows"] < before["rows"]
    assert page.evaluate("() => sizes.at(-1)") == [after["columns"], after["rows"]]


def test_more_cells_than_the_sidecar_takes_are_never_asked_for(page: Page) -> None:
    page.evaluate("() => screen1.font(8)")
    resize_box(page, 6000, 300)
    page.wait_for_function("() => screen1.size().columns > 300")

    assert size(page)["columns"] == 500


def test_a_readers_letters_shrink_until_the_writers_terminal_fits(page: Page) -> None:
    page.evaluate("() => screen1.fix(200, 50)")

    assert size(page) == {"columns": 200, "rows": 50}
    assert letters(page) < 14
    resize_box(page, 300, 200)
    page.wait_for_function("() => screen1._terminal.options.fontSize === 6")
    assert size(page) == {"columns": 200, "rows": 50}


def test_who_takes_over_has_the_size_of_the_box_again(page: Page) -> None:
    before = size(page)
    page.evaluate("() => screen1.fix(200, 50)")

    assert page.evaluate("() => screen1.fit()") == before
    assert letters(page) == 14


@pytest.mark.parametrize(("wanted", "got"), [(0, 14), (16, 16), (1, 8), (99, 28)])
def test_letters_have_a_sensible_size(page: Page, wanted: int, got: int) -> None:
    assert page.evaluate("(px) => screen1.font(px)", wanted) == got
    assert letters(page) == got


def test_a_hidden_terminal_keeps_its_size(page: Page) -> None:
    before = size(page)
    page.locator("#box").evaluate("(box) => { box.style.display = 'none'; }")
    try:
        assert page.evaluate("() => screen1.fit()") == before
    finally:
        page.locator("#box").evaluate("(box) => { box.style.display = 'block'; }")


# -- colours -------------------------------------------------------------------------------------------------


def painted(page: Page) -> str:
    """Write an X in a colour of the program's own choice; return the one it is painted in."""
    write(page, b"\x1b[38;2;250;250;200mX")
    # At once: the row may be painted anew at any moment, with other elements.
    found = page.wait_for_function("""() => {
        const all = Array.from(document.querySelectorAll('.xterm-rows span'));
        const span = all.find((each) => each.textContent === 'X');
        return span && getComputedStyle(span).color;
    }""")
    return str(found.json_value())


def test_a_programs_own_colour_is_painted_as_it_is(page: Page) -> None:
    assert painted(page) == "rgb(250, 250, 200)"


def test_on_a_light_terminal_a_pale_colour_is_darkened(page: Page) -> None:
    page.evaluate("() => screen1.theme('light')")

    red, green, blue = map(int, re.findall(r"\d+", painted(page)))
    ground = themes(page)["light"]["background"]
    assert contrast(f"#{red:02x}{green:02x}{blue:02x}", ground) >= READABLE


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_sixteen_colours_can_be_read(page: Page, theme: str) -> None:
    colours = themes(page)[theme]
    names = ["red", "green", "yellow", "blue", "magenta", "cyan", "white", "brightBlack"]
    names += [f"bright{name.title()}" for name in names[:-1]] + ["foreground"]

    poor = {
        name: colours[name] for name in names if contrast(colours[name], colours["background"]) < READABLE
    }
    assert not poor


def themes(page: Page) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, Any]] = page.evaluate("() => window.claudeTerminal.Screen.themes")
    return found
