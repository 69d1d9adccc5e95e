"""The page with the terminal, in a real browser: what it offers, asks and says; the sidecar is the test itself."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from emulator.platform import Platform
from tests.fakes.queue import Call
from tests.fixtures.browser import REFUSALS, UNREACHED, MakeVisitor, Visitor, window
from tests.fixtures.servicenow import MID
from tests.servicenow.conftest import Desk, told
from tests.waiting import until

PATIENCE_S = 60
#: Where the push channel has not told anything yet, the page looks each ten seconds at least.
SOON_MS = 30_000
ROLE = "x_claude_terminal.user"
FORGET = f"""(function () {{
    ['session', 'request', 'output'].forEach(function (name) {{
        var row = new GlideRecord('x_claude_terminal_' + name);
        row.setWorkflow(false);
        row.deleteMultiple();
    }});
    gs.setProperty('x_claude_terminal.mids', '{MID}');
}})()"""


@pytest.fixture(scope="module")
def alice(desk: Desk, browser: Browser, installed_platform: Platform) -> Iterator[Visitor]:
    """Return a window in which alice is signed in."""
    with window(browser, installed_platform) as visitor:
        visitor.visit("claude_terminal")
        visitor.sign_in("alice", desk.password)
        visitor.page.wait_for_url("**/claude?*")
        yield visitor


@pytest.fixture
def page(desk: Desk, alice: Visitor) -> Iterator[Page]:
    """Return the window of alice, who has a key and no session yet."""
    alice.page.goto("about:blank")
    desk.script(FORGET)
    mid(desk, "up")
    yield alice.page
    alice.page.goto(f"{alice.origin}/claude?id=claude_credential_setup")
    alice.page.evaluate("() => { sessionStorage.clear(); localStorage.clear(); }")
    assert not alice.complaints.unexpected
    alice.complaints.made.clear()
    alice.complaints.expected.clear()


def mid(desk: Desk, state: str, problem: str = "") -> None:
    desk.change("mid_status", f"mid_name={MID}", state=state, problem=problem)


def stranger(desk: Desk, platform: Platform, visitor: Visitor, name: str, roles: list[str]) -> Page:
    """Let a new user open the page."""
    desk.instance.create_user(name, desk.password, roles)
    assert platform.url == visitor.origin
    visitor.visit("claude_terminal")
    visitor.sign_in(name, desk.password)
    return visitor.page


def sent(desk: Desk, op: str, before: int = 0) -> Call:
    """Wait for a call that was not there before."""
    assert until(lambda: len(desk.queue.calls(op)) > before, PATIENCE_S), f"no call {op} came"
    return desk.queue.calls(op)[-1]


def started(desk: Desk, alice: Visitor) -> str:
    """Start alice's first session; return its id once its terminal is open."""
    before = len(desk.queue.calls("create"))
    alice.visit("claude_terminal")
    alice.page.get_by_role("button", name="Start your first session").click()
    sent(desk, "create", before)
    session = desk.rows("session")[0]["session_id"]
    desk.reply("create", told(session, desk.users["alice"], columns=80, rows=24), session)
    expect(alice.page.locator(".ct-about")).to_contain_text("Running", timeout=SOON_MS)
    painted(desk, alice.page, session, "Welcome")
    return session


def painted(desk: Desk, page: Page, session: str, text: str, offset: int = 0) -> None:
    """Answer the page's wish for the rendered screen, and wait until it is painted."""
    assert until(lambda: bool(desk.queue.calls("screen", session)), PATIENCE_S)
    picture = {"ansi": f"\x1b[2J\x1b[1;1H{text}", "columns": 80, "rows": 24, "offset": offset}
    desk.reply("screen", picture | {"lines": [], "title": "", "approximate": False}, session)
    expect(page.locator(".xterm-rows")).to_contain_text(text, timeout=SOON_MS)


def shown(desk: Desk, session: str, text: str) -> None:
    """Let the program of a session that has printed nothing yet print a text, and be busy."""
    assert until(lambda: session in desk.last("outputs").body["cursors"], PATIENCE_S)
    data = b64encode(text.encode()).decode()
    piece = {"data": data, "encoding": "base64", "nextCursor": len(text.encode()), "dropped": 0}
    desk.reply("outputs", {"sessions": {session: {**piece, "state": "running", "activity": "busy"}}})


