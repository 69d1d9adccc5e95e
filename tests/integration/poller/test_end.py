"""The end of a poller: what it holds is handed in, or given up when nobody takes it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.integration.poller.conftest import Site
from tests.integration.poller.stub import CLAIM, COMPLETE
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[3]


def hold(site: Site) -> None:
    site.sidecar.free.clear()
    site.start()
    site.give("1", order="s")
    assert until(lambda: site.sidecar.requests)


def test_an_answer_that_comes_long_after_the_stop_is_still_handed_in(site: Site) -> None:
    """A call may wait for half a minute, which is no reason to throw its answer away."""
    hold(site)
    site.stop()
    site.clock.stood_s += 60
    site.sidecar.free.set()
    site.join()

    assert site.instance.answers().keys() == {"1" * 32}
    assert site.instance.of(CLAIM)[-1]["leaving"] is True


def test_leases_are_renewed_to_the_end(site: Site) -> None:
    site.instance.lease_s = 0.3
    hold(site)
    site.stop()
    asked = len(site.instance.of(CLAIM))
    assert until(lambda: len(site.instance.of(CLAIM)) > asked + 2)

    last = site.instance.of(CLAIM)[-1]
    assert (last["limit"], [row["row"] for row in last["held"]]) == (0, ["1" * 32])
    site.sidecar.free.set()
    site.join()
    assert len(site.instance.of(COMPLETE)) == 1


def test_an_answer_nobody_takes_is_given_up(site: Site) -> None:
    """The lease gives the row back, and the sidecar answers it from memory."""
    hold(site)
    site.instance.stop()
    site.sidecar.free.set()
    site.stop()
    site.clock.stood_s += 21
    site.join()
    site.instance.start()

    assert site.instance.of(COMPLETE) == []
    assert site.poller.lanes.held() == []


@pytest.mark.root
def test_started_as_root_it_becomes_the_account_and_makes_no_data_directory(site: Site) -> None:
    with tempfile.TemporaryDirectory(prefix="sidecar-poller-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        environment = site.environment | {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "SIDECAR_DATA_DIR": str(folder / "data"),
        }
        command = [sys.executable, "-m", "sidecar.cli", "poller"]
        with subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.PIPE) as process:
            try:
                assert until(lambda: site.instance.of(CLAIM) or process.poll() is not None)
                status = Path(f"/proc/{process.pid}/status").read_text()
                (uids,) = (line.split()[1:] for line in status.splitlines() if line.startswith("Uid:"))
                assert "0" not in uids
            finally:
                process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
        assert not (folder / "data").exists()
