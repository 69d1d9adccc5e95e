"""Telling on standard error what is being measured; standard output is for the result."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

#: One for all, so that lines are written above a bar and not through it.
_CONSOLE = Console(stderr=True, highlight=False, soft_wrap=True)
#: Without a terminal there is no bar, but a line each time so much of it is done.
_TOLD = 4


def say(text: str) -> None:
    """Print one line of progress."""
    _CONSOLE.print(f"bench: {escape(text)}")


def warn(text: str) -> None:
    """Print one line in red: something is lost, out of order, or not as good as it has to be."""
    _CONSOLE.print(f"[bold red]bench: {escape(text)}[/]")


@contextmanager
def bar(title: str, total: int) -> Iterator[Callable[[], None]]:
    """Show how far something with `total` steps is; give what is called after each step."""
    columns = (
        TextColumn("bench: {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    if not _CONSOLE.is_terminal:
        yield _lines(title, total)
        return
    # Seldom: drawing takes time of the process that measures.
    with Progress(*columns, console=_CONSOLE, transient=True, refresh_per_second=1) as shown:
        task = shown.add_task(escape(title), total=total)
        yield lambda: shown.advance(task)


def _lines(title: str, total: int) -> Callable[[], None]:
    done = 0

    def step() -> None:
        nonlocal done
        before, done = _TOLD * done // total, done + 1
        if _TOLD * done // total > before:
            say(f"{title}, {done} of {total}")

    return step
