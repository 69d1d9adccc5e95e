"""A keep-alive client of the sidecar on one connection, as light as the standard library allows."""

from __future__ import annotations

import base64
import http.client
import json
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

USER = "bench"
#: No call of ours may take longer, in seconds.
_PATIENCE_S = 60


class Refused(Exception):
    """The service did not do what was asked."""


@dataclass(frozen=True)
class Address:
    """Where the service is and what it lets in."""

    port: int
    token: str


class Client:
    """One connection. `send` and `receive` are apart, so that one thread can hold a waiting call open."""

    def __init__(self, address: Address, user: str = USER) -> None:
        """Connect at the first call; act for `user`."""
        self._user = user
        self._connection = http.client.HTTPConnection("127.0.0.1", address.port, timeout=_PATIENCE_S)
        self._headers = {
            "Authorization": f"Bearer {address.token}",
            "X-User-ID": user,
            "Content-Type": "application/json",
        }

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def send(self, method: str, path: str, body: Json | None = None) -> None:
        """Send a request."""
        content = None if body is None else json.dumps(body).encode()
        self._connection.request(method, path, content, self._headers)

    def receive(self) -> Json:
        """Return the answer to the request sent last.

        Raises:
            Refused: it is not a success.
        """
        response = self._connection.getresponse()
        document: Json = json.loads(response.read())
        if response.status >= 400:
            raise Refused(f"{response.status}: {document.get('detail')}")
        return document

    def call(self, method: str, path: str, body: Json | None = None) -> Json:
        """Make one call."""
        self.send(method, path, body)
        return self.receive()

    def fetch(
        self, method: str, path: str, body: Json | None = None, token: str | None = None
    ) -> tuple[int, bytes]:
        """Make one call, with another bearer token if given; return status and content, whatever came."""
        content = None if body is None else json.dumps(body).encode()
        headers = self._headers | ({"Authorization": f"Bearer {token}"} if token else {})
        if token:
            del headers["X-User-ID"]
        self._connection.request(method, path, content, headers)
        response = self._connection.getresponse()
        return response.status, response.read()

    def create(self, **fields: Any) -> str:
        """Create a session, wait until it is ready, return its id."""
        body = {"userId": self._user, "credentials": {"anthropicApiKey": KEY}, "waitMs": 25_000, **fields}
        session = self.call("POST", "/api/session/create", body)
        if session["state"] != "running":
            raise Refused(f"the session is {session['state']}: {session['reason']}")
        return str(session["sessionId"])

    def type(self, session: str, data: bytes) -> int:
        """Put raw bytes in; return the offset where the output to it begins."""
        return int(self.call("POST", *typing(session, data))["cursor"])

    def end(self, session: str) -> None:
        """End a session."""
        self.call("DELETE", f"/api/session/{session}")


#: Not a key of anybody: the scripted program ignores it, the stand-in API takes any.
KEY = "sk-ant-not-a-real-key-for-benchmarks"


def typing(session: str, data: bytes) -> tuple[str, Json]:
    """Return path and body of a call that puts raw bytes in."""
    body = {"command": base64.b64encode(data).decode(), "mode": "raw"}
    return f"/api/session/{session}/command", body


def waiting(session: str, cursor: int, *, wait_s: int = 25, most: int = 1 << 20) -> str:
    """Return the path of a call that waits for output from `cursor`."""
    return f"/api/session/{session}/output?cursor={cursor}&wait={wait_s}&maxBytes={most}"
