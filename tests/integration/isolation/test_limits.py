"""What a session may use, just below and above."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from sidecar.isolation import Bubblewrap, Confinement, Limits, NoIsolation

LIMITS = Limits(memory_bytes=256 * 2**20, processes=40, file_bytes=2**20, scratch_bytes=2**20)

Confine = Callable[..., Confinement]

#: Forks until it is refused, prints how often it was not, and keeps all of them until the input ends.
FORKS = """
import os, sys
pids = []
try:
    while len(pids) < 500:
        pid = os.fork()
        if not pid:
            os.read(0, 1)
            os._exit(0)
        pids.append(pid)
except OSError:
    pass
print(len(pids), flush=True)
sys.stdin.read()
"""


def test_a_fork_bomb_is_bounded(bubblewrap: Bubblewrap, confine: Confine) -> None:
    with ExitStack() as stack:
        counts = [forks(bubblewrap, confine(LIMITS), stack) for _ in range(2)]

    # The second has as many as the first, who still holds all of its own: they are counted per session.
    assert counts[0] == counts[1]
    assert 30 <= counts[0] < 40


def forks(bubblewrap: Bubblewrap, confinement: Confinement, stack: ExitStack) -> int:
    launch = bubblewrap.launch(confinement, ["/usr/bin/python3", "-c", FORKS])
    process = stack.enter_context(
        subprocess.Popen(launch.argv, cwd="/", env={}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    )
    assert process.stdout is not None
    return int(process.stdout.readline())


def test_a_memory_hog_is_refused(sandbox: Any, confine: Confine) -> None:
    allocate = "import sys; bytearray(int(sys.argv[1]) << 20); print('had it')"
    confinement = confine(LIMITS)

    assert "had it" in sandbox.run(confinement, "/usr/bin/python3", "-c", allocate, "128").stdout
    refused = sandbox.run(confinement, "/usr/bin/python3", "-c", allocate, "256")
    assert "MemoryError" in refused.stderr


def test_a_file_larger_than_the_limit_is_refused(sandbox: Any, confine: Confine) -> None:
    confinement = confine(LIMITS)

    assert sandbox.shell(confinement, "head -c 1048576 /dev/zero > fits").returncode == 0
    assert sandbox.shell(confinement, "head -c 1048577 /dev/zero > large").returncode != 0
    assert (confinement.workspace / "large").stat().st_size == 2**20


def test_tmp_and_shared_memory_are_bounded(sandbox: Any, confine: Confine) -> None:
    confinement = confine(replace(LIMITS, file_bytes=2**30))

    for folder in ("/tmp", "/dev/shm", "/run"):
        assert sandbox.shell(confinement, f"head -c 1048576 /dev/zero > {folder}/fits").returncode == 0
        over = sandbox.shell(confinement, f"head -c 1048577 /dev/zero > {folder}/large")
        assert "No space left" in over.stderr


def test_there_are_no_core_files(sandbox: Any, confinement: Confinement) -> None:
    assert sandbox.shell(confinement, "ulimit -c; ulimit -Hc").stdout == "0\n0\n"


def test_limits_cannot_be_raised_again(sandbox: Any, confine: Confine) -> None:
    done = sandbox.shell(
        confine(LIMITS), "ulimit -d unlimited; ulimit -u 1000; ulimit -f unlimited; ulimit -u"
    )

    assert done.stdout == "40\n"


def test_without_confinement_memory_and_files_are_limited_too(confine: Confine) -> None:
    confinement = confine(LIMITS)
    launch = NoIsolation().launch(confinement, ["/bin/bash", "-c", "ulimit -d; ulimit -f; ulimit -c"])

    done = subprocess.run(launch.argv, cwd=launch.cwd, env={}, capture_output=True, text=True, check=True)

    assert done.stdout.split() == [str(256 * 1024), "1024", "0"]
