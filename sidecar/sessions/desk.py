"""What a user can do with sessions: one method per operation of the HTTP API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID

from sidecar.audit.reads import Reads
from sidecar.clock import Clock
from sidecar.errors import InputStalled, NotFound, OutcomeUnknown, SessionEnded, StorageUnavailable
from sidecar.model.command import Command, InputMode, Receipt
from sidecar.model.event import Note
from sidecar.model.output import Reading
from sidecar.model.screen import Snapshot
from sidecar.model.session import Activity, Session, SessionState, Size
from sidecar.sessions.live import Live
from sidecar.sessions.output import Output
from sidecar.sessions.pump import Pumps, Share, Wanted
from sidecar.sessions.recording import asciicast
from sidecar.sessions.registry import NewSession, Registry
from sidecar.sessions.submit import SETTLED_S, Submitter
from sidecar.storage.sessions import SessionStore


@dataclass(frozen=True)
class Status:
    """A session as its user sees it; `output_offset` is where output read now would end."""

    session: Session
    activity: Activity
    output_offset: int


@dataclass(frozen=True)
class Access:
    """Whose session, and which."""

    user_id: str
    session_id: UUID


@dataclass(frozen=True)
class Span:
    """How much output, how long to wait for it, and whether characters must be whole."""

    limit: int
    wait_s: float
    text: bool


@dataclass(frozen=True)
class Query:
    """A page of a user's sessions; without one, of everybody's."""

    user_id: str | None
    state: SessionState | None
    limit: int
    offset: int


@dataclass(frozen=True)
class Desk:
    """The operations on sessions. Each finds the session of the user first, or raises `NotFound`."""

    registry: Registry
    output_reader: Output
    pumps: Pumps
    submitter: Submitter
    store: SessionStore
    clock: Clock
    note: Note
    reads: Reads

    def create(self, new: NewSession, wait_s: float) -> Status:
        """Create a session; see `Registry.create`."""
        return self._status(self.registry.create(new, wait_s))

    def command(self, access: Access, command: Command) -> Receipt:
        """Put one input in, waking the session if it sleeps.

        Raises:
            SessionEnded, LimitReached, OutOfOrder, MenuOpen: nothing was put in.
            InputStalled: the program does not read. Nothing was put in, or of numbered keys a part, behind which
                the same number goes on.
            OutcomeUnknown: the program stopped reading in the middle of it.
        """
        live = self._find(access)
        if live.state.ended:
            raise SessionEnded
        with live.turns.turn(command) as mine:
            if not mine:
                return Receipt(accepted=True, submitted=True, cursor=live.console.visible_end)
            command = replace(command, data=command.data[live.turns.written(command) :])
            self.registry.wake(live)
            cursor = live.console.end
            live.used(self.clock.now())
            self._note_command(live.session, command)
            submitted = self._put(live, command)
        return Receipt(accepted=True, submitted=submitted, cursor=cursor)

    def answered(
        self, access: Access, command: Command, span: Span, pump: str | None = None
    ) -> tuple[Receipt, Reading]:
        """Put one input in, wait until the screen has settled, and return the output since.

        Keys with less time than a screen takes to settle are answered with their echo, as soon as it is there.
        The pump named, whose reader gets this answer too, does not repeat what it carries.
        """
        live = self._find(access)
        quick = command.mode is not InputMode.TEXT and span.wait_s <= SETTLED_S
        with self.pumps.carrying(pump, live, quick=quick) as load:
            receipt = self.command(access, command)
            self.reads.saw(live.session, "output")
            if quick:
                self.submitter.echo(live.console, receipt.cursor, span.wait_s)
            else:
                self.submitter.settle(live.console, live.activity, span.wait_s)
            begin = min(load.begin, receipt.cursor) if quick and not span.text else receipt.cursor
            reading = self.output_reader.read(live, begin, span.limit, text=span.text)
            load.carried(begin, reading.next_cursor)
        return receipt, reading

    def output(self, access: Access, cursor: int, span: Span) -> Reading:
        """Return output from `cursor`; see `Output.read`."""
        live = self._seen(access, "output")
        return self.output_reader.read(live, cursor, span.limit, span.wait_s, text=span.text)

    def taken(self, access: Access, span: Span) -> Reading:
        """Return what came since the last such call: the predecessor's destructive read. Nothing is destroyed."""
        live = self._seen(access, "output")
        with live.taking:
            begin = self.registry.taken(access.session_id)
            reading = self.output_reader.read(live, begin, span.limit, text=span.text)
            self.registry.take(access.session_id, reading.next_cursor)
        return reading

    def outputs(
        self, pump: str, cursors: Mapping[UUID, int], limit: int, wait_s: float
    ) -> dict[UUID, Share | None]:
        """Return news of many sessions, whoever owns them; None for one that does not exist."""
        found = {session_id: self._any(session_id) for session_id in cursors}
        for live in found.values():
            if live is not None:
                live.used(self.clock.now())
                self.reads.saw(live.session, "output")
        wanted = [Wanted(session_id, live, cursors[session_id]) for session_id, live in found.items()]
        return self.pumps.collect(pump, wanted, limit, wait_s)

    def screen(self, access: Access) -> Snapshot:
        """Return the rendered screen."""
        return self.output_reader.screen(self._seen(access, "screen"))

    def status(self, access: Access) -> Status:
        """Return the session with its activity."""
        return self._status(self._find(access))

    def resize(self, access: Access, size: Size) -> Status:
        """Change the terminal's size, now or for its next start.

        Raises:
            SessionEnded: there is no terminal any more.
        """
        live = self._find(access)
        if live.state.ended:
            raise SessionEnded
        live.change(size=size)
        live.console.resize(size)
        return self._status(live)

    def terminate(self, access: Access, *, anybodys: bool = False) -> None:
        """End the session, and as an administrator also another user's; also fine when it has ended already."""
        live = self.registry.find_any(access.session_id) if anybodys else self._find(access)
        own = live.session.user_id == access.user_id
        if not live.state.ended:
            self.note("session.end", user=live.session.user_id, session=live.session.id, own=own)
        self.registry.terminate(live, "Its user ended it." if own else "An administrator ended it.")

    def page(self, query: Query) -> tuple[list[Status], int]:
        """Return a page of sessions, newest first, and their number; from memory if storage is away."""
        page: Sequence[Session]
        try:
            self._catch_up(query)
            page, total = self.store.list(
                query.user_id, state=query.state, limit=query.limit, offset=query.offset
            )
        except StorageUnavailable:
            page, total = self._remembered(query)
        return [self._listed(session) for session in page], total

    def recording(self, access: Access) -> Iterator[str]:
        """Return the recording, line by line."""
        session = self._find(access).session
        self.reads.saw(session, "recording")
        return asciicast(session, self.output_reader.store.chunks(session.id))

    def _note_command(self, session: Session, command: Command) -> None:
        """Note an input before it is put in: none reaches a terminal without. Its length, never what it is."""
        length = len(command.data or command.text.encode("utf-8", "replace"))
        self.note(
            "session.command", user=session.user_id, session=session.id, mode=command.mode.value, bytes=length
        )

    def _put(self, live: Live, command: Command) -> bool:
        try:
            return self.submitter.put(live.console, command)
        except InputStalled as stalled:
            self.registry.exited(live)
            if live.state.ended:  # ended meanwhile, by its user or by itself
                raise SessionEnded from None
            if stalled.written and not (command.resumable and live.console.exit is None):
                raise OutcomeUnknown(
                    "The program stopped reading in the middle of it. Look at the screen before you send it again."
                ) from stalled
            raise

    def _find(self, access: Access) -> Live:
        return self.registry.find(access.user_id, access.session_id)

    def _seen(self, access: Access, what: str) -> Live:
        """Return the session, of which somebody is shown `what`."""
        live = self._find(access)
        live.used(self.clock.now())
        self.reads.saw(live.session, what)
        return live

    def _any(self, session_id: UUID) -> Live | None:
        try:
            return self.registry.find_any(session_id)
        except NotFound:
            return None

    def _status(self, live: Live) -> Status:
        return Status(live.session, live.activity(), live.console.visible_end)

    def _listed(self, session: Session) -> Status:
        live = self.registry.known(session.id)
        return self._status(live) if live else Status(session, Activity.IDLE, session.output_offset)

    def _catch_up(self, query: Query) -> None:
        """Store the latest states, which the writer does a moment later: a choice by state looks at storage."""
        for live in self.registry.lives() if query.state else ():
            if live.unsaved and query.user_id in (None, live.session.user_id):
                with suppress(NotFound):  # it is just being created
                    live.save(self.store)

    def _remembered(self, query: Query) -> tuple[Sequence[Session], int]:
        every = [live.session for live in self.registry.lives()]
        mine = [session for session in every if query.user_id in (None, session.user_id)]
        mine = [session for session in mine if query.state in (None, session.state)]
        mine.sort(key=lambda session: session.created_at, reverse=True)
        return mine[query.offset : query.offset + query.limit], len(mine)
