"""What a person would see: an emulator over the byte stream; the only importer of pyte."""

from __future__ import annotations

import codecs
import copy
import unicodedata
from itertools import groupby

import pyte
from pyte.modes import DECAWM, IRM
from pyte.screens import Char, Cursor, StaticDefaultDict
from wcwidth import wcwidth

from sidecar.model.screen import CursorPosition, Snapshot
from sidecar.model.session import Size
from sidecar.terminal.modes import ALTERNATE, Modes
from sidecar.terminal.sequences import Scanner, Token

#: Combining characters kept in one cell: more is an attack on memory, not a letter.
_CELL_CHARACTERS = 8
#: What a repaint begins with, for modes that would spoil it: no frame held back, no origin, no region, no insertion,
#: rows that wrap, plain letters.
_PLAIN = "\x1b[?2026l\x1b[?6l\x1b[r\x1b[4l\x1b[?7h\x1b(B\x0f"
#: No character before it takes two cells.
_FIRST_WIDE = "\u1100"

_COLOURS = {
    name: number
    for number, name in enumerate(["black", "red", "green", "brown", "blue", "magenta", "cyan", "white"])
}
_ATTRIBUTES = [
    ("bold", "1"),
    ("italics", "3"),
    ("underscore", "4"),
    ("blink", "5"),
    ("reverse", "7"),
    ("strikethrough", "9"),
]


class _Emulator(pyte.Screen):
    """pyte's screen with the alternate buffer it lacks and bounds where it has none."""

    def __init__(self, columns: int, lines: int) -> None:
        super().__init__(columns, lines)
        self._normal: tuple[dict[int, StaticDefaultDict[int, Char]], Cursor] | None = None
        self.last_drawn = " "

    def reset(self) -> None:
        """Begin anew, which also leaves the alternate screen."""
        super().reset()
        self._normal = None

    def draw(self, data: str) -> None:
        """Draw text; pyte breaks wide characters at the right edge, and scrolls for combining ones there."""
        if data.isascii() and data.isprintable():
            self._draw_narrow(data)
            return
        for width, chars in groupby(data, _width):
            if width == 1:
                self._draw_narrow("".join(chars))
            elif width == 2:
                for char in chars:
                    self._draw_wide(char)
            else:
                for char in chars:
                    self._combine(char)

    def _draw_narrow(self, data: str) -> None:
        if data:
            self.last_drawn = data[-1]
            super().draw(data)

    def _draw_wide(self, char: str) -> None:
        """Draw a character of two cells, on the next row where only one is left; without a next one not at all."""
        if self.columns < 2:
            return
        if self.cursor.x == self.columns - 1:
            if DECAWM not in self.mode:
                return
            self.cursor.x = self.columns
        self.last_drawn = char
        super().draw(char)

    def _combine(self, char: str) -> None:
        """Add a combining character to the one before the cursor; others without width leave no trace."""
        row = self.buffer[self.cursor.y]
        x = min(self.cursor.x, self.columns) - 1
        if x > 0 and not row[x].data:  # the second half of a wide character
            x -= 1
        if x < 0 or not unicodedata.combining(char):
            return
        data = unicodedata.normalize("NFC", (row[x].data or " ") + char)
        if len(data) <= _CELL_CHARACTERS:
            row[x] = row[x]._replace(data=data)

    def save_cursor(self) -> None:
        """Keep one position, as terminals do; pyte keeps them all."""
        self.savepoints.clear()
        super().save_cursor()

    def restore_cursor(self) -> None:
        """Go back to the saved position, which stays saved."""
        saved = list(self.savepoints)
        super().restore_cursor()
        self.savepoints[:] = saved

    def resize(self, lines: int | None = None, columns: int | None = None) -> None:
        """Change the size like xterm: rows go at the bottom, unless the cursor stands there."""
        lines, columns = lines or self.lines, columns or self.columns
        excess = max(0, self.cursor.y - (lines - 1))
        kept = {y - excess: row for y, row in self.buffer.items() if excess <= y < lines + excess}
        self.buffer.clear()
        self.buffer.update(kept)
        self.lines = lines
        self.cursor.y -= excess
        super().resize(lines, columns)
        self.set_margins()
        self.cursor.x = min(self.cursor.x, columns - 1)

    def alternate(self, on: bool) -> None:
        """Enter or leave the alternate screen."""
        if on and self._normal is None:
            self._normal = (dict(self.buffer), copy.copy(self.cursor))
            self.buffer.clear()
        elif not on and self._normal is not None:
            rows, cursor = self._normal
            self._normal = None
            self.buffer.clear()
            self.buffer.update(rows)
            self.cursor.x, self.cursor.y = cursor.x, cursor.y
            self.ensure_hbounds()
            self.ensure_vbounds()


