"""The administrators' page in a real browser; the sidecar is the test itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from emulator.platform import Platform
from tests.fixtures.browser import REFUSALS, MakeVisitor, Visitor, window
from tests.fixtures.servicenow import MID
from tests.servicenow.conftest import HEALTH, Desk
from tests.servicenow.poller import switched
from tests.waiting import until

PATIENCE_S = 60
HALF_MINUTE_MS = 30_000
WIDGETS = "/api/now/sp/"

HIDE = """(hidden) => {
    Object.defineProperty(document, 'hidden', {configurable: true, get: () => hidden});
    document.dispatchEvent(new Event('visibilitychange'));
}"""


@pytest.fixture(scope="module")
def keeper(desk: Desk, browser: Browser, installed_platform: Platform) -> Iterator[Visitor]:
    """Return a window in which an administrator of the app is signed in."""
    with window(browser, installed_platform) as visitor:
        visitor.visit("claude_admin")
        visitor.sign_in("keeper", desk.password)
        visitor.page.wait_for_url("**/claude?*")
        yield visitor


@pytest.fixture
def page(keeper: Visitor) -> Page:
    """Return the page as it opens."""
    keeper.visit("claude_admin")
    return keeper.page


def tile(page: Page, name: str) -> str:
    """Return the figure under a name."""
    return page.locator(".cta-tiles div").filter(has_text=name).locator("dd").inner_text()


def failed(desk: Desk) -> None:
    """Let a command of alice's be refused."""
    session = desk.session()
    desk.call("alice", "POST", f"/sessions/{session}/commands", {"command": "hello"})
    desk.refuse("command", 502, "The sidecar is not reachable.", session)


# -- what is shown -------------------------------------------------------------------------------------------


def test_the_figures_are_those_of_the_instance(desk: Desk, page: Page) -> None:
    before = int(tile(page, "Sessions not ended"))
    desk.session()
    desk.session("bob")
    failed(desk)
    page.reload()

    assert tile(page, "Hosts up").split() == ["1", "of", "1"]
    assert int(tile(page, "Sessions not ended")) == before + 3
    expect(page.get_by_role("article", name=MID)).to_contain_text(str(HEALTH["version"]))
    error = page.get_by_role("region", name="Recent errors").get_by_role("row").nth(1)
    expect(error).to_contain_text("The sidecar is not reachable.")
    expect(error).to_contain_text("alice")


def test_a_poller_is_shown_with_what_it_said_of_itself(desk: Desk, page: Page) -> None:
    switched(desk)
    desk.property("bridge", "poller")
    desk.session()
    page.reload()
    card = page.get_by_role("article", name=f"{MID}, Poller")
    fact = card.locator("dl div").filter(has_text="Poller")
    shown = fact.locator("dd").inner_text()
    card.get_by_role("button").click()
    asked = until(lambda: desk.last("health").row["agent"] == f"claude.poller.{MID}", PATIENCE_S)
    desk.property("bridge", "mid")
    desk.change("session", "bridge=poller", state="terminated")

    assert (shown, asked) == ("1.0.0", True)
    expect(page.get_by_role("article", name=f"{MID}, MID Server")).to_be_visible()


def test_the_chart_is_also_a_table(desk: Desk, page: Page) -> None:
    desk.session()
    page.reload()
    rows = page.get_by_role("table", name="Rows of the ECC queue in the last hour").get_by_role("row")
    expect(rows).to_have_count(13)
    counts = [row.split() for row in rows.all_inner_texts()[1:]]
    tallest = page.locator("rect.cta-out").evaluate_all("(all) => all.map((one) => one.getBBox().height)")

    assert sum(int(count[1]) for count in counts) > 0
    assert [height > 0 for height in tallest] == [int(count[1]) > 0 for count in counts]


def test_users_get_nothing_but_what_they_lack(
    desk: Desk, installed_platform: Platform, visitors: MakeVisitor
) -> None:
    visitor = visitors(installed_platform)
    visitor.visit("claude_admin")
    visitor.sign_in("alice", desk.password)

    expect(visitor.page.get_by_text("You need the role x_claude_terminal.admin")).to_be_visible()
    widget = desk.instance.table("sp_widget").rows("id=claude_admin")[0]["sys_id"]
    asked = desk.instance.signed_in("alice", desk.password).request(
        "POST", f"{WIDGETS}widget/{widget}", json={"action": "audit"}
    )
    assert asked.json()["result"]["data"] == {"allowed": False}


# -- check now -----------------------------------------------------------------------------------------------


