"""`/metrics` for Prometheus: what the web counts itself, and what the services tell when asked."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Flask, Response, abort, current_app, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from sidecar.errors import Unauthenticated
from sidecar.services import Services
from sidecar.web.collector import Collector
from sidecar.web.context import services
from sidecar.web.operation import Operation, describe

views = Blueprint("metrics", __name__)

_QUICK_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30)
#: Calls that wait are answered when something happens, at the latest after 25 s; a create after its start.
_WAITING_S = (0.1, 0.5, 1, 2, 5, 10, 20, 30, 60)


@dataclass(frozen=True)
class Request:
    """What is told of a request. All but the time are of a small set, whatever the caller sends."""

    method: str
    route: str
    operation: str
    status: int
    seconds: float
    #: Whether it was a call that waits for something to happen.
    waited: bool
    #: What the problem was, if the answer is one.
    problem: str | None


class Metrics:
    """The instruments of one application. No label carries a user, a session or anything else a caller can choose."""

    def __init__(self, sources: Services, waiting: Callable[[], float]) -> None:
        """Measure an application on these services; `waiting` tells how many calls wait."""
        self.registry = CollectorRegistry(auto_describe=False)
        self._requests = Counter(
            "claude_sidecar_http_requests",
            "Requests answered.",
            ("operation", "method", "status"),
            registry=self.registry,
        )
        self._problems = Counter(
            "claude_sidecar_http_problems",
            "Answers that are a problem, by its type.",
            ("problem",),
            registry=self.registry,
        )
        self._durations = _histogram(
            "request", "Time to the answer of calls that do not wait.", self.registry
        )
        self._waits = _histogram("waiting", "Time to the answer of calls that wait.", self.registry)
        Gauge(
            "claude_sidecar_http_waiting_calls", "Calls that wait, or may have to.", registry=self.registry
        ).set_function(waiting)
        self.registry.register(Collector(sources))
        ProcessCollector(registry=self.registry)

    def observe(self, seen: Request) -> None:
        """Count a request that was answered."""
        self._requests.labels(seen.operation, seen.method, str(seen.status)).inc()
        if seen.problem is not None:
            self._problems.labels(seen.problem).inc()
        (self._waits if seen.waited else self._durations).labels(seen.operation).observe(seen.seconds)


def _histogram(name: str, about: str, registry: CollectorRegistry) -> Histogram:
    buckets = _WAITING_S if name == "waiting" else _QUICK_S
    name = f"claude_sidecar_http_{name}_duration_seconds"
    return Histogram(name, about, ("operation",), buckets=buckets, registry=registry)


def register(app: Flask, sources: Services) -> Metrics:
    """Give `app` its metrics."""
    metrics = Metrics(sources, lambda: app.extensions["places"].held)
    app.extensions["metrics"] = metrics
    return metrics


@views.get("/metrics")
@describe(Operation(None, problems=(401, 404), scope=None, scheme="metrics", media="text/plain"))
def read_metrics() -> Response:
    """Figures for Prometheus, for the holder of METRICS_TOKEN; without that setting there is no such page."""
    _check(services().settings.metrics_token)
    metrics: Metrics = current_app.extensions["metrics"]
    return Response(generate_latest(metrics.registry), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _check(token: str | None) -> None:
    """Compare in constant time. The service token does not open it: who watches need not be able to act."""
    if token is None:
        abort(404)
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), token.encode()):
        raise Unauthenticated
