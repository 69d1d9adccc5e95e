"""News of many sessions in one call."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from itertools import pairwise
from uuid import UUID, uuid4

import pytest

from sidecar.model.command import Command, InputMode
from sidecar.model.output import Reading
from sidecar.model.session import Activity, SessionState
from sidecar.services import Services
from sidecar.sessions.desk import Span
from sidecar.sessions.pump import Share
from tests.integration.sessions.driver import FOR_EVER_S, PATIENCE_S, Driver
from tests.waiting import until

News = dict[UUID, Share | None]
ALL = 1 << 20


@pytest.fixture
def pair(services: Services) -> tuple[Driver, Driver]:
    return Driver.create(services, user_id="ann"), Driver.create(services, user_id="bob")


class Caller:
    """A bridge that remembers how far it has got."""

    def __init__(self, services: Services, *sessions: Driver) -> None:
        self.services = services
        self.cursors = {session.id: 0 for session in sessions}
        self.received = {session.id: b"" for session in sessions}

    def call(self, wait_s: float = 0, name: str = "bridge") -> News:
        news = self.services.sessions.outputs(name, self.cursors, ALL, wait_s)
        for session_id, share in news.items():
            if share is not None:
                self.cursors[session_id] = share.reading.next_cursor
                self.received[session_id] += share.reading.data
        return news

    def quiet(self) -> bool:
        return not self.call()

    def ask(self, session: Driver, text: str, pump: str | None = "bridge") -> Reading:
        """Put text in and wait for the screen to settle; the answer does not reach the cursors."""
        command, span = Command(InputMode.TEXT, text=text), Span(ALL, 5, text=False)
        return self.services.sessions.answered(session.access, command, span, pump)[1]


def test_only_sessions_with_news_are_in_the_answer(services: Services, pair: tuple[Driver, Driver]) -> None:
    first, second = pair
    caller = Caller(services, first, second)
    assert set(caller.call()) == {first.id, second.id}
    assert until(caller.quiet)

    second.say("hello")
    news = caller.call(5)

    assert set(news) == {second.id}
    assert until(caller.quiet)
    assert b"You said: hello" in caller.received[second.id]
    assert caller.received[second.id] == second.everything()


def test_an_answer_carries_state_and_activity(services: Services, pair: tuple[Driver, Driver]) -> None:
    first, _ = pair
    caller = Caller(services, first)
    first.command("[[menu]]")
    assert until(lambda: first.activity() is Activity.AWAITING_INPUT)

    share = caller.call()[first.id]

    assert share is not None
    assert share.activity is Activity.AWAITING_INPUT
    assert share.reading.state is SessionState.RUNNING


def test_an_end_is_told_even_without_output(services: Services, pair: tuple[Driver, Driver]) -> None:
    first, second = pair
    caller = Caller(services, first, second)
    assert until(caller.quiet)
    first.terminate()

    share = caller.call(5)[first.id]

    assert share is not None
    assert share.reading.state is SessionState.TERMINATED


def test_a_session_that_does_not_exist_is_told_once(services: Services, pair: tuple[Driver, Driver]) -> None:
    unknown = uuid4()
    caller = Caller(services, pair[0])
    caller.cursors[unknown] = 0

    assert caller.call()[unknown] is None

    assert unknown not in caller.call()


def test_a_newer_call_ends_the_older_one_at_once(services: Services, pair: tuple[Driver, Driver]) -> None:
    older, newer = Caller(services, *pair), Caller(services, *pair)
    assert until(older.quiet)
    newer.cursors = dict(older.cursors)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(older.call, FOR_EVER_S)
        assert until(lambda: pair[0].live.console.bell.heard)
        second = pool.submit(newer.call, FOR_EVER_S)
        assert first.result(PATIENCE_S) == {}
        assert not second.done()
        pair[0].raw(b"x")
        assert set(second.result(PATIENCE_S)) == {pair[0].id}


def test_pumps_of_other_names_do_not_end_each_other(services: Services, pair: tuple[Driver, Driver]) -> None:
    one, other = Caller(services, *pair), Caller(services, *pair)
    assert until(one.quiet)
    assert until(lambda: not other.call(name="other"))
    with ThreadPoolExecutor(2) as pool:
        calls: list[Future[News]] = [
            pool.submit(one.call, FOR_EVER_S),
            pool.submit(other.call, FOR_EVER_S, "other"),
        ]
        assert until(lambda: len(pair[0].live.console.bell._listeners) == 2)
        pair[0].raw(b"x")
        assert [set(call.result(PATIENCE_S)) for call in calls] == [{pair[0].id}] * 2


def test_nothing_is_lost_while_calls_overlap_and_output_goes_on(
    services: Services, pair: tuple[Driver, Driver]
) -> None:
    first, second = pair
    caller = Caller(services, first, second)
    first.command("[[flood 500000]]")
    second.command("[[flood 300000]]")

    assert until(lambda: not caller.call(0.5) and b"You said" in caller.received[second.id])

    assert caller.received[first.id] == first.everything()
    assert caller.received[second.id] == second.everything()


def test_closing_ends_a_waiting_call(services: Services, pair: tuple[Driver, Driver]) -> None:
    caller = Caller(services, *pair)
    assert until(caller.quiet)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(caller.call, FOR_EVER_S)
        assert until(lambda: pair[0].live.console.bell.heard)
        services.stop_waiting()
        assert call.result(PATIENCE_S) == {}


def test_a_commands_answer_is_not_told_again_but_for_its_first_bytes(
    services: Services, pair: tuple[Driver, Driver]
) -> None:
    session, _ = pair
    caller = Caller(services, session)
    assert until(caller.quiet)
    begin = caller.cursors[session.id]
    with ThreadPoolExecutor(2) as pool:
        answer = pool.submit(caller.ask, session, "hello")
        assert set(caller.call(5)) == {session.id}  # the first bytes, at once
        again = pool.submit(caller.call, FOR_EVER_S)
        reading = answer.result(PATIENCE_S)
        assert b"You said: hello" in reading.data
        assert begin < caller.cursors[session.id] <= reading.next_cursor
        assert not until(again.done, 0.5)

        session.raw(b"x")  # nobody else carries this one

        assert set(again.result(PATIENCE_S)) == {session.id}
    assert caller.received[session.id] == session.everything()


def typed(session: Driver, data: bytes, pump: str | None = "bridge", wait_s: float = 0.3) -> Reading:
    """Press keys and wait for their echo; return what the answer carries."""
    command, span = Command(InputMode.RAW, data=data), Span(ALL, wait_s, text=False)
    return session.services.sessions.answered(session.access, command, span, pump)[1]


def test_answers_to_keys_leave_no_gap_between_them(services: Services, pair: tuple[Driver, Driver]) -> None:
    session, _ = pair
    caller = Caller(services, session)
    assert until(caller.quiet)
    begin = caller.cursors[session.id]
    answers = [typed(session, b"%d" % number) for number in range(8)]

    assert answers[0].cursor == begin
    assert all(b.cursor <= a.next_cursor <= b.next_cursor for a, b in pairwise(answers))
    assert begin < answers[-1].next_cursor
    assert until(caller.quiet)
    assert caller.received[session.id] == session.everything()


def test_the_echo_of_a_key_comes_with_its_answer_and_not_again(
    services: Services, pair: tuple[Driver, Driver]
) -> None:
    session, _ = pair
    caller = Caller(services, session)

    def once() -> bool:
        """Press a key; tell whether its answer alone brought the echo. A busy computer may paint it in two."""
        assert until(caller.quiet)
        with ThreadPoolExecutor(1) as pool:
            call = pool.submit(caller.call, FOR_EVER_S)
            assert until(lambda: session.live.console.bell.heard)
            answer = typed(session, b"x")
            assert until(lambda: session.live.console.quiet() > 0.4)
            alone = not call.done() and answer.next_cursor == session.live.console.end
            session.raw(b"y")  # nobody carries this one
            assert set(call.result(PATIENCE_S)) == {session.id}
        return alone and answer.cursor < answer.next_cursor

    assert any(once() for _ in range(5))
    assert until(caller.quiet)
    assert caller.received[session.id] == session.everything()


def test_an_echo_is_not_waited_for_longer_than_it_takes(pair: tuple[Driver, Driver]) -> None:
    session, _ = pair
    receipt = session.raw(b"x")
    console, submitter = session.live.console, session.services.sessions.submitter

    assert submitter.echo(console, receipt.cursor, 3600)
    assert not submitter.echo(console, console.visible_end, 0.05)  # a program that prints nothing


def test_keys_are_told_by_the_pump_to_others(services: Services, pair: tuple[Driver, Driver]) -> None:
    session, _ = pair
    caller = Caller(services, session)
    assert until(caller.quiet)
    typed(session, b"q", pump="another")

    assert set(caller.call(5)) == {session.id}


def test_an_answer_that_was_lost_is_told_when_the_time_is_up(
    services: Services, pair: tuple[Driver, Driver]
) -> None:
    session, _ = pair
    caller = Caller(services, session)
    assert until(caller.quiet)
    caller.ask(session, "hello")  # nobody received this answer

    assert until(lambda: b"You said: hello" in caller.received[session.id] or not caller.call(0.3))

    assert until(lambda: bool(caller.call(0.1)) or b"You said: hello" in caller.received[session.id])
    assert caller.received[session.id] == session.everything()


def test_an_answer_to_somebody_else_is_told(services: Services, pair: tuple[Driver, Driver]) -> None:
    session, _ = pair
    caller = Caller(services, session)
    assert until(caller.quiet)
    caller.ask(session, "hello", pump=None)

    caller.call(5)

    assert b"You said: hello" in caller.received[session.id]


def test_the_bytes_of_an_answer_are_shared_by_the_sessions(
    services: Services, pair: tuple[Driver, Driver]
) -> None:
    caller = Caller(services, *pair)
    for session in pair:
        session.say("[[flood 30000]]")

    news = services.sessions.outputs("bridge", caller.cursors, 20_000, 0)

    sizes = [len(share.reading.data) for share in news.values() if share is not None]
    assert sizes == [10_000, 10_000]
