"""Every promise of the ServiceNow part, and every statement about the platform, has its tests.

The tests are found by reading their files, not by running them: a renamed or removed one fails here, in the line of
what has lost it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from tests.servicenow.promises import BRIDGE_FAULTS, ON_PAGES, PARTS, POLLER_FAULTS, REGRESSIONS
from tests.servicenow.statements import NOT_EMULATED, SECTIONS

TESTS = Path(__file__).resolve().parents[1]
README = TESTS.parent / "emulator" / "instance" / "README.md"

ALL = [
    pytest.param(tests, id=f"{part}: {promise}")
    for part, promises in {**PARTS, **SECTIONS}.items()
    for promise, tests in promises.items()
]


@cache
def functions(file: str) -> dict[str, str]:
    """Return the tests of a file with their docstrings; one in a class is `Class::name`."""
    return dict(_tests(ast.parse((TESTS / file).read_text()).body, ""))


def _tests(body: list[ast.stmt], prefix: str) -> Iterator[tuple[str, str]]:
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from _tests(node.body, f"{node.name}::")
        elif isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield prefix + node.name, ast.get_docstring(node) or ""


def docstrings(pattern: str) -> str:
    """Return all docstrings of tests in files like that, with the files' own."""
    files = sorted(str(path.relative_to(TESTS)) for path in TESTS.glob(pattern))
    texts = [text for file in files for text in functions(file).values()]
    return "\n".join(
        texts + [ast.get_docstring(ast.parse((TESTS / file).read_text())) or "" for file in files]
    )


@pytest.mark.parametrize("tests", ALL)
def test_the_tests_of_a_promise_are_there(tests: dict[str, str]) -> None:
    assert tests
    for file, names in tests.items():
        assert (TESTS / file).is_file(), f"there is no {file}: name what keeps the promise now"
        missing = set(names.split()) - set(functions(file))
        assert names, file
        assert not missing, f"{file} has no {missing}: name what keeps the promise now"


@pytest.mark.parametrize("number", REGRESSIONS, ids=lambda number: f"{number}: {REGRESSIONS[number]}")
def test_a_regression_is_named_by_the_tests_that_show_its_absence(number: int) -> None:
    named = docstrings("servicenow/test_regressions_*.py")

    assert re.search(rf"^Regression {number}\b", named, re.MULTILINE)


@pytest.mark.parametrize("number", ON_PAGES, ids=lambda number: f"{number}: {REGRESSIONS[number]}")
def test_a_regression_of_pages_is_named_by_the_tests_in_a_browser(number: int) -> None:
    assert re.search(rf"^Regression {number}\b", docstrings("portal/test_*.py"), re.MULTILINE)


@pytest.mark.parametrize("fault", BRIDGE_FAULTS + POLLER_FAULTS)
def test_a_fault_of_the_predecessor_is_named_by_the_test_that_disproves_it(fault: str) -> None:
    assert re.search(rf"\b{fault}\b", docstrings("servicenow/test_*.py"))


@pytest.mark.parametrize("words", NOT_EMULATED.values(), ids=NOT_EMULATED)
def test_what_is_not_emulated_is_said(words: str) -> None:
    covered, _, missing = README.read_text().partition("## What it does not cover")

    assert words in missing
    assert words not in covered
