"""Bookmark.js in a real browser: which session a tab opens by itself, and when that is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

CLASSES = Path(__file__).resolve().parents[2] / "servicenow-app" / "ui-scripts"
#: `answers` are what the calls give in turn; `address` is what stands behind the page's question mark.
BEGIN = """([named, kept]) => {
    window.found = [];
    window.missed = [];
    window.paths = [];
    window.answers = [];
    window.listed = {};
    window.address = named ? {id: 'claude_terminal', session: named} : {id: 'claude_terminal'};
    window.note = kept;
    const location = {
        search: (name, value) => {
            if (name === undefined) {
                return address;
            }
            if (value === null) {
                delete address[name];
            } else {
                address[name] = value;
            }
            return location;
        },
        replace: () => { window.replaced = true; }
    };
    window.bookmark = new window.claudeTerminal.Bookmark({
        memory: {read: () => note, write: (name, value) => { note = value; }},
        location: location,
        calls: {get: (path) => {
            const answer = answers.shift();
            paths.push(path);
            return answer.status ? Promise.reject(answer) : Promise.resolve(answer);
        }},
        promises: {when: (value) => Promise.resolve(value)},
        known: (id) => listed[id] || null,
        onFound: (session) => { found.push(session.sessionId); bookmark.put(session.sessionId); },
        onMissed: (problem) => missed.push(problem && problem.status)
    });
}"""
SETTLE = "() => new Promise((done) => setTimeout(done))"
STATE = (
    "() => ({found, missed, paths, note, named: address.session || null, waits: bookmark._wanted !== null})"
)
GONE = {"status": 404, "own": True}
FOREIGN = {"status": 404, "own": False}
LOST = {"status": -1, "own": False}


@pytest.fixture(scope="module")
def loaded(browser: Browser) -> Iterator[Page]:
    context = browser.new_context()
    page = context.new_page()
    page.add_script_tag(path=CLASSES / "Bookmark.js")
    yield page
    context.close()


def opened(page: Page, *answers: dict[str, Any], named: str | None = None, kept: str | None = None) -> None:
    page.evaluate(BEGIN, [named, kept])
    page.evaluate("(given) => { answers = given; bookmark.open(); }", list(answers))
    page.evaluate(SETTLE)


def state(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(STATE)
    return found


def test_the_session_that_was_open_last_is_opened(loaded: Page) -> None:
    opened(loaded, {"sessionId": "a"}, kept="a")

    assert state(loaded)["found"] == ["a"]
    assert state(loaded)["paths"] == ["/sessions/a"]


def test_a_tab_that_had_none_open_asks_for_none(loaded: Page) -> None:
    opened(loaded)

    assert state(loaded)["paths"] == []


def test_a_session_that_is_listed_is_opened_without_a_call(loaded: Page) -> None:
    loaded.evaluate(BEGIN, [None, "a"])
    loaded.evaluate("() => { listed = {a: {sessionId: 'a'}}; bookmark.open(); }")
    loaded.evaluate(SETTLE)

    assert (state(loaded)["found"], state(loaded)["paths"]) == (["a"], [])


def test_a_link_goes_before_what_was_open_last(loaded: Page) -> None:
    opened(loaded, {"sessionId": "linked"}, named="linked", kept="a")

    assert state(loaded)["found"] == ["linked"]
    assert state(loaded)["named"] == "linked"


def test_after_a_link_another_session_that_was_opened_is_the_one_to_reload(loaded: Page) -> None:
    opened(loaded, {"sessionId": "linked"}, named="linked")

    loaded.evaluate("() => bookmark.put('b')")

    assert (state(loaded)["named"], state(loaded)["note"]) == (None, "b")
    assert loaded.evaluate("() => [address.id, replaced]") == ["claude_terminal", True]


def test_after_a_link_a_session_that_was_left_is_not_opened_by_a_reload(loaded: Page) -> None:
    opened(loaded, {"sessionId": "linked"}, named="linked")

    loaded.evaluate("() => bookmark.put(null)")

    assert (state(loaded)["named"], state(loaded)["note"]) == (None, None)


@pytest.mark.parametrize("named", [None, "a"])
def test_a_session_that_is_gone_is_forgotten_and_only_a_link_to_it_complained_about(
    loaded: Page, named: str | None
) -> None:
    opened(loaded, GONE, named=named, kept="a")

    assert state(loaded) | {"paths": 0} == {
        "found": [],
        "missed": [404 if named else None],
        "paths": 0,
        "note": None,
        "named": None,
        "waits": False,
    }


@pytest.mark.parametrize("problem", [FOREIGN, LOST, {"status": 503, "own": True}, {"status": 401}])
def test_an_outage_forgets_nothing_and_the_session_is_found_afterwards(
    loaded: Page, problem: dict[str, Any]
) -> None:
    opened(loaded, problem, {"sessionId": "a"}, kept="a")
    before = state(loaded)

    loaded.evaluate("() => bookmark.again()")
    loaded.evaluate(SETTLE)

    assert (before["found"], before["note"], before["missed"]) == ([], "a", [problem["status"]])
    assert state(loaded)["found"] == ["a"]
    assert state(loaded)["missed"][-1] is None


def test_what_was_picked_meanwhile_is_not_taken_away(loaded: Page) -> None:
    loaded.evaluate(BEGIN, [None, "a"])
    loaded.evaluate("() => { answers = [{sessionId: 'a'}]; bookmark.open(); bookmark.put('b'); }")
    loaded.evaluate(SETTLE)

    assert (state(loaded)["found"], state(loaded)["note"]) == ([], "b")
    loaded.evaluate("() => bookmark.again()")
    assert len(state(loaded)["paths"]) == 1  # nothing is looked for any more
