"""Every endpoint that does not touch a terminal, beside a Flask view that does nothing, call by call in turns."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks import server, targets
from benchmarks.client import KEY, USER, Client, Json, Refused
from benchmarks.figures import Figure, Outcome, summary
from benchmarks.progress import say
from benchmarks.service import Service, serving

SAMPLES = 300
_WARM_UP = 20
#: Output printed by the session that is read; less than a flood, of which the screen would be asked for again.
_PRINTED = 16 << 10
_METRICS_TOKEN = "metrics-token-of-the-benchmark"


@dataclass(frozen=True)
class Call:
    """One request, and the name it has in the report."""

    name: str
    method: str
    path: str
    body: Json | None = None
    #: In place of the service token.
    token: str | None = None
    #: What it has to answer.
    status: int = 200


def measure() -> Outcome:
    """Measure every call in turns with the bare view, at one waiting connection each."""
    with (
        serving(METRICS_TOKEN=_METRICS_TOKEN) as service,
        server.serving() as plain,
        _both(service, plain) as two,
    ):
        ours, bare = two
        figures = [_figure(call, ours, bare) for call in _calls(service, ours)]
    return Outcome("api", figures, [], {"isolation": "none", "samples": SAMPLES})


@contextmanager
def _both(service: Service, plain: server.Plain) -> Iterator[tuple[Client, Client]]:
    with service.client() as ours:
        bare = Client(plain.address)
        try:
            yield ours, bare
        finally:
            bare.close()


def _calls(service: Service, client: Client) -> Sequence[Call]:
    session = client.create()
    client.type(session, b"print %d\n" % _PRINTED)
    credential = client.call("POST", "/api/credentials", {"userId": USER, "anthropicApiKey": KEY})
    here, key = f"/api/session/{session}", service.api_key(USER)
    client.call("GET", f"{here}/output?cursor=0&wait=5")
    return [
        Call("health", "GET", "/health"),
        Call("metrics", "GET", "/metrics", token=_METRICS_TOKEN),
        Call("public key", "GET", "/api/credentials/key"),
        Call("status", "GET", f"{here}/status"),
        Call("status, by an API key", "GET", f"{here}/status", token=key),
        Call("list of sessions", "GET", "/api/sessions"),
        Call("output, nothing new", "GET", f"{here}/output?cursor={1 << 40}"),
        Call("output, 4 KiB", "GET", f"{here}/output?cursor=0&maxBytes=4096"),
        Call("screen", "GET", f"{here}/screen"),
        Call("outputs of a pump", "POST", "/api/outputs", {"pump": "p", "cursors": {session: 1 << 40}}),
        Call("list of credentials", "GET", "/api/credentials"),
        Call("an unknown credential", "DELETE", f"/api/credentials/{session}", status=404),
        Call("an unknown session", "GET", f"/api/session/{credential['credentialId']}/status", status=404),
        Call("a body that is refused", "POST", f"{here}/resize", {"columns": 0, "rows": 0}, status=422),
        Call("OpenAPI document", "GET", "/openapi.json"),
    ]


def _figure(call: Call, ours: Client, bare: Client) -> Figure:
    sidecar: list[float] = []
    plain: list[float] = []
    for number in range(SAMPLES + _WARM_UP):
        took, bare_took = _timed(ours, call), _timed(bare, _beside(call))
        if number >= _WARM_UP:
            sidecar.append(took * 1000)
            plain.append(bare_took * 1000)
    theirs, found = summary(plain), summary(sidecar)
    say(f"api: {call.name}, {found.p50 - theirs.p50:.2f} ms more")
    more = found.p50 - theirs.p50
    return Figure(f"api, {call.name}", "ms", theirs, found, "more at p50", more, "ms", targets.API_MORE_P50)


def _beside(call: Call) -> Call:
    """Return the same request to the bare view."""
    return Call(call.name, "POST" if call.body else "GET", "/bare", call.body)


def _timed(client: Client, call: Call) -> float:
    begin = time.perf_counter()
    status = client.fetch(call.method, call.path, call.body, call.token)
    took = time.perf_counter() - begin
    if status != call.status:
        raise Refused(f"{call.name} answered {status}")
    return took
