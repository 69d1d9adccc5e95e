"""create → ready and wake → ready of the real CLI, beside the bare CLI on a PTY.

The bare CLI gets the same flags, the same environment and a home prepared by the same code, fresh for every sample
as the sidecar's is. Its prompt is looked for in the bytes; it is not isolated and nobody answers its questions.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from benchmarks import targets
from benchmarks.cli import QUESTION, Cli, NotMeasured
from benchmarks.client import Client
from benchmarks.figures import Figure, Outcome, Picture, Scale, summary
from benchmarks.progress import bar
from benchmarks.service import scratch, serving
from emulator.anthropic import Server, Settings
from sidecar.claude.version import PINNED
from sidecar.sessions.program import locate

#: Idle time until the sidecar's session sleeps; only how long a round lasts depends on it.
_HIBERNATE = "1s"
_PATIENCE_S = 60.0
#: How often something is looked at that nobody is measuring, in seconds.
_LOOK_S = 0.1


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
    body = {"command": QUESTION, "waitMs": 25_000}
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


def measure(scale: Scale) -> Outcome:
    """Alternate the two, in the default isolation, with the stand-in API."""
    executable = locate(None)
    if executable is None:
        return Outcome("density", [], ["Claude Code is not installed: run make setup"])
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
        count = scale.pick(1, 4, 200)
        with bar("starts of the CLI", count) as step:
            for _ in range(count):
                bares.append(bare_sample(executable, api.url))
                ours.append(sidecar_sample(client))
                step()
    return _outcome(bares, ours)


def _outcome(bares: list[Sample], ours: list[Sample]) -> Outcome:
    figures = [
        _figure("create → ready", [item.created_ms for item in bares], [item.created_ms for item in ours]),
        _figure("wake → ready", [item.woken_ms for item in bares], [item.woken_ms for item in ours]),
    ]
    drawn = {
        "create, bare": [item.created_ms for item in bares],
        "create, sidecar": [item.created_ms for item in ours],
        "wake, bare": [item.woken_ms for item in bares],
        "wake, sidecar": [item.woken_ms for item in ours],
    }
    title, y = "The real CLI until it is at its prompt", "share of samples up to it, %"
    picture = Picture("density-start", title, "time, ms", y, distributions=drawn)
    return Outcome("density", figures, [], {"isolation": "bubblewrap", "CLI": PINNED}, [picture])


def _figure(name: str, bares: list[float], ours: list[float]) -> Figure:
    plain, over_http = summary(bares), summary(ours)
    ratio = over_http.p50 / plain.p50
    return Figure(name, "ms", plain, over_http, "× bare at p50", ratio, "", targets.START_RATIO)
