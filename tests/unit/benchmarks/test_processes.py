"""What the kernel counts for processes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import pytest

from benchmarks.processes import Memory, family, family_memory, settled
from tests.waiting import until


@pytest.fixture
def parent() -> Iterator[int]:
    """Give the id of a process with one child."""
    # The shell must not become its last command: a built-in follows.
    command = ["sh", "-c", "sleep 60 & echo; read -r _; kill $!"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
        yield process.pid
        process.communicate(b"\n")


def test_a_family_has_children_and_the_memory_of_all(parent: int) -> None:
    assert until(lambda: len(family([parent])) == 2)

    whole, alone = family_memory([parent]), family_memory(family([parent])[1:])

    assert whole.pss > alone.pss > 0


def test_a_process_that_is_gone_has_no_memory() -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()

    assert family_memory([gone.pid]) == Memory(0, 0)


def test_memory_is_read_until_it_is_at_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("benchmarks.processes._STILL_S", 0)
    readings = iter([Memory(1, 1), Memory(3, 3), Memory(4, 4), Memory(4.1, 4.01), Memory(9, 9)])

    assert settled(lambda: next(readings)) == Memory(4.1, 4.01)


def test_a_family_of_one_is_itself() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        assert family([process.pid]) == (process.pid,)
        assert os.getpid() not in family([process.pid])
        process.kill()
