"""A user in front of one session: looks, types, reads, and knows what the program really got."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from emulator.browser import Browser, await_that
from emulator.servicenow import Json
from tests.fixtures.loop import Loop
from tests.waiting import until

PATIENCE_S = 40


@dataclass
class Terminal:
    """One session of one user. What it has read so far is in `read`."""

    loop: Loop
    user: Browser
    session: str
    read: bytearray = field(default_factory=bytearray, repr=False)
    cursor: int = 0
    #: Bytes it was told it cannot have; only a crash of the sidecar leaves such a gap.
    dropped: int = 0

    # -- the session -----------------------------------------------------------------------------------

    def look(self) -> None:
        """Say that somebody looks at it."""
        self.user.view(self.session)

    @property
    def told(self) -> Json:
        """Return the session as its user is told."""
        return self.user.session(self.session)

    # -- typing ----------------------------------------------------------------------------------------

    def send(self, command: str, **fields: Any) -> str:
        """Submit something and wait for nothing; return the request."""
        path = f"/sessions/{self.session}/commands"
        return str(self.user.call("POST", path, {"command": command, **fields})["request"])

    def type(self, command: str, **fields: Any) -> Json:
        """Submit something; return the sidecar's answer."""
        return self.user.result(self.send(command, **fields))

    def send_raw(self, data: bytes, **fields: Any) -> str:
        """Send bytes as they are and wait for nothing; return the request."""
        return self.send(base64.b64encode(data).decode(), mode="raw", **fields)

    def type_past_the_queue(self, text: str) -> None:
        """Submit a text at the sidecar itself, as another client does; the pump has to bring what it prints."""
        path = f"/api/session/{self.session}/command"
        body = {"command": text}
        answer = self.loop.sidecar.call("POST", path, user=self.user.user_id, json=body)
        assert answer.status_code == 200, answer.text

    # -- reading ---------------------------------------------------------------------------------------

    def take(self) -> None:
        """Read what the instance has."""
        piece = self.user.output(self.session, self.cursor)
        assert piece.next_cursor == self.cursor + piece.dropped + len(piece.data)
        self.read += piece.data
        self.dropped += piece.dropped
        self.cursor = piece.next_cursor

    def assert_complete(self) -> None:
        """Fail unless it has read exactly what the sidecar has, byte for byte, and no byte is missing."""
        self.await_end()
        assert self.dropped == 0, f"{self.dropped} bytes are missing"
        known = self.at_sidecar()  # more may have been printed meanwhile
        assert known.startswith(self.read), (
            f"the instance has other bytes than the sidecar: {self.read[-200:]!r}, not {known[-200:]!r}"
        )

    def await_output(self, wanted: bytes, *, after: int = 0, seconds: float = PATIENCE_S) -> None:
        """Read until the output has `wanted` in it, behind the offset `after`."""

        def arrived() -> bool:
            self.take()
            return self.read.find(wanted, after) >= 0

        assert until(arrived, seconds), (
            f"no {wanted!r} within {self.cursor} bytes: …{bytes(self.read[-200:])!r}"
        )

    def await_end(self, seconds: float = PATIENCE_S) -> None:
        """Read until the instance has everything the sidecar has."""

        def complete() -> bool:
            self.take()
            return self.cursor == self.end_at_sidecar()

        assert until(complete, seconds), f"{self.cursor} bytes of {self.end_at_sidecar()} are on the instance"

    def await_stored(self, least: int = 1, seconds: float = PATIENCE_S) -> None:
        """Wait until the instance has got as far as the sidecar, and to `least` bytes, without reading."""

        def arrived() -> bool:
            self.look()
            return least <= int(self.told["outputOffset"]) == self.end_at_sidecar()

        assert until(arrived, seconds), f"{self.told} of {self.end_at_sidecar()} bytes"

    def await_problem(self, seconds: float = PATIENCE_S) -> str:
        """Wait until the session has a problem; return its words."""
        return str(await_that(lambda: self.told["problem"], seconds, "the session has a problem"))

    def await_reach(self, seconds: float = PATIENCE_S) -> None:
        """Wait until the session is reachable and has no problem."""
        await_that(
            lambda: self.told["reachable"] and self.told["problem"] is None, seconds, "it is reachable"
        )

    # -- what happened ---------------------------------------------------------------------------------

    def asked(self, mark: str = "") -> list[str]:
        """Return what the program was asked, in its order, of that what has `mark` in it."""
        entries = [
            json.loads(line)
            for file in self.loop.sidecar.data_dir.glob(f"sessions/{self.session}/**/projects/*/*.jsonl")
            for line in file.read_text().splitlines()
        ]
        texts = [entry["message"]["content"] for entry in entries if entry["type"] == "user"]
        return [text for text in texts if mark in text]

    def at_sidecar(self) -> bytes:
        """Return the session's whole output as the sidecar has it."""
        read, cursor = bytearray(), 0
        while piece := self._piece(cursor):
            read += piece
            cursor += len(piece)
        return bytes(read)

    def end_at_sidecar(self) -> int:
        """Return where the sidecar's output ends."""
        path = f"/api/session/{self.session}/status"
        return int(self.loop.sidecar.call("GET", path, user=self.user.user_id).json()["outputOffset"])

    def _piece(self, cursor: int) -> bytes:
        query = f"cursor={cursor}&maxBytes=1048576&encoding=base64"
        path = f"/api/session/{self.session}/output?{query}"
        answer = self.loop.sidecar.call("GET", path, user=self.user.user_id)
        assert answer.status_code == 200, answer.text
        assert answer.json()["dropped"] == 0, answer.text
        return base64.b64decode(answer.json()["data"])


def opened(loop: Loop, *, look: bool = True, **fields: Any) -> Terminal:
    """Return a new user's session, which runs and, unless told otherwise, is looked at."""
    user = loop.newcomer()
    terminal = Terminal(loop, user, user.create(**fields))
    if look:
        terminal.look()
    return terminal


def mark() -> str:
    """Return a word that occurs nowhere else."""
    return f"mark-{uuid4().hex[:12]}"
