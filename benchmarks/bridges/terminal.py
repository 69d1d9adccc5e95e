"""A terminal somebody types into: through the instance's queue, or straight over HTTP as the floor."""

from __future__ import annotations

import base64
import threading
import time
import uuid
from abc import ABC, abstractmethod
from dataclasses import dataclass

from benchmarks.bridges.sight import Sight
from benchmarks.bridges.stream import Event, Stream
from benchmarks.bridges.way import Way
from benchmarks.client import Address, Client, waiting
from benchmarks.emulated import Emulated, Overdue, Person, until

#: How long anything may take; a look each 40 s, twice, and some more.
PATIENCE_S = 120.0
#: As long as a command through the instance waits for its screen to settle: the app's default.
_SETTLE_MS = 1300
CLEAR = b"\x15"
#: A connection that nobody uses is closed by the server after some seconds.
_KEPT_S = 30.0


@dataclass(frozen=True)
class Asked:
    """Something under way: when it was asked, when it shows, and when its call is answered."""

    kind: str
    began: float
    shown: Event
    settled: Event

    def wait(self) -> bool:
        """Wait until both are there; tell whether they came."""
        return self.shown.wait(PATIENCE_S) and self.settled.wait(PATIENCE_S)


class Terminal(ABC):
    """One session, its stream, and the numbers of what was put in."""

    def __init__(self, stream: Stream) -> None:
        """Begin with nothing put in."""
        self.stream = stream
        self.commands = 0
        self.keys = 0

    def command(self, kind: str = "mark") -> Asked:
        """Submit the next command: `mark`, `print` for a long answer, or `tick` for one that takes a minute."""
        self.commands += 1
        shown = self.stream.expect(f"{'mark' if kind == 'mark' else 'done'}-{self.commands:05d}")
        began = time.perf_counter()
        settled = self.put({"command": f"{kind}-{self.commands:05d}"})
        return Asked({"print": "long", "mark": "command"}.get(kind, kind), began, shown, settled)

    def key(self) -> Asked:
        """Type the next numbered characters, as the page sends what was typed within a moment."""
        self.keys += 1
        typed = f"~{self.keys:05d}"
        shown = self.stream.expect(typed)
        began = time.perf_counter()
        settled = self.type(typed.encode())
        return Asked("key", began, shown, settled)

    def type(self, data: bytes) -> Event:
        """Put raw bytes in; return when that is answered."""
        return self.put({"command": base64.b64encode(data).decode(), "mode": "raw"})

    @abstractmethod
    def put(self, body: dict[str, str]) -> Event:
        """Make a command call; return when it is answered."""

    @abstractmethod
    def look(self) -> None:
        """Say that somebody looks."""

    @abstractmethod
    def close(self) -> None:
        """End the session and what looks at it."""


class Remote(Terminal):
    """A session of an instance's user."""

    def __init__(self, person: Person, sight: Sight, session: str, row: str, *, strict: bool) -> None:
        """Take a session that runs."""
        super().__init__(Stream(session, strict=strict))
        self._person, self._sight = person, sight
        self.session, self._row = session, row
        self._tab = uuid.uuid4().hex
        self._seq = 0
        self._order = threading.Lock()
        sight.look_at(row, self.stream)

    def put(self, body: dict[str, str]) -> Event:
        """Make a command call as the page does; return when its answer is applied."""
        with self._order:  # numbered in the order they leave
            self._seq += 1
            numbered = {**body, "stream": self._tab, "seq": self._seq}
            made = self._person.call("POST", f"/sessions/{self.session}/commands", numbered)
        return self._sight.answer(str(made["request"]))

    def look(self) -> None:
        """Say that this tab looks."""
        self._person.call("POST", f"/sessions/{self.session}/viewers", {"tab": self._tab})

    def close(self) -> None:
        """End the session."""
        made = self._person.call("DELETE", f"/sessions/{self.session}")
        self._sight.answer(str(made["request"])).wait(PATIENCE_S)
        self._sight.forget(self._row)


class Local(Terminal):
    """A session of the sidecar's own API; a thread waits for its output as a page of the sidecar does."""

    def __init__(self, address: Address, user: str, *, real: bool) -> None:
        """Create a session."""
        super().__init__(Stream(user, strict=not real))
        self._typist, self._watcher = Client(address, user), Client(address, user)
        self._last = 0.0
        where = {"workspaceType": "persistent", "workspaceName": "real-direct"} if real else {}
        self.session = self._typist.create(**where)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"watcher {user}")
        self._thread.start()

    def put(self, body: dict[str, str]) -> Event:
        """Make a command call, which answers when the screen has settled or a key has echoed."""
        wait = 0 if "mode" in body else _SETTLE_MS
        self._refresh()
        self._typist.call("POST", f"/api/session/{self.session}/command", {**body, "waitMs": wait})
        answered = Event()
        answered.happen(time.perf_counter())
        return answered

    def look(self) -> None:
        """Do nothing: the thread looks."""

    def close(self) -> None:
        """End the session; the waiting call is answered by that."""
        self._ended.set()
        self._refresh()
        self._typist.end(self.session)
        self._thread.join()
        self._typist.close()
        self._watcher.close()

    def _refresh(self) -> None:
        """Let the next call open a new connection where the server may have closed the old one."""
        if time.monotonic() - self._last > _KEPT_S:
            self._typist.close()
        self._last = time.monotonic()

    def _watch(self) -> None:
        cursor = 0
        while not self._ended.is_set():
            path = f"{waiting(self.session, cursor)}&encoding=base64"
            found = self._watcher.call("GET", path)
            now = time.perf_counter()
            data = base64.b64decode(found["data"])
            cursor = int(found["nextCursor"])
            if data or found["dropped"]:
                self.stream.take(int(found["cursor"]), int(found["dropped"]), data, now)


@dataclass(frozen=True)
class Birth:
    """A session that is being created."""

    remote: Remote
    began: float
    answered: Event


@dataclass(frozen=True)
class Maker:
    """Who creates sessions at the instance by one way; for one thread."""

    platform: Emulated
    sight: Sight
    person: Person
    way: Way

    def begin(self, *, real: bool = False) -> Birth:
        """Ask for a session; the property that chooses the bridge has to say this way's already."""
        where = {"workspaceType": "persistent", "workspaceName": f"real-{self.way.bridge}"} if real else {}
        began = time.perf_counter()
        made = self.person.call("POST", "/sessions", {"mid": self.way.mid, **where})
        answered = self.sight.answer(str(made["request"]))
        session = str(made["session"])
        remote = Remote(self.person, self.sight, session, self._value("sys_id", session), strict=not real)
        return Birth(remote, began, answered)

    def finish(self, birth: Birth) -> float:
        """Wait until the session runs; return the seconds since it was asked for.

        Raises:
            Overdue: it does not run.
        """
        if not birth.answered.wait(PATIENCE_S) or birth.answered.at is None:
            raise Overdue(f"{self.way.name}: no session within {PATIENCE_S:.0f} s")
        session = birth.remote.session
        if self._value("state", session) == "running":
            return birth.answered.at - birth.began
        # Its program took longer to start than the call waits.
        until(lambda: self._value("state", session) != "starting", "a session has started", PATIENCE_S)
        if self._value("state", session) != "running":
            raise Overdue(f"{self.way.name}: a session does not run: {self._value('problem', session)}")
        return time.perf_counter() - birth.began

    def _value(self, column: str, session: str) -> str:
        query = f"SELECT {column} FROM x_claude_terminal_session WHERE session_id = ?"
        return str(self.platform.value(query, session))
