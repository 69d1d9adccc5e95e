"""The sessions of this process: found, created, woken, ended."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from sidecar.clock import Clock
from sidecar.errors import (
    ConversationInUse,
    Draining,
    NotFound,
    NotYours,
    SessionEnded,
    SessionExists,
    ShuttingDown,
    SidecarError,
    StartFailed,
    StorageUnavailable,
)
from sidecar.model.credential import ChosenKey, KeyChoice
from sidecar.model.event import Note
from sidecar.model.session import Renderer, Session, SessionState, Size, WorkspaceType
from sidecar.origin import origin
from sidecar.sessions.ender import Ender
from sidecar.sessions.keys import Keys
from sidecar.sessions.live import Live, note_change
from sidecar.sessions.offsets import WINDOW, Offsets
from sidecar.sessions.starter import Starter
from sidecar.storage.sessions import SessionStore
from sidecar.terminal.bell import listening

log = logging.getLogger(__name__)

_OPEN = (SessionState.STARTING, SessionState.RUNNING, SessionState.HIBERNATED, SessionState.INTERRUPTED)
#: Sessions whose old-style readings are remembered.
_MOST_TAKEN = 10_000
_ASLEEP = (SessionState.HIBERNATED, SessionState.INTERRUPTED)


@dataclass(frozen=True)
class NewSession:
    """What a user asks for. The id may be the client's own choice."""

    id: UUID
    user_id: str
    workspace_type: WorkspaceType
    workspace_name: str
    size: Size
    renderer: Renderer
    model: str | None
    key: KeyChoice


@dataclass(frozen=True)
class Limits:
    """How many sessions may be open."""

    per_user: int
    total: int


@dataclass(frozen=True)
class Crew:
    """Whom the registry works with."""

    store: SessionStore
    keys: Keys
    starter: Starter
    ender: Ender
    offsets: Offsets
    #: Makes the in-memory side of a session, with the offset its output goes on at.
    enliven: Callable[[Session, int], Live]
    #: Raises when no session could be started on this host.
    require_able: Callable[[], None]
    #: Puts events into the audit trail.
    note: Note


