"""`claude-sidecar drain`."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from sidecar.cli import account
from sidecar.cli.form import command, seconds
from sidecar.clock import Clock, SystemClock
from sidecar.errors import Unavailable
from sidecar.origin import Origin, acting
from sidecar.remote import Remote
from sidecar.sessions.ownership import Ownership

if TYPE_CHECKING:
    from sidecar.cli.form import Commands

_ABOUT = """\
Make the running service refuse new sessions (503) while those there are go on, also those that have to be woken.
/health answers 503 and says `draining`, so that a load balancer sends nobody here. The next start forgets it.

To upgrade without cutting anybody short:

  claude-sidecar drain --wait 30m    # refuses what is new, waits until no session runs
  kill -TERM <pid of the service>    # puts what still runs to sleep, and ends
  # … install the new version …
  claude-sidecar serve               # sessions wake with their next command

Sessions that idle stop running after SESSION_IDLE_HIBERNATE. Without --wait the command returns at once.
With --undo the service takes new sessions again.

The exit status is 1 if the time was up.
"""

_ROUND_S = 2.0


def add(commands: Commands) -> None:
    """Add the command."""
    parser = command(
        commands, "drain", "refuse new sessions before a stop, or take them again", _drain, _ABOUT
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--undo", action="store_true", help="take new sessions again")
    how.add_argument(
        "--wait", type=seconds, metavar="TIME", help="wait until no session runs, this long at most: 90s, 10m"
    )


def _drain(parsed: argparse.Namespace) -> int:
    who = account.name()
    settings, clock = account.become(), SystemClock()
    remote, ownership = Remote(settings, clock), Ownership(settings.data_dir, clock)
    with acting(Origin(f"cli:{who}")):
        _require_running(ownership)
        running = _tell(remote, draining=not parsed.undo)
        if parsed.undo:
            print("The service takes new sessions again.")
            return 0
        print(f"The service refuses new sessions. {_told(running)}")
        if parsed.wait is None:
            return 0
        return _wait(remote, ownership, clock, parsed.wait)


def _require_running(ownership: Ownership) -> None:
    """Make sure that a service has the port: another account's program there would be given the service token."""
    if not (ownership.held() and ownership.published()):
        raise Unavailable("No service runs on this data directory, or it is starting or ending.")


def _tell(remote: Remote, *, draining: bool) -> int:
    """Tell the service, and return how many sessions have a running program."""
    answer = remote.call("POST", "/api/service/drain", body={"draining": draining})
    if answer.status != 200:
        raise Unavailable(answer.detail)
    return int(answer.body["sessions"])


def _wait(remote: Remote, ownership: Ownership, clock: Clock, patience_s: float) -> int:
    deadline = clock.monotonic() + patience_s
    told = -1
    # Told again each time: a service that was restarted meanwhile has forgotten it.
    while running := _tell(remote, draining=True):
        if clock.monotonic() >= deadline:
            print(f"Time is up. {_told(running)} A stop puts them to sleep.", file=sys.stderr)
            return 1
        if running != told:
            print(_told(running), file=sys.stderr, flush=True)
            told = running
        clock.sleep(min(_ROUND_S, max(0.0, deadline - clock.monotonic())))
        _require_running(ownership)
    print("No session runs: stop the service now (SIGTERM).")
    return 0


def _told(running: int) -> str:
    return "1 session runs." if running == 1 else f"{running} sessions run."
