"""create → ready and wake → ready of the real CLI, beside the bare CLI on a PTY.

The bare CLI gets the same flags, the same environment and a home prepared by the same code, fresh for every sample
as the sidecar's is. Its prompt is looked for in the bytes; it is not isolated and nobody answers its questions.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pexpect

from benchmarks import account, bare, targets
from benchmarks.client import KEY, Client
from benchmarks.figures import Figure, Outcome, summary
from benchmarks.progress import say
from benchmarks.service import scratch, serving
from emulator.anthropic import Server, Settings
from sidecar.claude import command, home
from sidecar.claude.version import PINNED
from sidecar.model.session import Renderer
from sidecar.sessions.program import locate

SAMPLES = 15
#: The composer: the prompt sign and a no-break space, maybe with a change of colour in between.
_PROMPT = re.compile(rb"\xe2\x9d\xaf(\x1b\[[0-9;]*m)*\xc2\xa0")
#: Something to resume: without a question there is no transcript.
_QUESTION = "Say the word pineapple."
#: Its last word, echoed by the composer.
_SEEN = b"pineapple."
#: Idle time until the sidecar's session sleeps; only how long a round lasts depends on it.
_HIBERNATE = "1s"
_PATIENCE_S = 60.0
#: How often something is looked at that nobody is measuring, in seconds.
_LOOK_S = 0.1


@dataclass(frozen=True)
class Cli:
    """The bare CLI in a home of its own."""

    executable: Path
    folder: Path
    base_url: str

    @property
    def place(self) -> command.Place:
        """Return where it runs."""
        return command.Place(self.folder / "home", self.folder / "workspace", self.executable)

    def prepare(self) -> None:
        """Make the home, as the sidecar does it for a session."""
        for path in (self.place.home, self.place.workspace):
            path.mkdir(mode=0o700)
        home.prepare(self.place.home, self.place.workspace, home.Seed(self.place, KEY))
        account.give(self.folder)

    def start(self, conversation: UUID, *, resume: bool) -> float:
        """Start it; return milliseconds to its prompt. A new conversation then gets a question and its answer."""
        arguments = command.arguments(self.executable, command.Start(conversation, resume), home.hooks())
        paid = command.Account(KEY, self.base_url)
        environment = command.environment(self.place, conversation, paid, Renderer.CLASSIC)
        begin = time.perf_counter()
        with bare.spawned(list(arguments), environment, self.place.workspace) as child:
            child.expect(_PROMPT)
            took = time.perf_counter() - begin
            if not resume:
                self._ask(child, conversation)
        return took * 1000

    def _ask(self, child: pexpect.spawn[Any], conversation: UUID) -> None:
        """Ask and wait for the answer to be in the transcript, reading meanwhile: it stops when nobody reads."""
        child.send(_QUESTION)
        child.expect_exact(_SEEN)
        child.send("\r")
        folder = self.place.home / ".claude" / "projects"
        deadline = time.monotonic() + _PATIENCE_S
        while not any(_answered(path) for path in folder.rglob(f"{conversation}.jsonl")):
            if time.monotonic() > deadline:
                raise NotMeasured("the bare CLI has not answered")
            child.expect([pexpect.TIMEOUT], timeout=_LOOK_S)


def _answered(transcript: Path) -> bool:
    return '"type":"assistant"' in transcript.read_text()


class NotMeasured(Exception):
    """The CLI did not do what it should; there is nothing to measure."""


@dataclass(frozen=True)
class Sample:
    """Milliseconds to the prompt: of a new conversation, and of the same one taken up again."""

    created_ms: float
    woken_ms: float


def bare_sample(executable: Path, base_url: str) -> Sample:
    """Start the bare CLI in a fresh home, talk once, kill it, and start it again."""
    with scratch() as folder:
        cli = Cli(executable, folder, base_url)
        cli.prepare()
        conversation = uuid4()
        created = cli.start(conversation, resume=False)
        return Sample(created, cli.start(conversation, resume=True))


def sidecar_sample(client: Client) -> Sample:
    """Create a session, talk once, let it go to sleep, and wake it."""
    begin = time.perf_counter()
    session = client.create()
    created = time.perf_counter() - begin
    body = {"command": _QUESTION, "waitMs": 25_000}
    client.call("POST", f"/api/session/{session}/command", body)
    _await_sleep(client, session)
    begin = time.perf_counter()
    client.type(session, b"")
    woken = time.perf_counter() - begin
    client.end(session)
    return Sample(created * 1000, woken * 1000)


def _await_sleep(client: Client, session: str) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while client.call("GET", f"/api/session/{session}/status")["state"] != "hibernated":
        if time.monotonic() > deadline:
            raise NotMeasured("the session does not go to sleep")
        time.sleep(_LOOK_S)


def measure() -> Outcome:
    """Alternate the two, in the default isolation, with the stand-in API."""
    executable = locate(None)
    if executable is None:
        return Outcome("start", [], ["Claude Code is not installed: run make setup"])
    with (
        Server(Settings()) as api,
        serving(
            CLAUDE_PATH=str(executable),
            ANTHROPIC_BASE_URL=api.url,
            ISOLATION="bubblewrap",
            SESSION_IDLE_HIBERNATE=_HIBERNATE,
        ) as service,
        service.client() as client,
    ):
        bare_sample(executable, api.url)  # the first of each reads the program from the disk
        sidecar_sample(client)
        bares: list[Sample] = []
        ours: list[Sample] = []
        for number in range(SAMPLES):
            bares.append(bare_sample(executable, api.url))
            ours.append(sidecar_sample(client))
            say(
                f"start: {number + 1} of {SAMPLES}, {bares[-1].created_ms:.0f} and {ours[-1].created_ms:.0f} ms"
            )
    return _outcome(bares, ours)


def _outcome(bares: list[Sample], ours: list[Sample]) -> Outcome:
    figures = [
        _figure("create → ready", [item.created_ms for item in bares], [item.created_ms for item in ours]),
        _figure("wake → ready", [item.woken_ms for item in bares], [item.woken_ms for item in ours]),
    ]
    return Outcome("start", figures, [], {"isolation": "bubblewrap", "CLI": PINNED})


def _figure(name: str, bares: list[float], ours: list[float]) -> Figure:
    plain, over_http = summary(bares), summary(ours)
    ratio = over_http.p50 / plain.p50
    return Figure(name, "ms", plain, over_http, "× bare at p50", ratio, "", targets.START_RATIO)
