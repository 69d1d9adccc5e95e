"""Requests that arrive at a given rate, whatever the server does meanwhile: as of many callers who know nothing of it.

A request's time begins when it is due, so a server that falls behind cannot hide it by slowing its caller down.
"""

from __future__ import annotations

import re
import selectors
import socket
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from benchmarks.client import Address

#: Enough that no request waits for a connection as long as the server answers in time; less than it has threads.
CONNECTIONS = 64
#: A server that is so many seconds of requests behind will not catch up.
_BEHIND_S = 0.5
_PATIENCE_S = 10.0
_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)\r\n", re.IGNORECASE)


@dataclass(frozen=True)
class Load:
    """What came of it."""

    latencies_ms: list[float]
    #: Answers with another status than 200, and requests that were never answered.
    failed: int
    #: It was given up: too many requests were waiting.
    behind: bool
    #: CPU of the caller, as a share of one core: near 100 it is the caller who is measured.
    busy_percent: float


class Connections:
    """Keep-alive connections that all make the same request."""

    def __init__(self, address: Address, path: str, headers: dict[str, str]) -> None:
        """Connect."""
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{address.port}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        request = "\r\n".join([*lines, "", ""]).encode()
        self._selector = selectors.DefaultSelector()
        self._idle = [_Connection(address.port, request) for _ in range(CONNECTIONS)]
        for connection in self._idle:
            self._selector.register(connection.socket, selectors.EVENT_READ, connection)

    def close(self) -> None:
        """Close all."""
        for key in list(self._selector.get_map().values()):
            key.data.socket.close()
        self._selector.close()

    def run(self, rate: float, seconds: float) -> Load:
        """Make requests at a mean rate, at random times that are the same each time."""
        arrivals, total = deque(_arrivals(rate, seconds)), 0
        total = len(arrivals)
        latencies: list[float] = []
        waiting: deque[float] = deque()
        refused, behind = 0, False
        cpu, begin = time.process_time(), time.perf_counter()
        while len(latencies) + refused < total and time.perf_counter() - begin < seconds + _PATIENCE_S:
            now = time.perf_counter() - begin
            while arrivals and arrivals[0] <= now:
                waiting.append(arrivals.popleft())
            if len(waiting) > max(_BEHIND_S * rate, CONNECTIONS):
                behind = True
                break
            while waiting and self._idle:
                self._idle.pop().send(waiting.popleft())
            for due, status in self._answered(max(0.0, arrivals[0] - now) if arrivals else 0.1):
                if status == b"200":
                    latencies.append((time.perf_counter() - begin - due) * 1000)
                else:
                    refused += 1
        took, used = time.perf_counter() - begin, time.process_time() - cpu
        self._drain()
        lost = 0 if behind else total - len(latencies) - refused
        return Load(latencies, refused + lost, behind, 100 * used / took)

    def _answered(self, timeout: float) -> Iterator[tuple[float, bytes]]:
        """Return when they were due and what they answered, of the requests whose answer is complete."""
        for key, _ in self._selector.select(timeout):
            connection: _Connection = key.data
            status = connection.receive()
            if status is not None:
                self._idle.append(connection)
                yield connection.due, status

    def _drain(self) -> None:
        """Let the server answer what is still with it."""
        deadline = time.perf_counter() + _PATIENCE_S
        while len(self._idle) < CONNECTIONS and time.perf_counter() < deadline:
            for _ in self._answered(0.1):
                pass


@dataclass
class _Connection:
    port: int
    request: bytes
    due: float = 0.0
    socket: socket.socket = field(init=False)
    _seen: bytes = b""

    def __post_init__(self) -> None:
        self.socket = socket.create_connection(("127.0.0.1", self.port), timeout=_PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, due: float) -> None:
        self.due = due
        self.socket.sendall(self.request)

    def receive(self) -> bytes | None:
        """Return the status once the answer is complete."""
        data = self.socket.recv(1 << 16)
        if not data:
            raise ConnectionError("the server has closed a connection")
        self._seen += data
        head, separator, body = self._seen.partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n")
        if not separator or length is None or len(body) < int(length[1]):
            return None
        self._seen = b""
        return head[9:12]


def _arrivals(rate: float, seconds: float) -> Iterator[float]:
    """Return the times of requests that know nothing of each other."""
    random, due = Random(1), 0.0
    while (due := due + random.expovariate(rate)) < seconds:
        yield due
