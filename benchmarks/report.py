"""Writing a run down: raw samples, report and pictures in a folder of its day, a full run in the READMEs as well."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.drawing import draw
from benchmarks.figures import Outcome
from benchmarks.table import between, document, gallery, markdown

Json = Mapping[str, Any]

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
SAMPLES, REPORT = "samples.json", "report.md"
#: Between these the suite's README shows the last full result, and the project's how the two bridges compare.
_RESULT = ("<!-- last result -->", "<!-- end of last result -->")
_COMPARISON = ("<!-- comparison -->", "<!-- end of comparison -->")
#: A list of numbers; one line holds it.
_NUMBERS = re.compile(r"\[[\s\d.,e+-]+\]")


class Unreadable(Exception):
    """A folder holds no result of this suite; the text says which."""


@dataclass(frozen=True)
class Result:
    """What a folder holds: the parts measured, all in the same scale."""

    scale: str
    parts: Json

    def with_parts(self, outcomes: Sequence[Outcome], order: Sequence[str]) -> Result:
        """Return this with parts measured now in place of earlier ones, always in the same order."""
        found = {**self.parts, **{outcome.part: document(outcome) for outcome in outcomes}}
        return Result(self.scale, {part: found[part] for part in order if part in found})


def folder_for(date: str, scale: str, results: Path = RESULTS) -> Path:
    """Return the day's folder, or one beside it: a short run must not take the place of a full one."""
    folder = results / date
    if (folder / SAMPLES).is_file() and read(folder).scale != scale:
        return results / f"{date}-{scale}"
    return folder


def read(folder: Path) -> Result:
    """Return a folder's result.

    Raises:
        Unreadable: there is none, or it is damaged.
    """
    try:
        found = json.loads((folder / SAMPLES).read_text(encoding="utf-8"))
        return Result(found["scale"], found["parts"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Unreadable(f"{folder} holds no result: {error}") from error


def add(folder: Path, scale: str, outcomes: Sequence[Outcome], order: Sequence[str]) -> Result:
    """Put parts measured now into a folder, and make its report and pictures again.

    Raises:
        Unreadable: the folder holds something else, or a result in another scale.
    """
    before = read(folder) if (folder / SAMPLES).exists() else Result(scale, {})
    if before.scale != scale:
        raise Unreadable(f"{folder} holds a {before.scale} result; use another folder for a {scale} one")
    result = before.with_parts(outcomes, order)
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"scale": result.scale, "parts": result.parts}, indent=1, ensure_ascii=False)
    _replace(folder / SAMPLES, _NUMBERS.sub(lambda found: " ".join(found[0].split()), text) + "\n")
    render(folder, result)
    return result


def render(folder: Path, result: Result) -> None:
    """Make a folder's report and pictures from its samples."""
    text = f"# Measured, {result.scale} form\n\n{markdown(result.parts)}{gallery(result.parts)}"
    _replace(folder / REPORT, text)
    for part in result.parts.values():
        for picture in part["pictures"]:
            draw(picture, folder / f"{picture['name']}.png")


def publish(
    folder: Path, result: Result, comparison: Callable[[Json], str], root: Path = HERE.parent
) -> None:
    """Show a full result in the READMEs: the last one, and the two bridges if they are in it."""
    place = folder.resolve().relative_to(root / "benchmarks").as_posix()
    told = f"\nFrom [{SAMPLES}]({place}/{SAMPLES}).\n\n{markdown(result.parts)}{gallery(result.parts, f'{place}/')}\n"
    _put(root / "benchmarks" / "README.md", _RESULT, told)
    if "bridges" in result.parts:
        _put(root / "README.md", _COMPARISON, comparison(result.parts["bridges"]))


def _put(path: Path, marks: tuple[str, str], inner: str) -> None:
    _replace(path, between(path.read_text(encoding="utf-8"), *marks, inner))


def _replace(path: Path, text: str) -> None:
    temporary = path.with_suffix(".new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