def test_a_mid_server_is_checked_at_once_on_demand(desk: Desk, page: Page) -> None:
    before = len(desk.queue.calls("health"))
    page.get_by_role("button", name=f"Check {MID} now").click()
    assert until(lambda: len(desk.queue.calls("health")) > before, PATIENCE_S)
    expect(page.get_by_role("button", name=f"Check {MID} now")).to_be_disabled()
    desk.reply("health", HEALTH | {"version": "9.8.7"})

    expect(page.get_by_text("Checked just now.", exact=True)).to_be_visible()
    expect(page.get_by_role("article", name=MID)).to_contain_text("9.8.7")


def test_a_sidecar_that_is_not_well_says_why(desk: Desk, page: Page) -> None:
    before = len(desk.queue.calls("health"))
    page.get_by_role("button", name=f"Check {MID} now").click()
    assert until(lambda: len(desk.queue.calls("health")) > before, PATIENCE_S)
    desk.refuse("health", 502, "The connection was refused.")
    card = page.get_by_role("article", name=MID)

    expect(card.locator(".cta-problem")).to_have_text("The connection was refused.")
    expect(card.locator(".ct-pill")).to_have_text("Down")
    desk.healthy()


def test_a_check_of_a_mid_server_that_is_down_is_told_in_words(
    desk: Desk, keeper: Visitor, page: Page
) -> None:
    keeper.complaints.expect(REFUSALS)
    agents = desk.instance.table("ecc_agent")
    agent = agents.rows(f"name={MID}")[0]["sys_id"]
    agents.update(agent, status="Down")
    page.get_by_role("button", name=f"Check {MID} now").click()

    expect(page.locator(".cta-checked")).to_contain_text(f"The MID Server {MID} is down.")
    agents.update(agent, status="Up")
    desk.healthy()
    assert not keeper.complaints.unexpected
    keeper.complaints.made.clear()
    keeper.complaints.expected.clear()


# -- audit ---------------------------------------------------------------------------------------------------


def test_the_audit_is_turned_over_and_filtered(desk: Desk, page: Page) -> None:
    desk.script(
        "(function () { for (var i = 0; i < 25; i++) {"
        "new ClaudeTerminalAudit().write('page.turned', {detail: i === 7 ? 'a needle' : 'hay'}); } })()"
    )
    page.reload()
    audit = page.get_by_role("region", name="Audit", exact=True)
    rows = audit.get_by_role("row")
    audit.get_by_label("Event").select_option("page.turned")
    expect(audit.get_by_text("1–20 of 25")).to_be_visible()
    expect(rows).to_have_count(21)
    audit.get_by_role("button", name="Older").click()
    expect(audit.get_by_text("21–25 of 25")).to_be_visible()
    expect(audit.get_by_role("button", name="Older")).to_be_disabled()
    audit.get_by_label("Find").fill("needle")

    expect(audit.get_by_text("1–1 of 1")).to_be_visible()
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("a needle")


# -- refresh -------------------------------------------------------------------------------------------------


def scripted(asked: Request) -> bool:
    """Tell whether a request runs a widget's server script."""
    return asked.method == "POST" and WIDGETS in asked.url


@pytest.fixture
def looks(desk: Desk, installed_platform: Platform, visitors: MakeVisitor) -> tuple[Page, list[str]]:
    """Return the page with its clock in our hands, and its calls of the widget's server script."""
    visitor = visitors(installed_platform)
    visitor.page.clock.install()
    visitor.visit("claude_admin")
    visitor.sign_in("keeper", desk.password)
    made: list[str] = []
    visitor.page.on("request", lambda asked: made.append(asked.url) if scripted(asked) else None)
    visitor.page.get_by_role("heading", name="Audit").wait_for()
    return visitor.page, made


def test_it_looks_again_by_itself_and_keeps_the_filter(desk: Desk, looks: tuple[Page, list[str]]) -> None:
    page, made = looks
    desk.script("new ClaudeTerminalAudit().write('kept.one', {})")
    page.get_by_label("Find").fill("kept.one")
    page.clock.fast_forward(1000)
    expect(page.get_by_text("1–1 of 1")).to_be_visible()
    desk.script("new ClaudeTerminalAudit().write('kept.one', {})")
    before = len(made)
    page.clock.fast_forward(HALF_MINUTE_MS)

    expect(page.get_by_text("1–2 of 2")).to_be_visible()
    assert len(made) == before + 1


def test_it_does_not_look_while_nobody_can_see_it(looks: tuple[Page, list[str]]) -> None:
    page, made = looks
    page.evaluate(HIDE, True)
    page.clock.fast_forward(10 * HALF_MINUTE_MS)
    # What was asked in vain until now would be answered before this is.
    page.evaluate("() => fetch('/api/x_claude_terminal/v1/mids').then((answer) => answer.status)")
    hidden = len(made)
    page.evaluate(HIDE, False)

    assert hidden == 0
    assert until(lambda: page.evaluate("1") and len(made) == 1, PATIENCE_S)
