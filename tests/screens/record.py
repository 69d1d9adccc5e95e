"""Record screens of the installed CLI, working against the stand-in for its API.

.venv/bin/python -m tests.screens.record [NAME …]
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

from emulator.anthropic import Server
from sidecar.claude import command, gates, home, version
from sidecar.claude.keystrokes import ENTER, key_bytes, paste
from sidecar.clock import SystemClock
from sidecar.isolation import processes
from sidecar.model.session import Renderer, Size
from sidecar.sessions import program
from sidecar.sessions.responder import Responder
from sidecar.terminal.console import Console, Hooks
from sidecar.terminal.process import Launcher, Program
from sidecar.terminal.reader import Reader
from sidecar.terminal.ring import Ring
from tests.waiting import until

FOLDER = Path(__file__).parent / version.PINNED
KEY = "sk-ant-a-key-of-no-worth-0123456789"
PATIENCE_S = 30


@dataclass
class Stage:
    """One CLI on a terminal."""

    server: Server
    folder: Path
    size: Size = field(default_factory=lambda: Size(100, 30))
    renderer: Renderer = Renderer.CLASSIC
    conversation: UUID = field(default_factory=uuid4)
    resume: bool = False

    def __post_init__(self) -> None:
        self.clock = SystemClock()
        self.launcher, self.reader, self.responder = Launcher(self.clock), Reader(), Responder()
        hooks = Hooks(lambda: None, lambda asked: self.responder.ask(self.console, asked), lambda _: None)
        self.console = Console(self.size, Ring(1 << 20), self.clock, hooks)
        self.console.lossless = False

    def start(self) -> None:
        """Start the CLI and wait for its prompt."""
        executable = program.locate(None)
        assert executable is not None
        place = command.Place(self.folder / "home", self.folder / "project", executable)
        for folder in (place.home, place.workspace):
            folder.mkdir(exist_ok=True)
        home.prepare(place.home, place.workspace, home.Seed(place, KEY))
        start = command.Start(self.conversation, self.resume)
        account = command.Account(KEY, self.server.url)
        environment = command.environment(place, self.conversation, account, self.renderer)
        self.reader.start()
        self.responder.start()
        arguments = command.arguments(executable, start, home.hooks())
        process = self.launcher.launch(Program(arguments, environment, place.workspace, self.size))
        self.console.attach(process, self.reader)
        self.wait(lambda: gates.ready(self.rows))

    @property
    def rows(self) -> tuple[str, ...]:
        return self.console.lines()[0]

    @property
    def text(self) -> str:
        return "\n".join(self.rows)

    def wait(self, condition: Callable[[], object]) -> None:
        """Wait until the condition holds and the screen stands still for a moment or keeps moving."""
        assert until(condition, PATIENCE_S), self.text
        until(lambda: self.console.quiet() > 0.5, 2)

    def ask(self, text: str) -> None:
        """Paste a text and submit it."""
        self.console.write(paste(text))
        until(lambda: self.console.quiet() > 0.2, 2)
        self.console.write(ENTER)

    def end(self) -> None:
        """End the CLI and all that belongs to it."""
        process = self.console.process
        if process is not None:
            process.signal(signal.SIGTERM)
            if process.wait(3) is None:
                process.signal(signal.SIGKILL)
            processes.kill_tagged(self.conversation, self.clock.monotonic() + 5, self.clock)
            until(lambda: self.console.exit is not None)
            self.console.detach()
        self.responder.stop()
        self.reader.stop()
        self.launcher.close()


def prompt(stage: Stage) -> None:
    stage.start()


def answered(stage: Stage) -> None:
    stage.start()
    stage.ask("hello there")
    stage.wait(lambda: "You said: hello there" in stage.text)


def busy(stage: Stage) -> None:
    stage.start()
    stage.ask("[[delay 60]] think for long")
    stage.wait(lambda: "esc to interrupt" in stage.text or not stage.console.lines()[1].startswith("✳"))


def streaming(stage: Stage) -> None:
    stage.start()
    stage.ask("[[rate 20 tokens 2000]]")
    stage.wait(lambda: stage.text.count("●") > 0)


def queued(stage: Stage) -> None:
    busy(stage)
    stage.ask("one more thing")
    stage.wait(lambda: "one more thing" in stage.text)


def bash(stage: Stage) -> None:
    stage.start()
    stage.ask("[[tool bash: touch made-by-bash]]")
    stage.wait(lambda: gates.menu_open(stage.rows))


def write(stage: Stage) -> None:
    stage.start()
    stage.ask(f"[[tool write: {stage.folder}/project/out.txt | some text]]")
    stage.wait(lambda: gates.menu_open(stage.rows))


def model(stage: Stage) -> None:
    stage.start()
    stage.ask("/model")
    stage.wait(lambda: gates.menu_open(stage.rows))


def slash(stage: Stage) -> None:
    stage.start()
    stage.console.write(b"/")
    stage.wait(lambda: "/" in (gates.composer(stage.rows) or ""))


def pasted(stage: Stage) -> None:
    stage.start()
    stage.console.write(paste("\n".join(f"line {number}" for number in range(30))))
    stage.wait(lambda: "Pasted text" in stage.text)


def typed(stage: Stage) -> None:
    stage.start()
    stage.console.write(paste("a first line\nand a second one"))
    stage.wait(lambda: "second" in stage.text)


def interrupted(stage: Stage) -> None:
    streaming(stage)
    stage.console.write(key_bytes(["Escape"]))
    stage.wait(lambda: "Interrupted" in stage.text)


def retrying(stage: Stage) -> None:
    stage.start()
    stage.ask("[[error 529]]")
    stage.wait(lambda: "etry" in stage.text)


def resumed(stage: Stage) -> None:
    answered(stage)
    stage.end()
    again = Stage(stage.server, stage.folder, conversation=stage.conversation, resume=True)
    stage.__dict__.update(again.__dict__)
    stage.start()


@dataclass(frozen=True)
class Case:
    """What to show, in which terminal, and what it means."""

    activity: str
    show: Callable[[Stage], None]
    size: Size = field(default_factory=lambda: Size(100, 30))
    renderer: Renderer = Renderer.CLASSIC


CASES = {
    "prompt": Case("idle", prompt),
    "answered": Case("idle", answered),
    "narrow": Case("idle", answered, Size(40, 30)),
    "tiny": Case("idle", prompt, Size(40, 12)),
    "fullscreen": Case("idle", prompt, renderer=Renderer.FULLSCREEN),
    "fullscreen-answered": Case("idle", answered, renderer=Renderer.FULLSCREEN),
    "resumed": Case("idle", resumed),
    "pasted": Case("idle", pasted),
    "two-lines": Case("idle", typed),
    "slash": Case("idle", slash),
    "interrupted": Case("idle", interrupted),
    "thinking": Case("busy", busy),
    "thinking-narrow": Case("busy", busy, Size(40, 30)),
    "streaming": Case("busy", streaming),
    "streaming-fullscreen": Case("busy", streaming, renderer=Renderer.FULLSCREEN),
    "queued": Case("busy", queued),
    "retrying": Case("busy", retrying),
    "bash": Case("awaiting_input", bash),
    "bash-narrow": Case("awaiting_input", bash, Size(40, 30)),
    "bash-fullscreen": Case("awaiting_input", bash, renderer=Renderer.FULLSCREEN),
    "write": Case("awaiting_input", write),
    "model": Case("awaiting_input", model),
}


@contextmanager
def staged(case: Case) -> Iterator[Stage]:
    # A fixed place: it is on the screen, and must not name whoever recorded it.
    with tempfile.TemporaryDirectory(prefix="screens-") as folder, Server() as server:
        stage = Stage(server, Path(folder), case.size, case.renderer)
        try:
            yield stage
        finally:
            stage.end()


def record(name: str) -> None:
    """Write one screen."""
    case = CASES[name]
    with staged(case) as stage:
        case.show(stage)
        rows, title = stage.console.lines()
        text = "\n".join([title, *rows]).replace(str(stage.folder), "/tmp/screens-example0")
    path = FOLDER / case.activity / f"{name}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.rstrip("\n") + "\n")
    sys.stderr.write(f"{path.relative_to(FOLDER.parent)}\n")


if __name__ == "__main__":
    os.umask(0o022)
    for each in sys.argv[1:] or CASES:
        record(each)
