"""The main job on one machine: start everything, create a session, ask Claude, show the answer.

`make demo` runs this. Without `ANTHROPIC_API_KEY` the CLI talks to the stand-in API of this repository.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import requests

Result = TypeVar("Result")

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / ".demo" / "data"
LOGS = ROOT / ".demo"
USER = "demo.user"
#: What the stand-in accepts; a real key is never printed.
STAND_IN_KEY = "sk-ant-stand-in-for-the-demo"
PATIENCE_S = 60.0

ABOUT = """\
Start the sidecar on embedded defaults, create a session with the real Claude Code CLI, send a command, show the
reply and the screen, and stay up until Ctrl-C. With ANTHROPIC_API_KEY set Claude answers; without it a stand-in
for its API does, and nothing leaves this machine.
"""


class DemoError(Exception):
    """The demo cannot go on; the text says why."""


@dataclass(frozen=True)
class Sidecar:
    """The running service, as its client sees it."""

    url: str
    token: str

    def call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """Make one call; raise `DemoError` with the service's own words when it is refused."""
        headers = {"Authorization": f"Bearer {self.token}", "X-User-ID": USER}
        answer = requests.request(method, self.url + path, json=body, headers=headers, timeout=PATIENCE_S)
        document: dict[str, Any] = answer.json()
        if not answer.ok:
            raise DemoError(f"{method} {path} answered {answer.status_code}: {document.get('detail')}")
        return document


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; return its exit status."""
    parser = argparse.ArgumentParser("python -m emulator.demo", description=ABOUT)
    parser.add_argument("--once", action="store_true", help="end after the round trip")
    once = parser.parse_args(arguments).once
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with ExitStack() as stack:
            run(stack, stay=not once)
    except (DemoError, requests.RequestException, OSError) as error:
        print(f"\nThe demo failed: {error}\nLogs: {LOGS}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nEnded.")
    return 0


def run(stack: ExitStack, *, stay: bool) -> None:
    """Start the parts, make the round trip, and wait for Ctrl-C if asked to stay."""
    LOGS.mkdir(exist_ok=True)
    base_url = None
    if not os.environ.get("ANTHROPIC_API_KEY"):
        base_url = step("stand-in for the Messages API", lambda: stack.enter_context(stand_in()))
    sidecar = step("sidecar", lambda: stack.enter_context(serving(base_url)))
    session = step("session with the real Claude Code CLI", lambda: create(sidecar))
    reply = step("command and reply", lambda: ask(sidecar, session))
    show(sidecar, session)
    print_next(sidecar, session)
    if "ServiceNow" not in reply:
        raise DemoError("the reply does not hold the word that was asked for.")
    if stay:
        print("\nCtrl-C ends the demo.", flush=True)
        signal.pause()


def step(name: str, action: Callable[[], Result]) -> Result:
    """Do one step, telling its name before and its time after."""
    print(f"  … {name}", end="", flush=True)
    began = time.monotonic()
    result = action()
    print(f"\r  ✓ {name}  ({time.monotonic() - began:.1f} s)", flush=True)
    return result


@contextmanager
def stand_in() -> Iterator[str]:
    """Run the stand-in API; give its address."""
    with started("anthropic", [sys.executable, "-m", "emulator.anthropic", "--port", "0"], {}) as log:
        yield await_line(log, r"listening on (http://\S+)")


@contextmanager
def serving(base_url: str | None) -> Iterator[Sidecar]:
    """Run the sidecar in debug mode on loopback; give a client for it."""
    port = free_port()
    settings = {
        "SIDECAR_ENV": "debug",
        "SIDECAR_DATA_DIR": str(DATA),
        "SIDECAR_PORT": str(port),
        "LOG_FORMAT": "text",
        "ANTHROPIC_BASE_URL": base_url or os.environ.get("ANTHROPIC_BASE_URL", ""),
    }
    with started("sidecar", [sys.executable, "-m", "sidecar.cli", "serve"], settings) as log:
        await_line(log, r"(ready for sessions)")
        secrets = (DATA / "debug.env").read_text()
        token = re.search(r"^API_AUTH_TOKEN=(\S+)$", secrets, re.MULTILINE)
        if token is None:
            raise DemoError("the sidecar has written no token.")
        yield Sidecar(f"http://127.0.0.1:{port}", token[1])


@contextmanager
def started(name: str, command: list[str], settings: dict[str, str]) -> Iterator[Path]:
    """Run a part of the demo with its output in a log; end it in order afterwards."""
    log = LOGS / f"{name}.log"
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("SIDECAR_")}
    with log.open("w") as output:
        process = subprocess.Popen(
            command,
            env=inherited | settings,
            cwd=ROOT,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    try:
        yield log
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def await_line(log: Path, pattern: str) -> str:
    """Wait until the log has a line with `pattern`; return its first group."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        text = log.read_text()
        found = re.search(pattern, text)
        if found:
            return found[1]
        failure = re.search(r"^(claude-sidecar: .*|Traceback .*)$", text, re.MULTILINE)
        if failure:
            raise DemoError(failure[1])
        time.sleep(0.05)
    raise DemoError(f"it did not come up within {PATIENCE_S:.0f} s.")


