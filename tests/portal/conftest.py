"""Windows at the portal that the tests of a file share."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from contextlib import suppress

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Error as PlaywrightError

from tests.fixtures.browser import Visitor, window
from tests.fixtures.loop import PASSWORD, Loop
from tests.portal.seat import NOTE_WRITES, Seat
from tests.servicenow.terminal import Terminal

Report = Generator[None, pytest.TestReport, pytest.TestReport]


@pytest.fixture(scope="module")
def alices_window(browser: Browser, loop: Loop) -> Iterator[Visitor]:
    """Return a window in which alice is signed in; the tests of a file share it, each with a session of its own."""
    with window(browser, loop.platform) as visitor:
        visitor.context.add_init_script(NOTE_WRITES)
        visitor.visit("claude_terminal")
        visitor.sign_in("alice", PASSWORD)
        visitor.page.wait_for_url("**/claude?*")
        yield visitor


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Report:
    """Keep a picture of what was seen when a test failed."""
    report = yield
    window = getattr(item, "funcargs", {}).get("alices_window")
    if report.failed and window is not None:
        with suppress(PlaywrightError):
            window.picture(f"failed-{item.name}")
            item.add_report_section(call.when, "page", "\n".join([window.page.url, *window.complaints.made]))
    return report


MakeSeat = Callable[[], Seat]


@pytest.fixture
def make_seat(loop: Loop, alices_window: Visitor) -> Iterator[MakeSeat]:
    """Return a maker of new sessions of alice, each open in her window in turn."""
    made: list[Terminal] = []

    def make() -> Seat:
        terminal = Terminal(loop, loop.alice, loop.alice.create(columns=100, rows=30))
        made.append(terminal)
        seat = Seat(alices_window, terminal)
        seat.open()
        return seat

    yield make
    alices_window.page.goto(
        "about:blank"
    )  # what is typed or asked from now on would be refused, and complained about
    for terminal in made:
        terminal.user.terminate(terminal.session)
    complaints = alices_window.complaints
    found = complaints.unexpected
    complaints.made.clear()
    complaints.expected.clear()
    assert not found


@pytest.fixture
def seat(make_seat: MakeSeat) -> Seat:
    """Return a new session of alice, open in her window."""
    return make_seat()
