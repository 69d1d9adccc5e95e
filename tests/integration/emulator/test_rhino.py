"""Programs on Rhino: started, awaited, ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from emulator import rhino
from emulator.rhino import Program, RhinoError
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[3]

#: Says what it was given, what its neighbour exports and that it ends; then waits.
WAITING = """
var end = new java.util.concurrent.CountDownLatch(1);
java.lang.Runtime.getRuntime().addShutdownHook(new java.lang.Thread(function () { print('ended in order'); }));
print('arguments: ' + arguments.join(', '));
print('ready: ' + require('neighbour').name);
end.await();
"""

MakeProgram = Callable[..., Program]


@pytest.fixture
def make_program(tmp_path: Path) -> Iterator[MakeProgram]:
    with ExitStack() as stack:

        def make(source: str, *arguments: str) -> Program:
            folder = tmp_path / "program"
            folder.mkdir(exist_ok=True)
            (folder / "main.js").write_text(source)
            (folder / "neighbour.js").write_text("exports.name = 'next door';")
            program = Program(folder / "main.js", arguments, tmp_path / "log", r"ready: (.*)")
            stack.callback(program.kill9)
            return program

        yield make


def test_it_is_started_with_arguments_and_its_neighbours(make_program: MakeProgram) -> None:
    program = make_program(WAITING, "--name", "two words")

    ready = program.start()

    assert ready[1] == "next door"
    assert "arguments: --name, two words" in program.said()


def test_it_ends_in_order_or_at_once_and_starts_again(make_program: MakeProgram) -> None:
    program = make_program(WAITING)
    program.start()
    program.stop()
    assert "ended in order" in program.said()

    program.start()
    pid = program.pid
    program.kill9()

    assert "ended in order" not in program.said()
    assert not Path(f"/proc/{pid}").exists()
    assert program.stop() == 0


@pytest.mark.parametrize(
    ("source", "told"),
    [("throw 'the disk is full';", "the disk is full"), ("print('over');", "over")],
    ids=["throws", "just ends"],
)
def test_one_that_ends_while_starting_is_told_with_its_words(
    make_program: MakeProgram, source: str, told: str
) -> None:
    with pytest.raises(RhinoError, match=told):
        make_program(source).start()


def test_one_that_runs_is_not_started_twice(make_program: MakeProgram) -> None:
    program = make_program(WAITING)
    program.start()

    with pytest.raises(RhinoError, match="running already"):
        program.start()


def test_it_does_not_outlive_whoever_started_it(make_program: MakeProgram, tmp_path: Path) -> None:
    make_program(WAITING)
    script = (
        "import sys, time; from pathlib import Path; from emulator.rhino import Program;"
        "main, log = map(Path, sys.argv[1:]); program = Program(main, [], log, 'ready: (.*)'); program.start();"
        "print(program.pid, flush=True); time.sleep(60)"
    )
    main, log = tmp_path / "program" / "main.js", tmp_path / "log"
    with subprocess.Popen(
        [sys.executable, "-c", script, main, log], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        starter.kill()

    assert until(lambda: not Path(f"/proc/{pid}/cmdline").exists() or _is_zombie(pid))


def test_a_missing_library_is_named_with_its_package(
    make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(rhino, "LIBRARIES", (tmp_path / "js.jar",))

    with pytest.raises(RhinoError, match=r"js\.jar is missing: install the packages rhino "):
        make_program(WAITING).start()


def test_missing_java_is_named_with_its_package(
    make_program: MakeProgram, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.devnull)

    with pytest.raises(RhinoError, match="default-jre-headless"):
        make_program(WAITING).start()


def test_one_that_is_held_is_killed_all_the_same(make_program: MakeProgram) -> None:
    program = make_program(WAITING)
    program.patience = 0.5
    program.start()
    program.send(signal.SIGSTOP)

    assert program.stop() == -signal.SIGKILL


def _is_zombie(pid: int) -> bool:
    try:
        return ") Z " in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return True
