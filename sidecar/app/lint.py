"""What is wrong with the sources of the app: ESLint's findings, and what does not fit the manifest."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from sidecar.app import coherence, manifest
from sidecar.app.manifest import APP_FOLDER, FIX_FOLDER
from sidecar.errors import AppBroken

_ESLINT_S = 120


def faults(source: Path) -> list[str]:
    """Return one line for each fault in the checkout `source`; none when all is well.

    Raises:
        AppBroken: the manifest cannot be read, or ESLint does not run.
    """
    return eslint(source) + coherence.faults(manifest.read(source))


def eslint(source: Path) -> list[str]:
    """Run ESLint over the scripts of the app and return its findings.

    Raises:
        AppBroken: it does not run.
    """
    program = source.resolve() / "node_modules" / ".bin" / "eslint"
    command = [str(program), "--format", "json", "--no-error-on-unmatched-pattern", APP_FOLDER, FIX_FOLDER]
    try:
        done = subprocess.run(
            command, cwd=source, capture_output=True, text=True, check=False, timeout=_ESLINT_S
        )
        results = json.loads(done.stdout)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AppBroken(f"ESLint does not run; `make setup` installs it: {error}") from error
    except ValueError as error:
        raise AppBroken(f"ESLint failed: {done.stderr.strip()[:500]}") from error
    root = source.resolve()
    return [
        f"{Path(result['filePath']).relative_to(root)}:{found.get('line', 1)}: {found['message']}"
        f" ({found['ruleId'] or 'syntax'})"
        for result in results
        for found in result["messages"]
    ]
