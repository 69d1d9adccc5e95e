"""The terminal in the Service Portal as a person sees it, in a real browser, beside a bare xterm on the sidecar itself.

The instance answers with a round trip of 50 ms. Times are from the key to the frame in which the answer was painted, in
the page's own clock. Everything is done with the push channel first, then once more without it.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Browser

from benchmarks import targets, window
from benchmarks.client import Client
from benchmarks.emulated import Emulated, emulated
from benchmarks.figures import Figure, Outcome, Picture, Scale, Summary, Target, summary
from benchmarks.progress import say
from benchmarks.service import Service, serving
from benchmarks.window import Window
from emulator.anthropic import Server, Settings
from emulator.chromium import chromium
from sidecar.claude.version import PINNED
from sidecar.sessions.program import locate

LATENCY_MS = 50
#: The real CLI's composer, and what stands below it at rest.
_PROMPT, _AT_REST = "❯", "? for shortcuts"
#: The scripted program's, which prints on demand.
_SCRIPTED = "❯"
_LONG = 200_000
#: Between two samples: what the one before has started comes to its end.
_REST_S = 0.6
_WARM_UP = 2
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Plan:
    """How many samples of each kind."""

    commands: int
    keys: int
    reloads: int
    floods: int


#: With the push channel, and without it, for each scale.
PUSHED = {"trial": Plan(2, 2, 1, 1), "short": Plan(8, 15, 2, 2), "full": Plan(200, 200, 10, 10)}
POLLED = {"trial": Plan(1, 1, 1, 1), "short": Plan(4, 8, 2, 2), "full": Plan(60, 100, 6, 6)}


@dataclass
class Seen:
    """What one terminal took, in milliseconds."""

    commands: list[float] = field(default_factory=list)
    keys: list[float] = field(default_factory=list)
    reloads: list[float] = field(default_factory=list)
    floods: list[float] = field(default_factory=list)


Pair = tuple[Window, Window]
Both = tuple[Seen, Seen]


def measure(scale: Scale) -> Outcome:
    """Type into both terminals in turns, with the push channel and without."""
    executable = locate(None)
    if executable is None:
        return Outcome("portal", [], ["Claude Code is not installed: run make setup"])
    with_push, without = PUSHED[scale.name], POLLED[scale.name]
    pushed, polled = (Seen(), Seen()), (Seen(), Seen())
    with chromium() as browser:
        with (
            Server(Settings()) as api,
            _pair(browser, _PROMPT, CLAUDE_PATH=str(executable), ANTHROPIC_BASE_URL=api.url) as pair,
        ):
            _converse(pair, pushed, with_push, "pushed")
            _without_push(pair, _PROMPT)
            _converse(pair, polled, without, "polled")
        with _pair(browser, _SCRIPTED) as pair:
            _flood(pair, pushed, with_push)
            _without_push(pair, "")
            _flood(pair, polled, without)
        conditions = {"round trip": f"{LATENCY_MS} ms", "browser": browser.version, "CLI": PINNED}
    figures = _figures(pushed, polled)
    return Outcome("portal", figures, [], {"instance": "emulated", **conditions}, [_picture(pushed, polled)])


@contextmanager
def _pair(browser: Browser, prompt: str, **settings: str) -> Iterator[Pair]:
    """Run everything; give the bare terminal and the portal's, each with a session of its own."""
    with (
        serving(**settings) as service,
        emulated(service, latency_ms=LATENCY_MS) as system,
        service.client() as client,
        _windows(browser, service, system, client, prompt) as pair,
    ):
        yield pair


def _without_push(pair: Pair, prompt: str) -> None:
    """Take the push channel from the portal's window; the MID Server keeps its own."""
    ours = pair[1]
    ours.block_push()
    ours.await_text(prompt)
    time.sleep(_REST_S)


@contextmanager
def _windows(
    browser: Browser, service: Service, system: Emulated, client: Client, prompt: str
) -> Iterator[Pair]:
    person = system.person("bench.portal")
    with (
        window.bare(browser, service.address, client.create(), prompt) as plain,
        window.portal(browser, person.instance, person.create(), prompt) as ours,
    ):
        yield plain, ours


# -- the real CLI --------------------------------------------------------------------------------------------


