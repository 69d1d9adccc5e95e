"""The sidecar's way from a program to its reader, beside terminado, ttyd where there is one, and a bare PTY.

Each host serves its own terminals of the same scripted program, all of them at the same time; they take turns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from benchmarks import echo, fleet, flood, host
from benchmarks.crowd import Crowd, crowd
from benchmarks.figures import Outcome, Scale, joined
from benchmarks.progress import say


def measure(scale: Scale) -> Outcome:
    """Let few and many terminals echo and print, and one of the few print a lot."""
    with _crowds() as crowds:
        counts = fleet.counts(scale)
        echoes, prints, floods = echo.Echoes(), fleet.Fleet(), flood.Floods()
        for count in counts:
            say(f"terminal: {count} of each kind")
            for each in crowds:
                each.grow(count)
            echoes.measure(crowds, count, scale)
            prints.measure(crowds, count, scale)
            if count == counts[0]:
                floods.measure(crowds, scale)
        outcomes = [echoes.outcome(), prints.outcome(), floods.outcome()]
        return joined("terminal", [*outcomes, Outcome("terminal", [], [], _conditions(crowds))])


@contextmanager
def _crowds() -> Iterator[Sequence[Crowd]]:
    """Run all hosts that there are, each with its clients."""
    hosts = [host.bare(), host.sidecar(), host.terminado()]
    if host.has_ttyd():
        hosts.append(host.ttyd())
    with ExitStack() as stack:
        yield [stack.enter_context(crowd(stack.enter_context(each))) for each in hosts]


def _conditions(crowds: Sequence[Crowd]) -> dict[str, str]:
    versions = {each.host.name: each.host.version for each in crowds if each.host.version}
    return {"isolation": "none", **versions} | ({} if host.TTYD in versions else {host.TTYD: "not installed"})
