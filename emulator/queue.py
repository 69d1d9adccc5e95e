"""The rows of the ECC queue, for people to read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from emulator.servicenow import Instance, Row

NAME = "ClaudeTerminalProbe"
FIELDS = "sys_id,queue,topic,name,state,payload,response_to,sequence,error_string,agent"

#: A sequence is the time in hexadecimal milliseconds, then a counter of seven digits.
_SEQUENCE = re.compile(r"([0-9a-f]+)[0-9a-f]{7}")


@dataclass(frozen=True)
class Entry:
    """One row of the queue; it shows sizes and names, never what is in a payload."""

    queue: str
    operation: str
    state: str
    size: int
    #: Milliseconds since 1970.
    at_ms: int

    @classmethod
    def of(cls, row: Row) -> Entry:
        """Return what is told of a row."""
        size = len(row["payload"].encode())
        return cls(
            row["queue"], _operation(row["payload"]), row["state"], size, _milliseconds(row["sequence"])
        )

    def line(self, began_ms: int) -> str:
        """Return it as a line, with its time since the beginning."""
        after = (self.at_ms - began_ms) / 1000
        return f"{after:7.2f} s  {self.queue:6}  {self.operation:16}  {self.state:10}  {self.size:7,} bytes"


def entries(admin: Instance, name: str = NAME) -> list[Entry]:
    """Return the rows of a probe, oldest first; the platform's own `queue.processing` rows are others."""
    rows = admin.table("ecc_queue").rows(f"name={name}^ORDERBYsequence", fields=FIELDS)
    return sorted(map(Entry.of, rows), key=lambda entry: entry.at_ms)


def _operation(payload: str) -> str:
    try:
        parameters = ET.fromstring(payload).iter("parameter")  # noqa: S314 - our own instance's rows
    except ET.ParseError:
        return "?"
    return next((one.get("value", "") for one in parameters if one.get("name") == "op"), "?")


def _milliseconds(sequence: str) -> int:
    found = _SEQUENCE.fullmatch(sequence)
    return int(found[1], 16) if found else 0
