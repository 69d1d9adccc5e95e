"""The real server: gunicorn, a worker, signals, slow clients, TLS."""

from __future__ import annotations

from tests.fixtures.server import Server


def test_it_serves_and_ends_with_status_0_on_sigterm(server: Server) -> None:
    assert server.call("GET", "/health").json()["status"] == "ok"
    created = server.call(
        "POST",
        "/api/session/create",
        json={"userId": "jane", "credentials": {"anthropicApiKey": "sk-ant-test-key"}},
    )
    assert created.status_code == 201, created.text
    assert server.stop() == 0, server.text()
