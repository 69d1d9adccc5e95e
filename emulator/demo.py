"""The main job on one machine: a command from ServiceNow to Claude and back, through the ECC queue.

`make demo` runs this, and `make demo BRIDGE=poller` the same without a MID Server. Without `ANTHROPIC_API_KEY` the CLI
talks to the stand-in API of this repository.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import requests

from emulator import installation, queue
from emulator.browser import Browser, Refused, await_that
from emulator.midserver import Sidecar, keep_token
from emulator.platform import ADMIN, ADMIN_PASSWORD
from emulator.program import ProgramError
from emulator.servicenow import APP, InstanceError, Json
from emulator.sidecar import ROOT, PartError, Running, serving, stand_in
from emulator.site import USER, Site, instance, mid_server, poller

Result = TypeVar("Result")

FOLDER = ROOT / ".demo"
#: What carries rows between instance and sidecar, by the bridge: its name, and what it is.
CARRIERS = {"mid": ("mid-a", "MID Server"), "poller": ("poller-a", "poller")}
#: The app's portal, below the instance's address.
PORTAL = "claude"
#: What the stand-in accepts; a real key is never printed.
STAND_IN_KEY = "sk-ant-stand-in-for-the-demo"
QUESTION = "Greet the ServiceNow users in one sentence."
PATIENCE_S = 60.0
#: Claude's pauses while it writes are shorter.
QUIET_S = 1.0
READ_EACH_S = 0.1

ABOUT = """\
Start the sidecar, an emulated ServiceNow instance with the app installed as an administrator would, and an emulated
MID Server, or a poller instead. Then, as a user of the instance: seal an API key, create a session with the real Claude
Code CLI, send a command, and read the reply, all of it through the ECC queue. Shows every row it took, and stays up
until Ctrl-C with the terminal in a page of the emulated Service Portal, where that session can be gone on with.
With ANTHROPIC_API_KEY set Claude answers; without it a stand-in for its API does, and nothing leaves this machine.
"""

#: What can go wrong in a way that needs no traceback.
FAILURES = (
    InstanceError,
    PartError,
    Refused,
    ProgramError,
    TimeoutError,
    requests.RequestException,
    OSError,
)


class DemoError(PartError):
    """The demo cannot go on; the text says why."""


@dataclass(frozen=True)
class Stage:
    """Everything that runs."""

    sidecar: Running
    site: Site
    user: Browser

    @property
    def carrier(self) -> str:
        """Return what the carrier is, in words."""
        return CARRIERS[self.site.bridge][1]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the demo; return its exit status."""
    parser = argparse.ArgumentParser("python -m emulator.demo", description=ABOUT)
    parser.add_argument("--once", action="store_true", help="end after the round trip")
    parser.add_argument(
        "--bridge", choices=CARRIERS, default="mid", help="what carries the rows (default: %(default)s)"
    )
    parser.add_argument(
        "--folder", type=Path, default=FOLDER, metavar="DIR", help="for data and logs (default: .demo)"
    )
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with ExitStack() as stack:
            run(stack, options.folder.resolve(), options.bridge, stay=not options.once)
    except FAILURES as error:
        print(f"\nThe demo failed: {error}\nLogs: {options.folder}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nEnded.")
    return 0


def run(stack: ExitStack, folder: Path, bridge: str, *, stay: bool) -> None:
    """Start the parts, make the round trip, and wait for Ctrl-C if asked to stay."""
    folder.mkdir(exist_ok=True)
    stage = start(stack, folder, bridge)
    session, screen = round_trip(stage, stack)
    show_rows(stage)
    show_screen(screen)
    if "ServiceNow" not in said(screen):
        raise DemoError("the reply does not hold the word that was asked for.")
    if stay:
        print_next(stage, session)
        print_portal(stage)
        signal.pause()


def start(stack: ExitStack, folder: Path, bridge: str) -> Stage:
    """Start everything and install the app."""
    base_url = None
    if not os.environ.get("ANTHROPIC_API_KEY"):
        base_url = step("stand-in for the Messages API", lambda: stack.enter_context(stand_in(folder)))
    service = serving(folder, folder / "data", base_url)
    sidecar = step("sidecar", lambda: stack.enter_context(service))
    build = step("update set and fix scripts built", lambda: installation.build(emptied(folder / "app")))
    company = instance(emptied(folder / "instance"))
    platform = step("emulated instance, empty", lambda: stack.enter_context(company))
    name, kind = CARRIERS[bridge]
    site = Site(platform, name, bridge)
    carrying = carrier(site, emptied(folder / name), sidecar)
    if bridge == "mid":
        step("emulated MID Server", lambda: stack.enter_context(carrying))
    user_id = step("update set imported, fix scripts run", lambda: site.install(build))
    if bridge == "poller":  # there is nothing to ask before the app is there
        step("poller, and no MID Server at all", lambda: stack.enter_context(carrying))
    user = Browser(site.user, user_id)
    installation.check_health(platform.admin)
    step(f"sidecar found healthy through the {kind}", lambda: user.await_mid(name))
    return Stage(sidecar, site, user)


def carrier(site: Site, home: Path, sidecar: Running) -> AbstractContextManager[object]:
    """Return what will carry rows between the instance and the sidecar, not started yet."""
    beside = Sidecar(sidecar.url, keep_token(home, sidecar.token))
    make = mid_server if site.bridge == "mid" else poller
    return make(home, site.carrier, site.admin, beside)


def step(name: str, action: Callable[[], Result]) -> Result:
    """Do one step, telling its name before and its time after."""
    print(f"  … {name}", end="", flush=True)
    began = time.monotonic()
    result = action()
    print(f"\r  ✓ {name}  ({time.monotonic() - began:.1f} s)", flush=True)
    return result


