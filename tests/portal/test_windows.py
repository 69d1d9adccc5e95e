"""Several windows at one portal: another user sees nothing, of two tabs only one types, and keys alone suffice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.fixtures.browser import REFUSALS, MakeVisitor, Visitor
from tests.fixtures.loop import PASSWORD, Loop
from tests.portal.seat import KEYS, Seat
from tests.servicenow.terminal import mark
from tests.waiting import until

pytestmark = pytest.mark.timeout(300)  # everything is started for the first test
PATIENCE_S = 40
PAGES = ("claude_terminal", "claude_credential_setup", "claude_admin")
#: What has to have a name that a screen reader can tell.
CONTROLS = {
    "button",
    "checkbox",
    "combobox",
    "img",
    "link",
    "listbox",
    "menuitem",
    "radio",
    "searchbox",
    "switch",
    "tab",
    "textbox",
}


# -- another user --------------------------------------------------------------------------------------------


@pytest.fixture
def bob(loop: Loop, visitors: MakeVisitor) -> Visitor:
    """Return a window in which bob is signed in."""
    visitor = visitors(loop.platform)
    visitor.visit("claude_terminal")
    visitor.sign_in("bob", PASSWORD)
    visitor.page.wait_for_url("**/claude?*")
    return visitor


def test_another_user_sees_nothing_of_a_session(seat: Seat, bob: Visitor) -> None:
    word, session = mark(), seat.terminal.session
    seat.say(word)
    seat.await_text(f"You said: {word}")
    bob.complaints.expect(REFUSALS)
    heard: list[str] = []
    bob.page.on("response", lambda answer: heard.append(answer.url))

    bob.visit("claude_terminal", session=session)

    bob.page.get_by_text("This session is gone").wait_for()
    bob.picture("terminal-of-somebody-else")
    seat.say(f"again {word}")
    seat.await_text(f"You said: again {word}")
    html = bob.page.content()
    assert word not in html
    assert session not in bob.page.locator("body").inner_text()
    assert any(session in url for url in heard), "the page never asked for it"
    for path in ("", "/output?cursor=0"):
        url = f"/api/x_claude_terminal/v1/sessions/{session}{path}"
        assert status(bob.page, url) == 404


def test_another_users_watcher_hears_nothing(seat: Seat, bob: Visitor) -> None:
    """The row is watched by its sys_id, which is no secret; the instance tells its owner alone."""
    row = seat.terminal.told["sysId"]
    for page in (seat.page, bob.page):
        page.evaluate(WATCH, row)
    word = mark()
    seat.say(word)
    seat.await_text(f"You said: {word}")

    assert until(lambda: seat.page.evaluate("() => window.heardEvents") > 0, PATIENCE_S)
    assert bob.page.evaluate("() => window.heardEvents") == 0


#: As a widget does it, with the page's own service.
WATCH = """(row) => {
    window.heardEvents = 0;
    const injector = angular.element(document.body).injector() || angular.element(document).injector();
    const scope = injector.get('$rootScope').$new();
    injector.get('spUtil').recordWatch(scope, 'x_claude_terminal_session', 'sys_id=' + row, () => {
        window.heardEvents += 1;
    });
}"""


def status(page: Page, url: str) -> int:
    """Return how the instance answers a call of a page's own script."""
    found: int = page.evaluate(
        "(url) => fetch(url, {headers: {'X-UserToken': window.g_ck}}).then((answer) => answer.status)", url
    )
    return found


# -- two tabs ------------------------------------------------------------------------------------------------


@pytest.fixture
def second(seat: Seat) -> Iterator[Seat]:
    """Return another tab with the same session."""
    tab = seat.visitor.tab()
    other = Seat(tab, seat.terminal)
    other.open()
    yield other
    tab.page.close()


