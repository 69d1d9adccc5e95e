"""Calls of the REST interface: once, although answers get lost."""

from __future__ import annotations

from typing import Any

import pytest

from tests.portal.unit.conftest import Page

#: A call, and what became of it once everything has happened.
START = """
    var http = page.http;
    var calls = new ns.Calls({http: http, promises: page.promises, timers: page.timers});
    var ended = {};
    function end(promise) {
        promise.then(function (value) { ended.value = value; }, function (problem) {
            ended.problem = problem.advice().title;
            ended.status = problem.status;
        });
    }
    function answers(list) {
        http.serve = function () { return list.length > 1 ? list.shift() : list[0]; };
    }
"""


def run(page: Page, script: str, **given: Any) -> Any:
    return page.run(START + script, **given)


def test_the_result_is_unwrapped(page: Page) -> None:
    said = run(
        page,
        """
        answers([{status: 200, data: {result: {items: [1]}}}]);
        end(calls.get('/mids'));
        page.timers.advance(1000);
        return {ended: ended, url: http.calls[0].path, method: http.calls[0].method};
        """,
    )

    assert said == {"ended": {"value": {"items": [1]}}, "url": "/mids", "method": "GET"}


@pytest.mark.parametrize("trouble", ["-1", "0", "429", "502", "503", "504"])
def test_a_call_of_unknown_fate_is_repeated_with_the_same_key(page: Page, trouble: str) -> None:
    said = run(
        page,
        """
        answers([http.page(given.status), http.page(given.status), {request: 'r'}]);
        end(calls.post('/sessions/s/commands', {command: 'x'}));
        page.timers.advance(10000);
        return {ended: ended, keys: http.calls.map(function (call) { return call.body.key; })};
        """,
        status=int(trouble),
    )

    assert said["ended"] == {"value": {"request": "r"}}
    assert len(said["keys"]) == 3
    assert len(set(said["keys"])) == 1
    assert len(said["keys"][0]) == 32
    assert int(said["keys"][0], 16)


def test_each_call_has_a_key_of_its_own(page: Page) -> None:
    keys = run(
        page,
        """
        answers([{}]);
        for (var i = 0; i < 100; i++) { calls.post('/sessions', {}); }
        page.timers.advance(1000);
        return http.calls.map(function (call) { return call.body.key; });
        """,
    )

    assert len(set(keys)) == 100


def test_a_key_of_the_callers_is_kept(page: Page) -> None:
    assert (
        run(
            page,
            """
            answers([{}]);
            calls.post('/credentials', {key: 'abc'});
            page.timers.advance(1000);
            return http.calls[0].body.key;
            """,
        )
        == "abc"
    )


@pytest.mark.parametrize(
    "path", ["/sessions/s/viewers", "/sessions/refresh", "/mids/m/key", "/mids/m/health"]
)
def test_what_may_be_done_twice_has_no_key(page: Page, path: str) -> None:
    body = run(
        page,
        """
        answers([{}]);
        calls.post(given.path, {a: 1});
        page.timers.advance(1000);
        return http.calls[0].body;
        """,
        path=path,
    )

    assert body == {"a": 1}


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 422, 500, 503])
def test_what_the_application_refuses_is_not_repeated(page: Page, status: int) -> None:
    said = run(
        page,
        """
        answers([http.problem(given.status, 'Some title', 'Why.')]);
        end(calls.post('/sessions', {}));
        page.timers.advance(60000);
        return {status: ended.status, calls: http.calls.length};
        """,
        status=status,
    )

    assert said == {"status": status, "calls": 1}


def test_after_five_attempts_it_is_told(page: Page) -> None:
    said = run(
        page,
        """
        answers([{status: -1}]);
        end(calls.post('/sessions', {}));
        page.timers.advance(60000);
        return {ended: ended, at: http.calls.map(function (call) { return call.at - http.calls[0].at; })};
        """,
    )

    assert said["ended"]["problem"] == "The instance cannot be reached"
    assert len(said["at"]) == 5
    pauses = [after - before for before, after in zip(said["at"], said["at"][1:], strict=False)]
    assert pauses == sorted(pauses)


def test_retry_after_is_obeyed(page: Page) -> None:
    said = run(
        page,
        """
        answers([{status: 429, headers: {'Retry-After': '4'}}, {}]);
        end(calls.post('/sessions', {}));
        page.timers.advance(60000);
        return http.calls[1].at - http.calls[0].at;
        """,
    )

    assert said >= 4000


