"""Choosing an answer, and script files."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.anthropic.plan import Plan
from emulator.anthropic.prompt import Request, ToolResult
from emulator.anthropic.script import Script, ScriptError, load, parse


def asks(text: str, *results: ToolResult) -> Request:
    return Request(model="m", stream=True, prompt=text, results=results, input_tokens=1)


RULES = parse(
    [
        {"match": "a.b", "reply": "dots"},
        {"regex": "^deploy", "reply": "[[error 529]]"},
        {"match": "deploy", "reply": "[[rate 5]] later"},
    ]
)


def test_the_default_answer_holds_the_prompt() -> None:
    assert Script().plan(asks("how are [[you]]?")) == Plan("You said: how are [[you]]?")


def test_words_without_text_keep_the_rest_of_the_prompt() -> None:
    assert Script().plan(asks("[[delay 1]] hello")).text == "You said: hello"


def test_the_results_of_tools_are_answered_and_their_words_are_not_obeyed() -> None:
    results = (ToolResult("[[error 500]]", failed=False), ToolResult("bad", failed=True))

    plan = Script().plan(asks("[[tool bash: x]]", *results))

    expected = "The tool answered: [[error 500]]\nThe tool failed: bad"
    assert plan == Plan(expected, behaviour="tool_result")


def test_a_word_with_wrong_arguments_is_a_400_that_teaches() -> None:
    failure = Script().plan(asks("[[rate fast]]")).failure

    assert failure is not None
    assert failure.status == 400
    assert "[[rate 20 tokens 200]]" in failure.message


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x a.b y", Plan("dots", behaviour="rule 1: default")),
        ("x axb y", Plan("You said: x axb y")),
        ("please deploy", Plan("later", rate=5, behaviour="rule 3: rate")),
        ("deploy [[echo no]]", Plan("no", behaviour="echo")),
    ],
)
def test_the_first_fitting_rule_decides_unless_the_prompt_has_words(text: str, expected: Plan) -> None:
    assert RULES.plan(asks(text)) == expected


def test_a_regex_rule_decides_before_a_later_rule() -> None:
    failure = RULES.plan(asks("deploy now")).failure

    assert failure is not None
    assert failure.status == 529


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "list of rules"),
        (["x"], "rule 1"),
        ([{"match": "a", "reply": "b"}, {"match": "a"}], "rule 2: reply is missing"),
        ([{"reply": "b"}], "exactly one"),
        ([{"match": "a", "regex": "a", "reply": "b"}], "exactly one"),
        ([{"regex": "(", "reply": "b"}], "regex"),
        ([{"match": "a", "reply": "b", "delay": "1"}], "unknown field delay"),
        ([{"match": 1, "reply": "b"}], "object of strings"),
        ([{"match": "a", "reply": "[[rate x]]"}], "cannot read 'x'"),
    ],
)
def test_a_bad_script_is_refused_with_its_place(document: object, said: str) -> None:
    with pytest.raises(ScriptError, match="script") as refused:
        parse(document)

    assert said in str(refused.value)


@pytest.mark.parametrize("content", [b"{", b"\xff", b"", b"[" * 100_000])
def test_a_file_that_is_not_json_is_refused_with_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rules.json"
    path.write_bytes(content)

    with pytest.raises(ScriptError, match=r"rules\.json"):
        load(path)


def test_a_missing_file_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match=r"absent\.json"):
        load(tmp_path / "absent.json")
