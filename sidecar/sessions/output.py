"""Reading a session's output: from memory, else from storage, waiting if there is none yet."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from dataclasses import dataclass, replace

from sidecar.clock import Clock
from sidecar.model.output import Reading
from sidecar.model.screen import Snapshot
from sidecar.sessions.live import Live
from sidecar.storage.outputs import OutputStore
from sidecar.terminal.bell import listening
from sidecar.terminal.screen import Screen

#: So much at once is a flood; a waiting reader then lingers, for each answer has a cost of its own.
_FLOOD = 16 << 10
_LINGER_S = 0.01
#: A character has at most four bytes, so at most three can wait for the rest.
_LONGEST_REST = 3
#: Stored bytes rendered for the screen of a session without a program.
_REPLAY = 256 << 10


@dataclass(frozen=True)
class Output:
    """Give out output. Reading never destroys: the same offset gives the same bytes again."""

    store: OutputStore
    clock: Clock
    #: Tells that the service is ending, so that waiting calls return.
    closing: Callable[[], bool]

    def read(self, live: Live, cursor: int, limit: int, wait_s: float = 0, *, text: bool = False) -> Reading:
        """Return up to `limit` bytes from `cursor`; without any, wait for output or a change of state.

        With `text`, a character whose last bytes have not come yet is left for the next call.

        Raises:
            StorageUnavailable: the bytes are older than what is in memory, and the database is away.
        """
        state, lingered = live.state, False
        deadline = self.clock.monotonic() + wait_s
        with listening([live.console.bell]) as event:
            while True:
                reading = self._now(live, cursor, limit)
                if text and _goes_on(live, reading, limit):
                    reading = _whole(reading)
                left = deadline - self.clock.monotonic()
                if _FLOOD <= len(reading.data) < limit and left > _LINGER_S and not lingered:
                    self.clock.sleep(_LINGER_S)
                    lingered = True
                    continue
                if reading.data or live.state is not state or state.ended or left <= 0 or self.closing():
                    return reading
                event.wait(left)
                event.clear()

    def _now(self, live: Live, cursor: int, limit: int) -> Reading:
        console = live.console
        # A cursor from the future is one of a session that lost its storage: answer with nothing, go on there.
        begin = min(cursor, console.visible_end)
        data = console.read(begin, limit)
        if data is None:
            begin, data = self._stored(live, begin, limit)
        return Reading(data, cursor, begin + len(data), max(0, begin - cursor), live.state)

    def _stored(self, live: Live, cursor: int, limit: int) -> tuple[int, bytes]:
        """Return bytes older than memory and where they begin: behind `cursor` where some were never kept."""
        chunk = self.store.read(live.session.id, cursor, limit)
        if chunk is not None and chunk.offset < live.console.start:
            return chunk.offset, chunk.data
        begin = live.console.start
        return begin, live.console.read(begin, limit) or b""

    def screen(self, live: Live) -> Snapshot:
        """Return the rendered screen; without a program, the last one as far as it was stored."""
        if live.console.rendered:
            return live.console.snapshot()
        return self._replayed(live)

    def _replayed(self, live: Live) -> Snapshot:
        session = live.session
        begin = max(session.process_offset, session.output_offset - _REPLAY)
        screen = Screen(session.size, begin)
        if begin > session.process_offset:
            screen.skip(begin)
        while (chunk := self.store.read(session.id, screen.position, _REPLAY)) is not None:
            if chunk.offset > screen.position:
                screen.skip(chunk.offset)
            screen.feed(chunk.data)
        return screen.snapshot()


def _goes_on(live: Live, reading: Reading, limit: int) -> bool:
    """Tell whether the next bytes follow directly: not at a session's end, nor before a gap in what was stored."""
    if reading.state.ended:
        return False
    return reading.next_cursor >= live.console.start or len(reading.data) == limit


def _whole(reading: Reading) -> Reading:
    """Leave out an unfinished UTF-8 character at the end; bytes that can never become one stay."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    decoder.decode(reading.data[-_LONGEST_REST:])
    rest = len(decoder.getstate()[0])
    if not rest:
        return reading
    return replace(reading, data=reading.data[:-rest], next_cursor=reading.next_cursor - rest)