def remembered(page: Page) -> str:
    found: str = page.evaluate("() => JSON.stringify([sessionStorage, localStorage])")
    return found


# -- what is missing -----------------------------------------------------------------------------------------


def test_who_has_no_key_is_led_to_where_it_is_stored(
    desk: Desk, visitors: MakeVisitor, installed_platform: Platform
) -> None:
    page = stranger(desk, installed_platform, visitors(installed_platform), "keyless", [ROLE])

    expect(page.get_by_role("heading", name="First, store your API key")).to_be_visible()
    expect(page.get_by_role("button", name="New session")).to_be_hidden()
    page.get_by_role("link", name="Store an API key").click()
    page.wait_for_url("**id=claude_credential_setup*")


def test_who_lacks_the_role_is_told_which(
    desk: Desk, visitors: MakeVisitor, installed_platform: Platform
) -> None:
    page = stranger(desk, installed_platform, visitors(installed_platform), "passer-by", [])

    expect(page.locator(".ct-welcome")).to_contain_text(ROLE)
    expect(page.get_by_role("button", name="New session")).to_be_hidden()


def test_without_a_mid_server_an_administrator_is_needed(desk: Desk, alice: Visitor, page: Page) -> None:
    desk.property("mids", "")
    alice.visit("claude_terminal")

    expect(page.locator(".ct-welcome")).to_contain_text("x_claude_terminal.mids")
    expect(page.get_by_role("link", name="Administration")).to_have_count(0)


def test_why_no_mid_server_can_be_used_is_said_and_looked_at_again(
    desk: Desk, alice: Visitor, page: Page
) -> None:
    mid(desk, "down", "The sidecar's database is away.")
    alice.visit("claude_terminal")
    expect(page.locator(".ct-welcome")).to_contain_text("The sidecar's database is away.")

    mid(desk, "up")
    page.get_by_role("button", name="Look again").click()

    expect(page.get_by_role("button", name="Start your first session")).to_be_visible()


def test_a_widget_without_its_library_says_so(alice: Visitor, page: Page) -> None:
    alice.complaints.expect(UNREACHED)
    page.route("**/x_claude_terminal.xterm.jsdbx*", lambda route: route.abort())
    try:
        alice.visit("claude_terminal")

        expect(page.get_by_text("This widget lacks its scripts")).to_be_visible()
        expect(page.get_by_role("button", name="New session")).to_be_hidden()
    finally:
        page.unroute_all()


# -- sessions ------------------------------------------------------------------------------------------------


def test_the_first_session_is_one_button_and_has_the_size_of_the_window(
    desk: Desk, alice: Visitor, page: Page
) -> None:
    session = started(desk, alice)

    body = desk.last("create").body
    assert (body["workspaceType"], body["workspaceName"]) == ("persistent", "default")
    assert 100 < body["columns"] < 200
    assert 20 < body["rows"] < 60
    assert "textarea" in page.evaluate("() => document.activeElement.className")
    assert json.loads(page.evaluate("() => sessionStorage['claude_terminal.session']")) == session


def test_a_session_is_started_as_the_form_says(desk: Desk, alice: Visitor, page: Page) -> None:
    before = len(desk.queue.calls("create"))
    alice.visit("claude_terminal")
    page.get_by_role("button", name="Choose a workspace or a model").click()
    dialog = page.get_by_role("dialog", name="New session")
    dialog.get_by_label("Name of the workspace").fill("docs")
    dialog.get_by_label("MID Server").select_option(MID)
    dialog.get_by_label("Model").fill("claude-opus-5-5")

    dialog.get_by_role("button", name="Start").click()

    body = sent(desk, "create", before).body
    assert (body["workspaceName"], body["model"]) == ("docs", "claude-opus-5-5")
    expect(page.get_by_role("heading", name=f"Starting Claude on {MID}")).to_be_visible()


def test_a_name_that_no_workspace_may_have_is_not_sent(desk: Desk, alice: Visitor, page: Page) -> None:
    before = len(desk.queue.calls("create"))
    alice.visit("claude_terminal")
    page.get_by_role("button", name="Choose a workspace or a model").click()
    dialog = page.get_by_role("dialog", name="New session")
    dialog.get_by_label("Name of the workspace").fill("../etc")
    dialog.get_by_role("button", name="Start").click()

    assert dialog.get_by_label("Name of the workspace").evaluate("(field) => field.matches(':invalid')")
    expect(dialog).to_be_visible()
    assert len(desk.queue.calls("create")) == before


