"""The composition root: settings in, everything wired together out. Knows nothing of HTTP."""

from __future__ import annotations

import logging
from contextlib import ExitStack

from sidecar import __version__
from sidecar.access.ledger import Ledger
from sidecar.access.repeats import Repeats
from sidecar.audit.reads import Reads
from sidecar.audit.refusals import Refusals
from sidecar.clock import Clock, SystemClock
from sidecar.config import Settings
from sidecar.errors import CliUnavailable, IsolationUnavailable, NotFound, StorageUnavailable
from sidecar.health import Check, Health, check_database, check_disk, free_bytes
from sidecar.isolation import Isolation, Limits, isolation_named
from sidecar.model.figures import Figures
from sidecar.model.session import Session, SessionState
from sidecar.records import Records
from sidecar.sessions import program, registry
from sidecar.sessions.desk import Desk
from sidecar.sessions.ender import Ender
from sidecar.sessions.folders import Folders
from sidecar.sessions.keeper import Archive, Chores, Keeper, Rules
from sidecar.sessions.keys import Keys
from sidecar.sessions.live import Live
from sidecar.sessions.offsets import Offsets
from sidecar.sessions.output import Output
from sidecar.sessions.ownership import Ownership
from sidecar.sessions.pump import Pumps
from sidecar.sessions.recovery import recover
from sidecar.sessions.registry import Crew, Registry
from sidecar.sessions.responder import Responder
from sidecar.sessions.starter import Plan, Stage, Starter
from sidecar.sessions.submit import Submitter
from sidecar.sessions.tally import Tally
from sidecar.sessions.writer import Writer
from sidecar.storage.answers import AnswerStore
from sidecar.terminal.console import Console, Hooks
from sidecar.terminal.process import Launcher
from sidecar.terminal.reader import Reader
from sidecar.terminal.ring import Ring

log = logging.getLogger(__name__)

#: What callers are told, whoever they are: bubblewrap's own words name paths of the host.
_UNCONFINED = "does not work here; the service's log and `claude-sidecar doctor` tell why"