class Screen:
    """The rendered screen at an absolute offset. Not thread-safe: the owner locks."""

    def __init__(self, size: Size, offset: int) -> None:
        """Begin empty; `offset` is that of the first byte to come."""
        self._emulator = _Emulator(size.columns, size.rows)
        self._stream = pyte.Stream(self._emulator, strict=False)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._scanner = Scanner()
        self._modes = Modes()
        self._begin = offset
        #: Offset behind the last byte taken.
        self.position = offset
        #: Whether bytes were skipped since the screen was last repainted as a whole.
        self.approximate = False
        self._erased: set[int] = set()
        #: What was computed since the last change; screens are looked at more often than they change.
        self._grid: list[list[Char]] | None = None
        self._shown: Snapshot | None = None

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        if not data:
            return
        self.position += len(data)
        self._shown = self._grid = None
        for token in self._scanner.feed(self._decoder.decode(data)):
            self._apply(token)

    def skip(self, offset: int) -> None:
        """Leave out what lies before `offset`: the screen is only approximate until it is repainted."""
        if self.position == self._begin:  # what the program set at its start was not seen
            self._modes.forget()
        self.position = offset
        self._shown = self._grid = None
        self.approximate = True
        self._erased.clear()
        self._decoder.reset()
        self._scanner = Scanner()

    def _apply(self, token: Token) -> None:
        emulator = self._emulator
        self._modes.take(token.modes, on=token.on)
        if token.kind == "modes":
            return
        if token.kind == "alternate":
            emulator.alternate(token.on)
            self._modes.take([ALTERNATE], on=token.on)
        elif token.kind == "title":
            emulator.set_title(token.value)
        elif token.kind == "repeat":
            emulator.draw(emulator.last_drawn * min(int(token.value or 1), emulator.columns))
        else:
            self._stream.feed(token.value)
        if token.value == "\x1bc":
            self._modes.reset()
        if self.approximate:
            self._note_repaint(token)

    def _note_repaint(self, token: Token) -> None:
        """Trust the screen again once it was cleared at once, or row by row as the CLI does."""
        if token.value == "\x1b[2K":
            self._erased.add(self._emulator.cursor.y)
        whole = token.value in ("\x1b[2J", "\x1bc") or token.kind == "alternate"
        self.approximate = not (whole or len(self._erased) >= self._emulator.lines)

    def resize(self, size: Size) -> None:
        """Take another size."""
        self._shown = self._grid = None
        self._emulator.resize(size.rows, size.columns)

    @property
    def title(self) -> str:
        """Return the window title the program set."""
        return str(self._emulator.title)

    @property
    def cursor(self) -> CursorPosition:
        """Return the cursor; its column stays inside the screen also before a wrap."""
        cursor = self._emulator.cursor
        return CursorPosition(cursor.y, min(cursor.x, self._emulator.columns - 1), not cursor.hidden)

    @property
    def lines(self) -> tuple[str, ...]:
        """Return the rows as plain text without trailing blanks."""
        return tuple("".join(cell.data for cell in row).rstrip(" ") for row in self._rows())

    def snapshot(self) -> Snapshot:
        """Return all there is to see; `offset` leaves out bytes of an unfinished sequence."""
        if self._shown is None:
            self._shown = self._rendered()
        return self._shown

    def _rendered(self) -> Snapshot:
        undecoded = len(self._decoder.getstate()[0])
        return Snapshot(
            columns=self._emulator.columns,
            rows=self._emulator.lines,
            cursor=self.cursor,
            lines=self.lines,
            ansi=self._ansi(),
            title=self.title,
            offset=self.position - undecoded - self._scanner.pending,
            approximate=self.approximate,
        )

    def _rows(self) -> list[list[Char]]:
        if self._grid is None:
            self._grid = self._read_rows()
        return self._grid

    def _read_rows(self) -> list[list[Char]]:
        emulator = self._emulator
        blank = emulator.default_char
        nothing: dict[int, Char] = {}
        buffer = [emulator.buffer.get(y, nothing) for y in range(emulator.lines)]
        return [_whole([row.get(x, blank) for x in range(emulator.columns)]) for row in buffer]

    def _ansi(self) -> str:
        painted = [f"\x1b[{y};1H{text}" for y, row in enumerate(self._rows(), 1) if (text := _painted(row))]
        begin = self._modes.buffer + _PLAIN + "\x1b[0m\x1b[2J"
        cursor = self.cursor
        # Behind the modes: some of them send the cursor home.
        place = f"\x1b[0m\x1b[{cursor.row + 1};{cursor.column + 1}H"
        end = self._region() + self._modes.ansi + place + ("\x1b[?25h" if cursor.visible else "\x1b[?25l")
        return begin + "".join(painted) + end

    def _region(self) -> str:
        """Return what sets the rows that scroll, insertion and wrapping as the program has."""
        emulator = self._emulator
        rows = emulator.margins
        return (
            (f"\x1b[{rows.top + 1};{rows.bottom + 1}r" if rows else "")
            + ("\x1b[4h" if IRM in emulator.mode else "")
            + ("" if DECAWM in emulator.mode else "\x1b[?7l")
        )


