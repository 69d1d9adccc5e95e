"""The command `python -m emulator`."""

from __future__ import annotations

import re
import signal
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import requests

from emulator import installation
from emulator.midserver import Sidecar
from emulator.platform import ADMIN, ADMIN_PASSWORD, Platform
from emulator.program import ProgramError
from emulator.servicenow import APP, InstanceError
from emulator.site import USER, Site, instance, mid_server, poller

MAX_LATENCY_MS = 10_000
#: It names a folder too.
NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,39}")

ABOUT = """\
A ServiceNow instance and a MID Server in small, on this computer: scripts, update sets and REST clients run
against them as they are. What is covered, and from which public page each behaviour is known, is in
emulator/instance/README.md and emulator/mid/README.md.
"""

EPILOG = """\
With an empty data directory you get an empty instance; what you do to it is kept in the directory, and the next
start with the same one goes on with it.

  python -m emulator --data /tmp/instance --port 8080 --app      an instance with this repository's app
  python -m emulator --update-set mine.xml                       an instance with an update set of yours
  python -m emulator --app --sidecar http://127.0.0.1:3000 --token-file FILE
                                                                 the app, and a sidecar that runs already
  … --bridge poller                                              the same with the ECC poller, without a MID Server

Then, with the address it prints as $I:

  curl -s -u admin:admin "$I/api/now/table/sys_user?sysparm_fields=user_name"
  curl -s -u admin:admin -H "Content-Type: application/json" $I/emulator/scripts/run \\
       -d '{"script": "new GlideDateTime().getValue()"}'
  curl -s -u admin:admin -H "Content-Type: application/json" $I/emulator/faults -d '{"amb": false}'

It listens on loopback only, and its passwords are no secrets. Ctrl-C ends it.
"""


def parser() -> ArgumentParser:
    """Return the command line."""
    result = ArgumentParser(
        prog="python -m emulator",
        description=ABOUT,
        epilog=EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
    )
    add = result.add_argument
    add("--data", type=Path, metavar="DIR", help="keep everything here (default: a folder that is removed)")
    add("--port", type=_number(65535), default=0, help="the instance's port (default: the system chooses)")
    latency = _number(MAX_LATENCY_MS)
    add("--latency", type=latency, default=0, metavar="MS", help="hold each call to the instance so long")
    add(
        "--mid",
        type=_name,
        default="mid-a",
        metavar="NAME",
        help="the name of the MID Server, or of the poller (default: %(default)s)",
    )
    add(
        "--bridge", choices=("mid", "poller"), default="mid", help="a MID Server (default), or the ECC poller"
    )
    add("--no-mid", action="store_true", help="run the instance only")
    add("--app", action="store_true", help="build this repository's app and install it")
    add("--update-set", type=_file, metavar="FILE", help="import and commit an update set")
    add("--sidecar", metavar="URL", help="where the MID finds a sidecar")
    add("--token-file", type=_file, metavar="FILE", help="the file that holds the sidecar's service token")
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run until SIGTERM or Ctrl-C; return 0, or 1 when something fails."""
    options = _checked(arguments)
    # As exceptions, so that everything started so far is ended in order.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with ExitStack() as stack:
            data = options.data or Path(stack.enter_context(TemporaryDirectory(prefix="emulator-")))
            _start(stack, options, data.resolve())
            print("\nCtrl-C ends it.", flush=True)
            signal.pause()
    except KeyboardInterrupt:
        return 0
    except (ProgramError, InstanceError, requests.RequestException, OSError) as error:
        print(f"emulator: {error}", file=sys.stderr)
        return 1
    return 0


def _start(stack: ExitStack, options: Namespace, data: Path) -> None:
    platform = stack.enter_context(instance(data / "instance", options.port))
    print(f"instance   {platform.url}   user {ADMIN}, password {ADMIN_PASSWORD}", flush=True)
    if options.latency:
        platform.admin.faults(latencyMs=options.latency)
    if options.update_set:
        counts = platform.admin.import_update_set(options.update_set)
        print(f"committed  {options.update_set}: {counts}", flush=True)
    if not options.no_mid:
        _beside(stack, options, data, platform)
    for portal in platform.admin.table("sp_portal").rows("inactive=false", fields="title,url_suffix"):
        print(f"portal     {platform.url}/{portal['url_suffix']}   {portal['title']}", flush=True)


def _beside(stack: ExitStack, options: Namespace, data: Path, platform: Platform) -> None:
    """Run what carries calls beside the instance, and install the app, which needs it."""
    site = Site(platform, options.mid, options.bridge)
    sidecar = Sidecar(options.sidecar, options.token_file.resolve()) if options.sidecar else None
    home = data / options.mid
    if options.bridge == "mid":
        stack.enter_context(mid_server(home, options.mid, platform.admin, sidecar))
        print(f"MID Server {options.mid}   home {home}", flush=True)
    if options.app:
        site.install(installation.build(data / "app"))
        print(f"app        {platform.url}{APP}   user {USER}, password {USER}", flush=True)
    if options.bridge == "poller" and sidecar:  # it asks the app, so that has to be there
        home.mkdir(parents=True, exist_ok=True)
        stack.enter_context(poller(home, options.mid, platform.admin, sidecar))
        print(f"poller     {options.mid}   home {home}", flush=True)


def _checked(arguments: Sequence[str] | None) -> Namespace:
    commands = parser()
    options = commands.parse_args(arguments)
    if bool(options.sidecar) != bool(options.token_file):
        commands.error("--sidecar and --token-file belong together")
    if options.no_mid and (options.sidecar or options.app):
        commands.error("--no-mid leaves out what --app and --sidecar need")
    if options.bridge == "poller" and not (options.app and options.sidecar):
        commands.error("--bridge poller needs --app and --sidecar")
    return options


def _name(text: str) -> str:
    if not NAME.fullmatch(text):
        raise ArgumentTypeError(f"{text} is no name for a MID Server")
    return text


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ArgumentTypeError(f"{text} is not a file")
    return path


def _number(largest: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or int(text) > largest:
            raise ArgumentTypeError(f"{text} is not a whole number between 0 and {largest}")
        return int(text)

    return number


if __name__ == "__main__":
    sys.exit(main())
