"""One terminal over its life: the bytes it printed, its screen, its program of the moment."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from sidecar.clock import Clock
from sidecar.errors import InputStalled
from sidecar.model.output import Chunk
from sidecar.model.screen import Snapshot
from sidecar.model.session import Size
from sidecar.terminal.bell import Bell, listening
from sidecar.terminal.mask import Mask
from sidecar.terminal.process import Exit, Process
from sidecar.terminal.queries import Questions
from sidecar.terminal.reader import Reader
from sidecar.terminal.ring import Ring
from sidecar.terminal.screen import Screen

#: The screen is at most so far behind; what a faster program printed before is skipped (pyte: about 0.5 MB/s).
SCREEN_LAG = 32 << 10
#: Room left in the ring when a program is paused, for what one more read can bring.
_SLACK = 128 << 10
#: How long an answer to a terminal question may take to be read.
_REPLY_S = 0.1
#: How long a program gets to repaint after a nudge.
_REPAINT_S = 0.5


@dataclass(frozen=True)
class Hooks:
    """Whom the console tells, all on the reader thread, so none of them may wait."""

    #: There is something new to be stored.
    unsaved: Callable[[], None]
    #: The program asked its terminal something; answer it elsewhere.
    asked: Callable[[bytes], None]
    #: The program has ended.
    ended: Callable[[Exit], None]


class Console:
    """A sink of the reader that remembers output by absolute offsets and renders it when asked.

    It does not store: a writer takes `unsaved` chunks and reports `saved`.
    """

    def __init__(self, size: Size, ring: Ring, clock: Clock, hooks: Hooks) -> None:
        """Begin without a program."""
        self._clock = clock
        self._hooks = hooks
        self._ring = ring
        self._lock = threading.Lock()
        self._screen_lock = threading.Lock()
        self._input_lock = threading.Lock()
        self._questions = Questions()
        self._mask = Mask(None)
        self._screen = Screen(size, ring.end)
        self._reader: Reader | None = None
        self._paused = False
        self._stored = ring.end
        #: Where output ended at the last nudge; a program that did not repaint then would not now.
        self._nudged = -1
        self.size = size
        self.bell = Bell()
        self.process: Process | None = None
        self.exit: Exit | None = None
        self.last_output = clock.monotonic()
        #: Offsets from here on are not given out yet: they are not reserved.
        self.reserved = ring.end
        #: Whether the program waits when the writer is behind; off while the database is away.
        self.lossless = True

    # -- the reader's side -----------------------------------------------------------------------------

    def attach(self, process: Process, reader: Reader, secret: bytes | None = None) -> None:
        """Begin to read a new program, in whose output `secret` is masked; its screen starts empty."""
        with self._screen_lock, self._lock:
            self._screen = Screen(self.size, self._ring.end)
            self._questions = Questions()
            self._mask = Mask(secret)
            self._paused = False
            self.process, self.exit, self._reader = process, None, reader
        reader.add(process, self)

    def detach(self) -> None:
        """Let go of a program that has ended, and close its descriptors."""
        with (
            self._input_lock
        ):  # whoever writes now is through with the descriptor before it means another terminal
            process, self.process = self.process, None
            if process is not None:
                process.close()

    def output(self, data: bytes) -> bool:
        """Take bytes from the reader; False asks it to pause until they are stored."""
        shown = self._mask.feed(data)
        go_on = self._keep(shown) if shown else True
        for question in self._questions.find(data):
            self._hooks.asked(question)
        return go_on

    @property
    def holding(self) -> bool:
        """Tell whether bytes are held back that may be the beginning of the key."""
        return self._mask.holding

    def paused(self) -> None:
        """Let go of what is held back: nothing has followed it."""
        if held := self._mask.flush():
            self._keep(held)

    def _keep(self, data: bytes) -> bool:
        """Remember what may be shown; False asks the reader to pause."""
        with self._lock:
            self._ring.append(data, int(self._clock.now().timestamp() * 1000))
            self._paused = self.lossless and self._ring.end - self._stored > self._ring.room - _SLACK
            go_on = not self._paused
        self.last_output = self._clock.monotonic()
        self.bell.ring()
        self._hooks.unsaved()
        return go_on

    def ended(self, end: Exit) -> None:
        """Note the program's end."""
        self.paused()
        self.exit = end
        self.bell.ring()
        self._hooks.ended(end)

    def changed(self) -> None:
        """Wake whoever waits for this terminal, and the writer: what belongs to it has changed."""
        self.bell.ring()
        self._hooks.unsaved()

    # -- the writer's side -----------------------------------------------------------------------------

    @property
    def end(self) -> int:
        """Return the offset behind the last byte printed."""
        return self._ring.end

    @property
    def stored(self) -> int:
        """Return the offset behind the last byte stored."""
        return self._stored

    @property
    def backlog(self) -> int:
        """Return how many bytes wait to be stored."""
        return self._ring.end - self._stored

    def unsaved(self, limit: int) -> Chunk | None:
        """Return the oldest bytes not stored yet and still kept, or None."""
        with self._lock:
            begin = max(self._stored, self._ring.start)
            return self._ring.chunk(begin, limit) if begin < self._ring.end else None

    def saved(self, end: int) -> None:
        """Note that everything before `end` is stored; a paused program goes on."""
        with self._lock:
            self._stored = max(self._stored, end)
            resume = self._paused and self._ring.end - self._stored <= self._ring.room // 2
            if resume:
                self._paused = False
        if resume:
            self._go_on()

    def let_go(self) -> None:
        """Stop holding the program back: nothing can be stored now, and it must not stand still."""
        self.lossless = False
        if self._paused:
            self._paused = False
            self._go_on()

    def _go_on(self) -> None:
        if self._reader is not None and self.process is not None:
            self._reader.resume(self.process)

    # -- the clients' side -----------------------------------------------------------------------------

    @property
    def visible_end(self) -> int:
        """Return the offset behind the last byte that may be given out."""
        return min(self._ring.end, self.reserved)

    def read(self, cursor: int, limit: int) -> bytes | None:
        """Return bytes from `cursor`; None when they are older than what is kept in memory."""
        with self._lock:
            if cursor < self._ring.start:
                return None
            return self._ring.read(cursor, min(limit, max(0, self.visible_end - cursor)))

    @property
    def rendered(self) -> bool:
        """Tell whether a program has run here, so that the screen shows something."""
        return self._reader is not None

    @property
    def start(self) -> int:
        """Return the offset of the oldest byte in memory."""
        return self._ring.start

    def quiet(self) -> float:
        """Return seconds since the last output."""
        return self._clock.monotonic() - self.last_output

    def write(self, data: bytes) -> None:
        """Write input to the program.

        Raises:
            InputStalled: there is no program, or it does not read.
        """
        with self._input_lock:  # a paste goes in slices, and nothing may come in between
            if self.process is None or self.exit is not None:
                raise InputStalled("No program is running in the terminal.")
            self.process.write(data)

    def reply(self, data: bytes) -> None:
        """Write the terminal's answer to a question, unless input is under way or the program does not read.

        Raises:
            InputStalled: it does not.
        """
        if self._input_lock.acquire(timeout=_REPLY_S):
            try:
                if self.process is not None and self.exit is None:
                    self.process.write(data, _REPLY_S)
            finally:
                self._input_lock.release()

    def resize(self, size: Size) -> None:
        """Change the size of screen and terminal."""
        with self._screen_lock:
            self._catch_up()
            self.size = size
            self._screen.resize(size)
        self._tell(size)

    def _tell(self, size: Size) -> None:
        """Tell the program a size, if there is one; it may be let go of at any moment."""
        process = self.process
        if process is not None and self.exit is None:
            process.resize(size)

    def lines(self) -> tuple[tuple[str, ...], str]:
        """Return the screen's rows as plain text, and the window title."""
        with self._screen_lock:
            self._catch_up()
            return self._screen.lines, self._screen.title

    def cursor(self) -> tuple[int, int]:
        """Return the cursor's row and column, zero-based."""
        with self._screen_lock:
            self._catch_up()
            place = self._screen.cursor
            return place.row, place.column

    def snapshot(self) -> Snapshot:
        """Return the rendered screen. After a flood the program is first asked to repaint."""
        with self._screen_lock:
            self._catch_up()
            approximate = self._screen.approximate
        if approximate and self._nudged != self._ring.end:
            self.nudge()
        with self._screen_lock:
            self._catch_up()
            return self._screen.snapshot()

    def nudge(self) -> None:
        """Make the program repaint: one column less and back, then wait until it has, or for a moment."""
        if self.process is None or self.exit is not None:
            return
        deadline = self._clock.monotonic() + _REPAINT_S
        narrower = Size(max(1, self.size.columns - 1), self.size.rows)
        self._tell(narrower)
        with listening([self.bell]) as event:
            event.wait(_REPAINT_S / 5)  # let it notice: two changes at once would cancel each other
            self._tell(self.size)
            while self._unpainted() and (left := deadline - self._clock.monotonic()) > 0:
                event.wait(left)
                event.clear()
        self._nudged = self._ring.end

    def _unpainted(self) -> bool:
        with self._screen_lock:
            self._catch_up()
            return self._screen.approximate

    def _catch_up(self) -> None:
        """Render what was printed since somebody last looked. Needs the screen lock, not the ring's for long."""
        with self._lock:
            begin = max(self._screen.position, self._ring.end - SCREEN_LAG, self._ring.start)
            data = self._ring.read(begin, self._ring.end - begin)
        if begin > self._screen.position:
            self._screen.skip(begin)
        self._screen.feed(data)
