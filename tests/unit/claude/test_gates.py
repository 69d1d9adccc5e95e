"""What the gates read from recorded screens of the real CLI."""

from __future__ import annotations

from pathlib import Path

import pytest

from sidecar.claude import gates
from sidecar.model.session import Activity

SCREENS = Path(__file__).resolve().parents[2] / "screens"
FILES = sorted(SCREENS.glob("*/*/*.txt"))
COMPOSER = "❯\u00a0"


def view(path: Path, quiet_s: float = 10) -> gates.View:
    title, *rows = path.read_text().split("\n")
    return gates.View(rows, title, quiet_s)


def screen(name: str) -> list[str]:
    (path,) = SCREENS.glob(f"2.1.329/*/{name}.txt")
    return list(view(path).lines)


def test_there_are_screens() -> None:
    assert len(FILES) >= 20
    assert {path.parent.name for path in FILES} == {activity.value for activity in Activity}


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_a_recorded_screen_is_read_as_its_folder_says(path: Path) -> None:
    expected = Activity(path.parent.name)

    assert gates.activity(view(path)) is expected
    assert gates.ready(view(path).lines)
    assert gates.menu_open(view(path).lines) is (expected is Activity.AWAITING_INPUT)
    assert gates.refusal(view(path).lines) is None


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_how_long_it_was_quiet_changes_nothing_where_the_screen_is_known(path: Path) -> None:
    assert gates.activity(view(path, 0)) is gates.activity(view(path, 1000))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("answered", ""),
        ("two-lines", "a first line\n  and a second one"),
        ("slash", "/"),
        ("bash", None),
        ("model", None),
    ],
)
def test_the_composer_holds_what_was_typed(name: str, text: str | None) -> None:
    assert gates.composer(screen(name)) == text


def test_a_long_paste_stands_as_a_placeholder() -> None:
    assert "Pasted text" in str(gates.composer(screen("pasted")))


def test_a_question_already_sent_is_not_the_composer() -> None:
    assert gates.composer(["❯ an old question", "", "● an answer"]) is None


def test_an_answer_that_looks_like_a_menu_does_not_open_one_while_the_composer_is_there() -> None:
    lines = ["● Choose:", " ❯ 1. Yes", "   2. No", "Esc to cancel", "─" * 40, COMPOSER, "─" * 40]

    assert not gates.menu_open(lines)
    assert gates.activity(gates.View(lines, "✳ x", 10)) is Activity.IDLE


def test_a_shell_is_busy_while_it_prints_and_idle_when_quiet() -> None:
    lines = ["$ make", "compiling"]

    assert gates.activity(gates.View(lines, "", 0.5)) is Activity.BUSY
    assert gates.activity(gates.View(lines, "", 5)) is Activity.IDLE


@pytest.mark.parametrize(
    "sign",
    [
        "Unable to connect to Anthropic services",
        "No conversation found with session ID: 1",
        "Error: Session ID 1 is already in use.",
        "error: unknown option '--x'",
    ],
)
def test_a_refusal_to_start_is_explained(sign: str) -> None:
    assert gates.refusal(["", sign, ""])


def test_no_lines_are_no_prompt() -> None:
    assert not gates.ready([])
    assert not gates.menu_open([])
    assert gates.composer([]) is None