def test_why_claude_did_not_start_is_said_in_words(desk: Desk, alice: Visitor, page: Page) -> None:
    before = len(desk.queue.calls("create"))
    alice.visit("claude_terminal")
    page.get_by_role("button", name="Start your first session").click()
    sent(desk, "create", before)
    desk.refuse("create", 503, "Claude Code is not installed on this host.")

    expect(page.get_by_role("alert")).to_contain_text("Claude Code is not installed on this host.")
    expect(page.get_by_role("alert")).not_to_contain_text("503")


def test_a_session_that_is_picked_is_painted(desk: Desk, alice: Visitor, page: Page) -> None:
    desk.session("bob")
    session = desk.session("alice")
    known = {"workspace_type": "persistent", "workspace_name": "notes", "output_offset": "5"}
    desk.change("session", f"session_id={session}", **known)
    alice.visit("claude_terminal")
    chooser = page.locator(".ct-chooser")
    expect(chooser.get_by_role("button")).to_have_count(1)  # bob's is not alice's

    chooser.get_by_role("button", name="notes").click()
    expect(page.get_by_text("Fetching the screen")).to_be_visible(timeout=SOON_MS)
    painted(desk, page, session, "good morning", offset=5)

    expect(page.get_by_text("Fetching the screen")).to_be_hidden()


def test_what_the_program_prints_is_painted_and_never_kept_in_the_browser(
    desk: Desk, alice: Visitor, page: Page
) -> None:
    session = started(desk, alice)
    shown(desk, session, "a word to nobody")

    expect(page.locator(".xterm-rows")).to_contain_text("a word to nobody", timeout=SOON_MS)
    expect(page.locator(".ct-about")).to_contain_text("Busy")
    assert "a word" not in remembered(page)


def test_a_session_of_somebody_else_is_gone(desk: Desk, alice: Visitor, page: Page) -> None:
    session = desk.session("bob")
    alice.complaints.expect(REFUSALS)

    alice.visit("claude_terminal", session=session)

    expect(page.get_by_role("alert")).to_contain_text("It has ended, or it is not yours.")


def test_a_session_ends_only_when_that_is_confirmed(desk: Desk, alice: Visitor, page: Page) -> None:
    session = started(desk, alice)
    page.get_by_role("button", name="End session").click()
    dialog = page.get_by_role("alertdialog", name="End this session?")
    dialog.get_by_role("button", name="Keep it").click()
    expect(dialog).to_be_hidden()
    assert not desk.queue.calls("terminate", session)

    page.get_by_role("button", name="End session").click()
    dialog.get_by_role("button", name="End session").click()
    assert until(lambda: bool(desk.queue.calls("terminate", session)), PATIENCE_S)
    desk.reply("terminate", {"terminated": True}, session)

    expect(page.get_by_text("This session has ended", exact=True)).to_be_visible(timeout=SOON_MS)
    page.get_by_role("button", name="Your sessions").click()
    expect(page.locator(".ct-chooser")).to_contain_text("Ended")


# -- many sessions -------------------------------------------------------------------------------------------

ENDED = f"""(function (user, many) {{
    var row, i;
    for (i = 0; i < many; i++) {{
        row = new GlideRecord('x_claude_terminal_session');
        row.initialize();
        row.setValue('session_id', '00000000-0000-4000-8000-' + ('000000000000' + i).slice(-12));
        row.setValue('user', user);
        row.setValue('state', 'terminated');
        row.setValue('mid_name', '{MID}');
        row.setWorkflow(false);
        row.insert();
    }}
}})"""


def test_a_living_session_is_listed_however_many_have_ended_since(
    desk: Desk, alice: Visitor, page: Page
) -> None:
    session = desk.session("alice")
    desk.instance.script(f"""(function () {{ // as if it had been made long before the others
        var row = new GlideRecord('x_claude_terminal_session');
        row.get('session_id', '{session}');
        row.autoSysFields(false);
        row.setWorkflow(false);
        row.setValue('sys_created_on', '2020-01-01 00:00:00');
        row.update();
    }})()""")
    desk.script(f"{ENDED}('{desk.users['alice']}', 60)")

    alice.visit("claude_terminal")

    listed = page.locator(".ct-chooser .ct-session")
    expect(listed.first).to_contain_text(f"Scratch {session[:4]}")
    expect(listed).to_have_count(21)
    older = page.locator(".ct-chooser").get_by_role("button", name="Show older sessions")
    for count in (41, 61):
        older.click()
        expect(listed).to_have_count(count)
    expect(older).to_have_count(0)


