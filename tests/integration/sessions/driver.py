"""Driving one session in a test: type, read, look."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from sidecar.claude import keystrokes
from sidecar.model.command import Command, InputMode, Receipt
from sidecar.model.output import Reading
from sidecar.model.session import Activity, Session, SessionState
from sidecar.services import Services
from sidecar.sessions.desk import Access, Span, Status
from sidecar.sessions.live import Live
from tests.fixtures.services import access, create
from tests.waiting import until

PATIENCE_S = 60
#: What nobody waits for who is not to.
FOR_EVER_S = 600


@dataclass
class Driver:
    """A session and the services it runs in; `services` may be replaced by those of a later run."""

    services: Services
    access: Access
    opened: Status = field(repr=False)

    @classmethod
    def create(cls, services: Services, **changes: object) -> Driver:
        """Create a session and return its driver."""
        status = create(services, **changes)  # type: ignore[arg-type]  # passed on by name
        return cls(services, access(status), status)

    @property
    def id(self) -> UUID:
        return self.access.session_id

    @property
    def live(self) -> Live:
        return self.services._registry.find_any(self.id)

    @property
    def session(self) -> Session:
        return self.services.sessions.status(self.access).session

    def state(self) -> SessionState:
        return self.session.state

    def activity(self) -> Activity:
        return self.services.sessions.status(self.access).activity

    def command(self, text: str, **changes: object) -> Receipt:
        """Put text in as a user does."""
        command = Command(InputMode.TEXT, text=text, **changes)  # type: ignore[arg-type]  # passed on by name
        return self.services.sessions.command(self.access, command)

    def say(self, text: str) -> Receipt:
        """Put text in and wait for its answer on the screen."""
        receipt = self.command(text)
        assert self.shows(f"You said: {text}"), self.screen()
        return receipt

    def keys(self, *names: str) -> Receipt:
        return self.raw(keystrokes.key_bytes(names))

    def raw(self, data: bytes) -> Receipt:
        return self.services.sessions.command(self.access, Command(InputMode.RAW, data=data))

    def screen(self) -> str:
        return "\n".join(self.services.sessions.screen(self.access).lines)

    def shows(self, text: str, seconds: float = PATIENCE_S) -> bool:
        """Wait until the screen shows `text`."""
        return until(lambda: text in self.screen(), seconds)

    def becomes(self, state: SessionState, seconds: float = PATIENCE_S) -> bool:
        """Wait until the session is in `state`."""
        return until(lambda: self.state() is state, seconds)

    def read(self, cursor: int, limit: int = 1 << 20, wait_s: float = 0) -> Reading:
        return self.services.sessions.output(self.access, cursor, Span(limit, wait_s, text=False))

    def everything(self, cursor: int = 0) -> bytes:
        """Return all output from `cursor` there is now."""
        data = b""
        while (reading := self.read(cursor)).data:
            data += reading.data
            cursor = reading.next_cursor
        return data

    def printed(self, mark: bytes, cursor: int = 0, seconds: float = PATIENCE_S) -> bytes:
        """Wait until `mark` is in the output from `cursor`; return that output."""
        found = b""

        def complete() -> bool:
            nonlocal cursor, found
            reading = self.read(cursor)
            assert not reading.dropped, f"{reading.dropped} bytes were dropped"
            found += reading.data
            cursor = reading.next_cursor
            return mark in found

        assert until(complete, seconds), found[-2000:]
        return found

    def terminate(self) -> None:
        self.services.sessions.terminate(self.access)
