"""Parts that stop, are killed and come back: it is said in words, goes on by itself, and nothing is done twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from emulator.browser import Browser, Refused
from emulator.installation import check_health
from emulator.midserver import Sidecar
from tests.fakes.queue import Queue
from tests.fixtures.loop import Loop
from tests.servicenow.conftest import Desk
from tests.servicenow.terminal import Terminal, mark, opened
from tests.waiting import until

PATIENCE_S = 60
LONG_AGO = "2026-01-01 00:00:00"
#: What the MID Server says of an answer that it could not deliver.
KEPT = "is kept for later"
JOBS = "nameSTARTSWITHclaude-terminal"


@pytest.fixture(scope="module")
def calm(loop: Loop) -> Loop:
    """Return the loop without the app's jobs, which the tests run when it is their time.

    Its MID Server looks into the queue each 2 s: after a restart of the instance the push channel needs a moment, and
    rows of that moment would wait for 40 s.
    """
    loop.mid.stop()
    loop.mid.prepare(Sidecar(loop.sidecar.url, loop.mid.home / "claude-token"), mid__poll__time="2")
    loop.mid.start()
    for job in loop.admin.table("sysauto_script").rows(JOBS):
        loop.admin.table("sysauto_script").update(job["sys_id"], active="false")
    return loop


@pytest.fixture
def inside(calm: Loop) -> Desk:
    """Return the app's tables and the queue."""
    return Desk(calm.admin, Queue(calm.admin), {})


@pytest.fixture
def terminal(calm: Loop) -> Iterator[Terminal]:
    """Return a session that is looked at; whatever a test stops, all of it runs for the next."""
    made = opened(calm)
    made.await_end()
    yield made
    if not calm.platform.program.running:
        calm.platform.start()
    if not calm.mid.program.running:
        calm.mid.start()
    if calm.sidecar.process is None:
        calm.sidecar.start()
    check_health(calm.admin)
    calm.alice.await_mid(calm.mid.name)


def goes_on(terminal: Terminal) -> None:
    """Fail unless the session is reachable, takes another command, and the instance has all its output."""
    word = mark()
    terminal.await_reach(PATIENCE_S)
    terminal.look()
    assert terminal.type(word)["accepted"]
    terminal.await_output(f"You said: {word}".encode(), seconds=PATIENCE_S)
    terminal.await_end(PATIENCE_S)
    assert terminal.asked(word) == [word]


def in_mid_command(terminal: Terminal, word: str) -> str:
    """Submit something that takes a while; return the request as soon as the program has it."""
    request = terminal.send(f"[[work 2]] {word}")
    assert until(lambda: terminal.asked(word), PATIENCE_S)
    assert terminal.user.call("GET", f"/requests/{request}")["state"] == "queued"
    return request


# -- the MID Server ------------------------------------------------------------------------------------------


def test_a_mid_that_was_stopped_before_is_named_and_nothing_is_queued(terminal: Terminal) -> None:
    loop, word = terminal.loop, mark()
    loop.mid.stop()
    problem = terminal.await_problem()
    rows = len(loop.rows())

    with pytest.raises(Refused) as refused:
        terminal.send(word)
    with pytest.raises(Refused) as placed:
        terminal.user.call("POST", "/sessions", {})

    assert problem == f"The MID Server {loop.mid.name} is down."
    assert terminal.told["reachable"] is False
    assert (refused.value.status, placed.value.status) == (503, 503)
    assert problem in str(refused.value)
    assert problem in str(placed.value)
    assert len(loop.rows()) == rows
    loop.mid.start()
    goes_on(terminal)
    assert terminal.asked(word) == []


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_a_mid_that_ends_in_mid_command_runs_it_again_and_the_program_gets_it_once(
    terminal: Terminal, inside: Desk, how: str
) -> None:
    loop, word = terminal.loop, mark()
    request = in_mid_command(terminal, word)
    if how == "stopped":
        loop.mid.stop()
    else:
        loop.mid.kill9()

    if how == "stopped":
        assert "is down" in terminal.await_problem()
    else:
        inside.change("request", f"sys_id={request}", sys_created_on=LONG_AGO)
    waiting = terminal.user.call("GET", f"/requests/{request}")
    loop.mid.start()
    answer = terminal.user.result(request, PATIENCE_S)

    assert waiting["state"] == "queued"
    assert ("is down" if how == "stopped" else "has not answered") in waiting["problem"]["detail"]
    assert answer["accepted"]
    goes_on(terminal)
    assert len(terminal.asked(word)) == 1


