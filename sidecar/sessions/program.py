"""Finding the CLI on this host and asking for its version."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from sidecar.claude import version

_PACKAGES = Path(__file__).resolve().parents[2] / "node_modules" / "@anthropic-ai"
_ARCHITECTURES = {"x86_64": "x64", "aarch64": "arm64"}
#: Time `claude --version` may take; measured 0.1 to 0.4 s.
_PATIENCE_S = 30


@dataclass(frozen=True)
class Found:
    """The CLI: where it is, its version, and what is wrong with it, if anything."""

    path: Path | None
    version: str | None = None
    problem: str | None = None
    #: Whether it can be used at all; one of an untested version can.
    usable: bool = False


def locate(configured: Path | None) -> Path | None:
    """Return the CLI: as configured, else of the npm package beside the installation, else on the PATH.

    The npm package's own program is only a link that its install script makes, so the platform package is used.
    """
    if configured is not None:
        return configured
    machine = _ARCHITECTURES.get(platform.machine(), platform.machine())
    for suffix in ("", "-musl"):
        program = _PACKAGES / f"claude-code-linux-{machine}{suffix}" / "claude"
        if os.access(program, os.X_OK):
            return program
    on_path = shutil.which("claude")
    return Path(on_path) if on_path else None


def examine(path: Path | None) -> Found:
    """Run the CLI for its version."""
    if path is None:
        return Found(None, problem="Claude Code is not installed; run `make setup` or set CLAUDE_PATH")
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "DISABLE_AUTOUPDATER": "1"}
    try:
        ran = subprocess.run(
            [path, "--version"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return Found(path, problem="Claude Code does not run; see CLAUDE_PATH")
    found = version.parse(ran.stdout) if ran.returncode == 0 else None
    if found is None:
        return Found(path, problem="Claude Code does not tell its version; see CLAUDE_PATH")
    problem = (
        None if found.tested else f"version {found.text} is not tested; the tested one is {version.PINNED}"
    )
    return Found(path, found.text, problem, usable=True)
