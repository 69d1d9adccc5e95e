"""Every way a command reaches the CLI, counted at the stand-in API.

M9 of the predecessor: its input filter dropped ESC and Ctrl-C, and `help` with a line feed was never submitted.
"""

from __future__ import annotations

import pytest

from emulator.anthropic import Server as Api
from emulator.anthropic.record import LONGEST_TEXT
from tests.acceptance.driver import Terminal, User
from tests.waiting import until

LONG = "word " * 120


@pytest.fixture
def terminal(user: User) -> Terminal:
    return user.create()


def prompts(api: Api, terminal: Terminal) -> list[str]:
    """Return what was asked in the terminal's conversation, in order."""
    return [entry.text for entry in api.requests.entries() if entry.session == terminal.id]


#: What is sent, and the one message that Claude gets.
TEXTS = {
    "help\n": "help",
    "say hi\r\n": "say hi",
    "say ho\r": "say ho",
    "l1\nl2\nl3\n": "l1\nl2\nl3",
    "r1\rr2\rr3\r": "r1\nr2\nr3",
    LONG + "\r": LONG.strip(),
    "-p --help $HOME `id` 'x' \\n [200~ Grüße 🎉": "-p --help $HOME `id` 'x' \\n [200~ Grüße 🎉",
}


def test_a_text_is_one_message_submitted_once(terminal: Terminal, api: Api) -> None:
    """M9."""
    for number, text in enumerate(TEXTS, 1):
        terminal.say(text)
        assert until(lambda count=number: len(prompts(api, terminal)) >= count), terminal.text()  # type: ignore[misc]
        terminal.await_idle()

    assert prompts(api, terminal) == [expected[:LONGEST_TEXT] for expected in TEXTS.values()]


def test_a_text_of_the_largest_size_is_one_message(terminal: Terminal, api: Api) -> None:
    text = "".join(f"{number:07} " for number in range(2048))
    assert len(text) == 16_384

    terminal.say(text)

    assert until(lambda: prompts(api, terminal)), terminal.text()
    assert until(lambda: text.strip() in terminal.transcript())
    terminal.await_idle()
    assert len(prompts(api, terminal)) == 1


def test_a_text_with_a_paste_marker_or_another_key_is_refused(terminal: Terminal, api: Api) -> None:
    for text in ("\x1b[200~say hi\x1b[201~", "say hi\x03", "say\x00hi"):
        assert terminal.post_command(text).status_code == 422

    assert prompts(api, terminal) == []


def test_raw_bytes_reach_the_cli_as_they_are(terminal: Terminal, api: Api) -> None:
    """M9: a line feed makes a new line, a carriage return submits, and paste markers are not filtered."""
    terminal.raw(b"raw one\n")
    terminal.raw(b"line two")
    terminal.await_text("raw one", "line two")
    assert prompts(api, terminal) == []

    terminal.raw(b"\r")
    terminal.await_reply("You said: raw one")
    terminal.raw(b"\x1b[200~pasted\nby hand\x1b[201~")
    terminal.await_text("by hand")
    terminal.raw(b"\r")
    terminal.await_reply("You said: pasted")

    assert prompts(api, terminal) == ["raw one\nline two", "pasted\nby hand"]


def test_keys_edit_the_composer_before_they_submit_it(terminal: Terminal, api: Api) -> None:
    terminal.keys("a", "b", "x", "Backspace", "Left", "Left", "C-e", "c", "M-Enter", "d")
    terminal.await_text("❯\u00a0abc")
    terminal.keys("Enter")

    terminal.await_reply("You said: abc")
    assert prompts(api, terminal) == ["abc\nd"]


def test_many_commands_arrive_once_and_in_order(terminal: Terminal, api: Api) -> None:
    """M10: one session's commands were reordered, and fast ones answered with 500."""
    texts = [f"number {index}" for index in range(6)]
    for text in texts:
        terminal.say(text)

    assert until(lambda: "number 5" in "\n".join(prompts(api, terminal))), terminal.text()
    terminal.await_idle()
    # The CLI joins what comes while it works; nothing is lost, doubled or reordered.
    assert "\n".join(prompts(api, terminal)).split("\n") == texts