def test_a_mid_that_vanished_is_found_out_by_the_health_check(terminal: Terminal, inside: Desk) -> None:
    """Nobody told the instance: as far as it knows the MID Server is up."""
    loop = terminal.loop
    loop.mid.kill9()
    check_health(loop.admin)
    before = terminal.told
    inside.change("request", "op=health^state=queued", sys_created_on=ago(inside, 58))
    check_health(loop.admin)

    after = terminal.told
    assert (before["reachable"], before["problem"]) == (True, None)
    assert (after["reachable"], after["problem"]) == (
        False,
        f"The MID Server {loop.mid.name} does not answer.",
    )
    with pytest.raises(Refused, match="does not answer"):
        terminal.user.call("POST", "/sessions", {})
    loop.mid.start()
    goes_on(terminal)


def ago(inside: Desk, seconds: int) -> str:
    """Return a time of the instance."""
    return str(inside.script(f"new ClaudeTerminalClock().ago({seconds})"))


# -- the sidecar ---------------------------------------------------------------------------------------------


def test_a_sidecar_that_is_stopped_is_told_and_the_session_wakes_when_it_is_back(terminal: Terminal) -> None:
    loop, word = terminal.loop, mark()
    before = mark()
    terminal.type(before)
    loop.sidecar.stop()

    with pytest.raises(Refused) as refused:
        terminal.type(word)

    assert refused.value.status == 502
    assert "The MID Server did not reach the sidecar" in str(refused.value)
    assert "The MID Server did not reach the sidecar" in terminal.await_problem()
    assert terminal.told["reachable"] is False
    loop.sidecar.start()
    check_health(loop.admin)
    goes_on(terminal)
    assert terminal.asked(word) == []
    assert terminal.asked(before) == [before], "the conversation was not resumed"


def test_a_sidecar_killed_in_mid_command_leaves_the_outcome_open_and_says_so(terminal: Terminal) -> None:
    loop, word = terminal.loop, mark()
    request = in_mid_command(terminal, word)
    loop.sidecar.kill9()

    with pytest.raises(Refused) as refused:
        terminal.user.result(request, PATIENCE_S)

    assert refused.value.status == 504
    assert "Whether it was done is not known." in str(refused.value)
    assert terminal.await_problem()
    assert terminal.told["state"] == "running"
    loop.sidecar.start()
    check_health(loop.admin)
    goes_on(terminal)
    assert len(terminal.asked(word)) == 1


def test_a_command_that_comes_again_to_a_sidecar_that_was_killed_is_not_typed_again(
    terminal: Terminal,
) -> None:
    """Both ends of the call were killed: the MID sends it again, the sidecar knows only that it had begun."""
    loop, word = terminal.loop, mark()
    request = in_mid_command(terminal, word)
    loop.mid.kill9()
    loop.sidecar.kill9()
    loop.sidecar.start()
    loop.mid.start()

    with pytest.raises(Refused) as refused:
        terminal.user.result(request, PATIENCE_S)

    assert refused.value.status == 409
    assert "whether it was executed is not known" in str(refused.value)
    goes_on(terminal)
    assert len(terminal.asked(word)) == 1


