"""Debug mode on the real server: it works without any setting, says what it made up, and is seen by nobody else."""

from __future__ import annotations

from pathlib import Path

import pytest
from dotenv import dotenv_values

from tests.fixtures.server import Server, serving

#: No secret is set.
SETTINGS = {"SIDECAR_ENV": "debug", "API_AUTH_TOKEN": "", "ENCRYPTION_KEY": ""}


def test_debug_mode_makes_secrets_says_so_and_keeps_them(tmp_path: Path) -> None:
    """M6: outside release mode a missing token switched authentication off, a missing key stored keys in clear."""
    with serving(tmp_path, SETTINGS) as server:
        made = server.data_dir / "debug.env"
        secrets = dotenv_values(made)
        assert f"secrets that were not set are made up in {made}" in server.text()
        assert not [value for value in secrets.values() if str(value) in server.text()]
        assert (
            server.call("GET", "/api/sessions", user="ann", headers={"Authorization": "Bearer "}).status_code
            == 401
        )
        own = {"Authorization": f"Bearer {secrets['API_AUTH_TOKEN']}"}
        assert server.call("GET", "/api/sessions", user="ann", headers=own).status_code == 200
        assert server.url.startswith("http://127.0.0.1:")


@pytest.mark.parametrize("proxy", ["", "127.0.0.1"])
def test_debug_mode_refuses_to_be_seen_from_elsewhere(tmp_path: Path, proxy: str) -> None:
    """M6: a service for development was open to the network."""
    server = Server(tmp_path, {**SETTINGS, "SIDECAR_HOST": "0.0.0.0", "TRUSTED_PROXY": proxy})
    server.launch()
    assert server.wait() != 0
    assert server.said().startswith("claude-sidecar: SIDECAR_ENV=debug listens on loopback only")
