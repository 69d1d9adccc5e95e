"""Services in a process of their own, to be killed: orders come as lines on standard input.

`create ID`, `say ID TEXT`, `type ID TEXT`, each answered by a line with the offset of the session's output.
"""

from __future__ import annotations

import sys
from pathlib import Path
from uuid import UUID

from sidecar import config
from sidecar.services import Services
from sidecar.sessions.desk import Access
from tests.fixtures.services import USER, create
from tests.integration.sessions.driver import Driver


def main() -> None:
    """Serve until killed."""
    services = Services(config.load(None, Path("/nonexistent")))
    services.open()
    for line in sys.stdin:
        order, session_id, *text = line.rstrip("\n").split(" ", 2)
        end = obey(services, order, UUID(session_id), "".join(text))
        sys.stdout.write(f"{end}\n")
        sys.stdout.flush()


def obey(services: Services, order: str, session_id: UUID, text: str) -> int:
    """Carry an order out; return how far the session's output may be known outside."""
    if order == "create":
        create(services, id=session_id)
    status = services.sessions.status(Access(USER, session_id))
    driver = Driver(services, Access(USER, session_id), status)
    if order == "say":
        driver.say(text)
    elif order == "type":
        driver.command(text)
    return driver.live.console.visible_end


if __name__ == "__main__":
    main()
