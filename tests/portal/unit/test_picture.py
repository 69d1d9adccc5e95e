"""The picture a terminal begins with: the rendered screen, or what is stored while that is waited for."""

from __future__ import annotations

from typing import Any

from tests.portal.unit.conftest import Page

#: A session that has printed ten bytes; its screen is rendered when the test says so.
START = """
    var it = page.instance;
    var screen = page.screen;
    var waiting = [];
    var painted = [];
    var told = [];
    it._arrive = function (op, body, answer) { waiting.push(answer); };
    it.print('0123456789');
    var picture = new ns.Picture({screen: screen, timers: page.timers,
        calls: new ns.Calls({http: page.http, promises: page.promises, timers: page.timers}),
        onPainted: function (offset) { painted.push(offset); },
        onProblem: function (problem) { told.push(problem && problem.title); }});
    function paint() { picture.paint({path: '/sessions/s-1', end: 10, columns: 80, rows: 24, rendered: true}); }
    function render(offset) {
        waiting.shift()(null, {ansi: 'PICTURE', columns: 80, rows: 24, offset: offset});
    }
    function shown() {
        return screen.pictures.map(function (each) {
            return [each.ansi, String.fromCharCode.apply(null, each.history)];
        });
    }
"""


def run(page: Page, script: str) -> Any:
    return page.run(START + script)


def test_a_screen_that_comes_soon_is_all_that_is_painted(page: Page) -> None:
    said = run(
        page,
        """
        paint();
        page.timers.advance(2000);
        var before = shown();
        render(10);
        page.timers.advance(20000);
        return {before: before, shown: shown(), painted: painted, rough: picture.rough};
        """,
    )

    assert said == {"before": [], "shown": [["PICTURE", "0123456789"]], "painted": [10], "rough": False}


def test_while_the_queue_is_stuck_stored_output_is_painted(page: Page) -> None:
    said = run(
        page,
        """
        paint();
        page.timers.advance(3500);
        return {shown: shown(), painted: painted, rough: picture.rough};
        """,
    )

    # Not rough: a screen is under way, and asking for another would only lengthen the queue.
    assert said == {"shown": [["", "0123456789"]], "painted": [10], "rough": False}


def test_while_nothing_is_stored_no_empty_screen_is_taken_for_the_picture(page: Page) -> None:
    said = run(
        page,
        """
        it.output = [];
        picture.paint({path: '/sessions/s-1', end: 0, columns: 80, rows: 24, rendered: true});
        page.timers.advance(10000);
        var before = painted.slice();
        waiting.shift()({status: 504, title: 'No answer', detail: 'Nobody took it.'});
        page.timers.advance(5000);
        return {before: before, after: painted};
        """,
    )

    assert said == {"before": [], "after": [0]}


def test_the_screen_is_painted_over_stored_output_when_it_comes(page: Page) -> None:
    said = run(
        page,
        """
        paint();
        page.timers.advance(30000);
        it.print('abcd');
        render(14);
        page.timers.advance(5000);
        return {last: shown()[1], pictures: shown().length, painted: painted, asked: it.rows};
        """,
    )

    assert said == {"last": ["PICTURE", "0123456789abcd"], "pictures": 2, "painted": [10, 14], "asked": 1}


def test_a_screen_that_is_refused_late_leaves_stored_output_alone(page: Page) -> None:
    said = run(
        page,
        """
        paint();
        page.timers.advance(10000);
        waiting.shift()({status: 504, title: 'No answer', detail: 'Nobody took it.'});
        page.timers.advance(10000);
        return {shown: shown(), painted: painted, told: told, rough: picture.rough};
        """,
    )

    assert said["shown"] == [["", "0123456789"]]
    assert (said["painted"], said["told"], said["rough"]) == ([10], ["No answer"], True)


def test_a_screen_that_is_refused_soon_is_not_painted_twice(page: Page) -> None:
    said = run(
        page,
        """
        paint();
        page.timers.advance(500);
        waiting.shift()({status: 502, title: 'Sidecar unreachable', detail: 'Nothing listens.'});
        page.timers.advance(10000);
        return {painted: painted, rough: picture.rough};
        """,
    )

    assert said == {"painted": [10], "rough": True}


def test_a_picture_that_nobody_wants_any_more_is_not_painted(page: Page) -> None:
    said = run(
        page,
        """
        paint();
        page.timers.advance(1000);
        picture.cancel();
        render(10);
        page.timers.advance(10000);
        return painted;
        """,
    )

    assert said == []