def test_who_would_have_to_wait_long_is_told_at_once(page: Page) -> None:
    said = run(
        page,
        """
        answers([{status: 429, headers: {'Retry-After': '3600'}}]);
        end(calls.post('/sessions', {}));
        page.timers.advance(1000);
        return {ended: ended, calls: http.calls.length};
        """,
    )

    assert said == {"ended": {"problem": "Too fast", "status": 429}, "calls": 1}


def test_a_sign_in_page_instead_of_an_answer_is_no_answer(page: Page) -> None:
    said = run(
        page,
        """
        answers([{status: 200, data: '<!DOCTYPE html><html>Sign in</html>'}]);
        end(calls.get('/mids'));
        page.timers.advance(1000);
        return ended;
        """,
    )

    assert said == {"problem": "You are signed out", "status": 401}


def test_a_connection_that_hangs_ends(page: Page) -> None:
    said = run(
        page,
        """
        answers([{hangs: true}, {}]);
        end(calls.post('/sessions', {}));
        page.timers.advance(60000);
        return {ended: ended, calls: http.calls.length};
        """,
    )

    assert said == {"ended": {"value": {}}, "calls": 2}


ASK = """
    var polls = 0;
    var late = [];
    http.serve = function (call) {
        if (call.method === 'POST') { return {status: 202, data: {result: {request: 'r-1'}}}; }
        polls += 1;
        return given.views[Math.min(polls, given.views.length) - 1];
    };
    end(calls.ask('POST', '/sessions/s/screen', {}, {onLate: function (problem) {
        late.push(problem.advice().title);
    }}));
    page.timers.advance(given.ms);
    return {ended: ended, polls: polls, late: late, left: page.timers.planned(), paths: http.calls[1].path};
"""
QUEUED = {"state": "queued", "problem": None}
REFUSAL = {"error": {"title": "Refused", "detail": "It is so."}}
LATE = {"state": "queued", "problem": {"title": "No answer yet", "status": 504, "detail": "It waits."}}


def test_the_sidecars_answer_is_awaited(page: Page) -> None:
    said = run(page, ASK, views=[QUEUED, QUEUED, {"state": "done", "body": {"ansi": "x"}}], ms=5000)

    assert said["ended"] == {"value": {"ansi": "x"}}
    assert (said["polls"], said["left"], said["paths"]) == (3, 0, "/requests/r-1")


def test_the_sidecars_refusal_is_told(page: Page) -> None:
    problem = {"title": "Start failed", "status": 502, "detail": "Exit 1."}
    said = run(page, ASK, views=[{"state": "failed", "problem": problem}], ms=5000)

    assert said["ended"] == {"problem": "Claude did not start", "status": 502}


def test_waiting_goes_on_and_is_told_once(page: Page) -> None:
    said = run(page, ASK, views=[QUEUED, LATE, LATE, LATE, LATE, {"state": "done", "body": {}}], ms=60000)

    assert said["ended"] == {"value": {}}
    assert said["late"] == ["The queue does not move"]


def test_it_looks_ever_less_often(page: Page) -> None:
    quick = run(page, ASK, views=[QUEUED], ms=2000)
    slow = run(page, ASK, views=[QUEUED], ms=62000)

    assert 12 <= quick["polls"] <= 20
    assert slow["polls"] - quick["polls"] <= 40


def test_a_look_that_fails_is_repeated(page: Page) -> None:
    views = [{"status": -1}, {"status": 502, "data": "<html>"}, {"state": "done", "body": {}}]

    assert run(page, ASK, views=views, ms=20000)["ended"] == {"value": {}}


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_look_that_is_refused_ends_it(page: Page, status: int) -> None:
    said = run(page, ASK, views=[{"status": status, "data": REFUSAL}], ms=20000)

    assert said["ended"]["status"] == status
    assert said["polls"] == 1


def test_a_look_that_finds_nothing_on_the_way_is_repeated(page: Page) -> None:
    """A proxy, or an instance that is being upgraded, says 404 of everything."""
    said = run(page, ASK, views=[{"status": 404, "data": "<html>"}, {"state": "done", "body": {}}], ms=20000)

    assert said["ended"] == {"value": {}}


