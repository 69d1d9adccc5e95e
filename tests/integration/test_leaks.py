"""The leak detector itself, on planted tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PLANTED = """
import os, socket, subprocess, sys, threading

kept = []

def test_clean():
    with socket.socket():
        subprocess.run([sys.executable, "-c", ""], check=True)
    thread = threading.Thread(target=lambda: None)
    thread.start()

def test_descriptor():
    kept.append(os.open("/dev/null", os.O_RDONLY))

def test_process():
    kept.append(subprocess.Popen(["sleep", "30"]))

def test_thread():
    stop = threading.Event()
    threading.Thread(target=stop.wait, daemon=True).start()
    kept.append(stop)

def teardown_module():
    os.close(kept[0])
    kept[1].kill()
    kept[1].wait()
    kept[2].set()
"""


def test_each_kind_of_leak_fails_the_test_that_leaked_it(tmp_path: Path, pytestconfig: pytest.Config) -> None:
    planted = tmp_path / "test_planted.py"
    planted.write_text(PLANTED)
    options = [
        "-p",
        "tests.fixtures.leaks",
        "-p",
        "no:cacheprovider",
        "-q",
        "-rE",
        "--rootdir",
        str(tmp_path),
    ]

    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(planted)],
        cwd=pytestconfig.rootpath,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "..E.E.E" in run.stdout
    for name in ("descriptor", "process", "thread"):
        assert f"AssertionError: the test left behind: {name} " in run.stdout
