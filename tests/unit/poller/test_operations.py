"""The table of operations is that of the MID script."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sidecar.poller.operations import OPERATIONS

PROBE = (
    Path(__file__).resolve().parents[3] / "servicenow-app" / "mid-script-includes" / "ClaudeTerminalProbe.js"
)


def probes() -> dict[str, dict[str, Any]]:
    """Return the script's own table: a plain object, which is JSON but for its quotes, bare names and comments."""
    found = re.search(
        r"^ClaudeTerminalProbe\.OPERATIONS = (\{.*?^\});", PROBE.read_text(), re.DOTALL | re.MULTILINE
    )
    assert found
    text = re.sub(r" // .*", "", found[1]).replace("'", '"')
    table: dict[str, dict[str, Any]] = json.loads(re.sub(r"([{,]\s*)(\w+):", r'\1"\2":', text))
    return table


def test_it_has_the_same_operations() -> None:
    assert list(OPERATIONS) == list(probes())


@pytest.mark.parametrize("name", OPERATIONS)
def test_each_is_the_same_in_every_field(name: str) -> None:
    ours, theirs = OPERATIONS[name], probes()[name]

    assert theirs == {
        "method": ours.method,
        "path": ours.path,
        "query": list(ours.query),
        "body": list(ours.body),
        "user": ours.user,
        "timeoutMs": ours.timeout_ms,
        **({"spare": list(ours.spare)} if ours.spare else {}),
    }
