"""Seal.js in a real browser: what it seals the sidecar opens, and nothing else passes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey
from joserfc.util import urlsafe_b64decode
from playwright.sync_api import Browser, Page
from playwright.sync_api import Error as PlaywrightError

from sidecar.vault.sealed import Unsealed, unseal

SEAL = Path(__file__).resolve().parents[2] / "servicenow-app" / "ui-scripts" / "Seal.js"
KEY = "sk-ant-api03-of_the-tests~!0123456789"
USER = "6816f79cc0a8016401c5a33be04be441"
NOW = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)

Jwk = dict[str, Any]


@dataclass(frozen=True)
class Pair:
    """A sidecar's sealing pair."""

    key: ECKey
    jwk: Jwk

    def open(self, token: str, user: str = USER, at: datetime = NOW) -> Unsealed | None:
        """Do what the sidecar does with a sealed key."""
        return unseal(token, user, lambda kid: self.key if kid == self.jwk["kid"] else None, at)


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    """Return a page of this computer, which browsers let encrypt, with nothing but the script in it."""
    yield from blank(browser, "http://127.0.0.1/")


@pytest.fixture
def insecure_page(browser: Browser) -> Iterator[Page]:
    """Return a page that came over plain HTTP from another computer."""
    yield from blank(browser, "http://instance.example/")


def blank(browser: Browser, address: str) -> Iterator[Page]:
    context = browser.new_context()
    context.route("**/*", lambda route: route.fulfill(content_type="text/html", body="<!doctype html>"))
    page = context.new_page()
    page.goto(address)
    page.add_script_tag(content=SEAL.read_text())
    yield page
    context.close()


@pytest.fixture
def pair() -> Pair:
    key = ECKey.generate_key("P-256")
    return Pair(key, {**key.as_dict(private=False), "kid": key.thumbprint(), "use": "enc", "alg": "ECDH-ES"})


def seal(page: Page, jwk: Jwk, key: str = KEY, at: datetime = NOW) -> str:
    """Have the browser seal a key."""
    arguments = [jwk, key, USER, at.timestamp()]
    token: str = page.evaluate("([...given]) => window.claudeTerminal.seal(...given)", arguments)
    return token


