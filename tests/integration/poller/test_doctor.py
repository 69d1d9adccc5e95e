"""What the doctor says of a poller: reached or not, let in or not, known or not; and nothing is claimed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sidecar.clock import SystemClock
from sidecar.config import Identity, PollerSettings, Settings
from sidecar.doctor.finding import Finding, Level
from sidecar.doctor.round import Entrance, examine
from sidecar.errors import ConfigurationError
from tests.integration.cli.findings import assert_finding
from tests.integration.poller.conftest import CLIENT_SECRET, PASSWORD, TOKEN, Site
from tests.integration.poller.stub import CLAIM, Said, problem
from tests.integration.poller.stub import TOKEN as TOKENS

NAMES = ("poller", "ServiceNow instance", "ServiceNow credentials", "ServiceNow role", "poller's sidecar")


def no_service() -> Settings:
    raise ConfigurationError("API_AUTH_TOKEN and ENCRYPTION_KEY must be set.")


def examined(site: Site, load: Callable[[], PollerSettings | None] | None = None) -> dict[str, Finding]:
    """Return what is found of the poller, on a host that has no service."""
    identity = Identity("claude-sidecar", site.folder / "data", None)
    load = load or (lambda: site.settings)
    entrance = Entrance(lambda: identity, lambda _: None, no_service, site.folder / ".env", load)
    found = {finding.name: finding for finding in examine(entrance, SystemClock())}
    told = repr(list(found.values()))
    assert not [secret for secret in (PASSWORD, CLIENT_SECRET, TOKEN) if secret in told]
    return {name: finding for name, finding in found.items() if name in NAMES}


def test_nothing_is_wrong_and_nothing_is_claimed(site: Site) -> None:
    site.give("a")

    found = examined(site)

    assert {name: finding.level for name, finding in found.items()} == dict.fromkeys(NAMES, Level.OK)
    assert {(body["look"], body["limit"]) for body in site.instance.of(CLAIM)} == {(True, 0)}
    assert len(site.instance.rows) == 1


def test_without_an_instance_nothing_is_said(site: Site) -> None:
    assert examined(site, lambda: None) == {}


def test_wrong_settings_are_named(site: Site) -> None:
    del site.environment["SERVICENOW_API_PASSWORD"]

    found = examined(site)

    assert_finding(found["poller"], Level.FAIL, "Set both SERVICENOW_API_USER and")
    assert len(found) == 1


def test_an_instance_that_is_not_there_is_named(site: Site) -> None:
    site.environment["SERVICENOW_INSTANCE"] = "http://127.0.0.1:1"

    found = examined(site)

    assert_finding(found["ServiceNow instance"], Level.FAIL, "cannot be reached: unreached")
    assert found["ServiceNow role"].level is Level.SKIP
    assert found["poller's sidecar"].level is Level.OK


REFUSALS = {
    "password": (
        {CLAIM: Said(401, b"{}")},
        "ServiceNow credentials",
        "The instance refuses the poller's account",
    ),
    "role": (
        {CLAIM: problem(403, "User Not Authorized")},
        "ServiceNow role",
        "The instance does not let the poller's account claim rows",
    ),
    "name": (
        {CLAIM: problem(422, "Unknown poller")},
        "ServiceNow role",
        "The instance does not know a poller named",
    ),
    "no app": ({CLAIM: Said(404, b"{}")}, "ServiceNow role", "The instance answered with HTTP status"),
    "asleep": (
        {CLAIM: Said(200, b"<html>")},
        "ServiceNow role",
        "What answers at the instance's address is not the app",
    ),
    "another version": (
        {CLAIM: problem(422, "Invalid request")},
        "ServiceNow role",
        "The instance does not understand the poller",
    ),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_what_the_instance_refuses_is_named(site: Site, kind: str) -> None:
    always, name, words = REFUSALS[kind]
    site.instance.always = always

    found = examined(site)

    assert_finding(found[name], Level.FAIL, words)
    assert [name for name, finding in found.items() if finding.level is Level.FAIL] == [name]


def test_a_client_that_is_refused_is_named(site: Site) -> None:
    site.use_client()
    site.instance.always = {TOKENS: Said(401, b'{"error":"server_error"}')}

    found = examined(site)

    assert_finding(found["ServiceNow credentials"], Level.FAIL, "The instance refuses the OAuth client")


def test_a_sidecar_that_is_not_there_is_named(site: Site) -> None:
    site.environment["POLLER_SIDECAR_URL"] = "http://127.0.0.1:1"

    assert_finding(examined(site)["poller's sidecar"], Level.FAIL, "Sidecar not reachable")


def test_a_token_that_is_not_the_sidecars_is_named(site: Site) -> None:
    site.sidecar.status = 401

    assert_finding(
        examined(site)["poller's sidecar"],
        Level.FAIL,
        "Token refused: The poller's API_AUTH_TOKEN is not the sidecar's",
    )
