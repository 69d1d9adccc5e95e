"""Answering what programs ask their terminal, away from the reader thread.

A cursor report needs the screen rendered, which takes milliseconds that other sessions must not wait for.
"""

from __future__ import annotations

import logging
import queue
import threading

from sidecar.errors import InputStalled
from sidecar.terminal import queries
from sidecar.terminal.console import Console

log = logging.getLogger(__name__)

#: Questions that may wait; a program that asks faster gets no answer to the rest.
_MOST = 256


class Responder:
    """One thread and a bounded queue."""

    def __init__(self) -> None:
        """Prepare; `start` begins."""
        self._questions: queue.Queue[tuple[Console, bytes] | None] = queue.Queue(_MOST)
        self._thread = threading.Thread(target=self._run, name="terminal-responder", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._questions.put(None)
        self._thread.join()

    def ask(self, console: Console, question: bytes) -> None:
        """Take a question without ever waiting."""
        try:
            self._questions.put_nowait((console, question))
        except queue.Full:
            log.debug("a terminal question was left unanswered")

    def _run(self) -> None:
        while (item := self._questions.get()) is not None:
            console, question = item
            try:
                row, column = console.cursor() if queries.needs_cursor(question) else (0, 0)
                console.reply(queries.answer(question, row, column))
            except InputStalled:
                log.debug("a program asked but does not read the answer")
            except Exception:
                log.exception("a terminal question could not be answered")
