"""Under what conditions was measured: versions, machine, and how busy it was with other things."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from pathlib import Path
from typing import Any

from benchmarks.processes import machine_busy

_LOOK_S = 1.0
_ROOT = Path(__file__).resolve().parents[1]


def conditions() -> dict[str, Any]:
    """Look at the machine for a second before anything is started."""
    before = machine_busy()
    time.sleep(_LOOK_S)
    busy, total = (after - first for after, first in zip(machine_busy(), before, strict=True))
    return {
        "at": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "commit": _commit(),
        "cores": os.cpu_count(),
        "processor": _processor(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "busy before": f"{100 * busy / max(total, 1):.0f} %",
        "load before": f"{os.getloadavg()[0]:.1f}",
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


def _commit() -> str:
    """Return the commit measured, with a plus when the service was changed since."""
    try:
        head = _git("rev-parse", "--short", "HEAD")
        return f"{head}+" if _git("status", "--porcelain", "--", "sidecar") else head
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(_ROOT), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
