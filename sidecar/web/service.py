"""Health, the OpenAPI document and the page that shows it."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, current_app, json, render_template

from sidecar import __version__
from sidecar.web import openapi, schemas, shapes
from sidecar.web.body import parse_body, reply
from sidecar.web.context import services
from sidecar.web.operation import Operation, describe

views = Blueprint("service", __name__)


@views.get("/health")
@describe(Operation(schemas.HealthObject, also=(503,), scope=None))
def health() -> Response:
    """How the service is."""
    report = services().health()
    return reply(shapes.health_object(report, __version__), 200 if report.serving else 503)


@views.post("/api/service/drain")
@describe(Operation(schemas.DrainObject, body=schemas.DrainBody, problems=(413, 415), service_only=True))
def drain() -> Response:
    """Refuse new sessions, or take them again; those there are go on."""
    body = parse_body(schemas.DrainBody)
    running = services().drain(draining=body.draining)
    return reply(schemas.DrainObject(draining=body.draining, sessions=running))


@views.get("/openapi.json")
@describe(Operation(None, scope=None))
def openapi_document() -> Response:
    """This document."""
    return Response(
        _once("openapi", lambda: json.dumps(openapi.document(current_app))), content_type="application/json"
    )


@views.get("/docs")
@describe(Operation(None, scope=None, media="text/html"))
def docs() -> str:
    """The API as a page."""
    return _once("docs", lambda: render_template("docs.html", document=openapi.document(current_app)))


def _once(name: str, make: Callable[[], str]) -> str:
    """Return what says the same as long as the application lives; making it takes 10 ms."""
    made: dict[str, str] = current_app.extensions.setdefault("made", {})
    if name not in made:
        made[name] = make()
    return made[name]
