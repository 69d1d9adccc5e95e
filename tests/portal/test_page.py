"""Label, Memory and Page in a real browser: the small classes that a widget's client script puts together."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request

CLASSES = Path(__file__).resolve().parents[2] / "servicenow-app" / "ui-scripts"
FILES = ("Label", "Memory", "Page")
BODY = "<!doctype html><div id=box></div>"


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """Return a page with the classes in it."""
    context = browser.new_context(viewport={"width": 800, "height": 600})
    context.route("**/*", lambda route: route.fulfill(content_type="text/html", body=BODY))
    page = context.new_page()
    page.goto("http://127.0.0.1/")
    for name in FILES:
        page.add_script_tag(path=CLASSES / f"{name}.js")
    page.evaluate("() => { window.g_ck = 'the token'; window.own = new window.claudeTerminal.Page(window); }")
    yield page
    context.close()


def label(page: Page, function: str, *arguments: Any) -> Any:
    call = "([name, given]) => window.claudeTerminal.Label[name](...given)"
    return page.evaluate(call, [function, list(arguments)])


# -- a session in words --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("session", "text"),
    [
        (None, "Connecting"),
        ({"state": ""}, "Connecting"),
        ({"state": "starting"}, "Starting"),
        ({"state": "running", "activity": "idle"}, "Running"),
        ({"state": "running", "activity": "busy"}, "Busy"),
        ({"state": "running", "activity": "awaiting_input"}, "Asks a question"),
        ({"state": "hibernated", "activity": "busy"}, "Hibernated"),
        ({"state": "interrupted"}, "Interrupted"),
        ({"state": "terminated"}, "Ended"),
        ({"state": "failed"}, "Ended"),
        ({"state": "running", "reachable": False}, "Unreachable"),
        ({"state": "terminated", "reachable": False}, "Ended"),
    ],
)
def test_a_state_has_a_word(page: Page, session: dict[str, Any] | None, text: str) -> None:
    said = label(page, "state", session)

    assert said["text"] == text
    assert said["hint"].endswith(".")


def test_why_a_session_cannot_be_reached_is_said_in_the_instances_words(page: Page) -> None:
    session = {"state": "running", "reachable": False, "problem": "The MID Server mid-a is down."}

    assert label(page, "state", session)["hint"] == "The MID Server mid-a is down."


@pytest.mark.parametrize(
    ("seconds", "age"),
    [
        (-5, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (3599, "59 min ago"),
        (7200, "2 h ago"),
        (3 * 86400, "3 d ago"),
    ],
)
def test_an_age_is_told_roughly(page: Page, seconds: int, age: str) -> None:
    began = page.evaluate("() => Date.parse('2026-01-15T09:30:00Z')")

    assert label(page, "age", "2026-01-15T09:30:00Z", began + seconds * 1000) == age


@pytest.mark.parametrize("time", [None, "", "yesterday"])
def test_an_unknown_time_has_no_age(page: Page, time: str | None) -> None:
    assert label(page, "age", time, 0) == ""


@pytest.mark.parametrize(
    ("milliseconds", "text"), [(None, ""), (0, "0.0 s"), (412, "0.4 s"), (12340, "12.3 s")]
)
def test_a_latency_is_told_in_seconds(page: Page, milliseconds: int | None, text: str) -> None:
    assert label(page, "latency", milliseconds) == text


@pytest.mark.parametrize(
    ("session", "name"),
    [
        ({"workspaceType": "persistent", "workspaceName": "docs", "sessionId": "aa06bb"}, "docs"),
        ({"workspaceType": "persistent", "workspaceName": None, "sessionId": "aa06bb"}, "default"),
        ({"workspaceType": "isolated", "workspaceName": "default", "sessionId": "aa06bb"}, "Scratch aa06"),
    ],
)
def test_a_session_has_a_name(page: Page, session: dict[str, Any], name: str) -> None:
    assert label(page, "name", session) == name


def test_sessions_that_have_ended_come_last(page: Page) -> None:
    sessions = [
        {"sessionId": number, "state": state, "createdAt": "2026-01-15T09:30:00Z"}
        for number, state in (("1", "terminated"), ("2", "running"), ("3", "failed"), ("4", "hibernated"))
    ]

    found = label(page, "all", sessions, 0)

    assert [each["sessionId"] for each in found] == ["2", "4", "1", "3"]
    assert found[0]["label"] == {
        "name": "Scratch 2",
        "state": label(page, "state", sessions[1]),
        "age": "just now",
    }


# -- what is remembered --------------------------------------------------------------------------------------


def test_what_is_written_is_read_again_and_forgotten_on_demand(page: Page) -> None:
    assert page.evaluate("() => own.tab.write('a', {b: 1}) && own.tab.read('a')") == {"b": 1}
    assert page.evaluate("() => own.browser.read('a')") is None
    assert page.evaluate("() => own.tab.write('a', null) && own.tab.read('a')") is None
    assert page.evaluate("() => sessionStorage.length") == 0


def test_a_note_that_makes_no_sense_is_none(page: Page) -> None:
    assert page.evaluate("() => { sessionStorage.setItem('a', '{'); return own.tab.read('a'); }") is None


def test_a_browser_that_forbids_storage_is_no_error(page: Page) -> None:
    said = page.evaluate("""() => {
        const memory = new window.claudeTerminal.Memory(() => { throw new Error('forbidden'); });
        return [memory.write('a', 1), memory.read('a')];
    }""")

    assert said == [False, None]


# -- the window ----------------------------------------------------------------------------------------------


def test_a_box_reaches_down_to_the_windows_edge(page: Page) -> None:
    script = (
        "(least) => { own.fill(box, least, 12); return box.getBoundingClientRect().height + box.offsetTop; }"
    )

    assert page.evaluate(script, 100) == 600 - 12
    assert page.evaluate(script, 5000) > 5000


def test_a_page_that_was_left_hears_nothing_more(page: Page) -> None:
    said = page.evaluate("""() => {
        let heard = 0;
        const tell = () => {
            window.dispatchEvent(new Event('online'));
            document.dispatchEvent(new Event('visibilitychange'));
        };
        own.listen({online: () => { heard += 1; }, visibilitychange: () => { heard += 10; }});
        tell();
        own.deafen();
        tell();
        return heard;
    }""")

    assert said == 11


def test_what_is_posted_while_leaving_proves_who_posts_it(page: Page) -> None:
    def leave(request: Request) -> bool:
        return request.url.endswith("/leave")

    with page.expect_request(leave) as caught:
        page.evaluate("() => own.send('/leave', {release: true})")

    assert caught.value.method == "POST"
    assert caught.value.post_data_json == {"release": True}
    assert caught.value.headers["x-usertoken"] == "the token"


def test_what_is_lost_while_leaving_is_no_error_of_the_page(page: Page) -> None:
    page.route("**/lost", lambda route: route.abort())
    said = page.evaluate("""() => new Promise((done) => {
        const heard = [];
        window.addEventListener('unhandledrejection', (event) => heard.push(String(event.reason)));
        own.send('/lost', {release: true});
        // A second one that is lost as well, and by which the first is over.
        fetch('/lost').catch(() => setTimeout(() => done(heard), 50));
    })""")

    assert said == []


def test_a_timer_can_be_taken_back(page: Page) -> None:
    said = page.evaluate("""() => new Promise((done) => {
        const timers = own.timers;
        const began = timers.now();
        timers.cancel(timers.after(1, () => done('not taken back')));
        timers.after(20, () => done(timers.now() > began));
    })""")

    assert said is True


def test_a_clipboard_that_may_not_be_read_is_refused_not_empty(page: Page) -> None:
    assert page.evaluate("() => own.clipboard().then(() => 'read', () => 'refused')") == "refused"
