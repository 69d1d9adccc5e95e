"""What a test puts into the ECC queue for a MID Server, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree import ElementTree as ET
from xml.sax.saxutils import quoteattr

from emulator.servicenow import Instance, Row
from tests.waiting import until

PATIENCE_S = 60.0


@dataclass(frozen=True)
class Answer:
    """An input that answers an output."""

    row: Row

    @property
    def root(self) -> ET.Element:
        """Return the payload's root element, `results`."""
        return ET.fromstring(self.row["payload"])

    @property
    def output(self) -> str:
        """Return the text of the result; fail when the probe did."""
        assert self.root.get("error") is None, self.row["payload"]
        return self.root.findtext("result/output") or ""

    @property
    def error(self) -> str:
        """Return the error, which both places name alike."""
        result = self.root.find("result")
        assert result is not None
        assert result.get("error") == self.root.get("error"), self.row["payload"]
        return self.root.get("error") or ""

    @property
    def parameters(self) -> dict[str, str]:
        """Return what was echoed."""
        return {each.get("name", ""): each.get("value", "") for each in self.root.iter("parameter")}


def payload(**parameters: str) -> str:
    """Return an output's payload; `quoteattr` writes line breaks as references, so they survive."""
    lines = (
        f"<parameter name={quoteattr(name)} value={quoteattr(value)}/>" for name, value in parameters.items()
    )
    return f"<parameters>{''.join(lines)}</parameters>"


@dataclass(frozen=True)
class Desk:
    """The outputs for one MID Server."""

    instance: Instance
    mid: str = "mid-a"

    def put(self, script: str = "", *, parameters: dict[str, str] | None = None, **columns: str) -> str:
        """Insert an output that runs a script, with columns as given; return its sys_id."""
        row = {
            "agent": f"mid.server.{self.mid}",
            "topic": "JavascriptProbe",
            "name": "TestProbe",
            "queue": "output",
            "state": "ready",
            "priority": "1",
            "payload": payload(**(parameters or {}), script=script),
        }
        return self.instance.table("ecc_queue").insert(**(row | columns))["sys_id"]

    def answers(self, output: str) -> list[Answer]:
        """Return the inputs that answer an output."""
        query = f"queue=input^response_to={output}^ORDERBYsequence"
        return [Answer(row) for row in self.instance.table("ecc_queue").rows(query)]

    def answer(self, output: str, seconds: float = PATIENCE_S) -> Answer:
        """Wait for the answer to an output."""
        assert until(lambda: bool(self.answers(output)), seconds), self.output(output)["state"]
        return self.answers(output)[0]

    def run(self, script: str, *, parameters: dict[str, str] | None = None, **columns: str) -> Answer:
        """Run a script on the MID and wait for the answer."""
        return self.answer(self.put(script, parameters=parameters, **columns))

    def output(self, sys_id: str) -> Row:
        """Return an output as it is now."""
        return self.instance.table("ecc_queue").row(sys_id)

    def state(self, sys_id: str) -> str:
        """Return the state of an output."""
        return self.output(sys_id)["state"]

    def include(self, name: str, script: str, active: str = "true") -> str:
        """Add a MID script include and return its sys_id; the MID is told by the instance."""
        table = self.instance.table("ecc_agent_script_include")
        return table.insert(name=name, script=script, active=active)["sys_id"]
