"""Places for calls that wait."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from flask import Flask

from sidecar.config import FREE_THREADS, WAITING_PER_USER
from sidecar.errors import TooManyWaiting
from sidecar.web.waiting import Places, queueing, register, waiting


def test_a_user_has_eight_places_and_gets_them_back() -> None:
    places = Places(100, 8)
    with ExitStack() as stack:
        for name in range(8):
            stack.enter_context(places.among_own("ann", str(name)))
        with pytest.raises(TooManyWaiting), places.among_own("ann", "one more"):
            pass
        with places.among_own("bob", "0"):
            pass
    with places.among_own("ann", "one more"):
        pass


def test_calls_of_one_name_share_a_place() -> None:
    """A pump that comes again ends its older call, so it must get in although all places are taken."""
    places = Places(100, 1)
    with places.among_own("ann", "pump"):
        with places.among_own("ann", "pump"):
            pass
        with pytest.raises(TooManyWaiting), places.among_own("ann", "another"):
            pass
    with places.among_own("ann", "another"):
        pass


def test_all_users_together_have_the_total() -> None:
    places = Places(20, 8)
    with ExitStack() as stack:
        for user in range(20):
            stack.enter_context(places.among_all(str(user)))
        with pytest.raises(TooManyWaiting), places.among_all("ann"):
            pass


def test_one_user_has_at_most_half_of_the_total() -> None:
    places = Places(20, 8)
    with ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(places.among_all("ann"))
        with pytest.raises(TooManyWaiting), places.among_all("ann"):
            pass
        with places.among_all("bob"):
            pass


def test_a_place_is_given_back_also_by_a_call_that_fails() -> None:
    places = Places(1, 1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), places.among_all("ann"), places.among_own("ann", "x"):
            raise ZeroDivisionError


@pytest.fixture
def narrow() -> Flask:
    """Return an application with a single place for calls that wait."""
    app = Flask(__name__)
    register(app, FREE_THREADS + 1)
    return app


def test_a_call_that_does_not_wait_needs_no_place(narrow: Flask) -> None:
    with narrow.app_context(), waiting("ann", 1):
        with narrow.app_context(), waiting("bob", 0):
            pass
        with narrow.app_context(), pytest.raises(TooManyWaiting), waiting("bob", 1):
            pass
        with narrow.app_context(), pytest.raises(TooManyWaiting), queueing("bob", 0):
            pass


def test_a_call_takes_no_second_place_when_it_waits_again(narrow: Flask) -> None:
    with narrow.app_context():
        for wait in (0, 1):
            with queueing("ann", wait), waiting("ann", 1), waiting("ann", 1):
                pass
        with waiting("ann", 1):
            pass


def test_a_call_that_gives_way_goes_on_without_waiting_when_its_user_has_no_place() -> None:
    roomy = Flask(__name__)
    register(roomy, FREE_THREADS + 4 * WAITING_PER_USER)
    with ExitStack() as stack:
        for _ in range(WAITING_PER_USER):
            stack.enter_context(roomy.app_context())
            assert stack.enter_context(queueing("ann", 1, gives_way=True))

        with roomy.app_context(), queueing("ann", 1, gives_way=True) as waits:
            assert not waits
        with roomy.app_context(), pytest.raises(TooManyWaiting), queueing("ann", 1):
            pass
