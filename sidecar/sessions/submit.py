"""Putting one input into a terminal; text is pasted, submitted, and the submit verified."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sidecar.claude import gates, keystrokes
from sidecar.clock import Clock
from sidecar.errors import InputStalled, MenuOpen
from sidecar.model.command import Command, InputMode
from sidecar.model.session import Activity
from sidecar.terminal.bell import listening
from sidecar.terminal.console import Console

#: Pause between a paste and Enter: some builds take a carriage return right behind a paste as part of it.
_BEFORE_ENTER_S = 0.15
#: Least time between two texts, where the composer does not tell when one was taken.
_APART_S = 0.1
#: How long the composer may keep the text before Enter is pressed once more.
_TAKEN_S = 3.0
#: Longest wait for a menu to stand still; one with a clock in it never does.
_MENU_S = 0.6
#: A screen without a composer for so long has none: a repaint takes less.
_GONE_S = 0.25
#: A screen without output for so long has settled.
SETTLED_S = 0.3
#: Output that has rested for so long is a whole frame: a program paints what a key does in one go.
FRAME_S = 0.025


@dataclass(frozen=True)
class Submitter:
    """Write commands to a console. The caller sees to their order."""

    clock: Clock

    def put(self, console: Console, command: Command) -> bool:
        """Write the input; tell whether it was submitted (always, for raw bytes and keys).

        Raises:
            MenuOpen: text while a menu is open: the paste would cancel it.
            InputStalled: the program does not read, or has stopped in the middle.
        """
        if command.mode is InputMode.TEXT:
            return self._text(console, command.text)
        if command.mode is InputMode.KEYS and gates.menu_open(console.lines()[0]):
            self._await_menu(console)
        console.write(command.data)
        return True

    def _await_menu(self, console: Console) -> None:
        """Let a menu stand for a moment: the CLI drops the keys of its first 0.2 s (measured), as unintended."""
        self.wait(console, lambda: console.quiet() >= SETTLED_S, _MENU_S)

    def _text(self, console: Console, text: str) -> bool:
        self.wait(console, lambda: _recognised(console), _TAKEN_S)
        lines, _ = console.lines()
        if gates.menu_open(lines):
            return self._choose(console, text)
        if gates.composer(lines) is None:  # a shell, say: nothing to verify by
            console.write(text.encode() + keystrokes.ENTER)
            self.wait(console, _never, _APART_S)
            return True
        return self._paste(console, text)

    def _paste(self, console: Console, text: str) -> bool:
        before = gates.composer(console.lines()[0])
        pasted = keystrokes.paste(text) if text else b""
        console.write(pasted)
        if text.strip():  # before the paste shows, its coming could be taken for its submission
            self.wait(console, lambda: gates.composer(console.lines()[0]) not in (before, None), _TAKEN_S)
        self.wait(console, _never, _BEFORE_ENTER_S)
        held = gates.composer(console.lines()[0])
        for _ in range(2):
            _enter(console, len(pasted))
            if not text or self.wait(console, lambda: _taken(console, held), _TAKEN_S):
                return True
        return False

    def _choose(self, console: Console, text: str) -> bool:
        """Type a single character into a menu, as its number is chosen; anything longer is refused."""
        if len(text) != 1:
            raise MenuOpen
        self._await_menu(console)
        console.write(text.encode())
        return True

    def settle(self, console: Console, activity: Callable[[], Activity], timeout_s: float) -> bool:
        """Wait until the program has stopped printing and is not at work; tell whether it has."""
        began = self.clock.monotonic()

        def settled() -> bool:
            # Not before a while has passed: a screen that stood still has not reacted to a key just pressed.
            quiet = min(console.quiet(), self.clock.monotonic() - began)
            return quiet >= SETTLED_S and activity() is not Activity.BUSY

        return self.wait(console, settled, timeout_s)

    def echo(self, console: Console, offset: int, timeout_s: float) -> bool:
        """Wait until a whole frame was printed behind `offset`, or the time is up; tell whether it was."""

        def painted() -> bool:
            return console.visible_end > offset and console.quiet() >= FRAME_S

        return self.wait(console, painted, timeout_s, FRAME_S / 2)

    def wait(
        self,
        console: Console,
        condition: Callable[[], bool],
        timeout_s: float,
        look_s: float = SETTLED_S / 2,
    ) -> bool:
        """Wait until `condition`, checked at each output and every `look_s`, or the time is up."""
        deadline = self.clock.monotonic() + timeout_s
        with listening([console.bell]) as event:
            while not condition():
                left = deadline - self.clock.monotonic()
                if left <= 0 or console.exit is not None:
                    return condition()
                event.wait(min(left, look_s))
                event.clear()
        return True


def _enter(console: Console, behind: int) -> None:
    """Press Enter behind so many bytes, which count as written if it stalls."""
    try:
        console.write(keystrokes.ENTER)
    except InputStalled as stalled:
        raise InputStalled(stalled.detail, written=behind + stalled.written) from stalled


def _never() -> bool:
    return False


def _recognised(console: Console) -> bool:
    """Tell whether the screen has a composer or a menu, or is long enough without to be neither's repaint."""
    lines, _ = console.lines()
    return gates.composer(lines) is not None or gates.menu_open(lines) or console.quiet() >= _GONE_S


def _taken(console: Console, held: str | None) -> bool:
    """Tell whether the composer has let go of `held`; one that is only being repainted has not."""
    lines, _ = console.lines()
    now = gates.composer(lines)
    if now is None:
        return gates.menu_open(lines) or console.quiet() >= _GONE_S
    return now != held
