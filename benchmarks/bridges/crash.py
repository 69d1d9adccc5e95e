"""A bridge that is killed while commands are under way: everything has to arrive, once, in order."""

from __future__ import annotations

import random
import threading
import time
from functools import partial

from benchmarks.bridges.cell import judge
from benchmarks.bridges.load import Taken, at_random, watched
from benchmarks.bridges.site import Site
from benchmarks.bridges.way import Way
from benchmarks.progress import say

#: Between two kills, at least and at most: at any point of what a row goes through.
_LEAST_S, _MOST_S = 4.0, 8.0
#: Between two commands, on average: a user may have 100 calls without an answer, and a lease lasts for 30 s.
_GAP_S = 0.5


def survived(site: Site, way: Way, kills: int) -> Taken:
    """Submit commands at random moments while the bridge is killed so often and started again; return what came."""
    taken = Taken()
    terminals = site.terminals[way.name]
    count = round(kills * _MOST_S / _GAP_S)
    asking = partial(at_random, terminals, taken, "command", count, _GAP_S)
    typing = threading.Thread(target=asking, daemon=True)
    with watched(terminals):
        typing.start()
        try:
            _kill(site, way, kills)
        finally:
            typing.join()
        judge(terminals, taken)
    return taken


def _kill(site: Site, way: Way, kills: int) -> None:
    chance = random.Random(kills)
    for number in range(kills):
        time.sleep(chance.uniform(_LEAST_S, _MOST_S))
        bridge = site.bridges[way.name]
        bridge.kill9()
        say(f"bridges: {way.name} killed, {number + 1} of {kills}")
        bridge.start()
