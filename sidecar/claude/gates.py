"""What the CLI's screen says: ready or not, busy, asking; and why it would not start.

Text in, values out. Written for the screens of 2.1.329, which are kept as files in `tests/screens/`; a new
version of the CLI should only need new files there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sidecar.model.session import Activity

#: The composer's row: the prompt sign and a no-break space. A question already sent has an ordinary one.
_COMPOSER = "❯\u00a0"
#: An open menu marks its choice with an indented prompt sign.
_CHOICE = re.compile(r"\s+❯ \S")
_MENU_FOOT = re.compile(r"Esc to (cancel|go back|exit)|Enter to (confirm|select|save)")
_RULE = re.compile(r"\s*[─━╌]{10,}")
_INTERRUPT = "esc to interrupt"
#: Rows at the bottom of the painted part where the CLI tells its keys.
_FOOT_ROWS = 4
#: First character of the window title while nothing runs; it turns while something does.
_RESTING_TITLE = "✳"
#: A screen that is not understood counts as busy for so long after its last output.
_QUIET_S = 3.0

#: Screens that mean the CLI will not come up, and what to tell the caller.
_REFUSALS = {
    "Unable to connect to Anthropic": "Claude Code could not reach its API.",
    "No conversation found with session ID": "The conversation to resume does not exist any more.",
    "is already in use": "The conversation is in use by another process.",
    "unknown option": "This version of Claude Code does not know one of the options given.",
}


@dataclass(frozen=True)
class View:
    """What the gates look at: the rows, the window title, and seconds since the last output."""

    lines: Sequence[str]
    title: str
    quiet_s: float


def composer(lines: Sequence[str]) -> str | None:
    """Return the text in the composer, or None when there is no composer on the screen."""
    places = [
        index
        for index, line in enumerate(lines)
        if line.startswith(_COMPOSER.rstrip()) and _is_composer(line)
    ]
    if not places:
        return None
    text = [lines[places[-1]][len(_COMPOSER) :]]
    for line in lines[places[-1] + 1 :]:
        if _RULE.match(line):
            break
        text.append(line)
    return "\n".join(text).strip()


def _is_composer(line: str) -> bool:
    return line == _COMPOSER.rstrip() or line.startswith(_COMPOSER)


def menu_open(lines: Sequence[str]) -> bool:
    """Tell whether a menu or a permission question waits for an answer."""
    if composer(lines) is not None:
        return False
    return any(_CHOICE.match(line) for line in lines) or any(_MENU_FOOT.search(line) for line in lines)


def ready(lines: Sequence[str]) -> bool:
    """Tell whether the CLI takes input: its composer, or a question, is on the screen."""
    return composer(lines) is not None or any(_CHOICE.match(line) for line in lines)


def activity(view: View) -> Activity:
    """Return what the program is doing."""
    if menu_open(view.lines):
        return Activity.AWAITING_INPUT
    if composer(view.lines) is None:  # a shell, or a screen not known
        return Activity.BUSY if view.quiet_s < _QUIET_S else Activity.IDLE
    return Activity.BUSY if _working(view) else Activity.IDLE


def _working(view: View) -> bool:
    turning = bool(view.title) and not view.title.startswith(_RESTING_TITLE)
    foot = [line for line in view.lines if line.strip()][-_FOOT_ROWS:]
    return turning or any(_INTERRUPT in line for line in foot)


def refusal(lines: Sequence[str]) -> str | None:
    """Return a sentence on why the CLI would not start, if its last screen is a known one."""
    text = "\n".join(lines)
    return next((reason for sign, reason in _REFUSALS.items() if sign in text), None)
