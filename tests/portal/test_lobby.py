"""Lobby.js in a real browser: what a user without an open terminal can do, and how fresh that is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

CLASSES = Path(__file__).resolve().parents[2] / "servicenow-app" / "ui-scripts"
FILES = ("Problem", "Label", "Lobby")
#: A lobby with a clock of its own; `answer` is what the next look at the lists gives.
BEGIN = """() => {
    window.answer = null;
    window.idle = true;
    window.asked = 0;
    window.wanted = 0;
    window.changes = 0;
    window.plans = [];
    window.lobby = new window.claudeTerminal.Lobby({
        fetch: (ended) => {
            asked += 1;
            wanted = ended;
            return answer.status === undefined ? Promise.resolve(answer) : Promise.reject(answer);
        },
        timers: {now: () => 0, after: (ms, fn) => plans.push(fn), cancel: (handle) => { plans[handle - 1] = null; }},
        idle: () => idle,
        onChange: () => { changes += 1; }
    });
}"""
UP = {"name": "mid-a", "state": "up", "problem": None}
DOWN = {"name": "mid-b", "state": "down", "problem": "The MID Server mid-b is down."}
SESSION = {"sessionId": "s1", "state": "running", "workspaceType": "isolated", "createdAt": None}
LISTS: dict[str, Any] = {"sessions": [], "mids": [UP], "keyed": ["mid-a"], "problem": None}
REFUSED = {"status": 403, "title": "Forbidden", "detail": "This needs the role."}


@pytest.fixture(scope="module")
def loaded(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    for name in FILES:
        page.add_script_tag(path=CLASSES / f"{name}.js")
    yield page
    context.close()


@pytest.fixture
def page(loaded: Page) -> Page:
    """Return a page with a lobby that knows nothing yet."""
    loaded.evaluate(BEGIN)
    return loaded


def take(page: Page, **changed: Any) -> None:
    page.evaluate("(lists) => lobby.take(lists)", {**LISTS, **changed})


def look(page: Page, answer: dict[str, Any]) -> None:
    """Let the time of the next look come."""
    page.evaluate("(it) => { answer = it; plans.pop()(); }", answer)
    page.evaluate("() => new Promise((done) => setTimeout(done))")


@pytest.mark.parametrize(
    ("lists", "stage"),
    [
        ({}, "first"),
        ({"sessions": [SESSION]}, "choose"),
        ({"mids": [DOWN]}, "down"),
        ({"mids": [DOWN], "sessions": [SESSION]}, "choose"),
        ({"keyed": []}, "keyless"),
        ({"keyed": [], "sessions": [{**SESSION, "state": "terminated"}]}, "keyless"),
        ({"keyed": [], "sessions": [SESSION]}, "choose"),
        ({"mids": []}, "unset"),
        ({"mids": [], "keyed": []}, "unset"),
        ({"mids": [], "problem": REFUSED}, "refused"),
    ],
)
def test_what_comes_first_is_asked_for_first(page: Page, lists: dict[str, Any], stage: str) -> None:
    take(page, **lists)

    assert page.evaluate("() => lobby.stage()") == stage


@pytest.mark.parametrize(
    ("lists", "obstacle"),
    [
        ({}, ""),
        ({"keyed": []}, "Store an API key first"),
        ({"mids": [DOWN]}, "No MID Server is available"),
        ({"mids": [DOWN | {"bridge": "poller"}]}, "No poller is available"),
        ({"mids": []}, "No MID Server is available"),
    ],
)
def test_a_session_needs_a_key_and_a_mid_that_is_up(page: Page, lists: dict[str, Any], obstacle: str) -> None:
    take(page, **lists)

    assert page.evaluate("() => lobby.obstacle()") == obstacle


@pytest.mark.parametrize(
    ("mid", "lack"), [(UP, ""), (DOWN, "not available"), ({**UP, "name": "mid-c"}, "no key stored")]
)
def test_a_mid_that_cannot_be_chosen_says_why(page: Page, mid: dict[str, Any], lack: str) -> None:
    take(page)

    assert page.evaluate("(mid) => lobby.lacks(mid)", mid) == lack


def test_a_refusal_is_told_in_words(page: Page) -> None:
    take(page, problem=REFUSED)

    assert "role" in page.evaluate("() => lobby.refused.text")


def test_a_session_is_found_by_its_id(page: Page) -> None:
    take(page, sessions=[SESSION])

    assert page.evaluate("() => lobby.find('s1').label.name") == "Scratch s1"
    assert page.evaluate("() => lobby.find('s2')") is None


def test_the_lists_are_kept_fresh_while_somebody_sees_them(page: Page) -> None:
    take(page)
    page.evaluate("() => lobby.open()")

    look(page, {**LISTS, "sessions": [SESSION]})
    look(page, {**LISTS, "sessions": [SESSION]})

    assert page.evaluate("() => [asked, lobby.sessions.length, changes]") == [2, 1, 3]


def test_nobody_asks_for_lists_that_nobody_sees(page: Page) -> None:
    take(page)
    page.evaluate("() => { idle = false; lobby.open(); }")

    look(page, LISTS)

    assert page.evaluate("() => asked") == 0
    assert page.evaluate("() => plans.length") == 1  # and goes on looking whether somebody does


def test_more_of_what_has_ended_is_listed_when_somebody_asks(page: Page) -> None:
    page.evaluate("(it) => { answer = it; }", {**LISTS, "more": True})
    first = page.evaluate("() => lobby.refresh().then(() => [lobby.more, wanted])")
    page.evaluate("(it) => { answer = it; }", {**LISTS, "more": False})

    more = page.evaluate("() => lobby.lengthen().then(() => [lobby.more, wanted])")
    again = page.evaluate("() => lobby.refresh().then(() => wanted)")

    assert more[1] > first[1] > 0
    assert more[0] is False
    assert again == more[1]  # a list does not become shorter by itself


def test_a_failure_is_told_and_not_repeated_until_somebody_asks(page: Page) -> None:
    take(page, sessions=[SESSION])
    page.evaluate("() => lobby.open()")

    look(page, {"status": -1})
    look(page, LISTS)

    assert page.evaluate("() => [asked, lobby.sessions.length]") == [1, 1]
    assert page.evaluate("() => lobby.problem.advice().action") == "retry"
    page.evaluate("() => lobby.refresh()")
    assert page.evaluate("() => [asked, lobby.problem]") == [2, None]


def test_a_closed_lobby_looks_no_more(page: Page) -> None:
    page.evaluate("() => { lobby.open(); lobby.close(); }")

    assert page.evaluate("() => plans") == [None]
