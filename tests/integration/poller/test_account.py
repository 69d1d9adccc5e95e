"""A refused account is asked for no second time; an OAuth token is fetched once, and again when it has to be."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable

import pytest

from sidecar.errors import AccountRefused, InstanceAway, PollerUnknown, RoleMissing
from sidecar.poller.instance import Row
from sidecar.poller.login import Client
from sidecar.poller.process import instance_of
from sidecar.poller.wire import Manner, Wire
from tests.integration.poller.conftest import CLIENT_SECRET, PASSWORD, Site
from tests.integration.poller.stub import CLAIM, COMPLETE, TOKEN, Said, problem
from tests.waiting import until


def test_an_account_signs_in_with_every_call(site: Site) -> None:
    site.give("a")
    site.start()
    assert site.answered("a")

    expected = "Basic " + base64.b64encode(f"poller:{PASSWORD}".encode()).decode()
    assert {asked.authorization for asked in site.instance.asked} == {expected}


def test_no_cookie_is_kept(site: Site) -> None:
    """The instance would work off calls with one session's cookie one after the other."""
    site.instance.next[CLAIM] = [Said(503, b"{}", {"Set-Cookie": "JSESSIONID=0123; Path=/"})]
    site.give("a")
    site.start()
    assert site.answered("a")

    assert {asked.cookie for asked in site.instance.asked} == {None}


