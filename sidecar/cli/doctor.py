"""`claude-sidecar doctor`."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from sidecar import config
from sidecar.cli.account import leave_root
from sidecar.cli.form import command
from sidecar.clock import SystemClock
from sidecar.doctor.finding import Finding, Level
from sidecar.doctor.round import Entrance, examine

if TYPE_CHECKING:
    from sidecar.cli.form import Commands

_ABOUT = """\
Look at everything the service needs: settings, account, data directory, disks, Claude Code, isolation, limits, port,
certificate, database, schema, stored secrets, clocks; and, where SERVICENOW_INSTANCE is set, at all the poller needs.
Each line says OK, WARN, FAIL or SKIP (it needs something that failed); below it stands how to mend it. No secret is
printed.

Run it in the folder the service is started in, with the same environment. It works before the first start, while the
service runs, and when settings are broken. Nothing is changed, but for two things a start does too: as root it first
becomes SIDECAR_USER and makes the data directory; in debug mode it generates the secrets.

The exit status is 1 if anything says FAIL, else 0.

  claude-sidecar doctor
  claude-sidecar doctor --online                                        # also connects to the Anthropic API
  claude-sidecar doctor --json | jq -r '.findings[] | select(.level == "fail") | .name'
"""


def add(commands: Commands) -> None:
    """Add the command."""
    parser = command(
        commands, "doctor", "look at everything the service needs, and say how to mend it", _doctor, _ABOUT
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--online", action="store_true", help="also connect to the Anthropic API; nothing is sent"
    )


def _doctor(parsed: argparse.Namespace) -> int:
    entrance = Entrance(config.identity, leave_root, config.load, load_poller=_poller)
    findings = examine(entrance, SystemClock(), online=parsed.online)
    found = _as_json(findings) if parsed.json else _as_text(findings)
    return int(any(finding.level is Level.FAIL for finding in found))


def _poller() -> config.PollerSettings | None:
    return config.poller.load() if config.poller.wanted() else None


def _as_json(findings: Iterable[Finding]) -> list[Finding]:
    found = list(findings)
    healthy = all(finding.level is not Level.FAIL for finding in found)
    print(json.dumps({"healthy": healthy, "findings": [asdict(finding) for finding in found]}, indent=2))
    return found


def _as_text(findings: Iterable[Finding]) -> list[Finding]:
    found = []
    for finding in findings:
        found.append(finding)
        print(f"{finding.level.upper():<4}  {finding.name:<22}  {finding.detail}", flush=True)
        if finding.mend:
            print(f"{'':30}→ {finding.mend}", flush=True)
    counts = {level: sum(finding.level is level for finding in found) for level in Level}
    print(
        f"\n{len(found)} checks: {', '.join(f'{count} {level.upper()}' for level, count in counts.items() if count)}"
    )
    return found
