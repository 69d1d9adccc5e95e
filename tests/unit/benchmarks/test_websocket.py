"""The WebSocket client against a server that says exactly what the test wants, frame by frame."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from io import BufferedRWPair

import pytest

from benchmarks.line import TtydSeat
from benchmarks.program import COMPOSER
from benchmarks.websocket import Disconnected, WebSocket

_SWITCHING = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n"
Talk = Callable[["_Peer"], None]


class _Peer:
    """The server's end of one connection."""

    def __init__(self, file: BufferedRWPair) -> None:
        self._file = file
        self.headers = b"".join(iter(file.readline, b"\r\n")).lower()

    def say(self, data: bytes) -> None:
        self._file.write(data)
        self._file.flush()

    def frame(self, kind: int, data: bytes, *, final: bool = True) -> None:
        size = len(data)
        head = bytes([kind | (0x80 if final else 0)])
        if size < 126:
            head += bytes([size])
        else:
            head += struct.pack("!BH", 126, size) if size < 1 << 16 else struct.pack("!BQ", 127, size)
        self.say(head + data)

    def hear(self) -> tuple[int, bytes]:
        """Return kind and content of the next frame, unmasked."""
        first, second = self._file.read(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", self._file.read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self._file.read(8))
        assert second & 0x80, "a client has to mask"
        mask = self._file.read(4)
        data = self._file.read(size)
        return first & 0x0F, bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))


@pytest.fixture
def serve() -> Iterator[Callable[[Talk], int]]:
    """Give a function that serves one connection and returns the port; faults of the server fail the test."""
    threads: list[threading.Thread] = []
    faults: list[BaseException] = []

    def begin(talk: Talk) -> int:
        listening = socket.create_server(("127.0.0.1", 0))

        def run() -> None:
            try:
                with listening, listening.accept()[0] as connection, connection.makefile("rwb") as file:
                    talk(_Peer(file))
            except BaseException as error:  # noqa: BLE001  a fault of the thread is one of the test
                faults.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        threads.append(thread)
        return int(listening.getsockname()[1])

    yield begin
    for thread in threads:
        thread.join(10)
    assert faults == []


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_messages_of_every_length_pass_in_both_directions(serve: Callable[[Talk], int], size: int) -> None:
    def talk(peer: _Peer) -> None:
        peer.say(_SWITCHING)
        peer.frame(*peer.hear())

    connection = WebSocket(serve(talk), "/", patience_s=10)
    connection.send_bytes(b"x" * size)

    assert connection.receive() == b"x" * size
    connection.close()


def test_fragments_become_one_message_and_a_ping_between_them_is_answered(
    serve: Callable[[Talk], int],
) -> None:
    heard = []

    def talk(peer: _Peer) -> None:
        peer.say(_SWITCHING)
        peer.frame(1, b"one ", final=False)
        peer.frame(9, b"there?")
        heard.append(peer.hear())
        peer.frame(0, b"two")

    connection = WebSocket(serve(talk), "/", patience_s=10)

    assert connection.receive() == b"one two"
    assert heard == [(10, b"there?")]
    connection.close()


@pytest.mark.parametrize("answer", [b"HTTP/1.1 403 Forbidden\r\n\r\n", b""], ids=["refused", "closed"])
def test_a_server_that_does_not_want_to_is_told(serve: Callable[[Talk], int], answer: bytes) -> None:
    with pytest.raises(Disconnected):
        WebSocket(serve(lambda peer: peer.say(answer)), "/", patience_s=10)


@pytest.mark.parametrize(
    "ends", [lambda peer: peer.frame(8, b""), lambda _: None], ids=["says so", "is gone"]
)
def test_an_end_is_told(serve: Callable[[Talk], int], ends: Talk) -> None:
    def talk(peer: _Peer) -> None:
        peer.say(_SWITCHING)
        ends(peer)

    connection = WebSocket(serve(talk), "/", patience_s=10)

    with pytest.raises(Disconnected):
        connection.receive()
    connection.close()


def test_a_terminal_of_ttyd_says_hello_types_and_shows_output_only(serve: Callable[[Talk], int]) -> None:
    heard = []

    def talk(peer: _Peer) -> None:
        assert b"sec-websocket-protocol: tty\r\n" in peer.headers
        peer.say(_SWITCHING)
        heard.append(peer.hear())
        peer.frame(2, b"1a title")
        peer.frame(2, b"2{}")
        peer.frame(2, b"0" + COMPOSER + b"\r\n")
        heard.append(peer.hear())
        peer.frame(2, b"0echo")

    line = TtydSeat(serve(talk)).open(0)
    line.send(b"echo")

    assert line.receive() == b"echo"
    line.close()
    assert json.loads(heard[0][1]) == {"AuthToken": "", "columns": 120, "rows": 40}
    assert heard[1] == (2, b"0echo")
