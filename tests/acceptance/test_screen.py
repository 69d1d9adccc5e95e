"""What a viewer is given: output by offset, the rendered screen, and the recording, of the real CLI."""

from __future__ import annotations

import json

import pytest

from sidecar.model.session import Size
from sidecar.terminal.screen import Screen
from tests.acceptance.driver import Json, Terminal, User
from tests.waiting import until


@pytest.mark.parametrize("renderer", ["classic", "fullscreen"])
def test_a_screen_and_the_bytes_after_it_give_the_later_screen(user: User, renderer: str) -> None:
    terminal = user.create(columns=100, rows=30, renderer=renderer)
    terminal.say("[[rate 40 tokens 60]]")
    terminal.await_status(activity="busy")
    first = terminal.screen()
    terminal.await_idle()
    terminal.say("Grüße, 世界 🎉")
    terminal.await_reply("You said: Grüße, 世界 🎉")

    later = settled(terminal)
    assert replayed(first, b"").lines == tuple(first["lines"])
    viewer = replayed(first, terminal.all_output(first["offset"]))
    assert viewer.lines == tuple(later["lines"])
    cursor = viewer.cursor
    assert {"row": cursor.row, "column": cursor.column, "visible": cursor.visible} == later["cursor"]
    assert not later["approximate"]


def replayed(first: Json, data: bytes) -> Screen:
    viewer = Screen(Size(first["columns"], first["rows"]), 0)
    viewer.feed(first["ansi"].encode())
    viewer.feed(data)
    return viewer


def settled(terminal: Terminal) -> Json:
    """Return a screen behind which nothing was printed."""
    screens = [terminal.screen()]

    def still() -> bool:
        screens.append(terminal.screen())
        return bool(screens[-1]["offset"] == screens[-2]["offset"] == terminal.status()["outputOffset"])

    assert until(still)
    return screens[-1]


def test_the_same_offset_gives_the_same_bytes(user: User) -> None:
    """M7: a read destroyed what it gave, and there was no cursor."""
    terminal = user.create()
    terminal.say("[[long 3000]]")
    terminal.await_text("End of 3000 characters.")
    terminal.await_idle()
    end = settled(terminal)["offset"]

    whole = terminal.all_output()[:end]
    assert len(whole) == end
    assert terminal.output(0, maxBytes=1000)["bytes"] == whole[:1000]
    assert terminal.output(1000, maxBytes=1000)["bytes"] == whole[1000:2000]
    assert terminal.output(1000, maxBytes=1000)["bytes"] == whole[1000:2000]
    pieces, cursor = b"", 0
    while cursor < end:
        reading = terminal.output(cursor, maxBytes=777)
        assert reading["dropped"] == 0
        pieces, cursor = pieces + reading["bytes"], reading["nextCursor"]
    assert pieces[:end] == whole


def test_text_reads_never_cut_a_character(user: User) -> None:
    """M8: chunks were cut at 4096 bytes, inside a character."""
    terminal = user.create()
    terminal.say("🎉" * 1500)
    terminal.await_text("● You said:")
    terminal.await_idle()
    end = settled(terminal)["offset"]

    cursor, text = 0, ""
    while cursor < end:
        answer = terminal.call("GET", "/output", params={"cursor": cursor, "maxBytes": 4097})
        text += answer.json()["data"]
        cursor = answer.json()["nextCursor"]
    assert "�" not in text
    assert text.encode()[:end] == terminal.all_output()[:end]


def test_a_viewer_on_waiting_reads_sees_the_reply(user: User) -> None:
    terminal = user.create()
    first = terminal.screen()
    terminal.say("[[delay 1]] patience")

    data, cursor, calls = b"", first["offset"], 0
    while "● You said: patience" not in replayed(first, data).lines:
        reading = terminal.output(cursor, wait=20)
        assert reading["bytes"], "a waiting read gave nothing"
        data, cursor, calls = data + reading["bytes"], reading["nextCursor"], calls + 1
    assert calls < 100


def test_a_command_that_waits_answers_with_the_output(user: User) -> None:
    terminal = user.create()

    answer = terminal.say("[[delay 0.5]] wait for me", waitMs=20_000)

    assert answer["output"]["cursor"] == answer["cursor"]
    assert "wait for me" in answer["output"]["data"]
    assert "● You said: wait for me" in terminal.text()


def test_the_recording_holds_what_was_printed(user: User) -> None:
    terminal = user.create(columns=90, rows=25)
    terminal.say("on the record")
    terminal.await_reply("You said: on the record")
    end = settled(terminal)["offset"]
    whole = terminal.all_output()[:end].decode()

    assert until(lambda: len(terminal.recorded()) >= len(whole))

    header = json.loads(terminal.recording().splitlines()[0])
    assert (header["version"], header["width"], header["height"]) == (2, 90, 25)
    assert terminal.recorded()[: len(whole)] == whole