def _converse(pair: Pair, seen: Both, plan: Plan, how: str) -> None:
    for number in range(_WARM_UP + plan.commands):
        for terminal, taken in zip(pair, seen, strict=True):
            taken.commands.append(_command(terminal, f"Question {number}, {how}"))
    say(f"portal, {how}: {plan.commands} commands by each, {seen[1].commands[-1]:.0f} ms")
    for number in range(_WARM_UP + plan.keys):
        for terminal, taken in zip(pair, seen, strict=True):
            taken.keys.append(_key(terminal, number))
    for terminal in pair:
        _clear(terminal)
    for samples in (one for taken in seen for one in (taken.commands, taken.keys)):
        del samples[:_WARM_UP]
    for number in range(plan.reloads):
        for terminal, taken in zip(pair, seen, strict=True):
            taken.reloads.append(terminal.reload(f"You said: Question {_WARM_UP + plan.commands - 1}, {how}"))
            time.sleep(_REST_S)
        say(f"portal, {how}: reload {number + 1}, {seen[1].reloads[-1]:.0f} ms")


def _command(terminal: Window, text: str) -> float:
    """Type a command; return the time from Enter to its first output, and wait for its answer."""
    terminal.focus()
    terminal.type(text)
    time.sleep(_REST_S)
    took = terminal.press("Enter")
    terminal.await_text(f"You said: {text}")
    terminal.await_text(_AT_REST)
    time.sleep(_REST_S)
    return took


def _key(terminal: Window, number: int) -> float:
    """Type one more letter; return the time until it was painted."""
    place = number % len(_LETTERS)
    if place == 0 and number:
        _clear(terminal)
    terminal.focus()
    took = terminal.press(_LETTERS[place], f"{_PROMPT} {_LETTERS[: place + 1]}")
    time.sleep(_REST_S / 2)
    return took


def _clear(terminal: Window) -> None:
    terminal.focus()
    terminal.press("Control+u")
    time.sleep(_REST_S)


# -- the scripted program ------------------------------------------------------------------------------------


def _flood(pair: Pair, seen: Both, plan: Plan) -> None:
    """Let the program print 200 KB at once; it echoes nothing and takes a line feed for the end of a command."""
    for number in range(plan.floods):
        for terminal, taken in zip(pair, seen, strict=True):
            terminal.focus()
            terminal.page.keyboard.type(f"print {_LONG}")
            time.sleep(_REST_S)
            taken.floods.append(terminal.press_for("Control+j", _LONG))
            time.sleep(_REST_S)
        say(f"portal: {_LONG} bytes, round {number + 1} of {plan.floods}, {seen[1].floods[-1]:.0f} ms")


# -- the figures ---------------------------------------------------------------------------------------------


def _figures(pushed: Both, polled: Both) -> list[Figure]:
    kinds = {
        "command → first output painted": "commands",
        "keystroke → echo painted": "keys",
        "200 KB complete": "floods",
        "reload → screen painted": "reloads",
    }
    absolute = [
        _absolute(name, _both(pushed, kind), share, target)
        for name, kind in kinds.items()
        for share, target in _TARGETS[kind].items()
    ]
    more = [
        _more(f"{name}, without push", _both(pushed, kind), _both(polled, kind))
        for name, kind in kinds.items()
    ]
    return absolute + more


_TARGETS: dict[str, dict[str, Target | None]] = {
    "commands": {"p50": targets.PORTAL_COMMAND_P50, "p99": targets.PORTAL_COMMAND_P99},
    "keys": {"p50": targets.PORTAL_ECHO_P50, "p99": None},
    "floods": {"p99": targets.PORTAL_LONG},
    "reloads": {"p50": targets.PORTAL_RELOAD},
}


def _both(seen: Both, kind: str) -> tuple[Summary, Summary]:
    plain, ours = (summary(getattr(one, kind)) for one in seen)
    return plain, ours


def _absolute(name: str, found: tuple[Summary, Summary], share: str, target: Target | None) -> Figure:
    plain, ours = found
    value: float = getattr(ours, share)
    ratio = value / getattr(plain, share)
    return Figure(name, "ms", plain, ours, f"{share}, {ratio:.1f} × bare", value, "ms", target)


def _more(name: str, pushed: tuple[Summary, Summary], polled: tuple[Summary, Summary]) -> Figure:
    more = polled[1].p50 - pushed[1].p50
    compared = f"more at p50 than with push, {polled[1].p50 / polled[0].p50:.1f} × bare"
    return Figure(name, "ms", polled[0], polled[1], compared, more, "ms", targets.PORTAL_POLLED_MORE)


def _picture(pushed: Both, polled: Both) -> Picture:
    seen = {"bare xterm": pushed[0], "with push": pushed[1], "without push": polled[1]}
    samples = {
        f"{what}, {name}": getattr(one, kind) for kind, what in _DRAWN.items() for name, one in seen.items()
    }
    return Picture(
        "portal",
        "A terminal in the portal, 50 ms to the instance: what it takes until it is painted",
        "time from the key until painted, ms",
        "share of samples up to it, %",
        distributions=samples,
        log_x=True,
    )


#: What of both is drawn.
_DRAWN = {"commands": "command", "keys": "key"}
