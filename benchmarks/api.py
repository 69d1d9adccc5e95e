"""Every endpoint that does not touch a terminal, beside a Flask view that does nothing, call by call in turns."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from benchmarks import rate, server, targets
from benchmarks.client import KEY, USER, Client, Json, Refused
from benchmarks.figures import Figure, Outcome, Picture, Scale, joined, summary
from benchmarks.progress import say
from benchmarks.service import Service, serving

_WARM_UP = 20
#: Output printed by the session that is read; less than a flood, of which the screen would be asked for again.
_PRINTED = 16 << 10
_METRICS_TOKEN = "metrics-token-of-the-benchmark"


@dataclass(frozen=True)
class Call:
    """One request, and the name it has in the report."""

    name: str
    method: str
    #: Or what makes it ready, untimed, and returns it.
    path: str | Callable[[], str]
    body: Json | None = None
    #: In place of the service token.
    token: str | None = None
    #: What it has to answer.
    status: int = 200
    #: What is done with the answer, untimed.
    then: Callable[[Client, Json], object] | None = None


def measure(scale: Scale) -> Outcome:
    """Measure every call in turns with the bare view, at one connection each; then how many a second each sustains."""
    with (
        serving(METRICS_TOKEN=_METRICS_TOKEN) as service,
        server.serving() as plain,
        _both(service, plain) as two,
    ):
        ours, bare = two
        samples = scale.pick(5, 300, 500)
        session = ours.create()
        figures = [_figure(call, ours, bare, samples) for call in _calls(service, ours, session)]
        rates = rate.measure(service, plain, session, scale)
    alone = Outcome("api", figures, [], {"isolation": "none"}, [_picture(figures)])
    return joined("api", [alone, rates])


def _picture(figures: Sequence[Figure]) -> Picture:
    drawn = {figure.name: figure.sidecar.samples for figure in figures if figure.name in _DRAWN}
    drawn["empty Flask view"] = [
        sample
        for figure in figures
        if figure.name in _DRAWN and figure.bare
        for sample in figure.bare.samples
    ]
    title, x = "A call on one connection", "time, ms"
    return Picture("api-latency", title, x, "share of samples up to it, %", distributions=drawn, log_x=True)


#: A picture of all calls could not be read.
_DRAWN = {"api, health", "api, status", "api, output, 4 KiB", "api, list of sessions", "api, a key stored"}


@contextmanager
def _both(service: Service, plain: server.Plain) -> Iterator[tuple[Client, Client]]:
    with service.client() as ours:
        bare = Client(plain.address)
        try:
            yield ours, bare
        finally:
            bare.close()


def _calls(service: Service, client: Client, session: str) -> Sequence[Call]:
    client.type(session, b"print %d\n" % _PRINTED)
    stored = {"userId": USER, "anthropicApiKey": KEY}
    credential = client.call("POST", "/api/credentials", stored)
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
        Call("screen, unchanged", "GET", f"{here}/screen"),
        Call("outputs of a pump", "POST", "/api/outputs", {"pump": "p", "cursors": {session: 1 << 40}}),
        Call("recording", "GET", f"{here}/recording"),
        Call("list of credentials", "GET", "/api/credentials"),
        Call("a key stored", "POST", "/api/credentials", stored, status=201, then=_forget),
        Call("a key removed", "DELETE", lambda: _path(client.call("POST", "/api/credentials", stored))),
        Call("drain, undone", "POST", "/api/service/drain", {"draining": False}),
        Call("an unknown credential", "DELETE", f"/api/credentials/{session}", status=404),
        Call("an unknown session", "GET", f"/api/session/{credential['credentialId']}/status", status=404),
        Call("a body that is refused", "POST", f"{here}/resize", {"columns": 0, "rows": 0}, status=422),
        Call("OpenAPI document", "GET", "/openapi.json"),
        Call("API as a page", "GET", "/docs"),
        Call("sign-in page", "GET", "/signin"),
    ]


def _figure(call: Call, ours: Client, bare: Client, samples: int) -> Figure:
    sidecar: list[float] = []
    plain: list[float] = []
    for number in range(samples + _WARM_UP):
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
    path = call.path if isinstance(call.path, str) else call.path()
    begin = time.perf_counter()
    status, content = client.fetch(call.method, path, call.body, call.token)
    took = time.perf_counter() - begin
    if status != call.status:
        raise Refused(f"{call.name} answered {status}")
    if call.then is not None:
        call.then(client, json.loads(content))
    return took


def _path(credential: Json) -> str:
    return f"/api/credentials/{credential['credentialId']}"


def _forget(client: Client, credential: Json) -> None:
    client.call("DELETE", _path(credential))
