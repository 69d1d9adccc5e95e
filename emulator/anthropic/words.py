"""The prompt words: a small grammar that chooses an answer from inside the prompt.

A word is `[[name arguments]]`. Words add up: `[[delay 2]] [[rate 20 tokens 200]]`. Double brackets inside a word
must be balanced, so a shell test may stand in a command. Brackets around an unknown name are ordinary text.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from emulator.anthropic.failure import Failure
from emulator.anthropic.plan import Plan, ToolCall
from emulator.anthropic.text import CHARACTERS_PER_TOKEN, filler

BRACKETS = re.compile(r"\[\[|\]{2,}")
NAME = re.compile(r"\s*([a-z]+)\b")
INTEGER = r"(\d{1,9})"
NUMBER = r"(\d{1,9}(?:\.\d{1,9})?)"

#: Upper bounds keep a typing mistake from filling the memory.
LONGEST_CHARACTERS = 10_000_000
LONGEST_DELAY_SECONDS = 600
FASTEST_TOKENS_PER_SECOND = 100_000
MOST_ATTEMPTS = 1000

#: What `[[endless]]` takes when neither the prompt nor the server gives a speed.
ENDLESS_TOKENS_PER_SECOND = 20.0


class WordError(ValueError):
    """A known word with arguments it does not understand."""


@dataclass(frozen=True)
class Word:
    """One word of the grammar; `apply` adds its arguments to a plan and raises `WordError`."""

    usage: str
    example: str
    meaning: str
    apply: Callable[[Plan, str], Plan]

    @property
    def name(self) -> str:
        """Return the word itself."""
        return self.usage.split()[0]


@dataclass(frozen=True)
class Found:
    """The words of a text in their order, as (word, arguments), and what remains without them."""

    words: tuple[tuple[Word, str], ...]
    rest: str


def find(text: str) -> Found:
    """Return the words in `text`."""
    words: list[tuple[Word, str]] = []
    rest: list[str] = []
    position = 0
    for start, end in _segments(text):
        name, arguments = _split(text[start + 2 : end - 2])
        if name in WORDS:
            words.append((WORDS[name], arguments))
            rest.append(text[position:start])
            position = end
    return Found(tuple(words), "".join([*rest, text[position:]]).strip())


def plan(found: Found, otherwise: str) -> Plan:
    """Return the plan the words make; the answer is `otherwise` unless a word gives the text. Raises `WordError`."""
    result = Plan(otherwise)
    for word, arguments in found.words:
        result = word.apply(result, arguments)
    return replace(result, behaviour="+".join(word.name for word, _ in found.words) or "default")


def _segments(text: str) -> list[tuple[int, int]]:
    """Return the outermost balanced bracket pairs, as start and end offsets."""
    open_at: list[int] = []
    pairs: list[tuple[int, int]] = []
    for position, opening in _brackets(text):
        if opening:
            open_at.append(position)
        elif open_at:
            start = open_at.pop()
            while pairs and pairs[-1][0] > start:
                pairs.pop()
            pairs.append((start, position + 2))
    return pairs


def _brackets(text: str) -> Iterator[tuple[int, bool]]:
    """Yield each double bracket as (offset, opens); of `]]]` the last two close, so `[[echo [x]]]` works."""
    for match in BRACKETS.finditer(text):
        if match.group() == "[[":
            yield match.start(), True
            continue
        for position in range(match.start() + len(match.group()) % 2, match.end(), 2):
            yield position, False


def _split(inside: str) -> tuple[str, str]:
    match = NAME.match(inside)
    return (match[1], inside[match.end() :].strip()) if match else ("", "")


def _match(pattern: str, arguments: str) -> re.Match[str]:
    match = re.fullmatch(pattern, arguments, re.DOTALL)
    if match is None:
        raise WordError(f"cannot read {arguments[:80]!r}")
    return match


def _within(number: float, least: float, most: float) -> float:
    if not least <= number <= most:
        raise WordError(f"{number:g} is not between {least:g} and {most:g}")
    return number


def _echo(plan: Plan, arguments: str) -> Plan:
    return replace(plan, text=arguments)


def _rate(plan: Plan, arguments: str) -> Plan:
    match = _match(NUMBER + rf"(?:\s+tokens\s+{INTEGER})?", arguments)
    rate = _within(float(match[1]), 0.1, FASTEST_TOKENS_PER_SECOND)
    if match[2] is None:
        return replace(plan, rate=rate)
    characters = _within(int(match[2]) * CHARACTERS_PER_TOKEN, 1, LONGEST_CHARACTERS)
    return replace(plan, rate=rate, text=filler(int(characters)))


def _long(plan: Plan, arguments: str) -> Plan:
    characters = int(_match(INTEGER, arguments)[1])
    return replace(plan, text=filler(int(_within(characters, 1, LONGEST_CHARACTERS))))


def _tool(plan: Plan, arguments: str) -> Plan:
    match = _match(r"(\w+)\s*:\s*(.+)", arguments)
    build = TOOLS.get(match[1])
    call = build(match[2]) if build else ToolCall(match[1], _object(match[2]))
    return replace(plan, text="I will use a tool.", tools=(*plan.tools, call))


def _bash(command: str) -> ToolCall:
    return ToolCall("Bash", {"command": command, "description": "Run the command of the prompt"})


def _write(arguments: str) -> ToolCall:
    path, bar, content = arguments.partition("|")
    if not bar or not path.startswith("/"):
        raise WordError("write takes /PATH | CONTENT")
    return ToolCall("Write", {"file_path": path.strip(), "content": content.strip()})


def _object(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise WordError("the input of any other tool is a JSON object")
    return value


def _error(plan: Plan, arguments: str) -> Plan:
    match = _match(rf"{INTEGER}(?:\s+retry-after\s+{INTEGER})?(?:\s+(.+))?", arguments)
    status = int(_within(int(match[1]), 400, 599))
    retry_after = int(match[2]) if match[2] else (1 if status == 429 else None)
    return replace(plan, failure=Failure(status, match[3] or "", retry_after))


def _fail(plan: Plan, arguments: str) -> Plan:
    match = _match(rf"{INTEGER}(?:\s+with\s+{INTEGER})?\s+then\s+ok", arguments)
    attempts = int(_within(int(match[1]), 1, MOST_ATTEMPTS))
    failing = _error(plan, match[2] or "529")
    return replace(failing, attempts=attempts)


def _drop(plan: Plan, arguments: str) -> Plan:
    _match("", arguments)
    return replace(plan, dropped=True)


def _endless(plan: Plan, arguments: str) -> Plan:
    _match("", arguments)
    return replace(plan, endless=True)


def _delay(plan: Plan, arguments: str) -> Plan:
    seconds = float(_match(NUMBER, arguments)[1])
    return replace(plan, delay=_within(seconds, 0, LONGEST_DELAY_SECONDS))


TOOLS: dict[str, Callable[[str], ToolCall]] = {"bash": _bash, "write": _write}

WORDS = {
    word.name: word
    for word in (
        Word("echo TEXT", "[[echo hello]]", "answers exactly TEXT", _echo),
        Word(
            "rate N [tokens M]",
            "[[rate 20 tokens 200]]",
            "types N tokens per second; with M, a text of M tokens",
            _rate,
        ),
        Word("long N", "[[long 200000]]", "answers N characters of numbered lines", _long),
        Word(
            "tool NAME: INPUT",
            "[[tool bash: ls -l]]",
            "calls a tool, then answers with its result. `bash: COMMAND`, `write: /PATH | CONTENT`, "
            "or any tool by its own name with a JSON object",
            _tool,
        ),
        Word(
            "error STATUS [retry-after S] [MESSAGE]",
            "[[error 429 retry-after 3]]",
            "answers with an HTTP error, such as 400, 401, 429, 500 or 529",
            _error,
        ),
        Word("drop", "[[drop]]", "resets the connection in the middle of the answer", _drop),
        Word(
            "fail N [with STATUS] then ok",
            "[[fail 2 then ok]]",
            "fails the first N attempts of this prompt (529 unless said), then answers",
            _fail,
        ),
        Word(
            "endless",
            "[[endless]]",
            "goes on until the client leaves, slowly unless a rate is given",
            _endless,
        ),
        Word("delay S", "[[delay 2.5]]", "stays silent for S seconds first", _delay),
    )
}


def lesson() -> str:
    """Return the words, one example and one meaning each, for the command's help."""
    return "\n".join(f"  {word.example:<30}{word.meaning}" for word in WORDS.values())