def test_a_session_whose_create_was_cut_short_is_found_again(calm: Loop, inside: Desk) -> None:
    """The sidecar is killed while it starts the session: nobody knows, until it is asked."""

    def sessions_at_sidecar(user: Browser) -> int:
        return int(calm.sidecar.call("GET", "/api/sessions", user=user.user_id).json()["total"])

    user = calm.newcomer()
    made = user.call("POST", "/sessions", {"model": "slow-3"})
    assert until(lambda: sessions_at_sidecar(user) == 1, PATIENCE_S)
    calm.sidecar.kill9()
    with pytest.raises(Refused, match="Whether it was done is not known"):
        user.result(made["request"], PATIENCE_S)
    assert user.session(made["session"])["state"] == "starting"

    calm.sidecar.start()
    check_health(calm.admin)
    inside.change("session", f"session_id={made['session']}", sys_created_on=ago(inside, 60))
    calm.admin.run_job("claude-terminal-pump-watchdog")

    terminal = Terminal(calm, user, made["session"])
    assert until(lambda: terminal.told["state"] != "starting", PATIENCE_S)
    goes_on(terminal)


# -- the instance --------------------------------------------------------------------------------------------


ENDS: dict[str, Callable[[Loop], object]] = {
    "stopped": lambda loop: loop.platform.stop(),
    "killed": lambda loop: loop.platform.kill9(),
}


def skip_a_minute(terminal: Terminal, inside: Desk) -> None:
    """Let the pump be as old as one that is given up; a kill may fall between an answer and the next pump."""
    mid = f"mid_name={terminal.loop.mid.name}^pump_requestISNOTEMPTY"
    inside.change("mid_status", mid, pump_at=ago(inside, 61))
    terminal.look()


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_an_instance_that_restarts_in_mid_command_gets_the_answer_afterwards(
    terminal: Terminal, end: Callable[[Loop], object]
) -> None:
    loop, word = terminal.loop, mark()
    request = in_mid_command(terminal, word)
    before = loop.mid.log().count(KEPT)
    end(loop)
    assert until(lambda: loop.mid.log().count(KEPT) > before, PATIENCE_S)
    loop.platform.start()

    assert terminal.user.result(request, PATIENCE_S)["accepted"]
    terminal.look()
    terminal.await_output(f"You said: [[work 2]] {word}".encode(), seconds=PATIENCE_S)
    goes_on(terminal)
    assert len(terminal.asked(word)) == 1
    terminal.assert_complete()


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_an_instance_that_restarts_in_mid_pump_misses_no_output(
    terminal: Terminal, inside: Desk, end: Callable[[Loop], object]
) -> None:
    loop, words = terminal.loop, [mark() for _ in range(3)]
    terminal.type_past_the_queue(words[0])
    terminal.await_output(f"You said: {words[0]}".encode())
    end(loop)
    terminal.type_past_the_queue(words[1])
    loop.platform.start()
    terminal.type_past_the_queue(words[2])

    skip_a_minute(terminal, inside)
    terminal.await_output(f"You said: {words[2]}".encode(), seconds=PATIENCE_S)
    goes_on(terminal)
    terminal.assert_complete()


def test_an_instance_killed_while_it_applies_answers_loses_and_doubles_nothing(
    terminal: Terminal, inside: Desk
) -> None:
    """Whichever of its writes the kill fell between, three times in a flow of answers."""
    loop, word = terminal.loop, mark()
    requests = [terminal.send(f"{word} {number:02}", stream=word, seq=number) for number in range(1, 16)]
    for least in (3, 6, 9):
        assert until(lambda least=least: len(terminal.asked(word)) >= least, PATIENCE_S)  # type: ignore[misc]
        loop.platform.kill9()
        loop.platform.start()

    answers = [terminal.user.result(request, PATIENCE_S) for request in requests]

    assert all(answer["accepted"] for answer in answers)
    assert terminal.asked(word) == [f"{word} {number:02}" for number in range(1, 16)]
    skip_a_minute(terminal, inside)
    goes_on(terminal)
    terminal.assert_complete()
