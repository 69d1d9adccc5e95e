"""Instance, sidecar and account of a poller that fail, a clock that is wrong, and rows that make no sense."""

from __future__ import annotations

import base64
import json
import re
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import quoteattr

import pytest

from emulator.browser import Refused
from emulator.installation import register_client
from emulator.midserver import Account
from emulator.queue import NAME
from tests.fakes.gate import Cut, Reply
from tests.fakes.tap import Passed
from tests.fixtures.loop import POLLER_BRIDGE, Loop
from tests.fixtures.servicenow import POLLER_PASSWORD, POLLER_USER, poller_account
from tests.servicenow.gates import CLAIM, COMPLETE, Post, is_command, posted
from tests.servicenow.terminal import PATIENCE_S, Terminal, mark, opened
from tests.waiting import until

pytestmark = [pytest.mark.bridges(POLLER_BRIDGE), pytest.mark.timeout(240)]
ROOT = Path(__file__).resolve().parents[2]
#: The instance refuses the account; of sysexits.h.
REFUSED = 78
CLIENT, SECRET = "client-of-the-poller", "not a real secret of a client"
BRIDGE_PATH = "/api/x_claude_terminal/v1/bridge"
#: Longer than the instance hands out.
OVERSIZE = 200_001
#: Puts a program's clock forward by what HOURS says; Python runs it at its start.
SKEW = """
import os, time
_ahead, _now = 3600 * float(os.environ["HOURS"]), time.time
time.time = lambda: _now() + _ahead
"""


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


def assert_once(post: Post, terminal: Terminal, word: str) -> None:
    """Fail unless the program was asked it once, and all the session's rows have one answer."""
    assert until(lambda: terminal.asked(word) == [word], PATIENCE_S), terminal.asked(word)
    post.assert_answered_once(terminal)


# -- away ----------------------------------------------------------------------------------------------------


def test_while_the_instance_is_away_the_poller_asks_on_and_then_does_what_waits(
    post: Post, terminal: Terminal
) -> None:
    word = mark()
    post.instance.close()
    request = terminal.send(word)
    asked = len(post.instance.requests)
    assert until(lambda: len(post.instance.requests) > asked + 3, PATIENCE_S)
    assert terminal.asked(word) == []

    post.instance.open()

    assert terminal.user.result(request)["accepted"] is True
    assert_once(post, terminal, word)


def test_an_answer_is_kept_until_the_instance_is_back(post: Post, terminal: Terminal) -> None:
    word, done = mark(), threading.Event()

    def after(passed: Passed, _: Reply) -> None:
        if is_command(terminal, passed):
            post.instance.close()
            done.set()

    post.sidecar.after = after
    request = terminal.send(word)
    assert done.wait(PATIENCE_S)
    tried = len(post.instance.of(COMPLETE))
    assert until(lambda: len(post.instance.of(COMPLETE)) > tried + 1, PATIENCE_S)

    post.instance.open()

    assert terminal.user.result(request)["accepted"] is True
    assert_once(post, terminal, word)
    (row,) = post.commands(terminal)
    assert [claim["attempt"] for claim in post.claims(row)] == ["1"]


def test_an_instance_that_was_killed_goes_on_with_the_same_poller(post: Post, terminal: Terminal) -> None:
    word = mark()
    request = terminal.send(f"[[work 1]] {word}")
    post.loop.platform.kill9()
    asked = len(post.instance.requests)
    assert until(lambda: len(post.instance.requests) > asked + 1, PATIENCE_S)

    post.loop.platform.start()

    assert terminal.user.result(request)["accepted"] is True
    assert_once(post, terminal, f"[[work 1]] {word}")


def test_an_instance_that_wants_fewer_calls_gets_none_until_the_time_it_named(
    post: Post, terminal: Terminal
) -> None:
    word = mark()
    post.loop.admin.faults(tooManyRequests={"path": BRIDGE_PATH, "seconds": 4})
    request = terminal.send(word)

    assert terminal.user.result(request)["accepted"] is True
    refused = [reply for reply in post.instance.replies if reply.status == 429]
    # One for the claim, one for an answer that was on its way, and the seconds are rounded; not one each 250 ms.
    assert 1 <= len(refused) <= 4
    assert_once(post, terminal, word)


def test_a_sidecar_that_breaks_off_is_an_answer_and_not_a_repetition(post: Post, terminal: Terminal) -> None:
    """Nobody knows whether it was done, so only the user can say whether to do it again."""
    word = mark()

    def cut(passed: Passed, _: Reply) -> None:
        if is_command(terminal, passed):
            raise Cut

    post.sidecar.after = cut
    with pytest.raises(Refused, match=r"known") as refused:
        terminal.type(word)
    post.sidecar.open()

    assert refused.value.status == 504
    (row,) = post.commands(terminal)
    (answer,) = post.answers(row)
    assert answer["error_string"]
    again = mark()
    assert terminal.type(again)["accepted"] is True
    assert_once(post, terminal, again)
    assert terminal.asked(word) == [word]


