"""The grammar of the prompt words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from emulator import anthropic
from emulator.anthropic import words
from emulator.anthropic.failure import Failure
from emulator.anthropic.plan import Plan, ToolCall


def plan(text: str) -> Plan:
    """Return the plan of a prompt, without the name it gets in the log."""
    return replace(words.plan(words.find(text), otherwise="otherwise"), behaviour="default")


def bash(command: str) -> ToolCall:
    return ToolCall("Bash", {"command": command, "description": "Run the command of the prompt"})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[echo hello  world ]]", Plan("hello  world")),
        ("[[ echo spaced ]]", Plan("spaced")),
        ("[[echo two\nlines]]", Plan("two\nlines")),
        ("[[echo [x]]]", Plan("[x]")),
        ("[[rate 20]]", Plan("otherwise", rate=20)),
        ("[[delay 2.5]] hi", Plan("otherwise", delay=2.5)),
        ("[[endless]]", Plan("otherwise", endless=True)),
        ("[[drop]]", Plan("otherwise", dropped=True)),
        ("[[error 401]]", Plan("otherwise", failure=Failure(401))),
        ("[[error 429]]", Plan("otherwise", failure=Failure(429, retry_after=1))),
        ("[[error 429 retry-after 7 slow down]]", Plan("otherwise", failure=Failure(429, "slow down", 7))),
        ("[[fail 2 then ok]]", Plan("otherwise", failure=Failure(529), attempts=2)),
        ("[[fail 3 with 500 then ok]]", Plan("otherwise", failure=Failure(500), attempts=3)),
    ],
)
def test_a_word_makes_its_plan(text: str, expected: Plan) -> None:
    assert plan(text) == expected


@pytest.mark.parametrize(
    ("text", "call"),
    [
        ("[[tool bash: ls -l]]", bash("ls -l")),
        ("[[tool bash: if [[ -f a ]]; then echo b; fi]]", bash("if [[ -f a ]]; then echo b; fi")),
        ("[[tool bash: [[ -f a ]]]]", bash("[[ -f a ]]")),
        (
            "[[tool write: /a b.txt | one | two]]",
            ToolCall("Write", {"file_path": "/a b.txt", "content": "one | two"}),
        ),
        ('[[tool Glob: {"list": [[1]]}]]', ToolCall("Glob", {"list": [[1]]})),
    ],
)
def test_a_tool_word_builds_the_input_of_the_tool(text: str, call: ToolCall) -> None:
    assert plan(text).tools == (call,)


def test_several_tool_words_are_calls_of_one_message() -> None:
    assert plan("[[tool bash: a]] [[tool bash: b]]").tools == (bash("a"), bash("b"))


def test_words_add_up_and_the_rest_of_the_prompt_remains() -> None:
    found = words.find("please [[delay 1]] say [[rate 5]] this")

    result = words.plan(found, otherwise=found.rest)

    assert result == Plan("please  say  this", delay=1, rate=5, behaviour="delay+rate")


@pytest.mark.parametrize("characters", [1, 10, 29, 30, 31, 1000, 200_000])
def test_a_long_answer_has_exactly_the_length_asked_for(characters: int) -> None:
    assert len(plan(f"[[long {characters}]]").text) == characters


def test_a_rate_with_tokens_brings_that_many_tokens() -> None:
    assert len(plan("[[rate 20 tokens 200]]").text) == 800


@pytest.mark.parametrize(
    "text", ["", "no words", "[[unknown x]]", "[[echo", "]] [[", "[[]]", "if [[ -f x ]]; then", "[[Echo x]]"]
)
def test_other_brackets_are_ordinary_text(text: str) -> None:
    assert words.find(text) == words.Found((), text.strip())


def test_an_unclosed_bracket_hides_no_later_word() -> None:
    assert words.find("a [[ b [[echo x]]").words == ((words.WORDS["echo"], "x"),)


@pytest.mark.parametrize(
    "text",
    [
        "[[rate]]",
        "[[rate fast]]",
        "[[rate 0]]",
        "[[rate 100001]]",
        "[[rate 5 tokens 0]]",
        "[[rate 5 tokens 99999999]]",
        "[[long 0]]",
        "[[long 10000001]]",
        "[[long -5]]",
        "[[long " + "9" * 5000 + "]]",
        "[[tool]]",
        "[[tool bash]]",
        "[[tool bash:]]",
        "[[tool write: relative | x]]",
        "[[tool write: /only-a-path]]",
        "[[tool Read: not json]]",
        "[[tool Read: [1]]]",
        "[[error]]",
        "[[error 399]]",
        "[[error 600]]",
        "[[fail 2]]",
        "[[fail 0 then ok]]",
        "[[fail 1001 then ok]]",
        "[[fail 2 with 200 then ok]]",
        "[[drop now]]",
        "[[endless x]]",
        "[[delay 601]]",
        "[[delay -1]]",
    ],
)
def test_wrong_arguments_are_refused(text: str) -> None:
    with pytest.raises(words.WordError):
        plan(text)


@pytest.mark.parametrize(
    "text", ["[[long 10000000]]", "[[delay 600]]", "[[rate 100000]]", "[[fail 1000 then ok]]"]
)
def test_the_bounds_themselves_are_allowed(text: str) -> None:
    assert isinstance(plan(text), Plan)


def test_many_brackets_are_read_in_one_pass() -> None:
    """A quadratic scan would run into the time limit of the suite."""
    assert words.find("[[" * 1_000_000).words == ()
    assert words.find("[[echo " * 200_000 + "]]" * 200_000).words[0][0].name == "echo"


@pytest.mark.parametrize("word", words.WORDS.values(), ids=lambda word: word.name)
def test_every_word_has_an_example_that_works_and_is_documented(word: words.Word) -> None:
    readme = Path(str(anthropic.__file__)).with_name("README.md").read_text(encoding="utf-8")

    assert words.find(word.example).words[0][0] is word
    assert isinstance(plan(word.example), Plan)
    assert word.example in words.lesson()
    assert f"`[[{word.usage}]]`" in readme
