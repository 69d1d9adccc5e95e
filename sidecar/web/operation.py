"""What the OpenAPI document says of a view, declared beside it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from pydantic import BaseModel

from sidecar.model.caller import Scope

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
    #: What a credential must have for it; None where nobody needs to be authenticated.
    scope: Scope | None = Scope.SESSIONS
    #: Whether only the service token will do.
    service_only: bool = False
    #: Whether the scope `admin` will do as well.
    admin: bool = False
    #: Whether it is a page that knows its visitor by the signed-in cookie, and sends others to the sign-in.
    page: bool = False
    #: Whether it takes an Idempotency-Key.
    once: bool = False
    #: The security scheme, if it has one of its own, which its view checks.
    scheme: str | None = None
    #: Whether it acts for a user named in a header.
    user: bool = False
    media: str = "application/json"
    #: Statuses that answer in the shape of the good one: a report that is bad news, a form to fill in again.
    also: tuple[int, ...] = ()
    #: Whether it may answer 303, with another page to go to.
    redirects: bool = False
    body_media: str = "application/json"
    summary: str = ""

    @property
    def secured(self) -> bool:
        """Tell whether a credential is needed."""
        return self.scope is not None


def describe(operation: Operation) -> Callable[[View], View]:
    """Attach `operation` to a view."""

    def attach(view: View) -> View:
        view.operation = replace(operation, summary=inspect.getdoc(view) or "")  # type: ignore[attr-defined]  # functions take attributes
        return view

    return attach
