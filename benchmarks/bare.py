"""The bare thing: a program on a PTY of pexpect, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pexpect

from benchmarks import account
from benchmarks.program import COMPOSER
from benchmarks.service import PROGRAM

_PATIENCE_S = 60
_SIZE = (40, 120)
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "TERM": "xterm-256color"}


@contextmanager
def spawned(
    command: list[str], environment: Mapping[str, str], folder: Path = Path("/")
) -> Iterator[pexpect.spawn[Any]]:
    """Run a command on a PTY, as the account the service uses; kill it afterwards."""
    child: pexpect.spawn[Any] = pexpect.spawn(
        command[0],
        command[1:],
        env=dict(environment),
        cwd=str(folder),
        dimensions=_SIZE,
        timeout=_PATIENCE_S,
        preexec_fn=account.become(),
    )
    child.delaybeforesend = None  # else it sleeps 50 ms before each write
    try:
        yield child
    finally:
        child.close(force=True)


@contextmanager
def program() -> Iterator[pexpect.spawn[Any]]:
    """Run the scripted program until it is ready."""
    with spawned([str(PROGRAM)], _ENVIRONMENT) as child:
        child.expect_exact(COMPOSER + b"\r\n")
        yield child


def read(child: pexpect.spawn[Any], size: int = 65536) -> bytes:
    """Return what the kernel has for us, waiting for the first byte."""
    return os.read(child.child_fd, size)
