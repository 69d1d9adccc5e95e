"""What is answered to a row: base64 of JSON, because XML 1.0 cannot carry ESC."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

#: Version of the form.
VERSION = 1
#: Characters of one answer; the instance takes no more.
MAX_CHARS = 131_072
#: Of the line for people, whose column has 4000.
_MAX_ERROR_CHARS = 1000


@dataclass(frozen=True)
class Answer:
    """What the sidecar answered, or why there is no such answer."""

    status: int
    body: Mapping[str, Any] | None = field(default=None, repr=False)
    problem: Mapping[str, Any] | None = None

    @property
    def error(self) -> str:
        """Return the problem in one line; nothing when all is well."""
        if self.problem is None:
            return ""
        told = f"{self.problem['title']}: {self.problem['detail']}"
        return "".join(one if one.isprintable() else " " for one in told[:_MAX_ERROR_CHARS])

    @property
    def text(self) -> str:
        """Return what goes into the row."""
        ok = self.problem is None
        told = {"body": self.body} if ok else {"problem": self.problem}
        form = {"v": VERSION, "ok": ok, "status": self.status, **told}
        text = json.dumps(form, ensure_ascii=False, separators=(",", ":"))
        # Half a character that the sidecar escaped cannot be written; it becomes "?" as on a MID Server.
        return base64.b64encode(text.encode("utf-8", "replace")).decode("ascii")


def problem(status: int, title: str, detail: str) -> Answer:
    """Return the answer that says what is wrong."""
    return Answer(status, problem={"title": title, "status": status, "detail": detail})


def fitting(answer: Answer, spare: Sequence[str] = ()) -> Answer:
    """Return the answer, without its `spare` names if it is too large with them, or a problem: a row has its limit."""
    names = iter(spare)
    while len(answer.text) > MAX_CHARS:
        name = next(names, None)
        if name is None:
            return problem(502, "Answer too large", "The answer does not fit into one row of the ECC queue.")
        body = {key: value for key, value in (answer.body or {}).items() if key != name}
        answer = Answer(answer.status, body, answer.problem)
    return answer
