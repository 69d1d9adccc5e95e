"""Answers as tokens. A token here is four characters: close enough for pacing and for usage figures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count, islice

#: Rule of thumb for English; the real tokenizer is not public.
CHARACTERS_PER_TOKEN = 4

#: Events per second from which tokens travel in groups, so that a fast answer is not all framing.
EVENTS_PER_SECOND = 100

#: Tokens in one event when nothing paces the answer.
UNPACED_GROUP = 64


def estimate(characters: int) -> int:
    """Return the tokens `characters` count as, at least one."""
    return max(1, -(-characters // CHARACTERS_PER_TOKEN))


def tokens(text: str) -> Iterator[str]:
    """Yield `text` token by token."""
    for start in range(0, len(text), CHARACTERS_PER_TOKEN):
        yield text[start : start + CHARACTERS_PER_TOKEN]


def endless() -> Iterator[str]:
    """Yield numbered tokens for ever, one line for every ten."""
    for number in count(1):
        yield f"{number}\n" if number % 10 == 0 else f"{number} "


def filler(characters: int) -> str:
    """Return exactly `characters` of numbered lines; the last says how long the text is."""
    ending = f"\nEnd of {characters} characters."
    lines = "\n".join(f"Line {number:06d} of a long answer." for number in range(1, characters // 30 + 2))
    return (lines[: max(0, characters - len(ending))] + ending)[-characters:]


def grouped(source: Iterable[str], rate: float) -> Iterator[list[str]]:
    """Yield the tokens of `source` as one list per event, sized for `rate` tokens per second (0: no pacing)."""
    size = max(1, -(-int(rate) // EVENTS_PER_SECOND)) if rate else UNPACED_GROUP
    stream = iter(source)
    while group := list(islice(stream, size)):
        yield group
