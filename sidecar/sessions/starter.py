"""Bringing a session's program up: home, isolation, process, prompt."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

from sidecar.claude import command, gates, home
from sidecar.clock import Clock
from sidecar.errors import SidecarError, StartFailed, StorageUnavailable
from sidecar.isolation import Confinement, Isolation, Limits
from sidecar.model.session import Renderer, Session, SessionState
from sidecar.sessions.folders import Folders, Rooms
from sidecar.sessions.live import Live
from sidecar.sessions.tally import Tally
from sidecar.terminal.bell import listening
from sidecar.terminal.process import Launcher, Program
from sidecar.terminal.reader import Reader

log = logging.getLogger(__name__)

#: Rows of the last screen told to the caller when a start fails.
_LAST_ROWS = 12


@dataclass(frozen=True)
class Plan:
    """What every start has in common."""

    executable: Path
    limits: Limits
    base_url: str | None
    shell_after_exit: bool
    timeout_s: float


@dataclass(frozen=True)
class Stage:
    """What a start works with."""

    folders: Folders
    isolation: Isolation
    launcher: Launcher
    reader: Reader


class Starter:
    """Start or resume the CLI for a live session, and wait for its prompt."""

    def __init__(self, plan: Plan, stage: Stage, tally: Tally, clock: Clock) -> None:
        """Start by `plan`, with what is on `stage`; how long it takes goes into `tally`."""
        self._plan = plan
        self._stage = stage
        self._tally = tally
        self._clock = clock
        #: Two sessions of one workspace share a home, and would read and replace its files at once.
        self._preparing = threading.Lock()

    def start(self, live: Live, api_key: str) -> None:
        """Start the program and wait until it takes input. Changes no state.

        Raises:
            StartFailed: it ended first, or took too long; the text carries its last screen.
            IsolationUnavailable, CliUnavailable: it cannot be started on this host now.
        """
        began, woken = self._clock.monotonic(), live.state is not SessionState.STARTING
        rooms = self._stage.folders.make(live.session)
        begin = self._begin(live.session, rooms)
        program = self._program(live.session, rooms, begin, api_key)
        live.change(conversation_id=begin.conversation_id, process_offset=live.console.end)
        process = self._stage.launcher.launch(program)
        live.console.attach(process, self._stage.reader, api_key.encode())
        self._await_prompt(live)
        self._tally.started(self._clock.monotonic() - began, woken=woken)

    def conversation(self, session: Session) -> UUID:
        """Return the conversation the session had last."""
        return home.conversation(self._stage.folders.rooms(session).home, session.id, session.conversation_id)

    def _begin(self, session: Session, rooms: Rooms) -> command.Start:
        conversation = self.conversation(session)
        workspace = self._stage.isolation.view(self._confinement(session, rooms)).workspace
        found = home.transcript(rooms.home, workspace, conversation)
        if found is home.Transcript.EMPTY:
            conversation = uuid4()
        return command.Start(conversation, found is home.Transcript.RESUMABLE, session.model)

    def _confinement(self, session: Session, rooms: Rooms) -> Confinement:
        return Confinement(session.id, rooms.home, rooms.workspace, self._plan.executable, self._plan.limits)

    def _program(self, session: Session, rooms: Rooms, begin: command.Start, api_key: str) -> Program:
        confinement = self._confinement(session, rooms)
        view = self._stage.isolation.view(confinement)
        place = command.Place(view.home, view.workspace, view.executable)
        try:
            with self._preparing:
                home.prepare(rooms.home, rooms.workspace, home.Seed(place, api_key))
        except OSError as error:
            raise StorageUnavailable("The session's home could not be prepared.") from error
        launch = self._stage.isolation.launch(confinement, self._arguments(begin, place))
        account = command.Account(api_key, self._plan.base_url)
        environment = command.environment(place, session.id, account, _resolved(session.renderer))
        return Program(launch.argv, environment, launch.cwd, session.size)

    def _arguments(self, begin: command.Start, place: command.Place) -> tuple[str, ...]:
        arguments = command.arguments(place.executable, begin, home.hooks())
        return command.with_shell(arguments) if self._plan.shell_after_exit else arguments

    def _await_prompt(self, live: Live) -> None:
        deadline = self._clock.monotonic() + self._plan.timeout_s
        console = live.console
        with listening([console.bell]) as event:
            while live.halted or not gates.ready(console.lines()[0]):
                if live.halted:
                    raise StartFailed("The session was ended during its start.")
                if console.exit is not None:
                    raise _ended(live)
                left = deadline - self._clock.monotonic()
                if left <= 0:
                    raise StartFailed(_with_screen("Claude Code did not get to its prompt in time.", live))
                event.wait(left)
                event.clear()


def _resolved(renderer: Renderer) -> Renderer:
    """Return the renderer `auto` stands for: what goes through the ECC queue should not ask for mouse motion."""
    return Renderer.CLASSIC if renderer is Renderer.AUTO else renderer


def _ended(live: Live) -> SidecarError:
    lines, _ = live.console.lines()
    reason = gates.refusal(lines)
    code = live.console.exit.code if live.console.exit else None
    return StartFailed(
        _with_screen(reason or f"Claude Code ended during its start (exit code {code}).", live)
    )


def _with_screen(sentence: str, live: Live) -> str:
    lines = [line for line in live.console.lines()[0] if line.strip()]
    return "\n".join([sentence, *lines[-_LAST_ROWS:]])