def header(token: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(urlsafe_b64decode(token.partition(".")[0].encode()))
    return found


# -- what the sidecar opens ----------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [KEY, "12345678", "x" * 512], ids=["usual", "shortest", "longest"])
def test_the_sidecar_opens_what_the_browser_has_sealed(page: Page, pair: Pair, key: str) -> None:
    opened = pair.open(seal(page, pair.jwk, key))

    assert opened is not None
    assert opened.key == key


def test_the_header_names_exactly_what_is_agreed(page: Page, pair: Pair) -> None:
    found = header(seal(page, pair.jwk))

    assert set(found["epk"]) == {"kty", "crv", "x", "y"}
    assert {name: found[name] for name in found if name != "epk"} == {
        "alg": "ECDH-ES",
        "enc": "A256GCM",
        "kid": pair.jwk["kid"],
        "userId": USER,
        "iat": int(NOW.timestamp()),
    }


def test_the_same_key_is_sealed_differently_each_time(page: Page, pair: Pair) -> None:
    one, other = seal(page, pair.jwk), seal(page, pair.jwk)

    assert header(one)["epk"] != header(other)["epk"]
    assert not set(one.split(".")[2:]) & set(other.split(".")[2:])


def test_what_is_sealed_is_good_for_one_user_and_one_day(page: Page, pair: Pair) -> None:
    token = seal(page, pair.jwk)

    assert pair.open(token, user="somebody-else") is None
    assert pair.open(token, at=NOW + timedelta(hours=23)) is not None
    assert pair.open(token, at=NOW + timedelta(hours=25)) is None


def test_another_sidecar_cannot_open_it(page: Page, pair: Pair) -> None:
    stranger = ECKey.generate_key("P-256")

    assert unseal(seal(page, pair.jwk), USER, lambda _: stranger, NOW) is None


@pytest.mark.parametrize("segment", [0, 2, 3, 4], ids=["header", "nonce", "text", "tag"])
def test_a_sealed_key_that_was_changed_does_not_open(page: Page, pair: Pair, segment: int) -> None:
    segments = seal(page, pair.jwk).split(".")
    changed = "B" if segments[segment][5] == "A" else "A"
    segments[segment] = segments[segment][:5] + changed + segments[segment][6:]

    assert pair.open(".".join(segments)) is None


# -- what the browser refuses --------------------------------------------------------------------------------


def test_a_public_key_under_a_wrong_id_is_refused(page: Page, pair: Pair) -> None:
    with pytest.raises(PlaywrightError, match="does not match its id"):
        seal(page, {**pair.jwk, "kid": ECKey.generate_key("P-256").thumbprint()})


def test_a_point_that_is_on_no_curve_is_refused(page: Page, pair: Pair) -> None:
    off = {**pair.jwk, "x": pair.jwk["y"], "y": pair.jwk["x"]}

    with pytest.raises(PlaywrightError, match="is not one that keys can be sealed to"):
        seal(page, {**off, "kid": thumbprint(page, off)})


@pytest.mark.parametrize("change", [{"kty": "RSA"}, {"crv": "P-384"}, {"x": "AA"}, {"y": None}], ids=str)
def test_another_kind_of_public_key_is_refused(page: Page, pair: Pair, change: Jwk) -> None:
    with pytest.raises(PlaywrightError, match="is not one that keys can be sealed to"):
        seal(page, {**pair.jwk, **change})


@pytest.mark.parametrize("key", ["short", "x" * 513, "sk-ant with spaces", "sk-ant-ключ-ключ"], ids=str)
def test_what_cannot_be_a_key_is_refused_without_being_repeated(page: Page, pair: Pair, key: str) -> None:
    with pytest.raises(PlaywrightError, match="8 to 512 visible ASCII characters") as refused:
        seal(page, pair.jwk, key)

    assert key not in str(refused.value)


def test_only_pinned_keys_pass_when_any_is_pinned(page: Page, pair: Pair) -> None:
    trusted = "([jwk, pinned]) => window.claudeTerminal.trusted(jwk, pinned)"
    other = ECKey.generate_key("P-256").thumbprint()

    for pinned in ([], [pair.jwk["kid"]], [other, pair.jwk["kid"]]):
        assert page.evaluate(trusted, [pair.jwk, pinned]) == pair.jwk
    with pytest.raises(PlaywrightError, match="one that your administrator has allowed"):
        page.evaluate(trusted, [pair.jwk, [other]])


def test_a_page_that_may_not_encrypt_says_so(insecure_page: Page, pair: Pair) -> None:
    with pytest.raises(PlaywrightError, match="open it over https"):
        seal(insecure_page, pair.jwk)


# -- thumbprints ---------------------------------------------------------------------------------------------


def thumbprint(page: Page, jwk: Jwk) -> str:
    found: str = page.evaluate("(jwk) => window.claudeTerminal.thumbprint(jwk)", jwk)
    return found


def test_a_published_thumbprint_comes_out(page: Page) -> None:
    # The key of RFC 9449, section 4.1, and its thumbprint of section 6.1; the example of RFC 7638 is an RSA key.
    jwk = {
        "kty": "EC",
        "x": "l8tFrhx-34tV3hRICRDY9zCkDlpBhF42UQUfWVAWBFs",
        "y": "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA",
        "crv": "P-256",
    }

    assert thumbprint(page, jwk) == "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"


def test_thumbprints_are_those_of_the_sidecar_whatever_else_is_in_a_key(page: Page) -> None:
    for _ in range(5):
        key = ECKey.generate_key("P-256")
        jwk = {"use": "enc", "alg": "ECDH-ES", **key.as_dict(private=False), "kid": "anything"}

        assert thumbprint(page, jwk) == key.thumbprint()
