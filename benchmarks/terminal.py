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
    """Let few and many terminals echo and print; then let one print a lot."""
    with _crowds() as crowds:
        counts = fleet.counts(scale)
        echoes, prints = echo.Echoes(), fleet.Fleet()
        for count in counts:
            say(f"terminal: {count} of each kind")
            for each in crowds:
                each.grow(count)
            echoes.measure(crowds, count, scale)
            prints.measure(crowds, count, scale)
        conditions = Outcome("terminal", [], [], _conditions(crowds))
    floods = flood.Floods()
    with (
        _crowds() as crowds
    ):  # fresh ones: what a flood leaves in their memory is no part of that of many terminals
        for each in crowds:
            each.grow(1)
        floods.measure(crowds, scale)
    return joined("terminal", [echoes.outcome(), prints.outcome(), floods.outcome(), conditions])


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
