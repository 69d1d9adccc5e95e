"""What the services tell when Prometheus asks; nothing of it is kept twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector as Base

from sidecar import __version__
from sidecar.health import Health
from sidecar.model.figures import BOUNDS_S, Durations, Figures, Life
from sidecar.services import Services


class Collector(Base):
    """Ask `services` anew at each scrape."""

    def __init__(self, services: Services) -> None:
        """Ask these services."""
        self._services = services

    def collect(self) -> Iterator[Metric]:
        """Yield every figure."""
        health, figures = self._services.health(), self._services.figures()
        info = {"version": __version__, "claude_version": figures.claude_version or ""}
        yield InfoMetricFamily("claude_sidecar_build", "Versions.", value=info)
        yield from _states(health)
        yield from _life(figures.life)
        yield from _stores(figures)


def _states(health: Health) -> Iterator[Metric]:
    yield _gauge("draining", "Whether new sessions are refused.", health.draining)
    yield _gauge("able", "Whether sessions can be started here.", health.able)
    yield _gauge("uptime_seconds", "Time since the start.", health.uptime_s)
    checks = GaugeMetricFamily(
        "claude_sidecar_check", "Whether a check of /health is good.", labels=("check",)
    )
    for name, check in health.checks.items():
        checks.add_metric((name,), check.ok)
    yield checks


def _life(life: Life) -> Iterator[Metric]:
    yield _counter("sessions_created", "Sessions created.", life.created)
    yield _counted("sessions_ended", "Sessions that ended, by cause.", "cause", life.ended)
    yield _counted("session_changes", "Times a session came into a state.", "state", life.changes)
    yield _histogram("session_start_duration_seconds", "Time from a create to the prompt.", life.starts)
    yield _histogram("session_wake_duration_seconds", "Time from waking a session to its prompt.", life.wakes)


def _stores(figures: Figures) -> Iterator[Metric]:
    sessions = GaugeMetricFamily(
        "claude_sidecar_sessions", "Sessions in memory, by state.", labels=("state",)
    )
    for state, count in figures.sessions.items():
        sessions.add_metric((state,), count)
    yield sessions
    yield _counter("output_bytes", "Bytes programs have printed.", figures.output_bytes)
    yield _counter("output_lost_bytes", "Bytes printed that could not be stored in time.", figures.lost_bytes)
    yield _gauge("output_backlog_bytes", "Bytes printed that wait to be stored.", figures.backlog_bytes)
    yield _gauge(
        "audit_pending_bytes", "Bytes of the audit trail that wait to be stored.", figures.audit_pending_bytes
    )
    yield _counter("audit_dropped", "Entries of the audit trail that are lost.", figures.audit_dropped)
    if figures.free_bytes is not None:
        yield _gauge("disk_free_bytes", "Free space where the data directory is.", figures.free_bytes)


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(f"claude_sidecar_{name}", about, value=value)


def _counter(name: str, about: str, value: float) -> Metric:
    return CounterMetricFamily(f"claude_sidecar_{name}", about, value=value)


def _counted(name: str, about: str, label: str, values: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(f"claude_sidecar_{name}", about, labels=(label,))
    for value, count in values.items():
        family.add_metric((value,), count)
    return family


def _histogram(name: str, about: str, durations: Durations) -> Metric:
    """Return a histogram, whose classes hold those below them too."""
    bounds = [*map(str, BOUNDS_S), "+Inf"]
    buckets = list(zip(bounds, accumulate(durations.counts), strict=True))
    return HistogramMetricFamily(
        f"claude_sidecar_{name}", about, buckets=buckets, sum_value=durations.total_s
    )
