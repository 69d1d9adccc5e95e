"""The bare CLI: the real program on a PTY, with the sidecar's flags, environment and home, and nothing in between."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pexpect

from benchmarks import account, bare
from benchmarks.client import KEY
from sidecar.claude import command, home
from sidecar.model.session import Renderer

#: The composer: the prompt sign and a no-break space, maybe with a change of colour in between.
_PROMPT = re.compile(rb"\xe2\x9d\xaf(\x1b\[[0-9;]*m)*\xc2\xa0")
#: Something to resume: without a question there is no transcript.
QUESTION = "Say the word pineapple."
#: Its last word, echoed by the composer.
_SEEN = b"pineapple."
_PATIENCE_S = 60.0
#: How often something is looked at that nobody is measuring, in seconds.
_LOOK_S = 0.1


class NotMeasured(Exception):
    """The CLI did not do what it should; there is nothing to measure."""


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

    @contextmanager
    def running(self, conversation: UUID, *, resume: bool = False) -> Iterator[pexpect.spawn[Any]]:
        """Run it, from its prompt on."""
        arguments = command.arguments(self.executable, command.Start(conversation, resume), home.hooks())
        paid = command.Account(KEY, self.base_url)
        environment = command.environment(self.place, conversation, paid, Renderer.CLASSIC)
        with bare.spawned(list(arguments), environment, self.place.workspace) as child:
            child.expect(_PROMPT)
            yield child

    def start(self, conversation: UUID, *, resume: bool) -> float:
        """Start it; return milliseconds to its prompt. A new conversation then gets a question and its answer."""
        begin = time.perf_counter()
        with self.running(conversation, resume=resume) as child:
            took = time.perf_counter() - begin
            if not resume:
                self._ask(child, conversation)
        return took * 1000

    def _ask(self, child: pexpect.spawn[Any], conversation: UUID) -> None:
        """Ask and wait for the answer to be in the transcript, reading meanwhile: it stops when nobody reads."""
        child.send(QUESTION)
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
