"""A session from its creation to its end."""

from __future__ import annotations

from sidecar.model.session import Activity, SessionState
from sidecar.services import Services
from tests.fixtures.services import BOTH_DATABASES, BOTH_ISOLATIONS
from tests.integration.sessions.driver import Driver


@BOTH_DATABASES
@BOTH_ISOLATIONS
def test_a_session_answers_and_ends(services: Services) -> None:
    session = Driver.create(services)
    assert session.state is SessionState.RUNNING
    assert session.activity is Activity.IDLE

    receipt = session.say("hello there")

    assert receipt.submitted
    assert receipt.cursor > 0
    session.terminate()
    assert session.state is SessionState.TERMINATED
