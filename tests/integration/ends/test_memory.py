"""The host runs out of memory, or a session does."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from sidecar.isolation import processes
from sidecar.model.session import SessionState
from tests.fixtures.services import BOTH_ISOLATIONS, MakeServices
from tests.integration.sessions.driver import Driver
from tests.waiting import until


def badness(pid: int) -> int:
    return int(Path(f"/proc/{pid}/oom_score_adj").read_text())


@BOTH_ISOLATIONS
def test_the_kernel_would_take_a_session_and_not_the_service(make_services: MakeServices) -> None:
    session = Driver.create(make_services())
    session.say("a tool [[spawn]]")
    assert until(lambda: len(processes.tagged(session.id)) > 1)

    scores = [badness(pid) for pid in processes.tagged(session.id)]

    assert min(scores) >= badness(os.getpid()) + 500


def test_a_session_the_kernel_took_is_interrupted_and_goes_on_with_the_next_command(
    make_services: MakeServices,
) -> None:
    services = make_services()
    taken, other = Driver.create(services), Driver.create(services)
    taken.say("before")

    for pid in processes.tagged(taken.id):  # what the kernel does
        os.kill(pid, signal.SIGKILL)

    assert taken.becomes(SessionState.INTERRUPTED)
    assert "the next command resumes it" in str(taken.session.reason)
    other.say("undisturbed")
    taken.say("after")
    assert "You said: before" in taken.screen()
