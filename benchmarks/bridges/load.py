"""What is asked of terminals, and when: in turns with pauses, or at random moments without waiting."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import partial

import requests

from benchmarks.bridges.stream import Stream
from benchmarks.bridges.terminal import CLEAR, PATIENCE_S, Asked, Terminal
from benchmarks.client import Refused
from benchmarks.emulated import Overdue

#: So many keys, then the composer is emptied: it must not grow beyond its row.
_KEYS = 16
#: A viewer counts for a minute; one is heard of more often, as from the page.
_HEARTBEAT_S = 20.0


@dataclass
class Taken:
    """What one way took, in milliseconds, and what went wrong."""

    command: list[float] = field(default_factory=list)
    settled: list[float] = field(default_factory=list)
    key: list[float] = field(default_factory=list)
    long: list[float] = field(default_factory=list)
    create: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, asked: Asked, stream: Stream) -> None:
        """Wait for what was asked; note what it took, or that it never came."""
        came = asked.wait()
        with self.lock:
            if not came or asked.shown.at is None or asked.settled.at is None:
                what = "did not show" if asked.shown.at is None else "was not answered"
                self.faults.append(f"{stream.name}: a {asked.kind} {what} within {PATIENCE_S:.0f} s")
                return
            getattr(self, asked.kind).append((asked.shown.at - asked.began) * 1000)
            if asked.kind == "command":
                self.settled.append((asked.settled.at - asked.began) * 1000)


@dataclass(frozen=True)
class Pauses:
    """Between two things asked of one terminal: at least and at most, in seconds."""

    least: float
    most: float

    def sleep(self, chance: random.Random) -> None:
        """Pause."""
        time.sleep(chance.uniform(self.least, self.most))


#: One round of a terminal: so many commands, then so many keys.
Round = Callable[[Terminal], Generator[Asked, None, None]]


def conversation(commands: int, keys: int) -> Round:
    """Return a round of commands, then keys, after which the composer is emptied."""

    def asked(terminal: Terminal) -> Generator[Asked, None, None]:
        for _ in range(commands):
            yield terminal.command()
        try:
            for number in range(keys):
                if number and number % _KEYS == 0:
                    _clear(terminal)
                yield terminal.key()
        finally:  # also when the time is up in the middle
            if keys:
                _clear(terminal)

    return asked


def long_answers(count: int) -> Round:
    """Return a round of 200 KB answers."""

    def asked(terminal: Terminal) -> Generator[Asked, None, None]:
        for _ in range(count):
            yield terminal.command("print")

    return asked


def in_turns(
    terminals: Sequence[Terminal], taken: Taken, once: Round, pauses: Pauses, enough: Callable[[], bool]
) -> None:
    """Let every terminal go through its rounds at the same time, each waiting for its answers, until `enough`."""

    def person(terminal: Terminal, seed: int) -> None:
        chance = random.Random(seed)
        time.sleep(chance.uniform(0, pauses.most))
        with _told(taken, terminal):
            while not enough():
                with closing(once(terminal)) as round_:
                    for asked in round_:
                        taken.note(asked, terminal.stream)
                        pauses.sleep(chance)
                        if enough():
                            break

    together([partial(person, one, seed) for seed, one in enumerate(terminals)])


def at_random(terminals: Sequence[Terminal], taken: Taken, what: str, count: int, gap_s: float) -> None:
    """Ask `count` times at random moments, on average each `gap_s`, of one terminal after the other; then wait.

    Who waits for the answer before asking again meets a bridge that looks seldom always at the same moment, just after
    a look. Several may be under way in one terminal; each is known by its number.
    """
    chance = random.Random(count)
    block = _KEYS * len(terminals) if what == "key" else count
    for begin in range(0, count, block):
        _ask_block(terminals, taken, what, min(block, count - begin), lambda: chance.expovariate(1 / gap_s))
        if what == "key":  # not before all have shown: a program paints what comes together as one
            together([partial(_clear, one) for one in terminals])


def _ask_block(
    terminals: Sequence[Terminal], taken: Taken, what: str, count: int, pause: Callable[[], float]
) -> None:
    under_way: list[tuple[Asked, Stream]] = []
    for number in range(count):
        time.sleep(pause())
        terminal = terminals[number % len(terminals)]
        with _told(taken, terminal):
            under_way.append((terminal.key() if what == "key" else terminal.command(), terminal.stream))
    for asked, stream in under_way:
        taken.note(asked, stream)


def _clear(terminal: Terminal) -> None:
    """Empty the composer."""
    terminal.type(CLEAR).wait(PATIENCE_S)


@contextmanager
def watched(terminals: Sequence[Terminal]) -> Iterator[None]:
    """Let somebody look at every terminal meanwhile, spread over time as people are."""
    ended = threading.Event()

    def run() -> None:
        while not ended.is_set():
            for terminal in terminals:
                terminal.look()
                if ended.wait(_HEARTBEAT_S / len(terminals)):
                    return

    for terminal in terminals:
        terminal.look()
    thread = threading.Thread(target=run, name="viewers")
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def together(tasks: Sequence[Callable[[], None]]) -> None:
    """Run all tasks at the same time and wait for them; whoever ends the measurement need not wait."""
    threads = [threading.Thread(target=task, daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


@contextmanager
def _told(taken: Taken, terminal: Terminal) -> Iterator[None]:
    """Note a call that was refused, and go on."""
    try:
        yield
    except (Overdue, Refused, requests.RequestException, OSError) as error:
        with taken.lock:
            taken.faults.append(f"{terminal.stream.name}: {type(error).__name__}: {error}")
