#!/usr/bin/python3 -I
"""A scripted program in the CLI's place: shows a composer, then does what it is told, byte for byte.

One file, standard library only: a sandbox shows the child nothing else. Commands are lines on the terminal, in raw
mode: `echo` (a sign, then everything comes back until the end of transmission, then a sign), `print N` (N bytes of the pattern,
64 KiB a write), `show N` (the same, a line a write), `tick N SEED` (N stamped records).
"""

from __future__ import annotations

import os
import sys
import time
import tty
from collections.abc import Callable
from random import Random

VERSION = "2.1.329 (Claude Code)"
#: What the sidecar takes for the prompt.
COMPOSER = "❯\u00a0".encode()
#: What is printed when everything is echoed from now on and when no more, and what is typed to end it. Who types
#: waits for the sign, else what comes next is read together with what came before.
SIGN, END = b"=", b"\x04"
#: The pattern's unit: each block is made of its own number, so any part can be made without those before it.
BLOCK = 1 << 20
#: Printable characters and the line end: a flood is text, and control sequences would measure something else.
_LETTERS = b"\n" + b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz+"
_TABLE = _LETTERS * 4
#: Two records a second, 1 KB each, are the 2 KB/s of the target.
PERIOD_S = 0.5
RECORD = 1000


def block(number: int) -> bytes:
    """Return one block of the pattern."""
    return Random(number).randbytes(BLOCK).translate(_TABLE)


def pattern(offset: int, length: int) -> bytes:
    """Return `length` bytes of the pattern from `offset`."""
    first, last = offset // BLOCK, (offset + max(length, 1) - 1) // BLOCK
    blocks = b"".join(block(number) for number in range(first, last + 1))
    return blocks[offset - first * BLOCK :][:length]


def record(number: int, at_ns: int) -> bytes:
    """Return a record: its number, when it was printed (monotonic clock, the same for all processes), filling."""
    return b"%08d %020d " % (number, at_ns) + b"." * (RECORD - 31) + b"\n"


def parse_record(line: bytes) -> tuple[int, int]:
    """Return number and time of a record without its line end.

    Raises:
        ValueError: it is none, or not whole.
    """
    if len(line) != RECORD - 1 or line[30:].strip(b"."):
        raise ValueError(f"not a record: {line[:40]!r}, {len(line)} bytes")
    return int(line[:8]), int(line[9:29])


def _write(data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view[:65536]) :]


def _echo() -> None:
    _write(SIGN)
    while (data := os.read(0, 65536)) and END not in data:
        _write(data)
    _write(SIGN)


def _print(length: str) -> None:
    _write(pattern(0, int(length)))  # made before the first byte goes out: making it is not what is measured


def _show(length: str) -> None:
    """Print the pattern as programs do on a terminal: a write for each line."""
    for line in pattern(0, int(length)).splitlines(keepends=True):
        os.write(1, line)


def _tick(count: str, seed: str) -> None:
    """Print at a phase of its own: programs that print independently of each other sometimes coincide."""
    begin = time.monotonic() + Random(int(seed)).uniform(0, PERIOD_S)
    for number in range(int(count)):
        time.sleep(max(0.0, begin + number * PERIOD_S - time.monotonic()))
        _write(record(number, time.monotonic_ns()))


_COMMANDS: dict[str, Callable[..., None]] = {"echo": _echo, "print": _print, "show": _show, "tick": _tick}


def _lines() -> None:
    rest = b""
    while data := os.read(0, 4096):
        *lines, rest = (rest + data).split(b"\n")
        for line in lines:
            name, *arguments = line.decode().split()
            _COMMANDS[name](*arguments)


def main() -> None:
    """Be the program."""
    if "--version" in sys.argv:
        print(VERSION)
        return
    tty.setraw(0)
    _write(COMPOSER + b"\r\n")
    _lines()


if __name__ == "__main__":
    main()
