"""Re-encrypting 10,000 stored credentials while the service answers others, beside the same calls at rest."""

from __future__ import annotations

import secrets
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Self

from benchmarks import targets
from benchmarks.client import Client
from benchmarks.figures import Figure, Outcome, Scale, summary
from benchmarks.progress import say
from benchmarks.seed import seeded
from benchmarks.service import Service, serving

#: The target is for so many; a trial only shows that it works.
_CREDENTIALS, _TRIED = 10_000, 200
#: One is over before 200 other calls are made.
_ROUNDS = 3
#: How long the other calls are watched before the rotation, in seconds.
_REST_S = 5.0
#: Pause between two calls of the other caller: about 100 a second.
_PAUSE_S = 0.008


class _Caller:
    """Somebody else, who reads and writes all the time."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._ended = threading.Event()
        self.samples: list[float] = []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        session = self._client.create()
        paths = [f"/api/session/{session}/status", "/api/sessions", "/api/credentials", "/health"]
        number = 0
        while not self._ended.wait(_PAUSE_S):
            begin = time.perf_counter()
            if number % 5 == 4:  # a write: it has to get past the one that re-encrypts
                self._client.type(session, b"x")
            else:
                self._client.call("GET", paths[number % 5])
            self.samples.append((time.perf_counter() - begin) * 1000)
            number += 1


@dataclass
class _Found:
    """What all rounds have shown."""

    took_s: list[float] = field(default_factory=list)
    rest_ms: list[float] = field(default_factory=list)
    during_ms: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


def measure(scale: Scale) -> Outcome:
    """Fill a database under an old key, then rotate while somebody works; as often as the samples need."""
    found, count = _Found(), scale.pick(_TRIED, _CREDENTIALS, _CREDENTIALS)
    for _ in range(scale.pick(1, 1, _ROUNDS)):
        _round(found, count)
    return _outcome(found, count)


def _round(found: _Found, count: int) -> None:
    old, new = secrets.token_hex(32), secrets.token_hex(32)
    with serving(ENCRYPTION_KEY=f"{new},{old}") as service, service.client() as client:
        seeded(service, old, count)
        say(f"rotation: {count} credentials are stored")
        with _Caller(client) as caller:
            time.sleep(_REST_S)
            rest = list(caller.samples)
            took, faults = _rotate(service)
            during = caller.samples[len(rest) :]
    found.took_s.append(took)
    found.rest_ms += rest
    found.during_ms += during
    found.faults += faults


def _rotate(service: Service) -> tuple[float, list[str]]:
    command = [sys.executable, "-m", "sidecar.cli", "rotate-keys"]
    begin = time.perf_counter()
    done = subprocess.run(
        command, env=service.environment, cwd=service.folder, capture_output=True, text=True, check=False
    )
    took = time.perf_counter() - begin
    say(f"rotation: {took:.1f} s")
    return took, [] if done.returncode == 0 else [f"rotate-keys failed: {done.stderr.strip()[-300:]}"]


def _outcome(found: _Found, count: int) -> Outcome:
    before, meanwhile, took = summary(found.rest_ms), summary(found.during_ms), summary(found.took_s)
    figures = [
        Figure(f"rotation, {count:,} credentials", "s", None, took, "longest", took.p99, "s", targets.ROTATION_S),
        Figure(
            "rotation, other calls", "ms", before, meanwhile, "p99 meanwhile", meanwhile.p99, "ms", targets.ROTATION_P99,
            beside="before it",
        ),
    ]  # fmt: skip
    return Outcome("rotation", figures, found.faults, {"isolation": "none", "credentials": count})
