"""The connection to one client while it is being answered."""

from __future__ import annotations

import math
import select
import socket
import struct

from emulator.anthropic.clock import Clock


class Closing(Exception):
    """The server is stopping; the answer ends where it is."""


class Line:
    """Pauses on a connection without losing sight of it. Does not read: that is the handler's."""

    def __init__(self, connection: socket.socket, closing: socket.socket, clock: Clock) -> None:
        """Watch `connection`; `closing` becomes readable when the server stops."""
        self._connection = connection
        self._closing = closing
        self._clock = clock

    def pause(self, seconds: float) -> None:
        """Wait for `seconds`; raises `ConnectionError` when the client leaves meanwhile, or `Closing`."""
        self.pause_until(self._clock.monotonic() + seconds)

    def pause_until(self, deadline: float) -> None:
        """Wait until the clock's `deadline`; raises as `pause` does."""
        poll = select.poll()
        poll.register(self._closing, select.POLLIN)
        poll.register(self._connection, select.POLLIN)
        while (remaining := deadline - self._clock.monotonic()) > 0:
            ready = poll.poll(None if math.isinf(remaining) else math.ceil(remaining * 1000))
            self._check({descriptor for descriptor, _ in ready}, poll)

    def pause_for_ever(self) -> None:
        """Wait until the client leaves or the server stops; always raises."""
        self.pause_until(math.inf)

    def reset(self) -> None:
        """Make the coming close abrupt: a reset instead of an orderly end, as a broken network does it."""
        linger = struct.pack("ii", 1, 0)
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)

    def _check(self, ready: set[int], poll: select.poll) -> None:
        if self._closing.fileno() in ready:
            raise Closing
        if self._connection.fileno() not in ready:
            return
        if not self._connection.recv(1, socket.MSG_PEEK):
            raise ConnectionResetError("the client has left")
        # The next request is already waiting; its bytes would wake this poll for ever.
        poll.unregister(self._connection)
