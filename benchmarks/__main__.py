"""The command `python -m benchmarks`."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from benchmarks import api, bridge, echo, fleet, flood, memory, portal, report, rotation, start
from benchmarks.conditions import conditions
from benchmarks.figures import Outcome
from benchmarks.progress import say
from benchmarks.table import document, markdown, problems

_ABOUT = """\
Measure the sidecar, each figure beside the bare thing in the same run: the service as it is run (gunicorn, loopback,
SQLite), and the same program on a PTY of pexpect with nothing in between. The two take turns.

parts, all of them by default, about 25 minutes in total:

  api       every endpoint that touches no terminal, beside an empty Flask view       (30 s)
  bridge    commands through the emulated instance's ECC queue; rows of watched terminals  (12 min)
  echo      a raw command over HTTP until a waiting output call shows its echo      (25 s)
  fleet     50 sessions that print 2 KB/s each, with a waiting reader each          (50 s)
  flood     a child that prints 100 MB while it is read; every byte is checked      (30 s)
  memory    master and worker, idle and with 20 and 50 sessions; needs root         (40 s)
  portal    the terminal in a browser on the emulated portal, beside a bare xterm      (7 min)
  rotation  10,000 credentials are re-encrypted while others work                   (20 s)
  start     create → ready and wake → ready of the real Claude Code CLI             (2 min)
"""

_AFTER = """\
Progress goes to standard error, the table (Markdown) to standard output. The figures are also written to
benchmarks/results/<date>.json, a part measured again in place of its earlier figures, and into benchmarks/README.md,
which has the method and what to beware of.

Exit status: 0 when all targets are met and nothing was lost; 1 otherwise, with the reasons on standard error.

examples:
  python -m benchmarks                       everything
  python -m benchmarks echo fleet            two parts
  python -m benchmarks flood --no-write      look only
"""

PARTS: dict[str, Callable[[], Outcome]] = {
    "api": api.measure,
    "bridge": bridge.measure,
    "echo": echo.measure,
    "fleet": fleet.measure,
    "flood": flood.measure,
    "memory": memory.measure,
    "portal": portal.measure,
    "rotation": rotation.measure,
    "start": start.measure,
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure; return the exit status."""
    options = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    wanted = [part for part in PARTS if not options.part or part in options.part]
    outcomes = [_measured(part) for part in wanted]
    print(markdown({outcome.part: document(outcome) for outcome in outcomes}))
    if not options.no_write:
        written = report.write(outcomes, list(PARTS), time.strftime("%Y-%m-%d", time.gmtime()))
        say(f"written to {written.relative_to(report.HERE.parent)}")
    return _told(problems(outcomes))


def _parser() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python -m benchmarks", description=_ABOUT, epilog=_AFTER, formatter_class=form
    )
    parser.add_argument("part", nargs="*", type=_part, help=f"one of {', '.join(PARTS)}")
    parser.add_argument("--no-write", action="store_true", help="print the result only")
    return parser


def _part(name: str) -> str:
    if name not in PARTS:
        raise argparse.ArgumentTypeError(f"there is no part {name!r}; use {', '.join(PARTS)}")
    return name


def _measured(part: str) -> Outcome:
    say(f"{part}: begins")
    around = conditions()
    began = time.monotonic()
    try:
        outcome = PARTS[part]()
    except Exception as error:  # noqa: BLE001  one part that breaks down must not cost the figures of the others
        outcome = Outcome(part, [], [f"could not be measured: {type(error).__name__}: {error}"])
    say(f"{part}: took {time.monotonic() - began:.0f} s")
    return replace(outcome, conditions={**around, **outcome.conditions})


def _told(found: Sequence[str]) -> int:
    for problem in found:
        say(f"FAILED: {problem}")
    say("not all is well" if found else "all targets are met, nothing was lost")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