class Services:
    """Everything the web and the command line work with. Opens nothing before `open`.

    Open it after the fork: threads and database connections do not survive one.
    """

    def __init__(self, settings: Settings, clock: Clock | None = None) -> None:
        """Wire the parts together; no file, thread or connection is opened."""
        self.settings = settings
        self.clock = clock or SystemClock()
        self._opened = ExitStack()
        self._began = self.clock.monotonic()
        self.records = Records(settings, self.clock)
        self._tally = Tally(self.records.trail.note)
        #: Counts what the web refuses.
        self.refusals = Refusals(self.records.trail.note, self.clock)
        self.vault = self.records.vault
        self._ledger = Ledger(AnswerStore(self.records.database), self.records.cipher, self.clock)
        #: Executes calls with an Idempotency-Key.
        self.repeats = Repeats(self._ledger)
        self._store = self.records.sessions
        self._outputs = self.records.outputs
        self._folders = Folders(settings.data_dir)
        self._offsets = Offsets(self._store, settings.data_dir / "offsets")
        self._ownership = Ownership(settings.data_dir, self.clock)
        self._isolation: Isolation = isolation_named(settings.isolation, settings.data_dir / "isolation")
        self._launcher = Launcher(self.clock)
        self._reader = Reader()
        self._responder = Responder()
        self._writer = Writer(self._store, self._outputs, self._offsets, self.clock)
        self._cli = program.Found(program.locate(settings.claude_path))
        self._isolation_problem: str | None = None
        self._registry = self._build_registry()
        self._keeper = self._build_keeper()
        self.sessions = self._build_desk()

    # -- life ------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Take the data directory over and begin to work.

        Raises:
            DataDirectoryInUse, StorageUnavailable: it cannot begin; whatever was opened is closed again.
        """
        with ExitStack() as stack:
            self._ownership.acquire()
            stack.callback(self._ownership.release)
            self._ownership.publish(self.records.cipher.key_ids)
            self.records.open()
            stack.callback(self.records.close)
            stack.callback(self._flush_answers)
            self._begin_trail(stack)
            self._examine()
            recover(self._registry, self._store, self._folders, self.clock, self._tally.note)
            self._start(stack)
            log.info("ready for sessions")
            self._opened = stack.pop_all()

    def _begin_trail(self, stack: ExitStack) -> None:
        """Begin before and end after everything that is noted: the stop itself is the last entry."""
        trail = self.records.trail
        trail.start()
        stack.callback(trail.stop)
        trail.note("service.start", version=__version__)
        stack.callback(trail.note, "service.stop")
        stack.callback(self.refusals.flush, everything=True)

    def _start(self, stack: ExitStack) -> None:
        stack.callback(self._launcher.close)
        self._reader.start()
        stack.callback(self._reader.stop)
        self._responder.start()
        stack.callback(self._responder.stop)
        self._writer.start(self._registry.lives)
        stack.callback(self._settle)
        stack.callback(self._writer.stop)
        self._keeper.start()
        stack.callback(self._registry.close)
        stack.callback(self._keeper.stop)

    def stop_waiting(self) -> None:
        """Make waiting calls return: the service is about to close."""
        self._registry.closing = True
        for live in self._registry.lives():
            live.console.bell.ring()
        self.sessions.pumps.wake()
        self.repeats.stop_waiting()

    def drain(self, *, draining: bool) -> int:
        """Take no new sessions any more, or take them again; return how many programs run.

        Sessions that are there go on, and wake. A restart takes new ones again.
        """
        if self._registry.draining != draining:  # whoever waits for it to be done asks again and again
            self._registry.draining = draining
            self.records.trail.note("service.drain", draining=draining)
            log.info("draining: no new sessions are taken" if draining else "new sessions are taken again")
        return sum(live.state.live for live in self._registry.lives())

    def close(self) -> None:
        """Put sessions to sleep, store what is left, and let go of everything. May be called twice."""
        self.stop_waiting()
        self._opened.close()

    def _flush_answers(self) -> None:
        try:
            self._ledger.flush()
        except StorageUnavailable:
            log.warning("the database is away; answers to calls with an Idempotency-Key are lost")

    def _settle(self) -> None:
        """After an orderly stop nothing was given out beyond what is stored: the reserve is not needed."""
        try:
            for live in self._registry.lives():
                if not live.console.backlog:
                    self._store.settle(live.session.id, live.console.end)
                    self._offsets.forget(live.session.id)
        except (StorageUnavailable, NotFound):
            log.warning("the database is away or has lost a session; offsets stay reserved")

    def _examine(self) -> None:
        """Look once at what sessions need. Without it the service runs, refuses to create, and says why."""
        self._cli = program.examine(self._cli.path)
        self._registry.claude_version = self._cli.version
        if self._cli.problem:
            log.warning("%s", self._cli.problem)
        try:
            self._isolation.check()
        except IsolationUnavailable as error:
            self._isolation_problem = _UNCONFINED
            log.error("sessions cannot be started: %s", error.detail)

    # -- reports ---------------------------------------------------------------------------------------

    def require_able(self) -> None:
        """Make sure that a session could be started.

        Raises:
            CliUnavailable, IsolationUnavailable: it could not.
        """
        if not self._cli.usable:
            raise CliUnavailable(f"{self._cli.problem}.")
        if self._isolation_problem is not None:
            raise IsolationUnavailable(self._isolation_problem)

    def health(self) -> Health:
        """Return how the service is, having looked at the database and the disk just now."""
        checks = {
            "database": check_database(
                self.records.database, healthy=self._writer.healthy, dropped=self._writer.dropped
            ),
            "claudeCli": Check(not self._cli.problem, self._cli.problem or f"version {self._cli.version}"),
            "isolation": Check(
                self._isolation_problem is None, self._isolation_problem or self._isolation.name
            ),
            "disk": check_disk(self.settings.data_dir),
        }
        return Health(
            draining=self._registry.closing or self._registry.draining,
            able=self._cli.usable and self._isolation_problem is None,
            uptime_s=self.clock.monotonic() - self._began,
            sessions=sum(not live.state.ended for live in self._registry.lives()),
            checks=checks,
        )

    def figures(self) -> Figures:
        """Return what is counted, as it is now."""
        lives = self._registry.lives()
        states = [live.state for live in lives]
        trail = self.records.trail
        return Figures(
            life=self._tally.life(),
            sessions={state.value: states.count(state) for state in SessionState},
            output_bytes=self._reader.printed,
            lost_bytes=self._writer.dropped,
            backlog_bytes=sum(live.console.backlog for live in lives),
            audit_pending_bytes=trail.pending,
            audit_dropped=trail.dropped,
            free_bytes=free_bytes(self.settings.data_dir),
            claude_version=self._cli.version,
        )

    # -- wiring ----------------------------------------------------------------------------------------

    def _build_registry(self) -> Registry:
        settings = self.settings
        limits = Limits(
            memory_bytes=settings.child_memory,
            processes=settings.child_processes,
            file_bytes=settings.child_file_size,
            scratch_bytes=settings.child_scratch,
        )
        plan = Plan(
            executable=self._cli.path or settings.data_dir / "claude-is-not-installed",
            limits=limits,
            base_url=settings.anthropic_base_url,
            shell_after_exit=settings.shell_after_exit,
            timeout_s=settings.session_start_timeout,
        )
        stage = Stage(self._folders, self._isolation, self._launcher, self._reader)
        crew = Crew(
            store=self._store,
            keys=Keys(self._store, self.records.cipher, self.vault),
            starter=Starter(plan, stage, self._tally, self.clock),
            ender=Ender(self.clock),
            offsets=self._offsets,
            enliven=self._enliven,
            require_able=self.require_able,
            note=self._tally.note,
        )
        return Registry(
            crew, registry.Limits(settings.max_sessions_per_user, settings.max_sessions), self.clock
        )

    def _build_keeper(self) -> Keeper:
        settings = self.settings
        rules = Rules(
            hibernate_s=settings.session_idle_hibernate,
            timeout_s=settings.session_idle_timeout,
            retention_s=settings.session_retention,
            per_session=settings.output_retention,
            total=settings.output_retention_total,
        )
        archive = Archive(self._store, self._outputs, self._folders, self._offsets)
        return Keeper(self._registry, archive, rules, self.clock, self._chores())

    def _chores(self) -> Chores:
        """Return what other parts want done once a minute; one that fails is logged and done again later."""
        stored = (self.records.sign_ins.purge, self.records.keyring.renew, self.vault.purge)
        return Chores(
            always=(self.refusals.flush, self._ledger.flush),
            by_age=(*stored, self._prune_audit, self._ledger.tidy),
        )

    def _prune_audit(self) -> None:
        self.records.trail.prune(self.settings.audit_retention)

    def _build_desk(self) -> Desk:
        output = Output(self._outputs, self.clock, lambda: self._registry.closing)
        return Desk(
            registry=self._registry,
            output_reader=output,
            pumps=Pumps(output, self.clock),
            submitter=Submitter(self.clock),
            store=self._store,
            clock=self.clock,
            note=self.records.trail.note,
            reads=Reads(self.records.trail.note, self.clock),
        )

    def _enliven(self, session: Session, start: int) -> Live:
        """Return the in-memory side of a session, whose output goes on at offset `start`."""
        hooks = Hooks(
            unsaved=self._writer.wake,
            asked=lambda question: self._responder.ask(console, question),
            ended=lambda _: self._keeper.exited(live),
        )
        console = Console(session.size, Ring(self.settings.output_buffer, start), self.clock, hooks)
        console.reserved = max(start, session.reserved_offset)
        live = Live(session, console, self.clock, self._tally.note)
        return live