def test_a_second_tab_reads_along_until_it_takes_over(seat: Seat, second: Seat) -> None:
    word = mark()
    seat.say(word)
    second.await_text(f"You said: {word}")
    second.focus()
    second.type("not from here")
    take = second.page.get_by_role("button", name="Take over")
    take.wait_for()
    second.visitor.picture("terminal-read-only")

    take.click()

    seat.page.get_by_role("button", name="Take over").wait_for()
    second.focus()
    second.type("from the second")
    seat.await_text("from the second")
    second.press("Enter")
    second.await_text("You said: from the second")
    assert not any("not from here" in line for line in second.lines)
    seat.focus()
    seat.type("not from the first either")
    second.focus()
    second.say("the end")
    seat.await_text("You said: the end")
    assert not any("not from the first" in line for line in seat.lines)


def test_a_tab_that_is_closed_leaves_the_keyboard_to_the_other(seat: Seat, second: Seat) -> None:
    second.page.get_by_role("button", name="Take over").wait_for()
    seat.visitor.page.goto("about:blank")

    # Whoever looks at it takes the keyboard without being asked.
    second.page.get_by_role("button", name="Take over").wait_for(state="hidden")
    second.focus()
    second.say("still here")
    second.await_text("You said: still here")


# -- without a mouse, without eyes ---------------------------------------------------------------------------


def focused(page: Page) -> str:
    """Return what has the focus, as a person would name it."""
    found: str = page.evaluate(
        """() => {
            const one = document.activeElement;
            return one.getAttribute('aria-label') || one.textContent.trim() || one.className || one.tagName;
        }"""
    )
    return found


def test_keys_alone_go_through_everything(seat: Seat) -> None:
    seat.press("Tab")
    listened = [focused(seat.page)]
    seat.press("F6")
    assert seat.page.evaluate(f"() => !document.activeElement.matches('{KEYS}')")
    for _ in range(40):
        listened.append(focused(seat.page))
        if seat.page.evaluate(f"() => document.activeElement.matches('{KEYS}')"):
            break
        ring = seat.page.evaluate(
            "() => { const style = getComputedStyle(document.activeElement);"
            " return style.outlineStyle !== 'none' || style.boxShadow !== 'none'; }"
        )
        assert ring or focused(seat.page) == "BODY", f"{listened[-1]} shows no focus"
        seat.press("Tab")

    assert "Interrupt (Esc)" in listened, listened
    assert "New session" in listened, listened


def test_a_button_is_pressed_with_enter_and_with_space(seat: Seat) -> None:
    for key in ("Enter", "Space"):
        seat.focus()
        seat.say(f"[[endless]] until {key}")
        seat.await_text("esc to interrupt")
        button = seat.page.get_by_role("button", name="Interrupt (Esc)")
        button.focus()
        seat.press(key)
        seat.await_text("? for shortcuts")


def tree(page: Page) -> list[dict[str, Any]]:
    """Return what assistive technology is told of a page."""
    session = page.context.new_cdp_session(page)
    nodes: list[dict[str, Any]] = session.send("Accessibility.getFullAXTree")["nodes"]
    session.detach()
    return [node for node in nodes if not node.get("ignored")]


@pytest.mark.parametrize("name", PAGES)
def test_everything_that_can_be_used_has_a_name(seat: Seat, name: str) -> None:
    if name != "claude_terminal":
        seat.visitor.visit(name)
        seat.page.get_by_role("heading").first.wait_for()
    nodes = tree(seat.page)
    controls = [node for node in nodes if node["role"]["value"] in CONTROLS]

    assert controls
    assert [node for node in controls if not str(node.get("name", {}).get("value", "")).strip()] == []


def test_changes_of_state_are_told(seat: Seat) -> None:
    seat.say("[[endless]] listen")
    told = seat.page.locator("p[aria-live=polite]")

    assert until(lambda: "Claude is working" in told.inner_text(), PATIENCE_S), told.inner_text()
    seat.press("Escape")
    assert until(lambda: "Claude waits for you" in told.inner_text(), PATIENCE_S), told.inner_text()
