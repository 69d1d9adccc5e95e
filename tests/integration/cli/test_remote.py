"""Calling the service: what is not it, and what wants to be asked later."""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from sidecar.errors import Unavailable
from sidecar.remote import Remote
from tests.fakes.clock import FakeClock
from tests.integration.cli.machine import Machine

Peer = Callable[[list[bytes]], Remote]


@pytest.fixture
def peer(machine: Machine, clock: FakeClock) -> Iterator[Peer]:
    """Return a maker of a program that gives these answers, one to each connection, and of what calls it."""
    with ExitStack() as stack:

        def make(answers: list[bytes]) -> Remote:
            class Handler(socketserver.BaseRequestHandler):
                def handle(self) -> None:
                    self.request.recv(65536)
                    self.request.sendall(answers.pop(0))

            server = stack.enter_context(socketserver.TCPServer(("127.0.0.1", 0), Handler))
            thread = threading.Thread(target=server.serve_forever, args=(0.01,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.shutdown)
            return Remote(replace(machine.settings(), port=server.server_address[1]), clock)

        yield make


def answer(status: str, body: object, *headers: str) -> bytes:
    data = json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(data)}", "Connection: close", *headers, "", ""]
    return "\r\n".join(lines).encode() + data


def test_a_call_that_came_too_often_is_made_again_when_it_may(peer: Peer, clock: FakeClock) -> None:
    remote = peer([answer("429 Slow", {}, "Retry-After: 3")] * 2 + [answer("200 OK", {"done": True})])

    assert remote.call("DELETE", "/x").body == {"done": True}
    assert clock.monotonic() == 6


def test_it_does_not_try_for_ever(peer: Peer) -> None:
    remote = peer([answer("429 Slow", {"detail": "later"}, "Retry-After: soon")] * 20)

    assert remote.call("DELETE", "/x").detail == "later"


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\x15\x03\x01\x00\x02\x02P",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        answer("200 OK", [1, 2]),
        answer("200 OK", "text"),
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<!doctype",
        b"HTTP/1.1 200 OK\r\n\r\n" + b'{"a": "' + b"x" * (1 << 21),
    ],
    ids=["nothing", "TLS", "SSH", "a list", "a text", "a page", "without end"],
)
def test_another_program_is_not_taken_for_the_service(peer: Peer, said: bytes) -> None:
    remote = peer([said, said])

    for call in (remote.health, lambda: remote.call("GET", "/health")):
        with pytest.raises(Unavailable, match=r"is not this service|No service answers"):
            call()


def test_another_service_with_an_answer_of_its_own_is_not_taken_for_ours(peer: Peer) -> None:
    with pytest.raises(Unavailable, match="is not this service"):
        peer([answer("200 OK", {"status": "ok"})]).health()


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_a_refused_token_is_told_without_it(peer: Peer, machine: Machine, status: str) -> None:
    with pytest.raises(Unavailable, match="does not accept API_AUTH_TOKEN") as caught:
        peer([answer(status, {})]).call("GET", "/x")

    assert machine.environment["API_AUTH_TOKEN"] not in str(caught.value)