def test_it_finishes_what_it_holds_when_it_is_told_to_end(post: Post, terminal: Terminal) -> None:
    word, begun = mark(), threading.Event()
    post.sidecar.before = lambda passed: begun.set() if is_command(terminal, passed) else None
    request = terminal.send(word)
    assert begun.wait(PATIENCE_S)
    # A run that an earlier test has killed counts as another poller of the name for 20 s.
    post.desk.change("mid_status", "bridge=poller", asked_by="")

    assert post.poller.stop() == 0

    assert terminal.user.result(request)["accepted"] is True
    with pytest.raises(Refused, match=f"The poller {post.poller.name} is not running") as refused:
        terminal.send("nobody takes this")
    assert refused.value.status == 503
    post.poller.start()
    assert until(lambda: terminal.told["reachable"], PATIENCE_S)
    assert_once(post, terminal, word)


# -- refused -------------------------------------------------------------------------------------------------


def test_with_a_wrong_password_it_stops_trying_and_says_so(post: Post) -> None:
    account = Account(post.instance.url, POLLER_USER, "wrong")
    other = post.another(account=account)
    seen = len(post.instance.replies)
    other.launch()

    assert other.wait() == REFUSED
    assert re.search(r"refuses the poller's account .*401", other.log())
    assert "wrong" not in other.log().replace("is wrong", "")
    own = [reply.status for reply in post.instance.replies[seen:] if reply.status in (401, 403)]
    assert own == [401]


def test_without_the_role_it_stops_trying_and_names_the_role(post: Post) -> None:
    post.loop.admin.create_user("roleless", POLLER_PASSWORD)
    other = post.another(account=Account(post.instance.url, "roleless", POLLER_PASSWORD))
    other.launch()

    assert other.wait() == REFUSED
    assert "x_claude_terminal.bridge" in other.log()
    assert POLLER_PASSWORD not in other.log()


def test_under_a_name_the_instance_does_not_know_it_stops_and_names_the_property(post: Post) -> None:
    other = post.another("poller-unknown")
    other.launch()

    assert other.wait() == REFUSED
    assert "x_claude_terminal.mids" in other.log()


def test_a_role_that_is_taken_away_ends_it(post: Post) -> None:
    roles = post.loop.admin.table("sys_user_has_role")
    (user,) = post.loop.admin.table("sys_user").rows(f"user_name={POLLER_USER}", fields="sys_id")
    (row,) = roles.rows(f"user={user['sys_id']}")
    roles.delete(row["sys_id"])
    try:
        assert post.poller.wait() == REFUSED
    finally:
        roles.insert(user=user["sys_id"], role=row["role"])
        post.poller.stop()


# -- OAuth ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client(loop: Loop) -> str:
    """Return the id of an OAuth client that acts as the pollers' account."""
    poller_account(loop.admin)
    (user,) = loop.admin.table("sys_user").rows(f"user_name={POLLER_USER}", fields="sys_id")
    register_client(loop.admin, user["sys_id"], CLIENT, SECRET)
    return CLIENT


def test_an_oauth_client_does_as_well_and_gets_a_new_token_when_its_own_has_ended(
    post: Post, client: str
) -> None:
    post.poller.kill9()
    nobody = Account(post.instance.url, "", "")
    other = post.another(account=nobody, SERVICENOW_CLIENT_ID=client, SERVICENOW_CLIENT_SECRET=SECRET)
    with post.beside(other):
        terminal = opened(post.loop)
        terminal.type(mark())
        post.loop.platform.kill9()
        post.loop.platform.start()  # tokens end with it
        word = mark()

        assert terminal.type(word)["accepted"] is True
        assert_once(post, terminal, word)
    assert len(post.instance.of("/oauth_token.do")) == 2
    assert all("secret" not in call.path for call in post.instance.requests)
    assert SECRET not in other.log()


def test_an_oauth_client_with_a_wrong_secret_stops_trying(post: Post, client: str) -> None:
    nobody = Account(post.instance.url, "", "")
    other = post.another(account=nobody, SERVICENOW_CLIENT_ID=client, SERVICENOW_CLIENT_SECRET="no")
    other.launch()

    assert other.wait() == REFUSED
    assert "401" in other.log()