def _width(char: str) -> int:
    """Return how many cells a character takes: 0, 1 or 2."""
    return 0 if unicodedata.combining(char) else max(0, wcwidth(char))


def _whole(row: list[Char]) -> list[Char]:
    """Show blanks for halves of wide characters whose other half was overwritten, as terminals do.

    Left in, they would make the text longer or shorter than the row, and what follows would move.
    """
    cells = [cell.data for cell in row]
    if "" not in cells and not any(_width(char) == 2 for char in set("".join(cells)) if char >= _FIRST_WIDE):
        return row
    first = [_width(data[:1] or " ") == 2 for data in cells]
    second = [not data for data in cells]
    lost = (
        (wide and not followed) or (rest and not preceded)
        for wide, followed, rest, preceded in zip(
            first, [*second[1:], False], second, [False, *first[:-1]], strict=True
        )
    )
    return [cell._replace(data=" ") if alone else cell for cell, alone in zip(row, lost, strict=True)]


def _painted(row: list[Char]) -> str:
    """Return one row as text with colours, its blank end left out."""
    while row and row[-1].data == " " and _style(row[-1]) == "\x1b[0m":
        row.pop()
    runs = groupby(row, _style)
    return "".join(style + "".join(cell.data for cell in cells) for style, cells in runs)


def _style(cell: Char) -> str:
    codes = ["0", *(code for name, code in _ATTRIBUTES if getattr(cell, name))]
    codes += _colour(cell.fg, 30) + _colour(cell.bg, 40)
    return f"\x1b[{';'.join(codes)}m"


def _colour(name: str, base: int) -> list[str]:
    """Return SGR codes of a pyte colour: a name, `bright…`, or six hex digits."""
    if name == "default":
        return []
    name = name.replace("bfight", "bright")  # pyte 0.8.2 misspells one of its names
    bright = name.startswith("bright")
    number = _COLOURS.get(name.removeprefix("bright"))
    if number is not None:
        return [str(base + number + (60 if bright else 0))]
    red, green, blue = (int(name[place : place + 2], 16) for place in (0, 2, 4))
    return [f"{base + 8};2;{red};{green};{blue}"]
