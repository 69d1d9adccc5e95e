"""The command: comparing runs, and parts that break down."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import __main__ as command
from benchmarks import report
from benchmarks.figures import ENOUGH, Figure, Outcome, Scale, summary


def run(folder: Path, ours: float) -> str:
    figure = Figure("echo", "ms", summary([1.0] * ENOUGH), summary([ours] * ENOUGH), "more", ours - 1, "ms")
    report.add(folder, "short", [Outcome("api", [figure])], command.PARTS)
    return str(folder)


@pytest.mark.parametrize(("second", "status"), [(5.5, 0), (9.0, 1)])
def test_comparing_fails_when_the_runs_are_too_far_apart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], second: float, status: int
) -> None:
    first, again = run(tmp_path / "a", 5.0), run(tmp_path / "b", second)

    assert command.main(["compare", first, again]) == status

    assert ("FAILED" in capsys.readouterr().err) is bool(status)


def test_runs_with_nothing_in_common_do_not_agree(tmp_path: Path) -> None:
    report.add(tmp_path / "b", "short", [Outcome("api", [])], command.PARTS)

    assert command.main(["compare", run(tmp_path / "a", 5.0), str(tmp_path / "b")]) == 1


def test_a_folder_without_a_result_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["report", str(tmp_path)]) == 2
    assert "holds no result" in capsys.readouterr().err


def test_an_unknown_part_is_refused_with_the_parts_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main(["speed"])

    assert "there is no part 'speed'; use bridges, terminal" in capsys.readouterr().err


def test_a_part_that_breaks_down_is_a_fault_and_no_crash() -> None:
    outcome = command.measured("no-such-part", Scale(trial=True))

    assert outcome.problems == [
        "no-such-part: could not be measured: ModuleNotFoundError: No module named 'benchmarks.no-such-part'"
    ]
    assert outcome.conditions["form"] == "trial"
