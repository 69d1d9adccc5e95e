"""The session operations."""

from __future__ import annotations

from uuid import UUID

from flask import Blueprint, Response

from sidecar.errors import NotFound
from sidecar.model.session import Size
from sidecar.sessions.desk import Access, Query, Span
from sidecar.web import schemas, shapes
from sidecar.web.auth import acting_user
from sidecar.web.body import parse_body, parse_query, reply
from sidecar.web.context import desk
from sidecar.web.operation import Operation, describe

views = Blueprint("sessions", __name__, url_prefix="/api")


@views.post("/session/create")
@describe(
    Operation(
        schemas.SessionObject,
        status=201,
        body=schemas.CreateBody,
        problems=(409, 413, 415, 429, 502, 503),
    )
)
def create_session() -> Response:
    """Create a session and wait until Claude takes input."""
    body = parse_body(schemas.CreateBody)
    new = shapes.new_session(body, acting_user(body.user_id))
    status = desk().create(new, body.wait_ms / 1000)
    return reply(shapes.session_object(status), 201)


@views.post("/session/<session_id>/command")
@describe(
    Operation(
        schemas.CommandObject,
        body=schemas.CommandBody,
        problems=(404, 409, 413, 415, 429, 502, 503),
        user=True,
    )
)
def command_session(session_id: str) -> Response:
    """Put text, raw bytes or keys in; an idle session wakes first."""
    access, body = _access(session_id), parse_body(schemas.CommandBody)
    receipt = desk().command(access, shapes.command(body))
    span = Span(schemas.SOME_BYTES, body.wait_ms / 1000, text=True)
    reading = desk().settled(access, receipt.cursor, span) if body.wait_ms else None
    return reply(shapes.command_object(receipt, reading))


@views.get("/session/<session_id>/output")
@describe(
    Operation(
        schemas.OutputObject,
        query=schemas.OutputQuery,
        problems=(404, 503),
        user=True,
    )
)
def read_output(session_id: str) -> Response:
    """Read output from an offset; reading destroys nothing."""
    access, query = _access(session_id), parse_query(schemas.OutputQuery)
    span = Span(query.max_bytes, query.wait, text=query.encoding == "utf8")
    reading = desk().taken(access, span) if query.clear else desk().output(access, query.cursor, span)
    return reply(shapes.output_object(reading, query.encoding))


@views.get("/session/<session_id>/screen")
@describe(Operation(schemas.ScreenObject, problems=(404, 503), user=True))
def read_screen(session_id: str) -> Response:
    """The rendered screen."""
    return reply(shapes.screen_object(desk().screen(_access(session_id))))


@views.get("/session/<session_id>/status")
@describe(Operation(schemas.SessionObject, problems=(404, 503), user=True))
def read_status(session_id: str) -> Response:
    """The session."""
    return reply(shapes.session_object(desk().status(_access(session_id))))


@views.post("/session/<session_id>/resize")
@describe(
    Operation(
        schemas.SessionObject,
        body=schemas.ResizeBody,
        problems=(404, 409, 413, 415, 503),
        user=True,
    )
)
def resize_session(session_id: str) -> Response:
    """Change the terminal's size."""
    access, body = _access(session_id), parse_body(schemas.ResizeBody)
    return reply(shapes.session_object(desk().resize(access, Size(body.columns, body.rows))))


@views.delete("/session/<session_id>")
@describe(Operation(schemas.TerminatedObject, problems=(404, 503), user=True))
def delete_session(session_id: str) -> Response:
    """End the session for good."""
    desk().terminate(_access(session_id))
    return reply(schemas.TerminatedObject(terminated=True))


@views.get("/sessions")
@describe(
    Operation(
        schemas.SessionPage,
        query=schemas.ListQuery,
        problems=(503,),
        user=True,
    )
)
def list_sessions() -> Response:
    """The user's sessions, newest first."""
    query = parse_query(schemas.ListQuery)
    found, total = desk().page(Query(acting_user(), query.state, query.limit, query.offset))
    items = [shapes.session_object(status) for status in found]
    return reply(schemas.SessionPage(items=items, total=total, limit=query.limit, offset=query.offset))


@views.post("/outputs")
@describe(
    Operation(
        schemas.OutputsObject,
        body=schemas.OutputsBody,
        problems=(413, 415, 503),
        service_only=True,
    )
)
def read_outputs() -> Response:
    """News of many sessions in one waiting call."""
    body = parse_body(schemas.OutputsBody)
    return reply(shapes.outputs_object(desk().outputs(body.pump, body.cursors, body.max_bytes, body.wait)))


@views.get("/session/<session_id>/recording")
@describe(
    Operation(
        None,
        problems=(404, 503),
        user=True,
        media="application/x-asciicast",
    )
)
def read_recording(session_id: str) -> Response:
    """The recording, asciicast v2, output only."""
    return Response(desk().recording(_access(session_id)), content_type="application/x-asciicast")


def _access(session_id: str) -> Access:
    """Return whose session is meant. An id that is no UUID cannot exist."""
    user = acting_user()
    try:
        return Access(user, UUID(session_id))
    except ValueError:
        raise NotFound from None
