"""The command `python -m benchmarks`."""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks import agreement, report
from benchmarks.conditions import conditions
from benchmarks.figures import Outcome, Scale
from benchmarks.progress import bar, say, warn
from benchmarks.table import document, markdown, problems

#: Each is a module with `measure(scale)`, imported when it is its turn: not every part needs a browser or an instance.
PARTS = ("bridges", "terminal", "api", "density", "portal", "rotation")

_ABOUT = """\
Measure the sidecar and its bridges beside what people would use instead: each comparison in one run, in turns.

parts, all of them by default; about 18 minutes in the short form on two cores:

  bridges   commands and keys through the emulated instance's queue: MID Server, poller, and HTTP as the floor
  terminal  echo, bulk output, CPU and memory beside terminado, ttyd (if installed) and a bare PTY
  api       every endpoint beside an empty Flask view, and the highest rate either sustains
  density   memory of sessions of the real CLI, awake and asleep; time to start and to wake; needs root
  portal    the terminal in a browser on the emulated portal, beside a bare xterm
  rotation  10,000 credentials are re-encrypted while others work

other uses:

  python -m benchmarks compare A B   two result folders: whether the ratios of p50 agree within 25 %
  python -m benchmarks report A      make report and pictures of a result folder again (a full one: the READMEs too)
"""

_AFTER = """\
Progress goes to standard error, the table (Markdown) to standard output. Raw samples, report and pictures are written to
benchmarks/results/<date>/, a part measured again in place of its earlier figures; a full run is also shown in
benchmarks/README.md, which has the method and what to beware of, and its comparison of the bridges in README.md.

Exit status: 0 when all targets are met and nothing was lost, out of order or late (compare: when the runs agree);
1 otherwise, with the reasons in red on standard error; 2 for a wrong call.

examples:
  python -m benchmarks                       the short form of everything
  python -m benchmarks --full                all of it: some hours on a quiet machine
  python -m benchmarks terminal api          two parts
  python -m benchmarks --trial density       a few samples, nothing written: does it still work?
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, compare or report; return the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if given[:1] == ["compare"]:
            return _compare(given[1:])
        if given[:1] == ["report"]:
            return _report(given[1:])
        return _measure(_parser().parse_args(given))
    except report.Unreadable as error:
        warn(str(error))
        return 2


def _parser() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(
        "python -m benchmarks", description=_ABOUT, epilog=_AFTER, formatter_class=form
    )
    parser.add_argument("part", nargs="*", type=_part, help=f"one of {', '.join(PARTS)}")
    scale = parser.add_mutually_exclusive_group()
    scale.add_argument("--full", action="store_true", help="all samples, sessions and round trips")
    scale.add_argument(
        "--trial", action="store_true", help="a few samples, to see that it works; not recorded"
    )
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--no-write", action="store_true", help="print the result only")
    where.add_argument(
        "--into", type=Path, metavar="FOLDER", help="write there, such as for a second run of a day"
    )
    return parser  # fmt: skip


def _part(name: str) -> str:
    if name not in PARTS:
        raise argparse.ArgumentTypeError(f"there is no part {name!r}; use {', '.join(PARTS)}")
    return name


def _measure(options: argparse.Namespace) -> int:
    scale = Scale(full=options.full, trial=options.trial)
    folder = options.into or report.folder_for(time.strftime("%Y-%m-%d", time.gmtime()), scale.name)
    wanted = [part for part in PARTS if not options.part or part in options.part]
    outcomes: list[Outcome] = []
    with bar("parts", len(wanted)) as step:
        for part in wanted:
            outcomes.append(measured(part, scale))
            if not options.no_write and (options.into or not scale.trial):
                _written(folder, scale, outcomes[-1:])  # at once: hours of measuring survive what comes after
            step()
    print(markdown({outcome.part: document(outcome) for outcome in outcomes}))
    if scale.trial:  # too few samples to judge a target by
        return _told([fault for one in outcomes for fault in one.faults], "nothing was lost")
    return _told(problems(outcomes), "all targets are met, nothing was lost")


def measured(part: str, scale: Scale) -> Outcome:
    """Measure one part; if it breaks down, that is what was found."""
    say(f"{part}: begins")
    around = {"form": scale.name, **conditions()}
    began = time.monotonic()
    try:
        outcome: Outcome = _module(part).measure(scale)
    except Exception as error:  # noqa: BLE001  one part that breaks down must not cost the figures of the others
        outcome = Outcome(part, [], [f"could not be measured: {type(error).__name__}: {error}"])
    took = time.monotonic() - began
    say(f"{part}: took {took:.0f} s")
    return replace(outcome, conditions={**around, **outcome.conditions, "took": f"{took:.0f} s"})


def _module(part: str) -> Any:
    return importlib.import_module(f"benchmarks.{part}")


def _written(folder: Path, scale: Scale, outcomes: Sequence[Outcome]) -> None:
    result = report.add(folder, scale.name, outcomes, PARTS)
    if scale.full and folder.resolve().is_relative_to(report.RESULTS):
        report.publish(folder, result, _comparison)
    say(f"written to {folder / report.REPORT}")


def _comparison(bridges: Mapping[str, Any]) -> str:
    return str(_module("bridges").comparison(bridges))


def _told(found: Sequence[str], well: str) -> int:
    for problem in found:
        warn(f"FAILED: {problem}")
    if found:
        warn("not all is well")
        return 1
    say(well)
    return 0


def _compare(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser("python -m benchmarks compare")
    parser.add_argument("first", type=Path, help="a result folder")
    parser.add_argument("second", type=Path, help="that of a second run on the same machine")
    options = parser.parse_args(arguments)
    found = agreement.pairs(report.read(options.first).parts, report.read(options.second).parts)
    print(agreement.markdown(found))
    apart = [f"{pair.name}: {100 * (pair.apart - 1):.0f} % apart" for pair in found if not pair.agrees]
    if all(pair.few for pair in found):
        apart.append("the two runs have no comparison with enough samples in common")
    for problem in apart:
        warn(f"FAILED: {problem}")
    return 1 if apart else 0


def _report(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser("python -m benchmarks report")
    parser.add_argument("folder", type=Path, help="a result folder")
    folder = parser.parse_args(arguments).folder
    result = report.read(folder)
    report.render(folder, result)
    if result.scale == "full" and folder.resolve().is_relative_to(report.RESULTS):
        report.publish(folder, result, _comparison)
    say(f"written to {folder / report.REPORT}")
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started is ended
    sys.exit(main())
