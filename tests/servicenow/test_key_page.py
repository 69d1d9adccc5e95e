"""The page on which users store their API keys, in a real browser; the sidecar is the test itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc.jwk import ECKey
from playwright.sync_api import Browser, Page, expect

from emulator.platform import Platform
from sidecar.vault.sealed import unseal
from tests.fakes.queue import Call
from tests.fixtures.browser import REFUSALS, UNREACHED, MakeVisitor, Visitor, window
from tests.fixtures.servicenow import MID
from tests.servicenow.conftest import Desk
from tests.waiting import until

PATIENCE_S = 60
KEY = "sk-ant-api03-not-a-real-one-0123456789-wxyz"

Jwk = dict[str, Any]


@pytest.fixture
def sidecar() -> ECKey:
    """Return the sidecar's sealing pair."""
    return ECKey.generate_key("P-256")


@pytest.fixture
def jwk(desk: Desk, sidecar: ECKey) -> Jwk:
    """Let the instance know the sidecar's public key."""
    known = public(sidecar)
    desk.change("mid_status", f"mid_name={MID}", jwk=json.dumps(known), kid=known["kid"])
    return known


@pytest.fixture(scope="module")
def alice(desk: Desk, browser: Browser, installed_platform: Platform) -> Iterator[Visitor]:
    """Return a window in which alice is signed in."""
    with window(browser, installed_platform) as visitor:
        visitor.visit("claude_credential_setup")
        visitor.sign_in("alice", desk.password)
        visitor.page.wait_for_url("**/claude?*")
        yield visitor


@pytest.fixture
def page(desk: Desk, alice: Visitor, jwk: Jwk) -> Iterator[Page]:  # noqa: ARG001  the page is given the key
    """Return the page as it opens for alice, who has no key; what a test left goes afterwards."""
    desk.script(
        "(function () { var row = new GlideRecord('x_claude_terminal_credential'); row.deleteMultiple(); })()"
    )
    alice.visit("claude_credential_setup")
    yield alice.page
    desk.property("sealing_keys", "")


def public(pair: ECKey) -> Jwk:
    """Return the public half of a pair as the sidecar tells it."""
    return {**pair.as_dict(private=False), "kid": pair.thumbprint(), "use": "enc", "alg": "ECDH-ES"}


def store(page: Page, key: str = KEY) -> None:
    """Type a key and store it."""
    page.get_by_label("API key", exact=True).fill(key)
    page.get_by_role("button", name="Seal and store").click()


def sent(desk: Desk, op: str, before: int) -> Call:
    """Wait for a call that was not there before."""
    assert until(lambda: len(desk.queue.calls(op)) > before, PATIENCE_S), f"no call {op} came"
    return desk.queue.calls(op)[-1]


def stored(desk: Desk, page: Page, key: str = KEY) -> Call:
    """Store a key, and confirm it as the sidecar does; return the call that brought it."""
    before = len(desk.queue.calls("credential.store"))
    store(page, key)
    call = sent(desk, "credential.store", before)
    desk.reply("credential.store", {"credentialId": "c-1", "hint": key.strip()[-4:], "createdAt": "x"})
    expect(page.get_by_text(f"Your key is stored on {MID}")).to_be_visible()
    return call


def forgive(visitor: Visitor) -> None:
    """Let what was expected be past: the next test expects nothing."""
    assert not visitor.complaints.unexpected
    visitor.complaints.made.clear()
    visitor.complaints.expected.clear()


# -- store ---------------------------------------------------------------------------------------------------


def test_what_arrives_at_the_sidecar_is_the_key_for_this_user(desk: Desk, page: Page, sidecar: ECKey) -> None:
    call = stored(desk, page, f"  {KEY}\n")
    opened = unseal(call.body["sealed"], desk.users["alice"], lambda _: sidecar, datetime.now(UTC))

    assert opened is not None
    assert opened.key == KEY
    expect(page.get_by_text("····wxyz")).to_be_visible()
    expect(page.get_by_role("link", name="Open the terminal")).to_be_visible()


def test_the_field_is_empty_before_anything_is_sent(desk: Desk, page: Page) -> None:
    before = len(desk.queue.calls("credential.store"))
    store(page)
    sent(desk, "credential.store", before)

    assert page.get_by_label("API key", exact=True).input_value() == ""
    assert KEY not in page.content()
    expect(page.locator("[aria-current=step]")).to_contain_text("On its way")
    assert desk.reply("credential.store", {"credentialId": "c-1", "hint": "wxyz", "createdAt": "x"})
    expect(page.get_by_text("Your key is stored")).to_be_visible()


def test_the_public_key_is_asked_for_when_the_instance_has_none(
    desk: Desk, page: Page, sidecar: ECKey
) -> None:
    desk.change("mid_status", f"mid_name={MID}", jwk="", kid="")
    before = len(desk.queue.calls("credential.store"))
    asked = len(desk.queue.calls("sealing_key"))
    page.reload()
    store(page)
    sent(desk, "sealing_key", asked)
    desk.reply("sealing_key", public(sidecar))
    call = sent(desk, "credential.store", before)

    assert unseal(call.body["sealed"], desk.users["alice"], lambda _: sidecar, datetime.now(UTC))


@pytest.mark.parametrize(
    ("kid", "pinned", "said"),
    [
        ("x" * 43, "", "does not match its id"),
        (None, "y" * 43, "not one that your administrator has allowed"),
    ],
    ids=["wrong-id", "not-pinned"],
)
def test_nothing_is_sealed_to_a_public_key_that_is_not_trusted(
    desk: Desk, page: Page, jwk: Jwk, kid: str | None, pinned: str, said: str
) -> None:
    desk.property("sealing_keys", pinned)
    desk.change("mid_status", f"mid_name={MID}", jwk=json.dumps({**jwk, "kid": kid or jwk["kid"]}))
    before = len(desk.queue.calls("credential.store"))
    page.reload()
    store(page)

    expect(page.get_by_role("alert")).to_contain_text(said)
    assert page.get_by_label("API key", exact=True).input_value() == ""
    assert len(desk.queue.calls("credential.store")) == before


