"""`/metrics`: for its own token only, whole, and without anything a caller can choose."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from sidecar.web import create_app
from tests.fixtures.services import TOKEN, MakeServices
from tests.integration.web.api import Api

METRICS_TOKEN = "a-token-for-metrics-only"
SERVICE = {"Authorization": f"Bearer {TOKEN}"}

Caller = Callable[..., Api]


@pytest.fixture
def measured(make_services: MakeServices) -> Caller:
    """Return a maker of callers, each of an application with metrics of its own."""

    def make(**settings: object) -> Api:
        services = make_services(**{"metrics_token": METRICS_TOKEN, **settings})
        return Api(create_app(services).test_client(), TOKEN, "ann")

    return make


def scrape(api: Api) -> dict[str, Metric]:
    response = api.get("/metrics", headers={"Authorization": f"Bearer {METRICS_TOKEN}"})
    assert response.status_code == 200
    return {family.name: family for family in text_string_to_metric_families(response.text)}


def value(families: dict[str, Metric], sample: str, **labels: str) -> float:
    found = [
        item.value
        for family in families.values()
        for item in family.samples
        if item.name == f"claude_sidecar_{sample}" and labels.items() <= item.labels.items()
    ]
    assert found, f"{sample} {labels} is not told"
    return sum(found)


def test_without_a_token_there_is_no_such_page(client: FlaskClient, api: Api) -> None:
    with_token = api.get("/metrics")
    without = client.get("/metrics", base_url="http://localhost")
    elsewhere = client.get("/metrix", base_url="http://localhost")

    assert (with_token.status_code, without.status_code) == (404, 404)
    assert without.json == {**(elsewhere.json or {}), "instance": "/metrics"}


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        f"Basic {METRICS_TOKEN}",
        f"Bearer {METRICS_TOKEN}x",
        "Bearer \xe4",
        METRICS_TOKEN,
    ],
)
def test_a_wrong_token_is_refused(measured: Caller, header: str | None) -> None:
    assert measured().get("/metrics", headers={"Authorization": header}).status_code == 401


def test_neither_token_opens_the_others_door(measured: Caller) -> None:
    api = measured()

    assert api.get("/metrics", headers=SERVICE).status_code == 401
    for path in ("/api/sessions", "/api/nothing"):
        assert api.get(path, headers={"Authorization": f"Bearer {METRICS_TOKEN}"}).status_code == 401


def test_the_host_is_checked_first(measured: Caller) -> None:
    headers = {"Authorization": f"Bearer {METRICS_TOKEN}", "Host": "evil.example"}

    assert measured().get("/metrics", headers=headers).status_code == 400


def test_a_fresh_service_tells_every_figure_once(measured: Caller) -> None:
    api = measured()
    families = scrape(api)

    assert all(family.documentation for name, family in families.items() if name.startswith("claude_sidecar"))
    assert value(families, "build_info") == 1
    assert value(families, "check", check="database") == 1
    assert value(families, "able") == 1
    assert value(families, "draining") == 0
    assert value(families, "sessions", state="running") == 0
    assert value(families, "http_waiting_calls") == 0
    assert value(families, "output_backlog_bytes") == 0
    assert value(families, "audit_dropped_total") == 0
    assert value(families, "disk_free_bytes") > 0
    assert "process_resident_memory_bytes" in families


def test_every_figure_is_in_the_docs(measured: Caller) -> None:
    page = (Path(__file__).resolve().parents[3] / "docs" / "operations.md").read_text()
    api = measured()
    scrape(api)
    api.get("/nothing")
    told = {sample.name for family in scrape(api).values() for sample in family.samples}
    own = {name.removeprefix("claude_sidecar_") for name in told if name.startswith("claude_sidecar_")}

    plain = {re.sub(r"_(bucket|count|sum|created)$", "", name) for name in own}
    names = {name if f"`{name}`" in page else f"{name}_total" for name in plain}
    assert sorted(name for name in names if f"`{name}`" not in page) == []


def test_a_session_is_counted_from_create_to_end(measured: Caller) -> None:
    api = measured()
    session = api.create()
    assert api.command(session, "hello", waitMs=20_000).status_code == 200
    running = scrape(api)
    api.end()
    ended = scrape(api)

    assert value(running, "sessions", state="running") == 1
    assert value(running, "sessions_created_total") == 1
    assert value(running, "session_start_duration_seconds_count") == 1
    assert value(running, "session_wake_duration_seconds_count") == 0
    assert value(running, "output_bytes_total") > 0
    assert value(ended, "sessions_ended_total", cause="user") == 1
    assert value(ended, "sessions_ended_total", cause="other") == 0
    assert value(ended, "session_changes_total", state="terminated") == 1


def test_requests_are_counted_by_operation_and_problems_by_type(measured: Caller) -> None:
    api = measured()
    for _ in range(3):
        api.get("/api/sessions")
    api.get("/api/sessions", headers={"Authorization": "Bearer wrong"})
    families = scrape(api)

    listed = {"operation": "list_sessions", "method": "GET"}
    assert value(families, "http_requests_total", **listed, status="200") == 3
    assert value(families, "http_requests_total", **listed, status="401") == 1
    assert value(families, "http_problems_total", problem="unauthenticated") == 1
    assert value(families, "http_request_duration_seconds_count", operation="list_sessions") == 4


def test_calls_that_wait_are_timed_apart(measured: Caller) -> None:
    api = measured()
    session = api.create()
    end = api.get(f"/api/session/{session}/status").json["outputOffset"]
    api.get(f"/api/session/{session}/output?cursor={end}&wait=0.2")
    api.get(f"/api/session/{session}/output?cursor={end}")
    families = scrape(api)
    api.end()

    assert value(families, "http_waiting_duration_seconds_count", operation="read_output") == 1
    assert value(families, "http_request_duration_seconds_count", operation="read_output") == 1


def test_no_caller_can_make_up_a_label(measured: Caller) -> None:
    api = measured()
    scrape(api)
    make_up(api, 0)
    once = labels(scrape(api))
    for number in range(1, 10):
        make_up(api, number)
    often = labels(scrape(api))

    words = ("made", "user-", "VERB", "marker", "BREW")
    assert often == once
    assert [label for label in often if any(word in label for word in words)] == []


def make_up(api: Api, number: int) -> None:
    """Ask for what nobody has foreseen."""
    api.call("BREW", f"/api/made-up-{number}", headers={"X-User-ID": f"user-{number}"})
    api.call(f"VERB{number}", "/api/sessions")
    api.get(f"/api/session/marker-{number}/output")
    api.get(f"/made-up-{number}?x={number}")


def labels(families: dict[str, Metric]) -> set[str]:
    return {
        f"{item.name} {key}={text}"
        for family in families.values()
        for item in family.samples
        for key, text in item.labels.items()
        if key != "le"
    }
