"""The poller as a process of its own: signals, exit statuses, secrets, and what it costs."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fixtures.probe import StubSidecar
from tests.integration.poller.conftest import CLIENT_SECRET, NAME, PASSWORD, TOKEN, Site
from tests.integration.poller.stub import CLAIM, COMPLETE, Said, problem
from tests.unit.poller.payload import KEY
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[3]
MODULE = (sys.executable, "-m", "sidecar.poller")


class Process:
    """The program, with the settings of a site and a log of its own."""

    def __init__(self, site: Site, command: tuple[str, ...] = MODULE) -> None:
        self.site = site
        self.path = site.folder / "log"
        self.command = command
        self.environment = site.environment | {
            "PATH": os.environ["PATH"],
            "HOME": str(site.folder),
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "LOG_LEVEL": "debug",
        }

    def start(self) -> None:
        """Start it and wait until the instance was asked."""
        asked = len(self.site.instance.of(CLAIM))
        self.launch()
        assert until(lambda: len(self.site.instance.of(CLAIM)) > asked), self.log

    def launch(self) -> None:
        """Start it."""
        with self.path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=self.site.folder, env=self.environment, stdout=log, stderr=log
            )

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def wait(self) -> int:
        """Return its exit status."""
        return self.process.wait(60)

    @property
    def log(self) -> str:
        """Return what it said."""
        return self.path.read_text()


@pytest.fixture
def process(site: Site) -> Iterator[Process]:
    """Return a process that has not begun; what runs at the end is killed."""
    made = Process(site)
    yield made
    site.sidecar.free.set()
    if hasattr(made, "process"):
        made.process.kill()
        made.process.wait(60)


def hold(process: Process) -> StubSidecar:
    """Let the process have two rows of one session, the first of them in work."""
    sidecar = process.site.sidecar
    sidecar.free.clear()
    process.start()
    process.site.give("1", order="s")
    process.site.give("2", order="s")
    assert until(lambda: len(process.site.instance.of(CLAIM)[-1]["held"]) == 2)
    assert until(lambda: sidecar.requests)
    return sidecar


def interrupted(process: Process) -> bool:
    """Send Ctrl-C; return whether the process has ended."""
    process.signal(signal.SIGINT)
    return process.process.poll() is not None


def test_sigterm_ends_it_once_all_it_holds_is_answered(process: Process) -> None:
    sidecar = hold(process)
    process.site.give("3")
    process.site.instance.rows.clear()
    process.signal(signal.SIGTERM)
    assert until(lambda: "ends; rows in work: 2" in process.log)
    process.site.give("4")
    sidecar.free.set()

    assert process.wait() == 0
    assert process.site.instance.answers().keys() == {"1" * 32, "2" * 32}
    last = process.site.instance.of(CLAIM)[-1]
    assert (last["leaving"], last["limit"], last["held"]) == (True, 0, [])
    assert len(process.site.instance.rows) == 1
    assert "Traceback" not in process.log


def test_a_second_signal_ends_it_at_once(process: Process) -> None:
    hold(process)
    process.signal(signal.SIGTERM)
    assert until(lambda: "ends; rows in work: 2" in process.log)
    # Again and again: one that comes together with the first counts as the same.
    assert until(lambda: interrupted(process))

    assert process.wait() == 1
    assert "a second signal" in process.log
    assert process.site.instance.of(COMPLETE) == []


def test_what_a_killed_one_held_is_done_by_the_next_under_the_same_key(process: Process) -> None:
    """Nothing has to be cleaned up: the instance gives the row again, and the sidecar knows the key."""
    sidecar = hold(process)
    process.signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    sidecar.free.set()
    process.start()
    process.site.give("1", order="s", attempt=2)
    assert process.site.answered("1")

    assert {request.headers["Idempotency-Key"] for request in sidecar.requests} == {KEY}
    owners = {body["owner"] for body in process.site.instance.of(CLAIM)}
    assert len(owners) == 2
    assert [body["attempt"] for body in process.site.instance.of(COMPLETE)] == [2]


@pytest.mark.parametrize(("status", "words"), [(401, "refuses the poller's account"), (403, "claim rows")])
def test_a_refused_account_ends_it_with_78_and_one_clear_line(
    process: Process, status: int, words: str
) -> None:
    process.site.instance.always = {CLAIM: problem(status, "No")}
    process.launch()

    assert process.wait() == 78
    assert len(process.site.instance.asked) == 1
    (line,) = process.log.splitlines()
    told = json.loads(line)
    assert told["level"] == "critical"
    assert words in told["message"]
    assert told["message"].endswith("The poller ends; nothing is tried again.")


def test_a_refusal_does_not_wait_for_what_is_in_work(process: Process) -> None:
    sidecar = process.site.sidecar
    sidecar.free.clear()
    process.start()
    process.site.give("1")
    assert until(lambda: sidecar.requests)
    process.site.instance.always = {CLAIM: problem(403, "No")}

    assert process.wait() == 78


def test_a_wrong_setting_is_told_in_one_line(process: Process) -> None:
    process.environment["POLLER_INTERVAL"] = "often"
    process.launch()

    assert process.wait() == 1
    assert process.log == (
        'claude-sidecar: POLLER_INTERVAL: use "adaptive", or a time from 0.1s to 15s such as "5s".\n'
    )


def test_the_command_becomes_the_poller(site: Site) -> None:
    process = Process(site, (sys.executable, "-m", "sidecar.cli", "poller"))
    process.environment["LOG_FORMAT"] = "text"
    process.start()
    try:
        assert until(lambda: f"this poller now asks {site.instance.url} as {NAME}" in process.log)
        command = Path(f"/proc/{process.process.pid}/cmdline").read_bytes().split(b"\0")
        assert command[1:3] == [b"-m", b"sidecar.poller"]
    finally:
        process.signal(signal.SIGTERM)
        assert process.wait() == 0


def test_no_secret_is_in_the_log_or_in_a_process_list(process: Process) -> None:
    """Also when everything fails, with the library's own lines switched on."""
    site = process.site
    site.use_client()
    process.environment = {
        **{name: value for name, value in process.environment.items() if not name.startswith("SERVICENOW")},
        **{name: value for name, value in site.environment.items() if name.startswith("SERVICENOW")},
    }
    site.sidecar.status, site.sidecar.reply = 401, f'{{"detail":"{TOKEN}"}}'.encode()
    echo = f"<html>{CLIENT_SECRET} {PASSWORD} {TOKEN} marker-token-0</html>".encode()
    site.instance.next = {CLAIM: [Said(500, echo), Said(401, echo)], COMPLETE: [Said(502, echo)]}
    site.give("1")
    process.launch()
    assert site.answered("1")
    arguments = Path(f"/proc/{process.process.pid}/cmdline").read_text()
    process.signal(signal.SIGTERM)

    assert process.wait() == 0
    assert len(site.instance.tokens) == 2
    for secret in (CLIENT_SECRET, PASSWORD, TOKEN, *site.instance.tokens):
        assert secret not in process.log
        assert secret not in arguments
        assert secret not in json.dumps(site.instance.of(COMPLETE) + site.instance.of(CLAIM))


def test_it_loads_nothing_of_the_service() -> None:
    script = "import sys, sidecar.poller.process; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )

    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert not loaded & {"sqlalchemy", "flask", "pydantic", "cryptography", "alembic", "gunicorn", "pyte"}
    assert "sidecar.services" not in done.stdout.split()


def test_at_rest_it_needs_little_memory(process: Process) -> None:
    process.start()
    status = Path(f"/proc/{process.process.pid}/status").read_text()
    (kilobytes,) = (int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))

    assert kilobytes < 60 * 1024
