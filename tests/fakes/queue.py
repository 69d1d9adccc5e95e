"""The far end of the ECC queue as a test wants it: rows are read, and answered with what the test says."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from emulator.servicenow import Instance, Row

Json = dict[str, Any]

OURS = "name=ClaudeTerminalProbe"


@dataclass(frozen=True)
class Call:
    """One output row: its columns, its parameters, and the body that is in them."""

    row: Row
    parameters: dict[str, str]
    body: Json

    @property
    def op(self) -> str:
        """Return the operation."""
        return self.parameters["op"]

    @property
    def sys_id(self) -> str:
        """Return the row's sys_id."""
        return self.row["sys_id"]


def encoded(answer: Any) -> str:
    """Return what the probe makes of an answer."""
    return base64.b64encode(json.dumps(answer, ensure_ascii=False).encode()).decode()


def results(text: str) -> str:
    """Return the payload that a MID Server makes of the probe's text."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?><results probe_time="1" result_code="0"><result>'
        f"<output>{escape(text)}</output></result><parameters/></results>"
    )


def good(body: Json, status: int = 200) -> str:
    """Return the payload of an answer that is ok."""
    return results(encoded({"v": 1, "ok": True, "status": status, "body": body}))


def bad(status: int, title: str = "Refused", detail: str = "It was refused.") -> str:
    """Return the payload of an answer that is not."""
    problem = {"title": title, "status": status, "detail": detail}
    return results(encoded({"v": 1, "ok": False, "status": status, "problem": problem}))


class Queue:
    """An instance's ECC queue, seen from where a MID Server sits."""

    def __init__(self, instance: Instance) -> None:
        """Look at the queue as an administrator."""
        self._table = instance.table("ecc_queue")

    def calls(self, op: str, session: str = "") -> list[Call]:
        """Return our output rows of an operation, oldest first."""
        mentioned = f'^payloadLIKEname="op" value="{op}"' + (
            f"^agent_correlator={session}" if session else ""
        )
        return [
            _call(row) for row in self._table.rows(f"{OURS}^queue=output{mentioned}^ORDERBYsys_created_on")
        ]

    def row(self, sys_id: str) -> Row:
        """Return a row as it is now."""
        return self._table.row(sys_id)

    def count(self) -> int:
        """Return how many rows of ours there are, outputs and inputs."""
        return len(self._table.rows(OURS, fields="sys_id"))

    def answer(self, call: Call, payload: str, **columns: str) -> Row:
        """Insert the input row that a MID Server posts; return it as the sensor left it."""
        made = self._table.insert(
            **{
                "agent": call.row["agent"],
                "topic": call.row["topic"],
                "name": call.row["name"],
                "source": "",
                "queue": "input",
                "state": "ready",
                "priority": call.row["priority"],
                "agent_correlator": call.row["agent_correlator"],
                "response_to": call.sys_id,
                "payload": payload,
            }
            | columns
        )
        return self.row(made["sys_id"])


def _call(row: Row) -> Call:
    parameters = {item.attrib["name"]: item.attrib["value"] for item in ET.fromstring(row["payload"])}
    return Call(row, parameters, json.loads(base64.b64decode(parameters["body"])))
