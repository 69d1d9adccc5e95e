"""Choosing the answer: prompt words first, then the rules of a script file, then a friendly echo."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from emulator.anthropic import words
from emulator.anthropic.failure import Failure
from emulator.anthropic.plan import Plan
from emulator.anthropic.prompt import Request, ToolResult

RULE_FIELDS = {"match", "regex", "reply"}


class ScriptError(ValueError):
    """The script file cannot be used; the text says which rule and why."""


@dataclass(frozen=True)
class Rule:
    """Answers `plan` to the prompts in which `pattern` is found."""

    pattern: re.Pattern[str]
    plan: Plan


@dataclass(frozen=True)
class Script:
    """An ordered list of rules; the first that fits decides."""

    rules: tuple[Rule, ...] = ()

    def plan(self, request: Request) -> Plan:
        """Return the answer to `request`."""
        if request.results:
            return _after_tools(request.results)
        found = words.find(request.prompt)
        if found.words:
            return _by_words(found, otherwise=greeting(found.rest or request.prompt))
        return self._by_rules(request.prompt)

    def _by_rules(self, prompt: str) -> Plan:
        fitting = (rule.plan for rule in self.rules if rule.pattern.search(prompt))
        return next(fitting, Plan(greeting(prompt)))


def greeting(prompt: str) -> str:
    """Return the default answer; it holds the whole prompt, so that a test can find it."""
    return f"You said: {prompt}"


def _by_words(found: words.Found, otherwise: str) -> Plan:
    try:
        return words.plan(found, otherwise)
    except words.WordError as error:
        usages = "; ".join(f"[[{word.usage}]], for example {word.example}" for word, _ in found.words)
        failure = Failure(400, f"Prompt word: {error}. Known as {usages}")
        return Plan("", behaviour="mistake", failure=failure)


def _after_tools(results: Iterable[ToolResult]) -> Plan:
    # Plain text always: another tool call here would keep the CLI in its loop for ever.
    return Plan("\n".join(map(_report, results)), behaviour="tool_result")


def _report(result: ToolResult) -> str:
    return f"The tool {'failed' if result.failed else 'answered'}: {result.text}"


def load(path: Path) -> Script:
    """Return the script in the JSON file `path`; raises `ScriptError`."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ScriptError(f"{path}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise ScriptError(f"{path}: not valid JSON: {error}") from None
    return parse(document, source=str(path))


def parse(document: object, source: str = "script") -> Script:
    """Return the script in a JSON document; `source` names it in the `ScriptError` raised."""
    if not isinstance(document, list):
        raise ScriptError(f"{source}: a list of rules is expected")
    return Script(tuple(_numbered(source, number, entry) for number, entry in enumerate(document, 1)))


def _numbered(source: str, number: int, entry: object) -> Rule:
    try:
        rule = _rule(entry)
    except ValueError as error:
        raise ScriptError(f"{source}: rule {number}: {error}") from None
    return replace(rule, plan=replace(rule.plan, behaviour=f"rule {number}: {rule.plan.behaviour}"))


def _rule(entry: object) -> Rule:
    if not isinstance(entry, dict) or not all(isinstance(value, str) for value in entry.values()):
        raise ValueError('an object of strings is expected: {"match" or "regex": …, "reply": …}')
    if unknown := entry.keys() - RULE_FIELDS:
        raise ValueError(f"unknown field {', '.join(sorted(unknown))}")
    if "reply" not in entry:
        raise ValueError("reply is missing")
    found = words.find(entry["reply"])
    return Rule(_pattern(entry), words.plan(found, otherwise=found.rest))


def _pattern(entry: Mapping[str, str]) -> re.Pattern[str]:
    if ("match" in entry) == ("regex" in entry):
        raise ValueError("exactly one of match and regex is needed")
    if "match" in entry:
        return re.compile(re.escape(entry["match"]))
    try:
        return re.compile(entry["regex"])
    except (re.error, RecursionError) as error:
        raise ValueError(f"regex: {error}") from None
