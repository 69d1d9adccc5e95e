"""What the OpenAPI document says of a view, declared beside it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from pydantic import BaseModel

View = TypeVar("View", bound=Callable[..., object])


@dataclass(frozen=True)
class Operation:
    """One operation: shapes of request and answer, and the statuses it may answer beside the usual.

    Its summary is the view's docstring.
    """

    answer: type[BaseModel] | None
    status: int = 200
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    problems: tuple[int, ...] = ()
    #: Whether it needs the token, and whether it acts for a user named in a header.
    secured: bool = True
    user: bool = False
    media: str = "application/json"
    summary: str = ""


def describe(operation: Operation) -> Callable[[View], View]:
    """Attach `operation` to a view."""

    def attach(view: View) -> View:
        view.operation = replace(operation, summary=inspect.getdoc(view) or "")  # type: ignore[attr-defined]  # functions take attributes
        return view

    return attach