# -- clocks --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", ["1", "-1"])
def test_a_clock_that_is_wrong_by_an_hour_changes_nothing(post: Post, tmp_path: Path, hours: str) -> None:
    """P8: all times of the queue and of leases are the instance's, in its own form."""
    (tmp_path / "sitecustomize.py").write_text(SKEW)
    post.poller.kill9()
    other = post.another(PYTHONPATH=f"{tmp_path}:{ROOT}", HOURS=hours)
    with post.beside(other):
        word = mark()
        terminal = opened(post.loop)
        assert terminal.type(word)["accepted"] is True
        assert_once(post, terminal, word)
        (row,) = post.commands(terminal)
        (claim,) = post.claims(row)

    asked_at = datetime.fromisoformat(other.log().split()[0])
    assert round((asked_at - datetime.now(UTC)) / timedelta(hours=1)) == int(hours), "the clock was right"
    until_then = datetime.strptime(claim["leased_until"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    assert abs(until_then - datetime.now(UTC)) < timedelta(minutes=10)
    told = [json.loads(call.body) for call in post.instance.of(CLAIM)]
    assert {key for body in told for key in body} <= {
        "name", "owner", "version", "limit", "held", "look", "leaving"
    }  # fmt: skip


# -- rows ----------------------------------------------------------------------------------------------------


def payload(**values: str) -> str:
    """Return the payload of a row with these parameters."""
    lines = [
        f"<parameter name={quoteattr(name)} value={quoteattr(value)}/>" for name, value in values.items()
    ]
    return f"<parameters>{''.join(lines)}</parameters>"


GOOD = {
    "skip_sensor": "true",
    "v": "1",
    "op": "health",
    "user": "0" * 32,
    "session": "",
    "key": "k-1",
    "body": "",
}
GARBAGE = {
    "no XML": "no xml",
    "nothing": "",
    "not ours": "<parameters/>",
    "an unknown operation": payload(**GOOD | {"op": "shutdown"}),
    "another version": payload(**GOOD | {"v": "99"}),
    "a body that is no base64": payload(**GOOD | {"body": "%%%"}),
    "a body that is no JSON": payload(**GOOD | {"body": base64.b64encode(b"{").decode()}),
    "a session that leads elsewhere": payload(**GOOD | {"op": "status", "session": "../health"}),
    "too long": payload(**GOOD | {"body": "A" * OVERSIZE}),
    "an encoding that is none": '<?xml version="1.0" encoding="hex"?><parameters/>',
    "a number without end": payload(
        **GOOD | {"op": "output", "body": base64.b64encode(b'{"maxBytes":1' + b"0" * 400 + b"}").decode()}
    ),
}


@pytest.mark.parametrize("text", GARBAGE.values(), ids=GARBAGE)
def test_a_row_that_makes_no_sense_is_answered_as_an_error_and_never_tried_again(
    post: Post, text: str
) -> None:
    row = post.loop.admin.table("ecc_queue").insert(
        agent=post.loop.agent, topic="ClaudeTerminal", name=NAME, queue="output", state="ready", payload=text
    )["sys_id"]
    assert until(lambda: post.answers(row), PATIENCE_S), post.poller.log()
    asked = len(post.instance.of(CLAIM))
    assert until(lambda: len(post.instance.of(CLAIM)) > asked + 2, PATIENCE_S)

    (answer,) = post.answers(row)
    assert answer["error_string"]
    assert '"ok":false' in base64.b64decode(output(answer["payload"])).decode().replace(" ", "")
    assert post.loop.rows(f"sys_id={row}")[0]["state"] == "processed"
    assert [claim["attempt"] for claim in post.claims(row)] == ["1"]


def output(text: str) -> str:
    """Return what an answer's payload carries."""
    found = re.search(r"<output>([^<]*)</output>", text)
    assert found, text
    return found[1]


def test_a_row_that_is_never_answered_is_given_up_at_last(post: Post, terminal: Terminal) -> None:
    """Whoever takes it dies of it: five do, and then the user is told."""
    word, struck = mark(), threading.Semaphore(0)

    def strike(passed: Passed) -> None:
        if is_command(terminal, passed):
            post.poller.program.send(signal.SIGKILL)
            struck.release()
            raise Cut

    post.sidecar.before = strike
    request = terminal.send(word)
    for _ in range(5):
        assert struck.acquire(timeout=PATIENCE_S)
        post.poller.stop()
        post.expire()
        post.poller.launch()  # the next one may die before it says that it is up

    with pytest.raises(Refused, match="given up") as refused:
        terminal.user.result(request)
    assert refused.value.status == 504
    assert terminal.asked(word) == []
    post.sidecar.open()
    post.assert_answered_once(terminal)
