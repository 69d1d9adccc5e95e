"""A poller in this process, between a stub of the instance and one of the sidecar."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from sidecar import config
from sidecar.clock import SystemClock
from sidecar.config import PollerSettings
from sidecar.errors import InstanceRefused
from sidecar.poller.process import poller_of
from tests.fixtures.probe import StubSidecar
from tests.integration.poller.stub import CLAIM, StubInstance
from tests.unit.poller.payload import payload
from tests.waiting import until

PASSWORD, TOKEN, CLIENT_SECRET = "marker-password-71c2", "marker-service-token-4e", "marker-client-secret-9b"
NAME = "poller-a"


class OddClock(SystemClock):
    """A clock of a host that has no time of day, and may stand still for a while."""

    def __init__(self) -> None:
        self.stood_s = 0.0

    def now(self) -> datetime:
        """Fail: nothing of the poller may depend on it."""
        raise AssertionError("the poller asked for the time of day")

    def monotonic(self) -> float:
        """Return the seconds, those in which it stood still included."""
        return super().monotonic() + self.stood_s


class Site:
    """A poller between both stubs; it runs from `start` to `stop`."""

    def __init__(self, instance: StubInstance, sidecar: StubSidecar, folder: Path) -> None:
        self.instance = instance
        self.sidecar = sidecar
        self.clock = OddClock()
        self.folder = folder
        self.refusal: InstanceRefused | None = None
        self.environment = {
            "SERVICENOW_INSTANCE": instance.url,
            "SERVICENOW_API_USER": "poller",
            "SERVICENOW_API_PASSWORD": PASSWORD,
            "API_AUTH_TOKEN": TOKEN,
            "POLLER_NAME": NAME,
            "POLLER_SIDECAR_URL": sidecar.url,
            "POLLER_INTERVAL": "0.1s",
            "POLLER_WORKERS": "4",
        }

    def use_client(self) -> None:
        """Sign in as an OAuth client."""
        del self.environment["SERVICENOW_API_USER"], self.environment["SERVICENOW_API_PASSWORD"]
        self.environment |= {"SERVICENOW_CLIENT_ID": "client", "SERVICENOW_CLIENT_SECRET": CLIENT_SECRET}

    @property
    def settings(self) -> PollerSettings:
        """Return the settings."""
        return config.poller.load(self.environment, self.folder / ".env")

    def start(self) -> None:
        """Begin to poll, and wait until the instance was asked."""
        self.start_alone()
        assert until(lambda: self.instance.of(CLAIM))

    def start_alone(self) -> None:
        """Begin to poll."""
        self.poller = poller_of(self.settings, self.clock)
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self.poller.run(NAME)
        except InstanceRefused as error:
            self.refusal = error

    def stop(self) -> None:
        """Tell it to end."""
        self.poller.stop()

    def join(self) -> None:
        """Wait until it has ended by itself or by `stop`."""
        self._thread.join(60)
        assert not self._thread.is_alive()
        self.poller.lanes.close()
        self.poller._instance.close()
        self.poller._sidecar.close()

    def give(self, row: str, op: str = "status", order: str = "", attempt: int = 1, **more: str) -> None:
        """Put a row into the queue."""
        self.instance.rows.append(
            {"row": row * 32, "attempt": attempt, "order": order, "payload": payload(op, **more)}
        )

    def answered(self, *rows: str) -> bool:
        """Wait until the instance has answers to these rows."""
        return until(lambda: {row * 32 for row in rows} <= self.instance.answers().keys())


@pytest.fixture
def instance() -> Iterator[StubInstance]:
    """Run an instance."""
    stub = StubInstance()
    stub.start()
    yield stub
    stub.stop()


@pytest.fixture
def site(instance: StubInstance, stub_sidecar: StubSidecar, tmp_path: Path) -> Iterator[Site]:
    """Return a poller that has not begun; what runs at the end is stopped."""
    stub_sidecar.reset()
    made = Site(instance, stub_sidecar, tmp_path)
    yield made
    if hasattr(made, "poller"):
        stub_sidecar.free.set()
        for gate in instance.gates.values():
            gate.set()
        made.stop()
        made.join()
