"""A newcomer's way, from the sign-in to Claude's answer, with the real CLI and nothing but a browser.

Afterwards no secret is in the page, in what the browser keeps, or in any byte that went over the network.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from emulator.anthropic import Server as Api
from emulator.anthropic import Settings
from emulator.installation import ADMIN_ROLE, USER_ROLE
from emulator.platform import ADMIN, ADMIN_PASSWORD
from sidecar.sessions.program import locate
from tests.fixtures.browser import REFUSALS, MakeVisitor, Visitor, window
from tests.fixtures.loop import MID_BRIDGE, PASSWORD, Loop, looped
from tests.fixtures.servicenow import MID
from tests.markers import Markers
from tests.portal.seat import Seat
from tests.servicenow.terminal import Terminal
from tests.servicenow.test_secrets import found
from tests.waiting import until

#: Everything is started for the first test. What is no way through the queue is tried over one bridge only.
pytestmark = [pytest.mark.timeout(300), pytest.mark.bridges(MID_BRIDGE)]
PATIENCE_S = 60
NAME = "ada.lovelace"
#: What Claude answers in the pictures.
QUESTION = "How many incidents are open, and what do they have in common?"
ANSWER = """\
There are **three open incidents**, and all of them began after Friday's change:

| Number | Service | Since |
|---|---|---|
| INC0010023 | E-mail | 2 days |
| INC0010027 | Calendar | 2 days |
| INC0010031 | Directory | 1 day |

What they share is the certificate that CHG0030014 replaced. This check shows it:

```python
for host in hosts:
    print(host, expiry(host))  # every one ends today
```
"""


@pytest.fixture(scope="module")
def loop(
    request: pytest.FixtureRequest, installed_template: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Loop]:
    """Run everything, with the real CLI in front of the stand-in API."""
    folder = tmp_path_factory.mktemp("story")
    script = folder / "answers.json"
    script.write_text(json.dumps([{"match": QUESTION, "reply": ANSWER}]))
    path = locate(None)
    assert path is not None, "the CLI is missing: run make setup"
    with Api(Settings(script=script)) as api:
        settings = {"CLAUDE_PATH": str(path), "ISOLATION": "bubblewrap", "ANTHROPIC_BASE_URL": api.url}
        with looped(installed_template, folder / "loop", settings, request.param) as made:
            yield made


@pytest.fixture(scope="module")
def markers(loop: Loop) -> Markers:
    """Return the secrets: the sidecar's, and an API key that is typed into the browser."""
    known = Markers()
    known.add("token", loop.sidecar.token)
    known.add("encryption key", loop.sidecar.environment["ENCRYPTION_KEY"])
    known.add("API key", f"sk-ant-{secrets.token_urlsafe(24)}")
    return known


@pytest.mark.bridges
def test_a_newcomer_comes_from_the_sign_in_to_claudes_answer(
    loop: Loop, browser: Browser, markers: Markers, tmp_path: Path
) -> None:
    loop.admin.create_user(NAME, PASSWORD, [USER_ROLE])
    log = tmp_path / "network.har"
    with window(browser, loop.platform, record_har_path=log, record_har_content="embed") as ada:
        sign_in(ada)
        store_key(ada, markers.secrets["API key"])
        seat = new_session(ada)
        converse(seat)
        allow_a_tool(seat)
        come_back(seat)
        nothing_kept(ada, markers)
    nothing_sent(log, markers)


def sign_in(ada: Visitor) -> None:
    ada.visit("claude_terminal")
    ada.picture("sign-in")
    ada.sign_in(NAME, PASSWORD)
    ada.page.wait_for_url("**/claude?*id=claude_terminal*")
    ada.page.get_by_role("heading", name="First, store your API key").wait_for()
    ada.picture("terminal-without-key")


def store_key(ada: Visitor, key: str) -> None:
    ada.page.get_by_role("link", name="Store an API key").click()
    field = ada.page.get_by_label("API key", exact=True)
    field.fill(key)
    ada.page.get_by_role("button", name="Seal and store").click()
    ada.page.get_by_text(f"····{key[-4:]}").wait_for()
    assert field.input_value() == ""
    ada.picture("credential")


def new_session(ada: Visitor) -> Seat:
    ada.page.get_by_role("link", name="Open the terminal").click()
    ada.page.get_by_role("button", name="Start your first session").wait_for()
    ada.picture("terminal-first")
    ada.page.get_by_role("button", name="Start your first session").click()
    seat = Seat(ada, Terminal.__new__(Terminal))
    seat.await_text("❯")
    seat.focus()
    return seat


def converse(seat: Seat) -> None:
    seat.say(QUESTION)
    seat.await_text("every one ends today")
    seat.await_text("? for shortcuts")
    seat.visitor.picture("terminal")


