"""HTTP command → its echo seen by a waiting output call, beside the echo of the same program on a bare PTY."""

from __future__ import annotations

import time
from typing import Any

import pexpect

from benchmarks import bare, targets
from benchmarks.client import Client, typing, waiting
from benchmarks.figures import Figure, Outcome, Target, summary
from benchmarks.progress import say
from benchmarks.service import Service, serving

SAMPLES = 500
_WARM_UP = 20
#: Before each sample, of both kinds alike: lets the waiting call arrive and everything come to rest.
_REST_S = 0.015


class _Sidecar:
    """One echoing session, one connection that types and one that waits."""

    def __init__(self, typist: Client, watcher: Client) -> None:
        self._typist, self._watcher = typist, watcher
        self._session = typist.create()
        self._cursor = typist.type(self._session, b"echo\n")
        self.faults: list[str] = []

    def sample(self, token: bytes) -> float:
        """Return seconds from the command's first byte to the echo's last."""
        self._watcher.send("GET", waiting(self._session, self._cursor))
        time.sleep(_REST_S)
        begin = time.perf_counter()
        self._typist.send("POST", *typing(self._session, token))
        seen = self._seen(len(token))
        took = time.perf_counter() - begin
        self._typist.receive()
        if seen != token:
            self.faults.append(f"{token!r} came back as {seen!r}")
        return took

    def _seen(self, length: int) -> bytes:
        found = b""
        while True:
            answer = self._watcher.receive()
            found += str(answer["data"]).encode()
            self._cursor = answer["nextCursor"]
            if len(found) >= length or not answer["data"]:
                return found
            self._watcher.send("GET", waiting(self._session, self._cursor))


def _bare_sample(child: pexpect.spawn[Any], token: bytes) -> float:
    time.sleep(_REST_S)
    begin = time.perf_counter()
    child.send(token)
    child.expect_exact(token)
    return time.perf_counter() - begin


def measure() -> Outcome:
    """Alternate the two, sample by sample."""
    with serving() as service, bare.program() as child:
        child.send(b"echo\n")
        return _measure(service, child)


def _measure(service: Service, child: pexpect.spawn[Any]) -> Outcome:
    ours: list[float] = []
    bares: list[float] = []
    with service.client() as typist, service.client() as watcher:
        sidecar = _Sidecar(typist, watcher)
        for number in range(SAMPLES + _WARM_UP):
            token = b"<%06d>" % number
            ours.append(sidecar.sample(token) * 1000)
            bares.append(_bare_sample(child, token) * 1000)
            if number % 100 == 0:
                say(f"echo: {number} of {SAMPLES}")
    return _outcome(bares[_WARM_UP:], ours[_WARM_UP:], sidecar.faults)


def _outcome(bares: list[float], ours: list[float], faults: list[str]) -> Outcome:
    plain, over_http = summary(bares), summary(ours)

    def figure(share: str, more: float, target: Target) -> Figure:
        return Figure(f"echo, {share}", "ms", plain, over_http, f"more at {share}", more, "ms", target)

    figures = [
        figure("p50", over_http.p50 - plain.p50, targets.ECHO_MORE_P50),
        figure("p99", over_http.p99 - plain.p99, targets.ECHO_MORE_P99),
    ]
    return Outcome("echo", figures, faults, {"isolation": "none"})
