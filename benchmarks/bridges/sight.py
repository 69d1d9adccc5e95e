"""What the instance holds, looked up in its database as it comes: pieces of output, and calls that are answered.

One thread looks for all sessions. Looking at the database instead of asking over HTTP leaves the instance's threads and
the latency under test alone.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from benchmarks.bridges.stream import Event, Stream

#: Seldom enough to leave the processors to what is measured.
_LOOK_S = 0.005
_PIECES = (
    "SELECT rowid, session, start, length, dropped, data FROM x_claude_terminal_output "
    "WHERE rowid > ? ORDER BY rowid"
)
_ANSWERED = "SELECT sys_id, state FROM x_claude_terminal_request WHERE state <> 'queued' AND sys_id IN (%s)"
#: The most parameters of one query that every SQLite takes.
_MOST_ASKED = 900


class Sight:
    """The streams that are looked at, and the calls whose answer is awaited."""

    def __init__(self) -> None:
        """Begin with nothing to look at."""
        self._streams: dict[str, Stream] = {}
        self._calls: dict[str, Event] = {}
        self._lock = threading.Lock()
        self._ended = threading.Event()
        #: Calls that the sidecar refused or that failed on their way.
        self.refused: list[str] = []

    def look_at(self, row: str, stream: Stream) -> None:
        """Give what comes for the session with this row to its stream."""
        with self._lock:
            self._streams[row] = stream

    def forget(self, row: str) -> None:
        """Look at a session no longer."""
        with self._lock:
            self._streams.pop(row, None)

    def answer(self, request: str) -> Event:
        """Return what happens when a call is answered."""
        event = Event()
        with self._lock:
            self._calls[request] = event
        return event

    def run(self, database: sqlite3.Connection) -> None:
        """Look until the end."""
        newest = 0
        while not self._ended.wait(_LOOK_S):
            for piece in database.execute(_PIECES, (newest,)).fetchall():
                newest = piece[0]
                self._take(*piece[1:])
            self._look_for_answers(database)

    def end(self) -> None:
        """Look no more."""
        self._ended.set()

    def _take(self, session: str, start: str, length: str, dropped: str, data: str) -> None:
        with self._lock:
            stream = self._streams.get(session)
        if stream is not None:
            now = time.perf_counter()
            stream.take(int(start), int(dropped or 0), b64decode(data) if int(length or 0) else b"", now)

    def _look_for_answers(self, database: sqlite3.Connection) -> None:
        with self._lock:
            asked = list(self._calls)[:_MOST_ASKED]
        if not asked:
            return
        found = database.execute(_ANSWERED % ",".join("?" * len(asked)), asked).fetchall()
        now = time.perf_counter()
        for request, state in found:
            if state != "done":
                self.refused.append(request)
            with self._lock:
                event = self._calls.pop(request)
            event.happen(now)


@contextmanager
def looking(path: Path) -> Iterator[Sight]:
    """Look at the database of an instance, in a thread of its own."""
    sight = Sight()

    def run() -> None:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
            sight.run(database)

    thread = threading.Thread(target=run, name="sight")
    thread.start()
    try:
        yield sight
    finally:
        sight.end()
        thread.join()
