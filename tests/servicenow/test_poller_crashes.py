"""Pollers that die, stall, or are two: nothing is lost, nothing is done twice, and every row has one answer.

P6, P7 and M12 are faults of the predecessor: two pollers that overlapped did the same job, and what a crash left in
`processing` stayed there for ever.
"""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from emulator.installation import use_mids
from tests.fakes.gate import Cut, Reply
from tests.fakes.tap import Passed
from tests.fixtures.loop import KEY, POLLER_BRIDGE, Loop
from tests.fixtures.servicenow import POLLER
from tests.servicenow.gates import CLAIM, COMMAND, COMPLETE, Post, claimed, is_command, posted
from tests.servicenow.terminal import PATIENCE_S, Terminal, mark, opened
from tests.waiting import until

pytestmark = [pytest.mark.bridges(POLLER_BRIDGE), pytest.mark.timeout(240)]
OTHER = "poller-b"
#: How many commands each of some users sends while two pollers are at work.
USERS, EACH = 4, 5

Strike = Callable[[], None]


@pytest.fixture(scope="module")
def gates(loop: Loop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Post]:
    with posted(loop, tmp_path_factory.mktemp("others")) as post:
        yield post


@pytest.fixture
def post(gates: Post) -> Iterator[Post]:
    """Return the poller between its gates; it runs, whatever the test before did to it."""
    gates.mend()
    yield gates
    gates.rest()


@pytest.fixture
def terminal(post: Post) -> Terminal:
    return opened(post.loop)


# -- killed --------------------------------------------------------------------------------------------------


def after_the_claim(post: Post, terminal: Terminal, strike: Strike) -> None:
    def after(passed: Passed, reply: Reply) -> None:
        if passed.path.endswith(CLAIM) and claimed(reply, terminal):
            strike()

    post.instance.after = after


def before_the_sidecar(post: Post, terminal: Terminal, strike: Strike) -> None:
    post.sidecar.before = lambda passed: strike() if is_command(terminal, passed) else None


def after_the_sidecar(post: Post, terminal: Terminal, strike: Strike) -> None:
    post.sidecar.after = lambda passed, _: strike() if is_command(terminal, passed) else None


def before_the_answer(post: Post, terminal: Terminal, strike: Strike) -> None:
    post.instance.before = lambda passed: strike() if answers_command(post, terminal, passed) else None


def after_the_answer(post: Post, terminal: Terminal, strike: Strike) -> None:
    post.instance.after = lambda passed, _: strike() if answers_command(post, terminal, passed) else None


def answers_command(post: Post, terminal: Terminal, passed: Passed) -> bool:
    """Tell whether a call of the instance hands in the answer to a command of the session."""
    if not passed.path.endswith(COMPLETE):
        return False
    return json.loads(passed.body)["row"] in post.commands(terminal)


POINTS = {
    "after the claim": after_the_claim,
    "before the sidecar": before_the_sidecar,
    "after the sidecar": after_the_sidecar,
    "before the answer": before_the_answer,
    "after the answer": after_the_answer,
}


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_killed_at_any_point_it_loses_nothing_and_does_nothing_twice(
    post: Post, terminal: Terminal, point: Callable[[Post, Terminal, Strike], None]
) -> None:
    """P7, M12: the lease gives the row back, and the sidecar answers a repeat with the first answer."""
    word, struck = mark(), threading.Event()

    def strike() -> None:
        post.poller.kill9()
        struck.set()
        raise Cut

    point(post, terminal, strike)
    request = terminal.send(word)
    assert struck.wait(PATIENCE_S)
    post.instance.open()
    post.sidecar.open()
    post.expire()
    post.poller.start()

    assert terminal.user.result(request)["accepted"] is True
    assert until(lambda: terminal.asked(word) == [word], PATIENCE_S), terminal.asked(word)
    terminal.type("and on")
    assert terminal.asked(word) == [word]
    post.assert_answered_once(terminal)


def test_what_a_killed_poller_holds_is_nobody_elses_before_its_lease_is_over(
    post: Post, terminal: Terminal
) -> None:
    """Or two would do it at the same time, because nobody can tell a dead poller from a slow one."""
    word, struck = mark(), threading.Event()

    def strike() -> None:
        post.poller.kill9()
        struck.set()
        raise Cut

    before_the_sidecar(post, terminal, strike)
    request = terminal.send(word)
    assert struck.wait(PATIENCE_S)
    post.sidecar.open()
    post.poller.start()
    (row,) = post.commands(terminal)
    asked = len(post.instance.of(CLAIM))
    assert until(lambda: len(post.instance.of(CLAIM)) > asked + 2, PATIENCE_S)

    assert [claim["attempt"] for claim in post.claims(row)] == ["1"]
    assert terminal.asked(word) == []
    post.expire()
    assert terminal.user.result(request)["accepted"] is True
    assert [claim["attempt"] for claim in post.claims(row)] == ["1", "2"]


