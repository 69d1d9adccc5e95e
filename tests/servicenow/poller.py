"""A poller as a test wants it: it claims when it is told to, and answers what the test says."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from emulator.servicenow import Answer
from tests.servicenow.conftest import Desk

Json = dict[str, Any]
POLLER_USER = "poller.user"


def said(body: Json, status: int = 200) -> str:
    """Return base64 of an answer that is ok."""
    return _encoded({"v": 1, "ok": True, "status": status, "body": body})


def refused(status: int, title: str, detail: str) -> str:
    """Return base64 of an answer that is not."""
    problem = {"title": title, "status": status, "detail": detail}
    return _encoded({"v": 1, "ok": False, "status": status, "problem": problem})


def _encoded(answer: Json) -> str:
    return base64.b64encode(json.dumps(answer).encode()).decode()


@dataclass
class Poller:
    """One run of a poller: what it claims it holds until it is answered."""

    desk: Desk
    name: str
    run: str = "0123456789abcdef"
    held: dict[str, int] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        """Return what the instance knows this run by."""
        return f"{self.name}/{self.run}"

    def post(self, path: str, body: Json) -> Answer:
        """Call a resource with the account of pollers."""
        return self.desk.call(POLLER_USER, "POST", f"/bridge/{path}", body)

    def ask(self, limit: int = 10, **more: Any) -> Json:
        """Claim; return all of the answer."""
        held = [{"row": row, "attempt": attempt} for row, attempt in self.held.items()]
        body = {
            "name": self.name,
            "owner": self.owner,
            "version": "1.0.0",
            "limit": limit,
            "held": held,
        } | more
        answer = self.post("claim", body)
        assert answer.status == 200, answer
        result: Json = answer.body
        for lost in result["lost"]:
            self.held.pop(lost, None)
        self.held.update({row["row"]: row["attempt"] for row in result["rows"]})
        return result

    def claim(self, limit: int = 10) -> list[Json]:
        """Claim; return the rows."""
        rows: list[Json] = self.ask(limit)["rows"]
        return rows

    def answer(self, row: Json, output: str, error: str = "", **more: Any) -> Answer:
        """Complete a row; return what the instance said."""
        body = {
            "name": self.name,
            "owner": self.owner,
            "row": row["row"],
            "attempt": row["attempt"],
            "output": output,
            "error": error,
        } | more
        done = self.post("complete", body)
        if done.status == 200:
            self.held.pop(row["row"], None)
        return done