def test_nobody_waits_for_what_is_not_wanted_any_more(page: Page) -> None:
    said = run(
        page,
        """
        var wanted = true;
        var polls = 0;
        http.serve = function (call) {
            polls += call.method === 'GET' ? 1 : 0;
            return call.method === 'POST' ? {request: 'r-1'} : {state: 'queued', problem: null};
        };
        end(calls.ask('POST', '/sessions/s/screen', {}, {wanted: function () { return wanted; }}));
        page.timers.advance(500);
        wanted = false;
        var before = polls;
        page.timers.advance(60000);
        return {status: ended.status, more: polls - before, left: page.timers.planned()};
        """,
    )

    assert said == {"status": 499, "more": 0, "left": 0}


def test_a_call_without_a_request_has_nothing_to_wait_for(page: Page) -> None:
    said = run(
        page,
        """
        answers([{request: null}]);
        end(calls.ask('DELETE', '/credentials/c'));
        page.timers.advance(1000);
        return {ended: ended, calls: http.calls.length, body: http.calls[0].body === undefined};
        """,
    )

    assert said == {"ended": {"value": None}, "calls": 1, "body": True}


def test_a_beacon_goes_to_the_same_place(page: Page) -> None:
    said = page.run("""
        var sent = [];
        var calls = new ns.Calls({http: page.http, promises: page.promises, timers: page.timers,
            send: function (path, body) { sent.push([path, body]); }});
        calls.beacon('/sessions/s/viewers', {release: true});
        return sent;
    """)

    assert said == [["/api/x_claude_terminal/v1/sessions/s/viewers", {"release": True}]]


def test_after_a_minute_it_looks_each_ten_seconds(page: Page) -> None:
    minute = run(page, ASK, views=[QUEUED], ms=75000)
    more = run(page, ASK, views=[QUEUED], ms=375000)

    assert 28 <= more["polls"] - minute["polls"] <= 31


def test_a_mid_server_that_says_nothing_is_told_after_ten_seconds(page: Page) -> None:
    early = run(page, ASK, views=[QUEUED], ms=9000)
    later = run(page, ASK, views=[QUEUED], ms=60000)

    assert early["late"] == []
    assert later["late"] == ["No answer has come yet"]


def test_a_take_over_is_made_once(page: Page) -> None:
    said = run(
        page,
        """
        answers([{status: -1}, {}]);
        end(calls.post('/sessions/s/viewers', {tab: 't', take: true}));
        page.timers.advance(60000);
        return {ended: ended, calls: http.calls.length};
        """,
    )

    assert said == {"ended": {"problem": "The instance cannot be reached", "status": 0}, "calls": 1}


@pytest.mark.parametrize(("path", "seconds"), [("/sessions/s/commands", 8), ("/sessions", 20)])
def test_who_types_waits_less_for_a_connection_that_is_dead(page: Page, path: str, seconds: int) -> None:
    said = run(
        page,
        """
        answers([{hangs: true}, {}]);
        end(calls.post(given.path, {}));
        page.timers.advance(60000);
        return http.calls[1].at - http.calls[0].at;
        """,
        path=path,
    )

    assert seconds * 1000 <= said <= seconds * 1000 + 500


def test_a_call_that_is_hurried_is_repeated_at_once_as_the_same(page: Page) -> None:
    said = run(
        page,
        """
        answers([{hangs: true}, {request: 'r'}]);
        end(calls.post('/sessions/s/commands', {command: 'x'}));
        page.timers.advance(3000);
        calls.hurry();
        page.timers.advance(200);
        calls.hurry();
        var soon = ended.value;
        page.timers.advance(60000);
        return {soon: soon, keys: http.calls.map(function (call) { return call.body.key; })};
        """,
    )

    assert said["soon"] == {"request": "r"}
    assert len(said["keys"]) == 2
    assert len(set(said["keys"])) == 1


def test_a_pause_before_a_repetition_is_hurried_unless_somebody_asked_for_it(page: Page) -> None:
    script = """
        answers([given.first, given.first, given.first, given.first, {}]);
        end(calls.post('/sessions', {}));
        page.timers.advance(1400);
        var before = http.calls.length;
        calls.hurry();
        page.timers.advance(1);
        return http.calls.length - before;
    """

    assert run(page, script, first={"status": -1}) == 1
    assert run(page, script, first={"status": 429, "headers": {"Retry-After": "9"}}) == 0


def test_a_call_that_has_just_left_is_not_hurried(page: Page) -> None:
    said = run(
        page,
        """
        answers([{}]);
        end(calls.post('/sessions', {}));
        page.timers.advance(20);
        calls.hurry();
        page.timers.advance(5000);
        return http.calls.length;
        """,
    )

    assert said == 1
