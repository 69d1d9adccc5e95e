"""What a row can ask, and which call of the sidecar that is.

The MID Script Include ClaudeTerminalProbe has the same table; a test holds the two together.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Operation:
    """One call of the sidecar."""

    method: str
    #: With {session}, or {id} for the body's credentialId.
    path: str
    #: How long the answer may take beyond what the body itself asks to wait, in milliseconds.
    timeout_ms: int
    #: Whether it acts for a user, who is named in X-User-ID.
    user: bool = True
    #: Names of the body that become parameters of the URL.
    query: tuple[str, ...] = ()
    #: Names of the body that become the JSON sent; a name in neither list is refused.
    body: tuple[str, ...] = ()
    #: Names of an answer that are left out when it is too large with them.
    spare: tuple[str, ...] = ()

    @property
    def known(self) -> frozenset[str]:
        """Return every name the body may have."""
        own = ("credentialId",) if "{id}" in self.path else ()
        return frozenset({*self.query, *self.body, *own})


OPERATIONS = {
    "create": Operation(
        "POST",
        "/api/session/create",
        30_000,
        body=(
            "userId",
            "credentials",
            "workspaceType",
            "workspaceName",
            "sessionId",
            "columns",
            "rows",
            "model",
            "renderer",
            "waitMs",
        ),
    ),
    "command": Operation(
        "POST",
        "/api/session/{session}/command",
        30_000,
        body=("command", "mode", "waitMs", "maxBytes", "encoding", "pump", "stream", "seq"),
    ),
    "output": Operation(
        "GET", "/api/session/{session}/output", 15_000, query=("cursor", "wait", "maxBytes", "encoding")
    ),
    "outputs": Operation(
        "POST", "/api/outputs", 10_000, user=False, body=("pump", "wait", "maxBytes", "cursors")
    ),
    # `ansi` holds the same text as `lines`.
    "screen": Operation("GET", "/api/session/{session}/screen", 15_000, spare=("lines",)),
    "status": Operation("GET", "/api/session/{session}/status", 15_000),
    "resize": Operation("POST", "/api/session/{session}/resize", 15_000, body=("columns", "rows")),
    "terminate": Operation("DELETE", "/api/session/{session}", 30_000),
    "list": Operation("GET", "/api/sessions", 15_000, query=("limit", "offset", "state")),
    "health": Operation("GET", "/health", 10_000, user=False),
    "sealing_key": Operation("GET", "/api/credentials/key", 10_000, user=False),
    "credential.store": Operation("POST", "/api/credentials", 15_000, body=("userId", "sealed")),
    "credential.delete": Operation("DELETE", "/api/credentials/{id}", 15_000),
}
