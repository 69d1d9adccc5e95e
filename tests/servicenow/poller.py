"""A poller as a test wants it: it claims when it is told to, and answers what the test says."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import uuid4

from emulator.installation import BRIDGE_ROLE
from emulator.servicenow import Answer, Row
from tests.fixtures.servicenow import MID
from tests.servicenow.conftest import Desk

Json = dict[str, Any]
POLLER_USER = "poller.user"
LONG_AGO = "2026-01-01 00:00:00"
#: A poller that was seen then is never silent, however slow the test's machine.
LATER = "2099-01-01 00:00:00"
_numbers = count(1)


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
    run: str = field(default_factory=lambda: uuid4().hex[:16])
    held: dict[str, int] = field(default_factory=dict)

    @property
    def owner(self) -> str:
        """Return what the instance knows this run by."""
        return f"{self.name}/{self.run}"

    def other(self) -> Poller:
        """Return another run of the same name."""
        return Poller(self.desk, self.name)

    def post(self, path: str, body: Json) -> Answer:
        """Call a resource with the account of pollers."""
        return self.desk.call(POLLER_USER, "POST", f"/bridge/{path}", body)

    def claiming(self, limit: int = 10, **more: Any) -> Json:
        """Return the body of a claim."""
        held = [{"row": row, "attempt": attempt} for row, attempt in self.held.items()]
        return {
            "name": self.name,
            "owner": self.owner,
            "version": "1.0.0",
            "limit": limit,
            "held": held,
        } | more

    def completing(self, row: Json, output: str, error: str = "") -> Json:
        """Return the body of a completion."""
        whose = {"name": self.name, "owner": self.owner, "row": row["row"], "attempt": row["attempt"]}
        return whose | {"output": output, "error": error}

    def ask(self, limit: int = 10, **more: Any) -> Json:
        """Claim; return all of the answer."""
        answer = self.post("claim", self.claiming(limit, **more))
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

    def ids(self, limit: int = 10) -> list[str]:
        """Claim; return the sys_ids of the rows."""
        return [row["row"] for row in self.claim(limit)]

    def answer(self, row: Json, output: str, error: str = "") -> Answer:
        """Complete a row; return what the instance said."""
        done = self.post("complete", self.completing(row, output, error))
        if done.status == 200:
            self.held.pop(row["row"], None)
        return done


def switched(desk: Desk) -> Desk:
    """Let the app use pollers from now on, with an account for them."""
    if not desk.instance.table("sys_user").rows(f"user_name={POLLER_USER}"):
        desk.instance.create_user(POLLER_USER, desk.password, [BRIDGE_ROLE])
    desk.property("bridge", "poller")
    Poller(desk, MID).ask(0)
    desk.healthy()
    desk.change("mid_status", "bridge=poller", seen_at=LATER)
    return desk


def newcomer(desk: Desk) -> Poller:
    """Return a poller of a name that no test has used, which the app knows."""
    name = f"poller-{next(_numbers)}"
    desk.property("mids", f"{MID}, {name}")
    return Poller(desk, name)


def put(poller: Poller, session: str = "", **columns: str) -> str:
    """Put a call for a poller into the queue, past the app; return its sys_id."""
    made = poller.desk.instance.table("ecc_queue").insert(
        **{
            "agent": f"claude.poller.{poller.name}",
            "topic": "ClaudeTerminal",
            "name": "ClaudeTerminalProbe",
            "queue": "output",
            "state": "ready",
            "priority": "1",
            "agent_correlator": session or poller.name,
            "payload": '<?xml version="1.0"?><parameters><parameter name="op" value="test"/></parameters>',
        }
        | columns
    )
    return made["sys_id"]


def claims(desk: Desk, row: str) -> list[Row]:
    """Return the attempts at a row, first one first."""
    return desk.rows("claim", f"queue_row={row}^ORDERBYattempt")


def run_out(desk: Desk, *rows: str) -> None:
    """Let the leases of rows be over."""
    desk.change("claim", f"queue_rowIN{','.join(rows)}", leased_until=LONG_AGO)


def answers(desk: Desk, row: str) -> list[Row]:
    """Return the input rows that answer a row."""
    return desk.instance.table("ecc_queue").rows(f"response_to={row}^queue=input")