class Registry:
    """Own the live sessions. A session of another user is the same as none: `NotFound`."""

    def __init__(self, crew: Crew, limits: Limits, clock: Clock) -> None:
        """Begin empty."""
        self._crew = crew
        self._limits = limits
        self._clock = clock
        self._lives: dict[UUID, Live] = {}
        self._lock = threading.Lock()
        #: The CLI's version, told in each session; set at start-up.
        self.claude_version: str | None = None
        #: Where the next old-style reading of a session begins; outlives its time in memory, but not a restart,
        #: after which such a reading begins at 0 again: rather twice than never.
        self._taken: OrderedDict[UUID, int] = OrderedDict()
        #: Conversations of sessions that are just waking.
        self._resuming: set[UUID] = set()
        self.closing = False
        #: Whether new sessions are refused; those there are go on.
        self.draining = False

    def lives(self) -> Sequence[Live]:
        """Return the sessions in memory, at this moment."""
        with self._lock:
            return tuple(self._lives.values())

    def adopt(self, session: Session) -> Live:
        """Take a stored session into memory."""
        with self._lock:
            return self._lives.setdefault(session.id, self._restored(session))

    def drop(self, live: Live) -> None:
        """Forget a session that has ended and is stored."""
        with self._lock:
            self._lives.pop(live.session.id, None)

    def find(self, user_id: str, session_id: UUID) -> Live:
        """Return the user's session; an ended one is brought back for reading only.

        Raises:
            NotFound: there is none, or it belongs to somebody else.
        """
        live = self.find_any(session_id)
        if live.session.user_id != user_id:
            raise NotYours
        return live

    def find_any(self, session_id: UUID) -> Live:
        """Return the session, whoever owns it: for the bridge, which has authorised its users.

        Raises:
            NotFound: there is none.
        """
        return self._lives.get(session_id) or self._found(self._crew.store.get(session_id))

    def _found(self, session: Session) -> Live:
        if session.state.ended:
            return self._restored(session)
        if session.state.live:  # a create whose commit went through although its answer was lost
            reason = "Its start was cut short; the next command starts it."
            return self._interrupted(session, reason)
        return self.adopt(session)

    def _interrupted(self, session: Session, reason: str) -> Live:
        changed = session.evolve(state=SessionState.INTERRUPTED, reason=reason)
        live = self.adopt(changed)
        if live.session is changed:  # nobody else was quicker
            note_change(self._crew.note, session.state, changed)
        return live

    def _restored(self, session: Session) -> Live:
        return self._crew.enliven(session, self._crew.offsets.following(session))

    def taken(self, session_id: UUID) -> int:
        """Return the offset up to which old-style readings have come."""
        return self._taken.get(session_id, 0)

    def take(self, session_id: UUID, offset: int) -> None:
        """Note where the next old-style reading begins."""
        with self._lock:
            self._taken[session_id] = offset
            self._taken.move_to_end(session_id)
            if len(self._taken) > _MOST_TAKEN:
                self._taken.popitem(last=False)

    def known(self, session_id: UUID) -> Live | None:
        """Return the session if it is in memory."""
        return self._lives.get(session_id)

    # -- create ----------------------------------------------------------------------------------------

    def create(self, new: NewSession, wait_s: float) -> Live:
        """Create a session and wait for its prompt; the same id and user again gives the same session.

        Raises:
            InvalidRequest, LimitReached, SessionExists, StorageUnavailable, Draining, ShuttingDown: it was not created.
            StartFailed, CliUnavailable, IsolationUnavailable: it was, and is `failed`.
        """
        if self.closing:
            raise ShuttingDown
        if self.draining and not self._exists(new):
            raise Draining
        self._crew.require_able()
        chosen = self._crew.keys.choose(new.user_id, new.key)
        live, fresh = self._enter(new, chosen)
        if fresh:
            try:
                self._store(live, new, chosen)
            except SessionExists:
                self.drop(live)
                return self._existing(new)
            except Exception:
                self._discard(live)
                raise
            threading.Thread(
                target=self._start, args=(live, chosen.key), name="session-start", daemon=True
            ).start()
        self._await_start(live, wait_s)
        if live.failure is not None:
            raise live.failure
        return live

    def _exists(self, new: NewSession) -> bool:
        """Tell whether a create is the repeat of one that went through."""
        try:
            self.find(new.user_id, new.id)
        except NotFound:
            return False
        return True

    def _enter(self, new: NewSession, chosen: ChosenKey) -> tuple[Live, bool]:
        """Take the id in memory first, so that two creates at once cannot both start."""
        live = self._crew.enliven(self._session(new, chosen), 0)
        with self._lock:
            if self.closing:  # `close` has looked at all sessions already
                raise ShuttingDown
            known = self._lives.setdefault(new.id, live)
        if known.session.user_id != new.user_id:
            raise SessionExists
        return known, known is live

    def _session(self, new: NewSession, chosen: ChosenKey) -> Session:
        now = self._clock.now()
        return Session(
            id=new.id,
            user_id=new.user_id,
            state=SessionState.STARTING,
            workspace_type=new.workspace_type,
            workspace_name=new.workspace_name,
            size=new.size,
            renderer=new.renderer,
            model=new.model,
            created_at=now,
            last_activity_at=now,
            conversation_id=new.id,
            claude_version=self.claude_version,
            reserved_offset=WINDOW,
            created_by=origin().actor,
            credential_id=chosen.credential_id,
        )

    def _store(self, live: Live, new: NewSession, chosen: ChosenKey) -> None:
        sealed = self._crew.keys.seal(new.id, chosen)
        limits = self._limits
        self._crew.store.add(
            live.session, max_per_user=limits.per_user, max_total=limits.total, sealed_credential=sealed
        )
        self._crew.note(
            "session.create",
            user=new.user_id,
            session=new.id,
            workspaceType=new.workspace_type.value,
            workspaceName=new.workspace_name,
            model=new.model,
        )

    def _existing(self, new: NewSession) -> Live:
        try:
            return self.find(new.user_id, new.id)
        except NotFound:
            raise SessionExists from None

    def _discard(self, live: Live) -> None:
        """Undo an id taken in memory; whoever waits for it meanwhile learns that it was not created."""
        self.drop(live)
        live.discard(StartFailed("The session could not be created."))

    def _start(self, live: Live, key: str) -> None:
        with live.rising:
            if not live.halted:
                self._bring_up(live, key)

    def _bring_up(self, live: Live, key: str) -> None:
        try:
            self._crew.starter.start(live, key)
            live.change_if(SessionState.STARTING, state=SessionState.RUNNING)
            self.exited(live)  # it may have ended at its prompt, before it counted as running
        except SidecarError as error:
            self._fail(live, error)
        except Exception:
            log.exception("a session did not start", extra={"session": live.session.id})
            self._fail(live, StartFailed("The session could not be started."))

    def _fail(self, live: Live, error: SidecarError) -> None:
        reason = error.detail.splitlines()[0]
        live.failure = error
        self._crew.ender.end([live])
        code = live.console.exit.code if live.console.exit else None
        live.change_if(
            SessionState.STARTING,
            state=SessionState.FAILED,
            ended_at=self._clock.now(),
            exit_code=code,
            reason=reason,
        )

    def _await_start(self, live: Live, wait_s: float) -> None:
        deadline = self._clock.monotonic() + wait_s
        with listening([live.console.bell]) as event:
            while live.state is SessionState.STARTING and not self.closing:
                left = deadline - self._clock.monotonic()
                if left <= 0:
                    return
                event.wait(left)
                event.clear()

    # -- wake ------------------------------------------------------------------------------------------

    def wake(self, live: Live) -> None:
        """Make sure that the session's program runs. Call it in the session's turn.

        Raises:
            SessionEnded: it has ended.
            ConversationInUse: another session holds the conversation it would resume.
            CredentialGone: the key it was created with has been removed; it stays asleep.
            StartFailed, CliUnavailable, IsolationUnavailable, StorageUnavailable: it stays asleep.
        """
        if live.state is SessionState.STARTING:
            self._await_start(live, threading.TIMEOUT_MAX)
        if self.closing:
            raise ShuttingDown
        if live.state.ended:
            raise SessionEnded
        with live.rising:
            self._refuse_halted(live)
            if live.state in _ASLEEP:
                self._resume(live)

    def _refuse_halted(self, live: Live) -> None:
        if live.halted:
            raise ShuttingDown if self.closing else SessionEnded

    def _resume(self, live: Live) -> None:
        conversation = self._reserve_conversation(live)
        try:
            self._bring_back(live)
        finally:
            with self._lock:
                self._resuming.discard(conversation)

    def _bring_back(self, live: Live) -> None:
        key = self._crew.keys.open(live.session)
        reserved = self._crew.offsets.reserve(live.session.id, live.console.end)
        live.console.reserved = max(live.console.reserved, reserved)
        try:
            self._crew.starter.start(live, key)
        except SidecarError:
            self._crew.ender.end([live])
            if live.state.ended:
                raise SessionEnded from None
            if self.closing:
                raise ShuttingDown from None
            raise
        if not live.change_if(*_ASLEEP, state=SessionState.RUNNING, reason=None, exit_code=None):
            raise SessionEnded
        self.exited(live)  # see `_bring_up`

    def _reserve_conversation(self, live: Live) -> UUID:
        """Keep others off the conversation `live` resumes; the CLI itself lets two processes overwrite each other.

        Raises:
            ConversationInUse: another session has it.
        """
        conversation = self._crew.starter.conversation
        wanted = conversation(live.session)
        others = [other for other in self.lives() if other is not live and other.console.process is not None]
        held = {conversation(other.session) for other in others}
        with self._lock:
            if wanted in held or wanted in self._resuming:
                raise ConversationInUse
            self._resuming.add(wanted)
        return wanted

    # -- end -------------------------------------------------------------------------------------------

    def terminate(self, live: Live, reason: str) -> None:
        """End a session for good; nothing happens when it has ended already. Returns when its processes are gone."""
        if not live.change_if(
            *_OPEN, state=SessionState.TERMINATED, ended_at=self._clock.now(), reason=reason
        ):
            return
        self._halt([live])
        if live.console.exit is not None:
            live.change(exit_code=live.console.exit.code)
        try:
            live.save(self._crew.store)
        except StorageUnavailable:
            log.warning("an ended session is stored later", extra={"session": live.session.id})

    def _halt(self, lives: Sequence[Live]) -> None:
        """End programs for good, also those that are only coming up."""
        for live in lives:
            live.halted = True
            live.console.bell.ring()
        self._crew.ender.end(lives)
        for live in lives:
            with live.rising:  # a start that had no program to end yet sees that it is halted, and ends it
                pass

    def hibernate(self, live: Live, reason: str) -> None:
        """Stop a running session's program; the next command wakes it. Call it in the session's turn."""
        if live.change_if(SessionState.RUNNING, state=SessionState.HIBERNATED, reason=reason):
            self._crew.ender.end([live])

    def exited(self, live: Live) -> None:
        """Settle the state of a session whose program ended by itself."""
        end = live.console.exit
        if end is None or live.state is not SessionState.RUNNING:
            return
        self._crew.ender.end([live])
        if end.code == 0:
            changes = {
                "state": SessionState.TERMINATED,
                "ended_at": self._clock.now(),
                "reason": "Claude exited.",
            }
        else:
            reason = f"Claude ended unexpectedly (exit code {end.code}); the next command resumes it."
            changes = {"state": SessionState.INTERRUPTED, "reason": reason}
        live.change_if(SessionState.RUNNING, exit_code=end.code, **changes)

    def close(self) -> None:
        """Put every running session to sleep, all at once; waiting calls end."""
        self.closing = True
        lives = self.lives()
        reason = "The service was stopped; the next command resumes the session."
        for live in lives:
            live.change_if(SessionState.RUNNING, state=SessionState.HIBERNATED, reason=reason)
            live.change_if(SessionState.STARTING, state=SessionState.INTERRUPTED, reason=reason)
        self._halt(lives)