# -- which session a reload opens ----------------------------------------------------------------------------


def test_a_reload_opens_the_session_that_was_open_not_the_one_of_the_link(
    desk: Desk, alice: Visitor, page: Page
) -> None:
    linked, other = desk.session("alice"), desk.session("alice")
    alice.visit("claude_terminal", session=linked)
    picked = page.locator(".ct-picked")
    expect(picked).to_have_text(f"Scratch {linked[:4]}")
    page.get_by_role("button", name="Sessions", exact=True).click()
    page.locator("#ct-sessions").get_by_role("button", name=f"Scratch {other[:4]}").click()
    expect(picked).to_have_text(f"Scratch {other[:4]}")

    page.reload()

    expect(picked).to_have_text(f"Scratch {other[:4]}")
    assert linked not in page.url


def test_an_outage_does_not_make_a_tab_forget_its_session(desk: Desk, alice: Visitor, page: Page) -> None:
    session = desk.session("alice")
    alice.visit("claude_terminal", session=session)
    expect(page.locator(".ct-about")).to_contain_text("Running")
    page.goto("about:blank")
    alice.complaints.expect(REFUSALS)
    # A list in which it is missing, and a proxy that has lost the instance.
    page.route("**/api/x_claude_terminal/v1/sessions/*", lambda route: route.fulfill(status=404, body="lost"))
    page.route("**/api/now/sp/page*", without_sessions)
    try:
        alice.visit("claude_terminal")
        expect(page.get_by_role("alert")).to_contain_text("Not available now")
    finally:
        page.unroute_all()

    page.get_by_role("button", name="Try again").click()

    expect(page.locator(".ct-picked")).to_have_text(f"Scratch {session[:4]}")
    expect(page.get_by_role("alert")).to_have_count(0)


def without_sessions(route: Route) -> None:
    """Give a page whose only listed session is another one."""
    answer = route.fetch()
    route.fulfill(response=answer, body=re.sub(r'"sessionId":"[^"]*"', '"sessionId":"x"', answer.text()))


# -- links that are printed ----------------------------------------------------------------------------------


def test_a_printed_link_is_opened_only_when_its_address_was_seen(
    desk: Desk, alice: Visitor, page: Page
) -> None:
    session = started(desk, alice)
    address = f"{alice.origin}/claude?id=claude_credential_setup"
    shown(desk, session, f"\x1b]8;;{address}\x07https://good.example/\x1b]8;;\x07\r\n")
    link = page.locator(".xterm-rows").get_by_text("https://good.example/")
    link.hover(force=True)  # xterm takes the pointer in a layer above the letters
    page.wait_for_selector(".xterm-cursor-pointer")
    link.click(force=True)

    dialog = page.get_by_role("dialog", name="Open this link?")
    expect(dialog).to_contain_text(address)
    assert len(alice.context.pages) == 1
    with alice.context.expect_page() as opened:
        dialog.get_by_role("link", name="Open in a new tab").click()

    expect(opened.value).to_have_url(address)
    assert opened.value.evaluate("() => window.opener") is None
    opened.value.close()
    expect(dialog).to_be_hidden()


# -- what is told to the browser -----------------------------------------------------------------------------


def test_the_page_is_told_no_more_than_it_shows(desk: Desk, alice: Visitor, page: Page) -> None:
    desk.session("bob")
    with page.expect_response("**/api/now/sp/page*") as caught:
        alice.visit("claude_terminal")

    told_ = caught.value.text()
    assert desk.users["alice"] in told_
    assert desk.users["bob"] not in told_
    assert '"jwk"' not in told_
    assert "wxyz" not in told_  # the end of a key


def test_the_look_of_the_terminal_outlives_the_page(desk: Desk, alice: Visitor, page: Page) -> None:
    started(desk, alice)
    page.get_by_role("button", name="Light terminal").click()
    page.get_by_role("button", name="Larger letters").click()

    page.reload()

    expect(page.get_by_role("button", name="Light terminal")).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("() => localStorage['claude_terminal.look'].includes('15')")
    expect(page.locator(".xterm-rows")).to_have_css("font-size", "15px")
