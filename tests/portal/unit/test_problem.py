"""What people are told when something goes wrong."""

from __future__ import annotations

from typing import Any

import pytest

from tests.portal.unit.conftest import Page

ADVICE = "return ns.Problem.of(given.what).advice();"
ANSWER = """
    var answer = page.http.problem(given.status, given.title, given.detail);
    return ns.Problem.of(answer).advice();
"""


@pytest.mark.parametrize(
    ("status", "title", "detail", "action"),
    [
        (401, "", "", "signin"),
        (403, "Forbidden", "This needs the role x_claude_terminal.user.", "admin"),
        (503, "MID Server not available", "The MID Server mid-a is down.", "retry"),
        (502, "Sidecar unreachable", "Connection refused.", "retry"),
        (504, "No answer yet", "The MID Server mid-a has not answered for a minute.", None),
        (504, "No answer", "The MID Server did not take the call.", "retry"),
        (422, "No API key", "Store an Anthropic API key for a healthy MID Server first.", "key"),
        (409, "Credential gone", "It was removed.", "key"),
        (409, "Another tab writes", "", None),
        (409, "Session ended", "The session has ended.", "new"),
        (404, "Not found", "There is no such session.", "new"),
        (429, "Too many requests", "More than 100 calls wait.", "retry"),
        (413, "Command too large", "A command has at most 16384 bytes.", None),
        (503, "Not set up", "No MID Server is named in x_claude_terminal.mids.", "admin"),
        (404, "Not found", "This MID Server is not set up for sessions.", "retry"),
        (429, "Limit reached", "The user has 20 sessions, which is the limit.", None),
        (429, "Too many keys", "A user may store 20 keys.", "key"),
        (429, "Too many calls", "100 calls are without an answer.", "retry"),
        (409, "Conversation in use", "Another live session holds this conversation.", "new"),
        (409, "Key reused", "The key was used for another call.", "retry"),
        (503, "Input stalled", "The program does not read its input.", None),
        (500, "Fault", "The system log has more under 1234.", "admin"),
    ],
)
def test_each_problem_is_told_in_words_with_what_to_do(
    page: Page, status: int, title: str, detail: str, action: str | None
) -> None:
    advice = page.run(ANSWER, status=status, title=title, detail=detail)

    assert advice["action"] == action
    assert len(advice["title"]) > 5
    assert len(advice["text"]) > 10
    assert str(status) not in advice["title"] + advice["text"]
    assert "{" not in advice["text"]


def test_a_sidecar_that_its_mid_server_did_not_reach_is_not_blamed_on_that(page: Page) -> None:
    detail = "The MID Server did not reach the sidecar (mid.claude.sidecar.url): ConnectException."
    advice = page.run(ANSWER, status=503, title="MID Server not available", detail=detail)

    assert advice["title"] == "The sidecar does not answer"
    assert detail in advice["text"]


@pytest.mark.parametrize(
    ("status", "title", "detail", "misleads", "says"),
    [
        (429, "Limit reached", "The user has 20 sessions, which is the limit.", "Too fast", "End a session"),
        (429, "Too many keys", "A user may store 20 keys.", "Too fast", "Remove one"),
        (404, "Not found", "This MID Server is not set up for sessions.", "session is gone", "not set up"),
        (409, "Conversation in use", "Another live session holds it.", "does not fit", "Another session"),
        (503, "Input stalled", "The program does not read.", "Not available", "does not read"),
    ],
)
def test_no_problem_is_taken_for_another(
    page: Page, status: int, title: str, detail: str, misleads: str, says: str
) -> None:
    advice = page.run(ANSWER, status=status, title=title, detail=detail)

    assert misleads not in f"{advice['title']} {advice['text']}"
    assert says in f"{advice['title']} {advice['text']}"


def test_a_sidecar_that_lost_a_session_is_understood(page: Page) -> None:
    advice = page.run(ANSWER, status=404, title="Not found", detail="There is no such resource.")

    assert advice["title"] == "This session is gone"


def test_nothing_is_said_to_be_gone_because_a_proxy_did_not_find_it(page: Page) -> None:
    said = page.run("""
        var problem = ns.Problem.of({status: 404, data: '<html>no such session</html>'});
        return {advice: problem.advice(), passing: problem.passing()};
    """)

    assert "gone" not in str(said["advice"])
    assert said["passing"] is True


@pytest.mark.parametrize("status", [-1, 0])
def test_an_instance_that_cannot_be_reached_is_no_status(page: Page, status: int) -> None:
    advice = page.run(ADVICE, what={"status": status, "data": None})

    assert advice["title"] == "The instance cannot be reached"
    assert advice["action"] == "retry"


def test_a_page_of_a_proxy_is_not_shown(page: Page) -> None:
    said = page.run("""
        var problem = ns.Problem.of(page.http.page(502));
        return {advice: problem.advice(), own: problem.own, passing: problem.passing(), unsure: problem.unsure()};
    """)

    assert "html" not in str(said["advice"])
    assert said | {"advice": 0} == {"advice": 0, "own": False, "passing": True, "unsure": True}


def test_the_platforms_own_refusals_are_understood(page: Page) -> None:
    said: dict[str, Any] = page.run("""
        var limited = {status: 429, data: {error: {message: 'Rate limit exceeded', detail: null}},
            headers: function (name) { return name === 'Retry-After' ? '7' : null; }};
        return {wait: ns.Problem.of(limited).retryAfterMs, text: ns.Problem.of(limited).advice().text};
    """)

    assert said["wait"] == 7000
    assert "7 s" in said["text"]


def test_a_date_as_retry_after_is_understood(page: Page) -> None:
    wait = page.run("""
        return ns.Problem.of({status: 503, data: null, headers: function (name) {
            return {'Retry-After': 'Sat, 21 Nov 2026 12:00:09 GMT', Date: 'Sat, 21 Nov 2026 12:00:00 GMT'}[name];
        }}).retryAfterMs;
    """)

    assert wait == 9000


@pytest.mark.parametrize("what", [None, "text", 7, {}, {"status": "200"}, []])
def test_anything_becomes_a_problem(page: Page, what: Any) -> None:
    advice = page.run(ADVICE, what=what)

    assert advice["title"] == "The instance failed"


def test_what_a_class_throws_becomes_a_problem(page: Page) -> None:
    text = page.run("""
        try { null.x(); } catch (e) { return ns.Problem.of(e).advice().text; }
    """)

    assert text


def test_a_stored_problem_keeps_its_words(page: Page) -> None:
    advice = page.run(
        ADVICE, what={"type": "about:blank", "title": "Start failed", "status": 502, "detail": "Exit 1."}
    )

    assert advice == {"title": "Claude did not start", "text": "Exit 1.", "action": "new"}


def test_a_long_detail_is_cut(page: Page) -> None:
    advice = page.run(ANSWER, status=503, title="Not set up", detail="x" * 5000)

    assert len(advice["text"]) <= 300
