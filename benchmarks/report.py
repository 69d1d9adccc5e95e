"""Writing a run down: a results file per day, and the last result in the README."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.figures import Outcome
from benchmarks.table import between, document, markdown

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
README = HERE / "README.md"
#: Between these the README shows the last result.
_BEGIN, _END = "<!-- last result -->", "<!-- end of last result -->"


def merged(before: Mapping[str, Any], outcomes: Sequence[Outcome], order: Sequence[str]) -> dict[str, Any]:
    """Return the parts of a day: those measured now in place of earlier ones, always in the same order."""
    found = {**before, **{outcome.part: document(outcome) for outcome in outcomes}}
    return {part: found[part] for part in order if part in found}


def write(outcomes: Sequence[Outcome], order: Sequence[str], date: str) -> Path:
    """Write the day's file and the README's last result; return the file."""
    path = RESULTS / f"{date}.json"
    parts = merged(_read(path), outcomes, order)
    RESULTS.mkdir(exist_ok=True)
    _replace(path, json.dumps(parts, indent=2, ensure_ascii=False) + "\n")
    inner = f"\nFrom [{path.name}](results/{path.name}).\n\n{markdown(parts)}\n"
    _replace(README, between(README.read_text(), _BEGIN, _END, inner))
    return path


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    return found


def _replace(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(text)
    temporary.replace(path)