# -- stalled -------------------------------------------------------------------------------------------------


def taken_over(post: Post, terminal: Terminal) -> bool:
    """Let the lease run out until another has the row: a claim that was under way at the stop may renew it."""
    (row,) = post.commands(terminal)
    if len({claim["owner"] for claim in post.claims(row)}) == 1:
        post.expire()
        return False
    return True


def test_one_that_stalls_past_its_lease_is_told_when_it_wakes(post: Post, terminal: Terminal) -> None:
    word, stalled = mark(), threading.Event()

    def after(passed: Passed, _: Reply) -> None:
        if is_command(terminal, passed) and not stalled.is_set():
            post.poller.program.send(signal.SIGSTOP)
            stalled.set()

    post.sidecar.after = after
    request = terminal.send(word)
    assert stalled.wait(PATIENCE_S)
    try:
        with post.beside(post.another()):
            assert until(lambda: taken_over(post, terminal), PATIENCE_S)
            assert terminal.user.result(request)["accepted"] is True
            post.poller.program.send(signal.SIGCONT)
            assert until(lambda: late(post), PATIENCE_S), post.poller.log()
    finally:
        post.poller.program.send(signal.SIGCONT)

    assert until(lambda: "was not taken: lost" in post.poller.log(), PATIENCE_S), post.poller.log()
    (row,) = post.commands(terminal)
    assert len({claim["owner"] for claim in post.claims(row)}) == 2
    assert terminal.asked(word) == [word]
    post.assert_answered_once(terminal)


def late(post: Post) -> bool:
    """Tell whether the instance has refused an answer that came too late."""
    return any(reply.status == 409 for reply in post.instance.replies)


# -- two -----------------------------------------------------------------------------------------------------


def busy(terminals: list[Terminal]) -> list[list[str]]:
    """Let each user send commands one after the other, all users at the same time; return the words."""

    def one(terminal: Terminal) -> list[str]:
        word = mark()
        words = [f"{word} {number}" for number in range(EACH)]
        requests = [terminal.send(text) for text in words]
        assert all(terminal.user.result(request)["accepted"] for request in requests)
        return words

    with ThreadPoolExecutor(len(terminals)) as pool:
        return list(pool.map(one, terminals))


def assert_done(post: Post, terminal: Terminal, words: list[str]) -> None:
    """Fail unless the program was asked the words once, in their order."""
    word = words[0].split()[0]
    assert until(lambda: len(terminal.asked(word)) >= len(words), PATIENCE_S)
    assert terminal.asked(word) == words
    post.assert_answered_once(terminal)


def owners(post: Post, terminals: list[Terminal]) -> set[str]:
    """Return who worked off the commands of sessions."""
    return {claim["owner"] for terminal in terminals for claim in post.claims(*post.commands(terminal))}


def test_two_of_one_name_share_the_work_and_keep_the_order_of_each_session(post: Post) -> None:
    """P6: nothing but the unique index decides who has a row."""
    terminals = [opened(post.loop) for _ in range(USERS)]
    with post.beside(post.another()):
        rounds = [busy(terminals)]
        while len(owners(post, terminals)) < 2:
            assert len(rounds) < 10, "one of the two never got a row"
            rounds.append(busy(terminals))

        for words in rounds:
            for terminal, own in zip(terminals, words, strict=True):
                assert_done(post, terminal, own)
    assert all(len(post.claims(row)) == 1 for row in post.commands(terminals[0]))


def test_two_of_different_names_have_their_own_sessions(post: Post) -> None:
    use_mids(post.loop.admin, POLLER, OTHER)
    try:
        with post.beside(post.another(OTHER)):
            post.loop.alice.await_mid(OTHER)
            user = post.loop.newcomer()
            user.enrol(OTHER, KEY)
            terminals = [Terminal(post.loop, user, user.create(mid=name)) for name in (POLLER, OTHER)]
            words = busy(terminals)

            for terminal, own in zip(terminals, words, strict=True):
                assert_done(post, terminal, own)
            for terminal, name in zip(terminals, (POLLER, OTHER), strict=True):
                assert {owner.partition("/")[0] for owner in owners(post, [terminal])} == {name}
            for terminal in terminals:
                user.terminate(terminal.session)
    finally:
        use_mids(post.loop.admin, POLLER)


def test_commands_are_calls_of_their_user_with_one_key_each(post: Post, terminal: Terminal) -> None:
    """M1: the predecessor's poller named no user, so everything after *create* was refused."""
    terminal.type(mark())
    terminal.type(mark())

    calls = [call for call in post.sidecar.of(COMMAND) if is_command(terminal, call)]

    assert {call.headers["X-User-ID"] for call in calls} == {terminal.user.user_id}
    assert len({call.headers["Idempotency-Key"] for call in calls}) == 2