def allow_a_tool(seat: Seat) -> None:
    """Go down in the menu and up again, then allow."""
    seat.say("[[tool bash: touch made && echo done-$((40 + 2))]]")
    seat.await_text("❯ 1. Yes")
    seat.visitor.picture("terminal-question")
    seat.press("ArrowDown")
    seat.await_text("❯ 2. ")
    seat.press("ArrowUp")
    seat.await_text("❯ 1. Yes")
    seat.press("Enter")
    seat.await_text("The tool answered: done-42")


def come_back(seat: Seat) -> None:
    seat.page.reload()
    seat.await_text("The tool answered: done-42")
    wanted = "The tool answered: done-42"
    assert sum(wanted in line for line in seat.lines) == 1
    seat.focus()
    seat.say("And now?")
    seat.await_text("You said: And now?")


# -- secrets -------------------------------------------------------------------------------------------------

_KEPT = """async () => {
    const databases = await indexedDB.databases();
    return JSON.stringify({
        local: {...localStorage}, session: {...sessionStorage}, cookies: document.cookie, databases,
        caches: await caches.keys(), workers: (await navigator.serviceWorker.getRegistrations()).length,
        fields: Array.from(document.querySelectorAll('input, textarea'), (field) => field.value),
        address: location.href, history: history.state, name: window.name
    });
}"""


def kept(page: Page) -> bytes:
    """Return what a page holds and the browser keeps for it."""
    state = json.dumps(page.context.storage_state(indexed_db=True))
    return f"{page.evaluate(_KEPT)}{state}{page.content()}".encode()


def nothing_kept(ada: Visitor, markers: Markers) -> None:
    for name in ("claude_terminal", "claude_credential_setup"):
        ada.visit(name)
        ada.page.get_by_role("button").first.wait_for()
        holding = kept(ada.page)
        assert b"localhost" not in holding
        assert not found(markers, holding), name
        assert json.loads(ada.page.evaluate(_KEPT))["databases"] == []


def nothing_sent(log: Path, markers: Markers) -> None:
    """Look at every byte of every exchange; what was sealed went out, the key itself did not."""
    entries = json.loads(log.read_text())["log"]["entries"]
    bodies = [entry["request"].get("postData", {}).get("text", "") for entry in entries]

    assert len(entries) > 20
    assert sum('"sealed"' in body for body in bodies) == 1
    assert any('"mode":"raw"' in body for body in bodies)
    for entry in entries:
        assert not found(markers, json.dumps(entry).encode()), entry["request"]["url"]


def test_the_search_finds_a_key_that_is_kept(browser: Browser, loop: Loop, markers: Markers) -> None:
    """A search that finds nothing proves nothing."""
    key = markers.secrets["API key"]
    with window(browser, loop.platform) as visitor:
        visitor.complaints.expect(REFUSALS)
        visitor.visit("claude_terminal")
        for where in (
            "localStorage.a = key",
            "sessionStorage.a = key",
            "document.body.dataset.a = btoa(key)",
        ):
            visitor.page.evaluate(f"(key) => {{ {where}; }}", key)
            assert "API key" in found(markers, kept(visitor.page)), where
            visitor.page.reload()
            visitor.page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
            assert not found(markers, kept(visitor.page))


# -- administrators ------------------------------------------------------------------------------------------


@pytest.fixture
def admin(loop: Loop, visitors: MakeVisitor) -> Visitor:
    """Return a window of the administrator."""
    visitor = visitors(loop.platform)
    visitor.visit("claude_admin")
    visitor.sign_in(ADMIN, ADMIN_PASSWORD)
    visitor.page.wait_for_url("**/claude?*")
    return visitor


def test_administrators_see_how_everything_is(loop: Loop, admin: Visitor) -> None:
    session = loop.alice.create()
    loop.alice.command(session, "Good morning")
    admin.visit("claude_admin")
    body = admin.page.locator("body")

    assert until(lambda: MID in body.inner_text(), PATIENCE_S)
    assert until(lambda: "alice" in body.inner_text(), PATIENCE_S), body.inner_text()
    admin.picture("admin")
    loop.alice.terminate(session)


def test_users_are_told_that_they_need_the_role_and_nothing_else(loop: Loop, visitors: MakeVisitor) -> None:
    visitor = visitors(loop.platform)
    answers: list[str] = []
    visitor.page.on(
        "response",
        lambda answer: (
            answers.append(answer.text()) if "json" in answer.headers.get("content-type", "") else None
        ),
    )
    visitor.visit("claude_admin")
    visitor.sign_in("bob", PASSWORD)

    visitor.page.get_by_text(ADMIN_ROLE).wait_for()
    visitor.picture("admin-without-role")
    assert answers
    assert not any(MID in text for text in (visitor.page.content(), *answers))