REFUSALS = {
    "wrong password": (Said(401, b"{}"), AccountRefused),
    "no role": (problem(403, "User Not Authorized"), RoleMissing),
    "unknown name": (problem(422, "Unknown poller"), PollerUnknown),
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_who_is_refused_does_not_ask_again(site: Site, kind: str) -> None:
    said, error = REFUSALS[kind]
    site.instance.always = {CLAIM: said}
    site.start()
    site.join()

    assert type(site.refusal) is error
    assert len(site.instance.asked) == 1


@pytest.mark.parametrize("what", [CLAIM, COMPLETE])
@pytest.mark.parametrize(
    "content", [b"<html>Forbidden</html>", b"{}", b"[" * 200_000], ids=["html", "nothing", "deep"]
)
def test_a_proxy_that_forbids_is_not_the_end(site: Site, what: str, content: bytes) -> None:
    site.instance.next = {what: [Said(403, content)]}
    site.give("a")
    site.start()
    assert site.answered("a")

    assert site.refusal is None
    assert until(lambda: len(site.instance.of(what)) > 1)


@pytest.mark.parametrize("kind", ["wrong password", "no role"])
def test_who_is_refused_while_at_work_does_not_ask_again(site: Site, kind: str) -> None:
    said, error = REFUSALS[kind]
    site.instance.always = {COMPLETE: said}
    site.give("a")
    site.start()
    site.join()

    assert type(site.refusal) is error
    assert len(site.instance.of(COMPLETE)) == 1


def test_a_password_that_was_refused_is_not_sent_again_by_any_thread(site: Site) -> None:
    """Or a password that is changed while many calls are in work would lock the account."""
    site.instance.always = {COMPLETE: Said(401, b"{}")}
    instance = instance_of(site.settings, site.clock)
    for _ in range(3):
        with pytest.raises(AccountRefused):
            instance.complete(Row("a" * 32, 1), "", "")
    with pytest.raises(AccountRefused):
        instance.claim((), 1)
    instance.close()

    assert len(site.instance.asked) == 1


def test_a_proxy_or_netrc_of_the_account_changes_nothing(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The way to the instance may have a proxy; the sidecar's token must never pass one."""
    (site.folder / ".netrc").write_text("machine 127.0.0.1 login thief password thief\n")
    monkeypatch.setenv("NETRC", str(site.folder / ".netrc"))
    monkeypatch.setenv("HOME", str(site.folder))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    site.give("a")
    site.start_alone()
    assert until(lambda: site.poller._away)
    assert site.instance.asked == []
    site.stop()
    site.join()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    site.start()

    assert site.answered("a")
    assert site.instance.answers()["a" * 32]["ok"] is True
    assert all(asked.authorization.startswith("Basic ") for asked in site.instance.asked)
    assert "thief" not in "".join(str(request.headers) for request in site.sidecar.requests)


# -- OAuth -------------------------------------------------------------------------------------------------


@pytest.fixture
def client(site: Site) -> Site:
    site.use_client()
    return site


def test_a_token_is_fetched_once_for_all_calls(client: Site) -> None:
    for row in "abcd":
        client.give(row)
    client.start()
    assert client.answered(*"abcd")

    (asked,) = client.instance.of(TOKEN)
    assert asked == {
        "grant_type": ["client_credentials"],
        "client_id": ["client"],
        "client_secret": [CLIENT_SECRET],
    }
    used = {asked.authorization for asked in client.instance.asked if asked.what != TOKEN}
    assert used == {"Bearer marker-token-0"}


def test_a_token_is_fetched_anew_before_it_ends(client: Site) -> None:
    client.start()
    client.clock.stood_s += 1800 - 29
    assert until(lambda: client.instance.asked[-1].authorization == "Bearer marker-token-1")

    assert len(client.instance.of(TOKEN)) == 2


def test_a_token_that_is_refused_is_fetched_anew_once(client: Site) -> None:
    client.start()
    client.instance.next[CLAIM] = [Said(401, b"{}")]
    assert until(lambda: client.instance.asked[-1].authorization == "Bearer marker-token-1")

    assert client.refusal is None
    assert len(client.instance.of(TOKEN)) == 2


def test_a_fresh_token_that_is_refused_too_is_the_end(client: Site) -> None:
    client.instance.always = {CLAIM: Said(401, b"{}")}
    client.start()
    client.join()

    assert type(client.refusal) is AccountRefused
    assert (len(client.instance.of(TOKEN)), len(client.instance.of(CLAIM))) == (2, 2)


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_client_that_is_refused_is_the_end(client: Site, status: int) -> None:
    client.instance.always = {TOKEN: Said(status, b'{"error":"invalid_client"}')}
    client.start_alone()
    client.join()

    assert type(client.refusal) is AccountRefused
    assert len(client.instance.asked) == 1


@pytest.mark.parametrize(
    "said",
    [
        *(
            Said(500),
            Said(200, b"<html>"),
            Said(200, b"{}"),
            Said(200, b'{"access_token":5}'),
            Said(200, b"[]"),
        ),
        Said(200, b'{"access_token":"a","expires_in":1' + b"0" * 400 + b"}"),
        Said(200, b'{"access_token":"a","expires_in":NaN}'),
    ],
    ids=["500", "html", "nothing", "a number", "a list", "for ever", "for no time"],
)
def test_an_answer_that_is_no_token_is_asked_for_again(
    client: Site, said: Said, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    client.instance.next = {TOKEN: [said]}
    client.start()

    assert "is no token" in caplog.text
    assert len(client.instance.of(TOKEN)) == 2


def test_a_proxy_that_forbids_to_ask_for_a_token_is_not_the_end(client: Site) -> None:
    client.instance.next = {TOKEN: [Said(403, b"<html>Forbidden</html>")]}
    client.start()

    assert len(client.instance.of(TOKEN)) == 2


@pytest.mark.parametrize("status", [429, 503])
def test_the_pause_the_token_resource_asks_for_is_kept(client: Site, status: int) -> None:
    client.instance.next = {TOKEN: [Said(status, b"{}", {"Retry-After": "100"})]}
    client.start_alone()
    assert until(lambda: client.poller._patience.left_s() > 30)
    assert len(client.instance.asked) == 1

    client.clock.stood_s += 101
    assert until(lambda: client.instance.of(CLAIM))


class Queue:
    """A lock for which somebody else was faster."""

    def __init__(self, faster: Callable[[], object]) -> None:
        self._faster = faster
        self._first = True

    def __enter__(self) -> None:
        if self._first:
            self._first = False
            self._faster()

    def __exit__(self, *_: object) -> None:
        pass


def test_who_waited_for_a_token_that_did_not_come_does_not_wait_as_long_again(client: Site) -> None:
    wire = Wire(client.instance.url, client.clock, Manner(1, 1000))
    login = Client(wire, "client", CLIENT_SECRET, client.clock)

    def fail() -> None:
        with pytest.raises(InstanceAway):
            login.header()

    client.instance.next = {TOKEN: [Said(500), Said(500)]}
    login._lock = Queue(fail)  # type: ignore[assignment]
    fail()
    assert len(client.instance.asked) == 1
    fail()
    assert len(client.instance.asked) == 2
    assert login.header() == "Bearer marker-token-0"
    wire.close()


def test_a_client_that_was_refused_is_not_sent_again_by_any_thread(client: Site) -> None:
    client.instance.always = {TOKEN: Said(401, b'{"error":"invalid_client"}')}
    instance = instance_of(client.settings, client.clock)
    for _ in range(3):
        with pytest.raises(AccountRefused):
            instance.complete(Row("a" * 32, 1), "", "")
    instance.close()

    assert len(client.instance.asked) == 1
