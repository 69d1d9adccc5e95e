"""Places for calls that wait, so that there are always threads for those that do not."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager

from flask import Flask, current_app, g

from sidecar.config import FREE_THREADS, WAITING_PER_USER
from sidecar.errors import TooManyWaiting

#: Who waits when the service token waits for all users.
EVERYBODY = "*"


class Places:
    """Counts calls that wait, and those that may have to. Nobody waits for a place: one too many is refused."""

    def __init__(self, total: int, per_user: int) -> None:
        """Begin with all places free."""
        self._total = total
        self._per_user = per_user
        # So that commands of one user, which may all wait for each other, leave room for those of others.
        self._share = max(per_user, total // 2)
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()
        self._waiting: dict[str, Counter[str]] = {}

    @property
    def held(self) -> int:
        """Return how many calls have a place now."""
        return self._taken.total()

    @contextmanager
    def among_all(self, user: str) -> Iterator[None]:
        """Hold one of all places.

        Raises:
            TooManyWaiting: there is none, or the user has half of them.
        """
        with self._lock:
            if self._taken.total() >= self._total or self._taken[user] >= self._share:
                raise TooManyWaiting("Too many calls are waiting in the service; ask without waiting.")
            self._taken[user] += 1
        try:
            yield
        finally:
            with self._lock:
                _give_back(self._taken, user)

    @contextmanager
    def among_own(self, user: str, name: str) -> Iterator[None]:
        """Hold one of the user's places; calls of one name, of which only the last goes on waiting, share one.

        Raises:
            TooManyWaiting: the user has as many as allowed.
        """
        with self._lock:
            own = self._waiting.get(user, Counter())
            if name not in own and len(own) >= self._per_user:
                raise TooManyWaiting
            own[name] += 1
            self._waiting[user] = own
        try:
            yield
        finally:
            with self._lock:
                _give_back(own, name)
                if not own:
                    del self._waiting[user]


def _give_back(places: Counter[str], name: str) -> None:
    places[name] -= 1
    if not places[name]:
        del places[name]


def register(app: Flask, threads: int) -> None:
    """Give `app` its places."""
    app.extensions["places"] = Places(threads - FREE_THREADS, WAITING_PER_USER)


@contextmanager
def waiting(user: str, wait: float, *, name: str | None = None) -> Iterator[None]:
    """Hold a place for a call that waits up to `wait`; one that does not wait needs none.

    Raises:
        TooManyWaiting: there is no place.
    """
    with ExitStack() as stack:
        if wait:
            g.waited = True  # before it answers, the credential is looked at again
            _enter(stack, "place", _places().among_all(user))
            _enter(stack, "own_place", _places().among_own(user, name or str(id(stack))))
        yield


@contextmanager
def queueing(user: str, wait: float, *, gives_way: bool = False) -> Iterator[bool]:
    """Hold a place for a call that may have to wait for others, whatever `wait` it asks for.

    Gives whether it may wait. One that `gives_way` is not refused when all of the user's places are taken.

    Raises:
        TooManyWaiting: there is no place.
    """
    with ExitStack() as stack:
        _enter(stack, "place", _places().among_all(user))
        try:
            stack.enter_context(waiting(user, wait))
        except TooManyWaiting:
            if not gives_way:
                raise
            wait = 0
        yield wait > 0


def _enter(stack: ExitStack, kind: str, place: AbstractContextManager[None]) -> None:
    """Take a place, unless the request has one of this kind."""
    if kind not in g:
        stack.enter_context(place)
        setattr(g, kind, True)
        stack.callback(g.pop, kind)


def _places() -> Places:
    found: Places = current_app.extensions["places"]
    return found