def test_a_pinned_key_is_said_to_be_allowed(desk: Desk, page: Page, jwk: Jwk) -> None:
    desk.property("sealing_keys", jwk["kid"])
    page.reload()

    expect(page.get_by_text("allowed by your administrator")).to_be_visible()
    stored(desk, page)


def test_a_refusal_of_the_sidecar_is_told_and_the_next_try_fetches_the_public_key(
    desk: Desk, page: Page, jwk: Jwk
) -> None:
    before, asked = len(desk.queue.calls("credential.store")), len(desk.queue.calls("sealing_key"))
    store(page)
    sent(desk, "credential.store", before)
    desk.refuse("credential.store", 422, "It cannot be opened.")

    expect(page.get_by_role("alert")).to_contain_text("It cannot be opened.")
    expect(page.get_by_text("Refused", exact=True)).to_be_visible()
    store(page)
    sent(desk, "sealing_key", asked)
    desk.reply("sealing_key", jwk)
    sent(desk, "credential.store", before + 1)


def test_an_unusual_key_is_warned_of_and_can_be_stored(desk: Desk, page: Page) -> None:
    warning = page.get_by_text("Is this one complete?")
    field = page.get_by_label("API key", exact=True)
    field.fill(KEY)
    expect(warning).to_have_count(0)
    field.fill("of-another-kind-0123")
    expect(warning).to_be_visible()

    stored(desk, page, "of-another-kind-0123")


def test_a_mid_server_that_is_down_cannot_be_chosen(desk: Desk, page: Page) -> None:
    agents = desk.instance.table("ecc_agent")
    agent = agents.rows(f"name={MID}")[0]["sys_id"]
    agents.update(agent, status="Down")
    page.reload()

    expect(page.get_by_text(f"The MID Server {MID} is down.")).to_be_visible()
    page.get_by_label("API key", exact=True).fill(KEY)
    expect(page.get_by_role("radio")).to_be_disabled()
    expect(page.get_by_role("button", name="Seal and store")).to_be_disabled()
    agents.update(agent, status="Up")


# -- the list ------------------------------------------------------------------------------------------------


def test_a_key_is_removed_once_that_is_confirmed(desk: Desk, page: Page) -> None:
    stored(desk, page)
    before = len(desk.queue.calls("credential.delete"))
    row = page.get_by_role("row").filter(has_text="····wxyz")
    remove = row.get_by_role("button", name="Remove the key that ends in wxyz")

    remove.click()
    expect(page.get_by_role("button", name="Keep it")).to_be_focused()
    page.keyboard.press("Enter")
    expect(remove).to_be_focused()
    assert len(desk.queue.calls("credential.delete")) == before
    remove.click()
    page.get_by_role("button", name="Remove it").click()
    sent(desk, "credential.delete", before)
    expect(row).to_contain_text("Being removed")
    desk.reply("credential.delete", {})
    expect(page.get_by_text("The key is removed")).to_be_visible()
    expect(row).to_have_count(0)


def test_a_key_that_waits_is_shown_as_stored_once_it_is(desk: Desk, page: Page) -> None:
    before = len(desk.queue.calls("credential.store"))
    store(page)
    sent(desk, "credential.store", before)
    page.reload()
    row = page.get_by_role("row").filter(has_text="····wxyz")
    expect(row).to_contain_text("On its way")
    desk.reply("credential.store", {"credentialId": "c-1", "hint": "wxyz", "createdAt": "x"})

    expect(row).to_contain_text("Stored", timeout=PATIENCE_S * 1000)


def test_an_instance_that_is_away_for_a_moment_is_asked_again(desk: Desk, page: Page, alice: Visitor) -> None:
    alice.complaints.expect(UNREACHED)
    before = len(desk.queue.calls("credential.store"))
    store(page)
    sent(desk, "credential.store", before)
    page.reload()
    expect(page.get_by_text("On its way", exact=True)).to_be_visible()
    with page.expect_event("requestfailed"):
        page.route("**/api/now/sp/**", lambda route: route.abort())
    page.unroute("**/api/now/sp/**")
    desk.reply("credential.store", {"credentialId": "c-1", "hint": "wxyz", "createdAt": "x"})

    expect(page.get_by_text("Stored", exact=True)).to_be_visible(timeout=PATIENCE_S * 1000)
    forgive(alice)


def test_an_instance_that_fails_is_told_in_words(page: Page, alice: Visitor) -> None:
    alice.complaints.expect(REFUSALS)
    page.route("**/v1/credentials", lambda route: route.fulfill(status=403, json={"error": {"message": "x"}}))
    store(page)

    expect(page.get_by_role("alert")).to_contain_text("You may not do this")
    assert "403" not in page.get_by_role("alert").inner_text()
    page.unroute("**/v1/credentials")
    forgive(alice)


def test_without_the_role_nothing_is_sent(
    desk: Desk, installed_platform: Platform, visitors: MakeVisitor, jwk: Jwk
) -> None:
    desk.instance.create_user("nobody", desk.password, [])
    visitor = visitors(installed_platform)
    visitor.visit("claude_credential_setup")
    visitor.sign_in("nobody", desk.password)

    expect(visitor.page.get_by_text("You need the role x_claude_terminal.user")).to_be_visible()
    assert jwk["kid"] not in visitor.page.content()