def free_port(wanted: int = 3000) -> int:
    """Return `wanted` if it is free, else a port the system chooses."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DemoError("no port is free.")


def create(sidecar: Sidecar) -> str:
    """Create a session; return its id. What an earlier demo has left is ended, or it would count as ours."""
    for state in ("running", "hibernated", "interrupted"):
        for old in sidecar.call("GET", f"/api/sessions?state={state}")["items"]:
            sidecar.call("DELETE", f"/api/session/{old['sessionId']}")
    key = os.environ.get("ANTHROPIC_API_KEY") or STAND_IN_KEY
    body = {
        "userId": USER,
        "credentials": {"anthropicApiKey": key},
        "waitMs": 25_000,
        "columns": 100,
        "rows": 24,
    }
    session = sidecar.call("POST", "/api/session/create", body)
    if session["state"] != "running":
        raise DemoError(f"the session is {session['state']}: {session['reason']}")
    return str(session["sessionId"])


def ask(sidecar: Sidecar, session: str) -> str:
    """Send a command, wait for the screen to settle, return the reply's text."""
    text = "Greet the ServiceNow users in one sentence.\n"
    sidecar.call("POST", f"/api/session/{session}/command", {"command": text, "waitMs": 25_000})
    lines = sidecar.call("GET", f"/api/session/{session}/screen")["lines"]
    reply = [line.strip("● ").strip() for line in lines if line.startswith("●")]
    if not reply:
        raise DemoError("Claude gave no reply; its screen:\n" + "\n".join(lines))
    return " ".join(reply)


def show(sidecar: Sidecar, session: str) -> None:
    """Print the screen in a frame."""
    screen = sidecar.call("GET", f"/api/session/{session}/screen")
    width, lines = screen["columns"], screen["lines"]
    while lines and not lines[-1]:
        lines.pop()
    print("\n  ┌" + "─" * width + "┐")
    for line in lines:
        print(f"  │{line.ljust(width)}│")
    print("  └" + "─" * width + "┘")


def print_next(sidecar: Sidecar, session: str) -> None:
    """Print what to type to go on by hand."""
    token_file = (DATA / "debug.env").relative_to(ROOT)
    print(f"""
  Go on by hand, in another terminal, in this folder:

    export TOKEN=$(sed -n s/^API_AUTH_TOKEN=//p {token_file})
    export S={sidecar.url}/api/session/{session}
    curl -s -H "Authorization: Bearer $TOKEN" -H "X-User-ID: {USER}" -H "Content-Type: application/json" \\
         -d '{{"command": "What can you do here?", "waitMs": 20000}}' $S/command | jq .
    curl -s -H "Authorization: Bearer $TOKEN" -H "X-User-ID: {USER}" $S/screen | jq -r '.lines[]'
    curl -s -H "Authorization: Bearer $TOKEN" -H "X-User-ID: {USER}" -X DELETE $S

  The API as a page: {sidecar.url}/docs""")


if __name__ == "__main__":
    sys.exit(main())
