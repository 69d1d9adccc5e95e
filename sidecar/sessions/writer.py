"""The one thread that stores output, in order and in batches."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from uuid import UUID

from sidecar.clock import Clock
from sidecar.errors import NotFound, StorageUnavailable
from sidecar.model.output import Chunk
from sidecar.sessions.live import Live
from sidecar.sessions.offsets import WINDOW, Offsets
from sidecar.storage.outputs import OutputStore
from sidecar.storage.sessions import SessionStore

log = logging.getLogger(__name__)

#: How long bytes may wait for others to share a transaction; a crash loses at most what was printed in it.
_GATHER_S = 0.2
#: Waiting bytes of one session that end the gathering at once.
_PLENTY = 192 << 10
#: Bytes of one session per transaction.
_PORTION = 512 << 10
#: Pause between attempts while the database is away.
_RETRY_S = 1.0


class Writer:
    """Move unsaved bytes and changed rows from live sessions into storage.

    Memory stays bounded because it keeps nothing itself: it reads the rings. While the database is away, programs
    go on and the oldest bytes fall out of their rings, which readers see as `dropped`.
    """

    def __init__(self, sessions: SessionStore, outputs: OutputStore, offsets: Offsets, clock: Clock) -> None:
        """Prepare; `start` begins."""
        self._sessions = sessions
        self._outputs = outputs
        self._offsets = offsets
        self._clock = clock
        self._lives: Callable[[], Iterable[Live]] = tuple
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._pass_lock = threading.Lock()
        self._failed: list[tuple[Live, Chunk]] = []
        self._thread = threading.Thread(target=self._run, name="output-writer", daemon=True)
        #: Whether the last attempt reached the database.
        self.healthy = True
        #: Bytes that fell out of a ring before they could be stored.
        self.dropped = 0

    def start(self, lives: Callable[[], Iterable[Live]]) -> None:
        """Start the thread; `lives` gives the sessions to look after."""
        self._lives = lives
        self._thread.start()

    def stop(self) -> None:
        """Store what is left, as far as the database answers, and end the thread."""
        self._stopping.set()
        self._wanted.set()
        self._thread.join()
        self.store_all()

    def wake(self) -> None:
        """Note that there is something to store. Cheap: called at every read."""
        self._wanted.set()

    def store_all(self) -> bool:
        """Store everything there is now; False when the database is away."""
        with self._pass_lock:  # never two at once: output must be stored in order
            while self._pass():
                pass
            return self.healthy

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wanted.wait()
            self._wanted.clear()
            if not self._attempt():
                self._stopping.wait(_RETRY_S)
                self._wanted.set()

    def _attempt(self) -> bool:
        try:
            self._gather()
            return self.store_all()
        except Exception:  # this thread must live: without it nothing is ever stored again
            log.exception("storing output failed")
            return False

    def _gather(self) -> None:
        """Let small output pile up for a moment; reserve meanwhile, for readers wait for that."""
        deadline = self._clock.monotonic() + _GATHER_S
        while not self._stopping.is_set() and self._clock.monotonic() < deadline:
            lives = list(self._lives())
            self._reserve(lives)
            if any(live.console.backlog > _PLENTY for live in lives):
                return
            self._wanted.wait(deadline - self._clock.monotonic())
            self._wanted.clear()

    def _pass(self) -> bool:
        """Store one portion of each session; tell whether there may be more."""
        lives = list(self._lives())
        retried = bool(self._failed)
        # A portion whose storing failed goes first, unchanged: it may have been stored all the same, and a longer
        # one at its offset would then be taken for the same and lose its tail.
        batch = self._failed or [
            (live, chunk) for live in lives if (chunk := live.console.unsaved(_PORTION)) is not None
        ]
        self._failed = batch
        try:
            self._reserve(lives)
            self._store(batch)
            self._failed = []
            for live in lives:
                self._save(live)
        except StorageUnavailable:
            self._away(lives)
            return False
        self._back(lives)
        return retried or any(live.console.backlog for live, _ in batch)

    def _store(self, batch: list[tuple[Live, Chunk]]) -> None:
        if not batch:
            return
        rows: list[tuple[UUID, Chunk]] = [(live.session.id, chunk) for live, chunk in batch]
        self._outputs.append(rows, self._clock.now())
        for live, chunk in batch:
            self._count_dropped(live, chunk)
            live.console.saved(chunk.end)

    def _count_dropped(self, live: Live, chunk: Chunk) -> None:
        lost = max(0, chunk.offset - live.console.stored)
        if lost:
            self.dropped += lost
            log.warning(
                "%d bytes of output could not be stored in time", lost, extra={"session": live.session.id}
            )

    def _save(self, live: Live) -> None:
        if live.unsaved:
            try:
                live.save(self._sessions)
            except NotFound:
                log.warning("a session's row is gone", extra={"session": live.session.id})

    def _reserve(self, lives: list[Live]) -> None:
        for live in lives:
            console = live.console
            if console.process is not None and console.end > console.reserved - WINDOW // 2:
                console.reserved = max(console.reserved, self._offsets.reserve(live.session.id, console.end))
                console.bell.ring()

    def _back(self, lives: list[Live]) -> None:
        if not self.healthy:
            log.warning("the database answers again")
        self.healthy = True
        for live in lives:
            live.console.lossless = True

    def _away(self, lives: list[Live]) -> None:
        if self.healthy:
            log.error("the database does not answer; output stays in memory until it does")
        self.healthy = False
        for live in lives:
            live.console.let_go()
