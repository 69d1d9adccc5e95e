"""The command `python -m emulator`: an instance and a MID Server that anybody can start."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from emulator import platform
from emulator.servicenow import Instance
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "-m", "emulator"]
UP = "Ctrl-C ends it."

#: What somebody else's update set looks like: one property.
FOREIGN_SET = Path(__file__).with_name("foreign_set.xml")


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )


class Launched:
    """A running launcher; what it prints is in `log`."""

    def __init__(self, log: Path, arguments: tuple[str, ...]) -> None:
        self.log = log
        with log.open("wb") as file:
            command = ["setpriv", "--pdeathsig", "TERM", *COMMAND, *arguments]
            self.process = subprocess.Popen(command, cwd=ROOT, stdout=file, stderr=file)

    def said(self) -> str:
        return self.log.read_text()

    def await_up(self) -> None:
        assert until(lambda: UP in self.said() or self.process.poll() is not None, 60), self.said()
        assert UP in self.said(), self.said()

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(60)

    @property
    def admin(self) -> Instance:
        found = re.search(r"instance +(http://\S+)", self.said())
        assert found, self.said()
        return Instance(found[1], platform.ADMIN, platform.ADMIN_PASSWORD)


Launch = Callable[..., Launched]


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Return a starter of launchers that waits until everything is up."""
    with ExitStack() as stack:
        count = 0

        def start(*arguments: str) -> Launched:
            nonlocal count
            count += 1
            launched = Launched(tmp_path / f"said{count}", arguments)
            stack.callback(launched.end)
            launched.await_up()
            return launched

        yield start


def programs_below(folder: Path) -> list[str]:
    """Return the command lines of all processes that name the folder."""
    lines = [_arguments(path) for path in Path("/proc").glob("[0-9]*/cmdline")]
    return [line for line in lines if str(folder) in line]


def _arguments(path: Path) -> str:
    try:
        return path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return ""  # it has ended


def test_the_help_teaches_what_there_is_to_know() -> None:
    text = run("--help").stdout

    for word in ("--data", "--port", "--latency", "--sidecar", "--token-file", "--update-set", "--app"):
        assert word in text
    assert "admin:admin" in text
    assert "/emulator/scripts/run" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--port", "70000"), "70000 is not a whole number between 0 and 65535"),
        (("--port", "-1"), "-1 is not a whole number between 0 and 65535"),
        (("--latency", "fast"), "fast is not a whole number between 0 and 10000"),
        (("--update-set", "/nowhere.xml"), "/nowhere.xml is not a file"),
        (("--sidecar", "http://127.0.0.1:3000"), "--sidecar and --token-file belong together"),
        (("--no-mid", "--app"), "--no-mid leaves out what --app and --sidecar need"),
        (("--mid", "a/b"), "a/b is no name for a MID Server"),
        (("--bridge", "poller", "--app"), "--bridge poller needs --app and --sidecar"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_arguments_are_told(arguments: tuple[str, ...], message: str) -> None:
    ended = run(*arguments)

    assert ended.returncode == 2
    assert message in ended.stderr


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT])
def test_it_says_how_to_sign_in_and_ends_everything(
    launch: Launch, tmp_path: Path, ending: signal.Signals
) -> None:
    launched = launch("--data", str(tmp_path / "data"), "--latency", "40")

    assert launched.admin.table("sys_user").rows("user_name=admin")
    assert "user admin, password admin" in launched.said()
    assert launched.admin.faults()["latencyMs"] == 40
    [mid] = launched.admin.table("ecc_agent").rows("name=mid-a")
    assert mid["status"] == "Up"
    assert len(programs_below(tmp_path / "data")) >= 3
    assert launched.end(ending) == 0
    assert programs_below(tmp_path / "data") == []


def test_it_goes_on_with_a_data_directory(launch: Launch, tmp_path: Path) -> None:
    first = launch("--data", str(tmp_path / "data"))
    first.admin.create_user("somebody", "of the first start")
    first.end()

    second = launch("--data", str(tmp_path / "data"))

    assert second.admin.table("sys_user").rows("user_name=somebody")
    assert len(second.admin.table("ecc_agent").rows("name=mid-a")) == 1


def test_without_a_data_directory_nothing_is_left(
    launch: Launch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    launched = launch("--no-mid")
    assert list(tmp_path.glob("emulator-*"))

    launched.end()

    assert not list(tmp_path.glob("emulator-*"))


def test_an_update_set_of_somebody_else_is_committed(launch: Launch) -> None:
    launched = launch("--no-mid", "--update-set", str(FOREIGN_SET))

    [row] = launched.admin.table("sys_properties").rows("name=x_somebody_else.greeting")
    assert row["value"] == "good morning"


def test_a_broken_update_set_is_told_and_nothing_is_left_running(tmp_path: Path) -> None:
    broken = tmp_path / "broken.xml"
    broken.write_text("<unload>")

    ended = run("--no-mid", "--data", str(tmp_path / "data"), "--update-set", str(broken))

    assert ended.returncode == 1
    assert ended.stderr.startswith("emulator: ")
    assert "Traceback" not in ended.stderr
    assert programs_below(tmp_path / "data") == []


def test_the_app_is_installed_for_a_user(launch: Launch) -> None:
    launched = launch("--app")

    user = launched.admin.signed_in("demo.user", "demo.user")

    assert user.rest("GET", "/sessions").status == 200
    portal = re.search(r"portal +(http://\S+)", launched.said())
    assert portal, launched.said()
    document = user.request("GET", portal[1].removeprefix(user.url), auth=None)
    assert (document.status_code, document.url) == (200, f"{user.url}/login.do?sysparm_goto_url=claude")
    assert launched.admin.rest("GET", "/sessions").status in (200, 403)
