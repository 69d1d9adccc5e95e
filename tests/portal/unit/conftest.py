"""The browser classes of the app on Rhino, on a page that is not there."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from emulator.rhino import FOLDER, JAVA_OPTIONS, LIBRARIES, RHINO_OPTIONS, SHARED, java
from tests.fixtures.leaks import KEPT_PROCESSES

ROOT = FOLDER.parent
CLASSES = ROOT / "servicenow-app" / "ui-scripts"
FAKES = ROOT / "tests" / "fakes" / "page"
#: What does not need a real page, in the order in which one loads them.
NAMES = (
    *(
        "Problem",
        "Bytes",
        "Calls",
        "News",
        "Feed",
        "Bracket",
        "Keyboard",
        "Picture",
        "Size",
        "Claim",
        "Trouble",
    ),
    "Attachment",
)


class Page:
    """One Rhino process; each run is a page that has just loaded."""

    def __init__(self) -> None:
        libraries = ":".join(map(str, LIBRARIES))
        shell = [java(), *JAVA_OPTIONS, "-cp", libraries, "org.mozilla.javascript.tools.shell.Main"]
        modules = ["-modules", str(FAKES), "-modules", str(SHARED)]
        files: list[Path] = [FAKES / "main.js", *(CLASSES / f"{name}.js" for name in NAMES)]
        self._process = subprocess.Popen(
            [*shell, *RHINO_OPTIONS, *modules, *map(str, files)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )

    @property
    def pid(self) -> int:
        """Return its process id."""
        return self._process.pid

    def close(self) -> None:
        """End it."""
        self._process.communicate(timeout=20)

    def run(self, script: str, **given: Any) -> Any:
        """Return what the body of a function (ns, page, given) returns."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"script": script, "given": given}) + "\n")
        self._process.stdin.flush()
        said: dict[str, Any] = json.loads(self._process.stdout.readline())
        assert "error" not in said, said["error"]
        return said["value"]


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    """Run the classes for all tests of this file."""
    host = Page()
    KEPT_PROCESSES.add(host.pid)
    yield host
    host.close()
