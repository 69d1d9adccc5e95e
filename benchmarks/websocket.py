"""A WebSocket client on one connection, as light as the standard library allows, as `client` is one of HTTP."""

from __future__ import annotations

import base64
import os
import socket
import struct

_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10
#: An end of a message, and a mask, in the two bytes of a frame's head.
_FINAL, _MASKED = 0x80, 0x80


class Disconnected(Exception):
    """The server refused or closed the connection."""


class WebSocket:
    """One connection. Another thread may send while one receives."""

    def __init__(self, port: int, path: str, *, protocol: str = "", patience_s: float) -> None:
        """Connect; nothing may take longer than the patience.

        Raises:
            Disconnected: the server does not want to.
        """
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=patience_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb", 1 << 16)
        key = base64.b64encode(os.urandom(16)).decode()
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: 127.0.0.1:{port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {key}",
            *([f"Sec-WebSocket-Protocol: {protocol}"] if protocol else []),
        ]
        self._socket.sendall("\r\n".join([*lines, "", ""]).encode())
        self._greeted()

    def _greeted(self) -> None:
        status = self._file.readline()
        if b" 101 " not in status:
            self.close()
            raise Disconnected(f"no WebSocket: {status!r}")
        while self._file.readline().strip():
            pass

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        self._socket.close()

    def send_text(self, text: str) -> None:
        """Send a text message."""
        self._send(_TEXT, text.encode())

    def send_bytes(self, data: bytes) -> None:
        """Send a binary message."""
        self._send(_BINARY, data)

    def _send(self, kind: int, data: bytes) -> None:
        # The mask is zero, so the data stay as they are: masking in Python would be what is measured.
        size = len(data)
        if size < 126:
            head = struct.pack("!BB", _FINAL | kind, _MASKED | size)
        elif size < 1 << 16:
            head = struct.pack("!BBH", _FINAL | kind, _MASKED | 126, size)
        else:
            head = struct.pack("!BBQ", _FINAL | kind, _MASKED | 127, size)
        self._socket.sendall(head + bytes(4) + data)

    def receive(self) -> bytes:
        """Return the next message, whole.

        Raises:
            Disconnected: the server has closed the connection.
            TimeoutError: nothing came; the connection is of no use any more.
        """
        message = b""
        while True:
            final, kind, data = self._frame()
            if kind == _CLOSE:
                raise Disconnected("the server has closed the connection")
            if kind == _PING:
                self._send(_PONG, data)
            if kind in {_PING, _PONG}:
                continue
            message += data
            if final:
                return message

    def _frame(self) -> tuple[bool, int, bytes]:
        first, size = self._read(2)
        if size == 126:
            (size,) = struct.unpack("!H", self._read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._read(8))
        return bool(first & _FINAL), first & 0x0F, self._read(size)

    def _read(self, size: int) -> bytes:
        data: bytes = self._file.read(size)
        if len(data) < size:
            raise Disconnected("the connection ended")
        return data
