"""A user at their terminals: what the acceptance tests do through the HTTP API, and wait for."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any
from uuid import UUID

import requests

from tests.fixtures.server import Server
from tests.waiting import until

#: Not a real one; the CLI keeps its last characters in its own state.
KEY = "sk-ant-of-the-acceptance-tests-0123456789"

#: The CLI on a loaded machine.
PATIENCE_S = 60

Json = dict[str, Any]

_numbers = count(1)


class User:
    """One user of a running service."""

    def __init__(self, server: Server, name: str | None = None) -> None:
        self.server = server
        self.name = name or f"user{next(_numbers)}"
        self.terminals: list[Terminal] = []

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.server.call(method, path, user=self.name, **options)

    def post_create(self, **fields: Any) -> requests.Response:
        """Ask for a session; the answer may be a refusal."""
        body = {"userId": self.name, "credentials": {"anthropicApiKey": KEY}, "waitMs": 25_000, **fields}
        return self.call("POST", "/api/session/create", json=body)

    def create(self, **fields: Any) -> Terminal:
        """Create a session and make sure that it takes input."""
        answer = self.post_create(**fields)
        assert answer.status_code == 201, answer.text
        assert answer.json()["state"] == "running", answer.text
        terminal = Terminal(self, answer.json()["sessionId"])
        self.terminals.append(terminal)
        return terminal

    def leave(self) -> None:
        """End every session."""
        for terminal in self.terminals:
            terminal.delete()


class Terminal:
    """One session of a user."""

    def __init__(self, user: User, session_id: str) -> None:
        self.user = user
        self.id = session_id
        self.uuid = UUID(session_id)

    # -- calls -----------------------------------------------------------------------------------------

    def call(self, method: str, path: str = "", **options: Any) -> requests.Response:
        return self.user.call(method, f"/api/session/{self.id}{path}", **options)

    def _done(self, method: str, path: str = "", **options: Any) -> Json:
        answer = self.call(method, path, **options)
        assert answer.status_code == 200, answer.text
        document: Json = answer.json()
        return document

    def post_command(self, command: str | list[str], **fields: Any) -> requests.Response:
        return self.call("POST", "/command", json={"command": command, **fields})

    def say(self, text: str, **fields: Any) -> Json:
        """Send text and make sure that it was submitted."""
        answer = self.post_command(text, **fields)
        assert answer.status_code == 200, answer.text
        document: Json = answer.json()
        assert document["submitted"] is True, self.text()
        return document

    def run_tool(self, command: str) -> None:
        """Have Claude call Bash, and allow it."""
        self.say(f"[[tool bash: {command}]]")
        self.await_status(activity="awaiting_input")
        self.keys("Enter")

    def keys(self, *names: str) -> Json:
        return self._done("POST", "/command", json={"command": list(names), "mode": "keys"})

    def raw(self, data: bytes) -> Json:
        command = base64.b64encode(data).decode()
        return self._done("POST", "/command", json={"command": command, "mode": "raw"})

    def status(self) -> Json:
        return self._done("GET", "/status")

    def screen(self) -> Json:
        return self._done("GET", "/screen")

    def resize(self, columns: int, rows: int) -> Json:
        return self._done("POST", "/resize", json={"columns": columns, "rows": rows})

    def output(self, cursor: int = 0, **parameters: Any) -> Json:
        """Read once; bytes are in `bytes`."""
        query = {"cursor": cursor, "encoding": "base64", **parameters}
        document = self._done("GET", "/output", params=query)
        return {**document, "bytes": base64.b64decode(document["data"])}

    def all_output(self, cursor: int = 0) -> bytes:
        """Return everything from `cursor` to where output ends now."""
        data = b""
        while (reading := self.output(cursor))["bytes"]:
            data += reading["bytes"]
            cursor = reading["nextCursor"]
        return data

    def recording(self) -> str:
        answer = self.call("GET", "/recording")
        assert answer.status_code == 200, answer.text
        return answer.content.decode()

    def recorded(self) -> str:
        """Return all output that is in the recording, and so in the database."""
        events = [json.loads(line) for line in self.recording().splitlines()[1:]]
        assert [event[0] for event in events] == sorted(event[0] for event in events)
        return "".join(event[2] for event in events)

    @property
    def files(self) -> Path:
        """Return the folder of an isolated session, as the service's account sees it."""
        return self.user.server.data_dir / "sessions" / self.id

    def transcript(self) -> str:
        """Return all that was asked and answered in the session, as the CLI keeps it."""
        lines = [line for path in self.transcripts() for line in path.read_text().splitlines()]
        return "".join(str(json.loads(line)) for line in lines)

    def transcripts(self) -> list[Path]:
        """Return the files of the session's conversations."""
        return sorted((self.files / "home/.claude/projects/-workspace").glob("*.jsonl"))

    def state(self) -> Json:
        """Return the CLI's own state file."""
        document: Json = json.loads((self.files / "home/.claude.json").read_text())
        return document

    def edit_state(self, **values: Any) -> None:
        """Change the CLI's state file, as the CLI itself does."""
        (self.files / "home/.claude.json").write_text(json.dumps({**self.state(), **values}))

    def delete(self) -> None:
        answer = self.call("DELETE")
        assert answer.status_code == 200, answer.text
        assert answer.json() == {"terminated": True}

    # -- waiting ---------------------------------------------------------------------------------------

    def text(self) -> str:
        """Return the screen as plain text."""
        return "\n".join(self.screen()["lines"])

    def await_text(self, *parts: str, seconds: float = PATIENCE_S) -> str:
        """Wait until all `parts` are on the screen; return it."""
        self.await_screen(lambda text: all(part in text for part in parts), f"{parts}", seconds)
        return self.text()

    def await_screen(self, fits: Callable[[str], bool], what: str, seconds: float = PATIENCE_S) -> None:
        """Wait until the screen's text `fits`."""
        assert until(lambda: fits(self.text()), seconds), f"not on the screen: {what}\n{self.text()}"

    def await_status(self, seconds: float = PATIENCE_S, **fields: str) -> Json:
        """Wait until the session object has these values; return it."""
        assert until(lambda: fields.items() <= self.status().items(), seconds), self._account(fields)
        return self.status()

    def await_idle(self) -> Json:
        return self.await_status(state="running", activity="idle")

    def await_reply(self, text: str) -> str:
        """Wait until Claude has said `text` and rests."""
        self.await_text(f"● {text}")
        self.await_idle()
        return self.text()

    def _account(self, fields: Json) -> str:
        return f"wanted {fields}, is {self.status()}\n{self.text()}"