def emptied(folder: Path) -> Path:
    """Return a folder of the demo's own without what an earlier one has left in it."""
    shutil.rmtree(folder, ignore_errors=True)
    return folder


# -- the round trip ------------------------------------------------------------------------------------------


def round_trip(stage: Stage, stack: ExitStack) -> tuple[str, Json]:
    """Enrol a key, create a session, ask Claude; return the session's id and its screen with the reply."""
    user, key = stage.user, os.environ.get("ANTHROPIC_API_KEY") or STAND_IN_KEY
    print(f"\n  As {USER}, through the ECC queue and the {stage.carrier}:")
    step("API key sealed to the sidecar and stored there", lambda: user.enrol(stage.site.carrier, key))
    session = step("session with the real Claude Code CLI", lambda: user.create(columns=100, rows=24))
    stack.callback(end, user, session)
    user.view(session)
    cursor = int(user.session(session)["outputOffset"])
    step("command, and its first output on the instance", lambda: ask(user, session, cursor))
    screen = step("Claude's whole reply on the instance", lambda: reply(user, session, cursor))
    step("the terminal's page in the portal", lambda: open_page(stage.site))
    return session, screen


def end(user: Browser, session: str) -> None:
    """End the session; the next demo has a new user, who could not."""
    with suppress(*FAILURES):
        user.terminate(session)


def ask(user: Browser, session: str, cursor: int) -> None:
    """Submit the question and wait until the instance has output of it."""
    user.call("POST", f"/sessions/{session}/commands", {"command": QUESTION})
    await_that(lambda: user.output(session, cursor).data, PATIENCE_S, "output comes")


def reply(user: Browser, session: str, cursor: int) -> Json:
    """Read output until Claude rests with a reply on its screen; return that."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        cursor = rest(user, session, cursor, deadline)
        screen = user.screen(session)
        if said(screen):
            return screen
        if time.monotonic() >= deadline:
            raise DemoError("Claude gave no reply; its screen:\n" + "\n".join(screen["lines"]))


def rest(user: Browser, session: str, cursor: int, deadline: float) -> int:
    """Read output from `cursor` until Claude is idle and nothing has come for a while; return where it ends."""
    quiet_since = now = time.monotonic()
    while now - quiet_since < QUIET_S and now < deadline:
        piece = user.output(session, cursor)
        cursor = piece.next_cursor
        time.sleep(READ_EACH_S)
        now = time.monotonic()
        if piece.data or piece.activity != "idle":
            quiet_since = now
    return cursor


def said(screen: Json) -> str:
    """Return what Claude has said on a screen."""
    return " ".join(line.strip("● ").strip() for line in screen["lines"] if line.startswith("●"))


def open_page(site: Site) -> None:
    """Ask for the portal's first page as a browser would; raise `DemoError` when it has no terminal."""
    (portal,) = site.admin.table("sp_portal").rows(f"url_suffix={PORTAL}", fields="sys_id")
    answer = site.user.request("GET", "/api/now/sp/page", params={"portal_id": portal["sys_id"]})
    if not answer.ok or "xterm" not in answer.text:
        raise DemoError(f"the portal answers {answer.status_code}, without a terminal.")


# -- what is shown -------------------------------------------------------------------------------------------


def show_rows(stage: Stage) -> None:
    """Print the rows of the queue."""
    rows = queue.entries(stage.site.admin)
    direction = f"output: to the {stage.carrier}, input: its answer"
    print(f"\n  The rows of ecc_queue it took, {len(rows)} ({direction}):\n")
    for row in rows:
        print(f"    {row.line(rows[0].at_ms)}")


def show_screen(screen: Json) -> None:
    """Print a screen in a frame."""
    width, lines = screen["columns"], screen["lines"]
    while lines and not lines[-1]:
        lines.pop()
    print("\n  ┌" + "─" * width + "┐")
    for line in lines:
        print(f"  │{line.ljust(width)}│")
    print("  └" + "─" * width + "┘")


def print_next(stage: Stage, session: str) -> None:
    """Print what to type to go on by hand."""
    url = stage.site.platform.url
    print(f"""
  The instance is {url}: user {USER}, password {USER}; administrator {ADMIN}, password {ADMIN_PASSWORD}.
  Without a browser, in another terminal:

    export S={url}{APP}/sessions/{session}
    call() {{ curl -s -u {USER}:{USER} -H "Content-Type: application/json" "$@"; }}
    call $S/viewers -d '{{}}' | jq .          # for a minute, output comes to the instance by itself
    call $S/commands -d '{{"command": "What can you do here?"}}' | jq .
    call "$S/output?cursor=0" | jq -r .result.data | base64 -d
    call $S | jq .result
    call -X DELETE $S | jq .
    curl -s -u {ADMIN}:{ADMIN_PASSWORD} "{url}/api/now/table/ecc_queue?sysparm_fields=queue,name,state&sysparm_limit=5" | jq .

  The sidecar behind it has its own page: {stage.sidecar.url}/docs""")


def print_portal(stage: Stage) -> None:
    """Print where the terminal is, so that it is seen below everything else."""
    url = f"{stage.site.platform.url}/{PORTAL}"
    lines = [
        "Your terminal, in a browser:",
        "",
        f"  {url}    user {USER}    password {USER}",
        "",
        "The session above is in its list. Ctrl-C here ends the demo.",
    ]
    width = max(len(line) for line in lines) + 4
    print("\n  ╔" + "═" * width + "╗")
    for line in lines:
        print(f"  ║  {line.ljust(width - 2)}║")
    print("  ╚" + "═" * width + "╝", flush=True)


if __name__ == "__main__":
    sys.exit(main())
