"""What a test expects of the doctor's findings."""

from __future__ import annotations

from sidecar.doctor.finding import Finding, Level
from tests.integration.cli.machine import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text()


def assert_finding(found: Finding, level: Level, words: str) -> None:
    """The finding says `words`, says how to mend it, and so does the page on troubleshooting."""
    assert (found.level, words in found.detail) == (level, True), found
    assert found.mend
    assert words in PAGE, f"docs/troubleshooting.md lacks {words!r}"


def assert_only(found: dict[str, Finding], *names: str) -> None:
    """Nothing else fails; what hangs on it is skipped."""
    failed = {name for name, finding in found.items() if finding.level is Level.FAIL}
    assert failed == set(names)
