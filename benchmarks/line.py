"""The ends of terminals: what is typed goes in, what is printed comes out; one kind for each way of serving them."""

from __future__ import annotations

import json
import select
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Protocol

import pexpect

from benchmarks import bare
from benchmarks.client import Address, Client, typing, waiting
from benchmarks.program import COMPOSER
from benchmarks.websocket import WebSocket

#: What is not there after so long is lost.
PATIENCE_S = 20
_COLUMNS, _ROWS = 120, 40


class Line(Protocol):
    """One terminal with its program at the prompt."""

    def arm(self) -> None:
        """Be about to receive, where that takes a call."""

    def send(self, data: bytes) -> None:
        """Type."""

    def receive(self) -> bytes:
        """Return what was printed, waiting for the first byte; nothing if none came within the patience."""

    def settle(self) -> None:
        """Take the answer to what was sent, where there is one."""

    def close(self) -> None:
        """End the terminal."""


class Seat(Protocol):
    """Where terminals are had; goes to another process."""

    def open(self, number: int) -> Line:
        """Start a terminal."""


def await_prompt(line: Line) -> None:
    """Read until the program is ready.

    Raises:
        TimeoutError: it does not become so.
    """
    seen = b""
    while COMPOSER + b"\r\n" not in seen:
        data = line.receive()
        if not data:
            raise TimeoutError(f"no prompt, only {seen[-100:]!r}")
        seen += data


# -- a bare PTY ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BareSeat:
    """PTYs of pexpect in the process that uses them."""

    def open(self, number: int) -> Line:  # noqa: ARG002  nothing tells these terminals apart
        """Start a program on a PTY."""
        return _BareLine()


class _BareLine:
    def __init__(self) -> None:
        self._stack = ExitStack()
        self._child: pexpect.spawn[Any] = self._stack.enter_context(bare.program())
        self._ready = select.poll()
        self._ready.register(self._child.child_fd, select.POLLIN)

    def arm(self) -> None:
        pass

    def send(self, data: bytes) -> None:
        self._child.send(data)

    def receive(self) -> bytes:
        # Not pexpect's own reading, which looks for more after each piece: nothing bare is to be slower than it need be.
        return bare.read(self._child) if self._ready.poll(PATIENCE_S * 1000) else b""

    def settle(self) -> None:
        pass

    def close(self) -> None:
        self._stack.close()


# -- the sidecar -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SidecarSeat:
    """Sessions of the sidecar, each of a user of its own: only a few calls of one user may wait at the same time."""

    address: Address

    def open(self, number: int) -> Line:
        """Create a session."""
        return _SidecarLine(self.address, f"bench-{number}")


class _SidecarLine:
    """One connection types, one waits for output."""

    def __init__(self, address: Address, user: str) -> None:
        self._typist, self._watcher = Client(address, user), Client(address, user)
        self._session = self._typist.create()
        self._cursor = self._typist.type(self._session, b"")
        self._armed = False

    def arm(self) -> None:
        if not self._armed:
            self._watcher.send("GET", waiting(self._session, self._cursor, wait_s=PATIENCE_S))
            self._armed = True

    def send(self, data: bytes) -> None:
        self._typist.send("POST", *typing(self._session, data))

    def receive(self) -> bytes:
        self.arm()
        answer = self._watcher.receive()
        self._armed = False
        if answer["dropped"]:
            raise Dropped(f"{answer['dropped']} bytes were dropped")
        self._cursor = answer["nextCursor"]
        return str(answer["data"]).encode()

    def settle(self) -> None:
        self._typist.receive()

    def close(self) -> None:
        self._typist.end(self._session)
        self._typist.close()
        self._watcher.close()


class Dropped(Exception):
    """The service says that output was not kept."""


# -- terminado ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TerminadoSeat:
    """Terminals of a terminado server."""

    port: int

    def open(self, number: int) -> Line:  # noqa: ARG002  each connection is a terminal
        """Connect, which starts the program."""
        return _TerminadoLine(WebSocket(self.port, "/terminal", patience_s=PATIENCE_S))


class _SocketLine:
    def __init__(self, connection: WebSocket) -> None:
        self._connection = connection

    def arm(self) -> None:
        pass

    def settle(self) -> None:
        pass

    def close(self) -> None:
        self._connection.close()


class _TerminadoLine(_SocketLine):
    def __init__(self, connection: WebSocket) -> None:
        super().__init__(connection)
        connection.send_text(json.dumps(["set_size", _ROWS, _COLUMNS]))
        await_prompt(self)

    def send(self, data: bytes) -> None:
        self._connection.send_text(json.dumps(["stdin", data.decode()]))

    def receive(self) -> bytes:
        while True:
            try:
                message = json.loads(self._connection.receive())
            except TimeoutError:
                return b""
            if message[0] == "stdout":
                return str(message[1]).encode()


# -- ttyd --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TtydSeat:
    """Terminals of a ttyd server."""

    port: int

    def open(self, number: int) -> Line:  # noqa: ARG002  each connection is a terminal
        """Connect and say hello, which starts the program."""
        return _TtydLine(WebSocket(self.port, "/ws", protocol="tty", patience_s=PATIENCE_S))


class _TtydLine(_SocketLine):
    """Frames begin with an ASCII digit: 0 is input in one direction and output in the other."""

    def __init__(self, connection: WebSocket) -> None:
        super().__init__(connection)
        hello = {"AuthToken": "", "columns": _COLUMNS, "rows": _ROWS}
        connection.send_bytes(json.dumps(hello).encode())
        await_prompt(self)

    def send(self, data: bytes) -> None:
        self._connection.send_bytes(b"0" + data)

    def receive(self) -> bytes:
        while True:
            try:
                message = self._connection.receive()
            except TimeoutError:
                return b""
            if message[:1] == b"0":
                return message[1:]
