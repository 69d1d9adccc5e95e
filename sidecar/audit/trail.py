"""Noting events: into the spool at once, and from there into the database by a thread."""

from __future__ import annotations

import logging
import threading
from datetime import timedelta
from uuid import UUID, uuid4

from sidecar.audit.spool import Spool, SpoolRefused
from sidecar.clock import Clock
from sidecar.errors import StorageUnavailable
from sidecar.model.event import Event, Fact, facts, plain
from sidecar.origin import origin
from sidecar.storage.audit import AuditStore

log = logging.getLogger(__name__)

#: How long events may wait for others to share a transaction.
_GATHER_S = 0.2
#: Pause between attempts while the database is away.
_RETRY_S = 1.0

#: The action of the entry that tells how many events are missing before it.
DROPPED = "audit.drop"


#: Entries kept whatever their age, about 6 GB: somebody who calls without pause must not fill the disk.
MOST_ENTRIES = 20_000_000


class Trail:
    """Take events from anywhere. Between `start` and `stop` that is one small write to a file, never the database.

    Before and after, as in the command line, an event goes into the database directly. It is no guard: an event
    that cannot be kept is counted and logged, and the act it tells of happens nevertheless.
    """

    def __init__(self, store: AuditStore, spool: Spool, clock: Clock) -> None:
        """Note into `store`; nothing is opened yet."""
        self._store = store
        self._spool = spool
        self._clock = clock
        self._spooling = False
        self._lock = threading.Lock()
        self._wanted = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="audit", daemon=True)
        #: Whether the log says already that events are being dropped, or that the database is away.
        self._said_dropping = self._said_away = False
        #: Events that were not kept and lines of the spool that were none, since the start.
        self.dropped = 0
        #: How many of those the trail itself does not tell yet.
        self._untold = 0

    @property
    def pending(self) -> int:
        """Return the bytes of events that are not in the database yet."""
        return self._spool.size

    def start(self) -> None:
        """Begin to spool, and to store what an earlier process has left; only by the owner of the data directory.

        Raises:
            ConfigurationError: the spool cannot be opened.
        """
        self._spool.open()
        self._spooling = True
        self._wanted.set()
        self._thread.start()

    def stop(self) -> None:
        """Store what is left, as far as the database answers; the rest waits for the next start."""
        self._stopping.set()
        self._wanted.set()
        self._thread.join()
        self._attempt()
        self._spooling = False
        self._spool.close()

    def note(
        self, action: str, *, user: str | None = None, session: UUID | None = None, **detail: Fact
    ) -> None:
        """Note that whoever stands behind this thread did `action`. Never fails: see `dropped`."""
        try:
            self._keep(self._event(action, user, session, detail))
        except (SpoolRefused, StorageUnavailable) as error:
            self._drop(str(error))
        except Exception:  # what is being noted must not suffer from it
            log.exception("an audit event could not be noted")
            self._drop("a fault")

    def prune(self, age_s: float, most: int = MOST_ENTRIES) -> None:
        """Delete the entries older than `age_s` seconds (0 keeps them for ever), and the oldest beyond `most`.

        Raises:
            StorageUnavailable: the database does not answer.
        """
        if age_s and (deleted := self._store.delete_before(self._clock.now() - timedelta(seconds=age_s))):
            log.info("%d old entries of the audit trail were deleted", deleted)
        if deleted := self._store.delete_all_but(most):
            log.warning("%d entries of the audit trail were deleted: it had more than %d", deleted, most)

    def _event(self, action: str, user: str | None, session: UUID | None, detail: dict[str, Fact]) -> Event:
        where = origin()
        if where.address is not None:
            detail = {"address": where.address, **detail}
        return Event(
            id=uuid4(),
            at=self._clock.now(),
            actor=plain(where.actor),
            action=action,
            user_id=None if user is None else plain(user),
            session_id=session,
            request_id=None if where.request_id is None else plain(where.request_id),
            detail=facts(detail),
        )

    def _keep(self, event: Event) -> None:
        if not self._spooling:
            self._store.append([event])
            return
        self._spool.append(event)
        self._said_dropping = False
        self._wanted.set()

    def _drop(self, why: str) -> None:
        self._miss(1)
        with self._lock:
            first, self._said_dropping = not self._said_dropping, True
        if first:
            log.critical("AUDIT EVENTS ARE BEING LOST: %s", why)
        self._wanted.set()  # to tell it in the trail

    def _miss(self, count: int) -> None:
        with self._lock:
            self.dropped += count
            self._untold += count

    # -- the thread ------------------------------------------------------------------------------------

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._wanted.wait()
            self._stopping.wait(_GATHER_S)
            self._wanted.clear()
            if not self._attempt():
                self._stopping.wait(_RETRY_S)
                self._wanted.set()

    def _attempt(self) -> bool:
        """Store everything there is now; False when that did not work."""
        try:
            self._move()
        except StorageUnavailable:
            if not self._said_away:
                log.warning("the database is away; the audit trail waits in its spool")
            self._said_away = True
            return False
        except Exception:  # this thread must live: without it nothing is ever stored again
            log.exception("storing the audit trail failed")
            return False
        self._said_away = False
        return True

    def _move(self) -> None:
        for batch in self._spool.batches():
            self._store.append(batch.events)
            self._miss(batch.damaged)
        with self._lock:
            missing = self._untold
        if missing:
            self._store.append([self._event(DROPPED, None, None, {"events": missing})])
            with self._lock:
                self._untold -= missing
