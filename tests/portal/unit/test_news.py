"""When to look for something new: pushed where that works, else polled, often only while something happens."""

from __future__ import annotations

from typing import Any

from tests.portal.unit.conftest import Page

START = """
    var heard = [];
    var watched = [];
    var ended = 0;
    var push = null;
    var start = page.timers.now();
    var news = new ns.News({timers: page.timers, watch: function (table, filter, fn) {
        watched.push(table + '?' + filter);
        push = function (record) { fn({data: {record: record}}); };
        return function () { ended += 1; };
    }});
    function seq(n) { return {output_seq: {display_value: String(n), value: String(n)}}; }
    function looks() { return heard.filter(function (h) { return h.polled; }).map(function (h) { return h.at; }); }
    news.follow('abc', function (changes) {
        heard.push({at: page.timers.now() - start, changes: changes, polled: !Object.keys(changes).length});
    });
"""


def run(page: Page, script: str) -> Any:
    return page.run(START + script)


def test_one_session_is_watched_and_its_changes_are_plain_values(page: Page) -> None:
    said = run(
        page, "push({output_seq: {value: '17'}, writer: {value: 'w'}}); return [watched, heard[0].changes];"
    )

    assert said == [["x_claude_terminal_session?sys_id=abc"], {"output_seq": "17", "writer": "w"}]


def test_it_polls_ever_less_often_while_nothing_happens(page: Page) -> None:
    said = run(page, "page.timers.advance(60000); return {looks: looks(), mode: news.mode};")

    assert said["mode"] == "push"
    assert said["looks"][:6] == [500, 1500, 3500, 7500, 15500, 25500]
    assert max(b - a for a, b in zip(said["looks"], said["looks"][1:], strict=False)) == 10000


def test_a_key_makes_it_look_soon(page: Page) -> None:
    said = run(
        page,
        "page.timers.advance(26000); news.active(); page.timers.advance(600); return looks().slice(-1)[0];",
    )

    assert said == 26500


def test_who_types_fast_is_looked_for_all_the_same(page: Page) -> None:
    looks = run(
        page,
        "for (var i = 0; i < 50; i++) { news.active(); page.timers.advance(100); } return looks();",
    )

    assert len(looks) == 10


def test_pushing_that_works_leaves_a_look_every_fifteen_seconds(page: Page) -> None:
    said = run(
        page,
        """
        page.timers.advance(100);
        push(seq(1));
        news.found(1);
        news.active();
        page.timers.advance(60000);
        return {looks: looks(), mode: news.mode};
        """,
    )

    assert said == {"looks": [15100, 30100, 45100, 60100], "mode": "push"}


def test_a_look_that_finds_what_was_not_pushed_goes_back_to_polling(page: Page) -> None:
    said = run(
        page,
        """
        push(seq(1));
        news.found(1);
        page.timers.advance(15000);
        news.found(2);
        var at_once = news.mode;
        page.timers.advance(4000);
        return {at_once: at_once, mode: news.mode, looks: looks().length};
        """,
    )

    assert said["at_once"] == "push"
    assert said["mode"] == "polling"
    assert said["looks"] >= 2


def test_an_event_that_is_a_little_late_is_no_silence(page: Page) -> None:
    said = run(
        page,
        """
        push(seq(1));
        news.found(3);
        page.timers.advance(1500);
        push(seq(3));
        page.timers.advance(10000);
        return news.mode;
        """,
    )

    assert said == "push"


def test_an_event_shortly_after_a_look_shows_that_pushing_works(page: Page) -> None:
    said = run(page, "news.found(3); page.timers.advance(1000); push(seq(3)); return news.mode;")

    assert said == "push"


def test_an_event_that_is_very_late_does_not_count(page: Page) -> None:
    said = run(
        page,
        """
        news.found(2);
        page.timers.advance(1000);
        news.found(3);
        page.timers.advance(9000);
        push(seq(3));
        return {mode: news.mode, heard: heard.slice(-1)[0].changes};
        """,
    )

    assert said == {"mode": "polling", "heard": {"output_seq": "3"}}


def test_pushing_that_comes_back_is_used_again(page: Page) -> None:
    said = run(
        page,
        """
        push(seq(1));
        page.timers.advance(15000);
        news.found(2);
        page.timers.advance(4000);
        var before = news.mode;
        push(seq(3));
        news.found(3);
        page.timers.advance(5000);
        return [before, news.mode];
        """,
    )

    assert said == ["polling", "push"]


def test_what_is_stopped_is_silent(page: Page) -> None:
    said = run(
        page,
        """
        news.stop();
        push(seq(1));
        news.active();
        news.found(9);
        page.timers.advance(60000);
        return {heard: heard.length, ended: ended, left: page.timers.planned()};
        """,
    )

    assert said == {"heard": 0, "ended": 1, "left": 0}


def test_another_session_is_followed_from_the_beginning(page: Page) -> None:
    said = run(
        page,
        """
        push(seq(50));
        var old = push;
        var others = [];
        news.follow('def', function (changes) { others.push(changes); });
        old(seq(51));
        push(seq(1));
        return {heard: heard.length, others: others, mode: news.mode, ended: ended};
        """,
    )

    assert said == {"heard": 1, "others": [{"output_seq": "1"}], "mode": "push", "ended": 1}


def test_an_event_of_another_shape_is_still_news(page: Page) -> None:
    said = run(page, "push(null); push({x: null}); return heard.map(function (h) { return h.changes; });")

    assert said == [{}, {"x": None}]


def test_a_channel_that_dies_without_a_word_is_noticed_while_somebody_types(page: Page) -> None:
    said = run(
        page,
        """
        push(seq(1));
        news.found(1);
        page.timers.advance(5000);
        var before = looks().length;
        news.expect();
        page.timers.advance(1600);
        var soon = looks().length - before;
        news.found(2);
        page.timers.advance(2100);
        return {before: before, soon: soon, mode: news.mode};
        """,
    )

    assert said == {"before": 0, "soon": 1, "mode": "polling"}


def test_a_key_whose_event_comes_is_looked_for_no_more(page: Page) -> None:
    said = run(
        page,
        """
        push(seq(1));
        news.found(1);
        for (var i = 2; i < 40; i++) {
            news.expect();
            page.timers.advance(300);
            push(seq(i));
            news.found(i);
            news.calm();
        }
        page.timers.advance(10000);
        return looks();
        """,
    )

    assert said == []


def test_the_event_of_an_earlier_key_does_not_put_off_the_look_for_the_last(page: Page) -> None:
    """The channel dies between the two."""
    said = run(
        page,
        """
        push(seq(1));
        news.found(1);
        news.expect();
        news.expect();
        page.timers.advance(400);
        push(seq(2));
        news.found(2);
        page.timers.advance(2000);
        return looks().length;
        """,
    )

    assert said == 1


def test_a_key_without_an_answer_is_looked_for_ever_less_often(page: Page) -> None:
    said = run(
        page,
        "push(seq(1)); news.found(1); news.expect(); page.timers.advance(40000); return looks();",
    )

    assert said == [1500, 4500, 10500, 22500, 37500]


def test_what_was_there_before_nobody_could_tell(page: Page) -> None:
    said = run(page, "news.found(17); page.timers.advance(5000); return news.mode;")

    assert said == "push"


def test_a_look_that_finds_what_was_never_pushed_shows_that_it_polls(page: Page) -> None:
    said = run(
        page,
        "news.found(17); page.timers.advance(5000); news.found(18); page.timers.advance(2100); return news.mode;",
    )

    assert said == "polling"
