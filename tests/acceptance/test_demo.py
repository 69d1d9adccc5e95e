"""`make demo ONCE=1`: the round trip through the ECC queue, with the real CLI, over either bridge."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("bridge", "carrier"), [("mid", "MID Server"), ("poller", "poller")], ids=["mid", "poller"]
)
def test_the_demo_makes_its_round_trip_and_shows_the_rows(tmp_path: Path, bridge: str, carrier: str) -> None:
    settings = {
        name: value for name, value in os.environ.items() if not name.startswith(("ANTHROPIC_", "SIDECAR_"))
    }
    command = [sys.executable, "-m", "emulator.demo", "--once", "--folder", str(tmp_path / "demo")]
    command += ["--bridge", bridge]

    done = subprocess.run(
        command, cwd=ROOT, env=settings, capture_output=True, text=True, check=False, timeout=110
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"through the ECC queue and the {carrier}:" in done.stdout
    assert ("✓ emulated MID Server" in done.stdout) == (bridge == "mid")
    rows = [line.split()[2:4] for line in done.stdout.splitlines() if line.rstrip().endswith("bytes")]
    for operation in ("credential.store", "create", "command", "outputs"):
        assert ["output", operation] in rows
    for operation in ("credential.store", "create", "outputs"):
        assert ["input", operation] in rows
    assert "● You said: Greet the ServiceNow users" in done.stdout
    assert "✓ the terminal's page in the portal" in done.stdout
    assert "sk-ant-" not in done.stdout + done.stderr
