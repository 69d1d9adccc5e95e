"""The session operations."""

from __future__ import annotations

from uuid import UUID, uuid4

from flask import Blueprint, Response

from sidecar.access.repeats import Reserved
from sidecar.errors import NotFound
from sidecar.model.command import Command
from sidecar.model.session import Size
from sidecar.sessions.desk import Access, Query, Span
from sidecar.web import schemas, shapes
from sidecar.web.auth import acting_user, is_administrator, listed_user
from sidecar.web.body import parse_body, parse_query, reply
from sidecar.web.context import desk
from sidecar.web.once import once
from sidecar.web.operation import Operation, describe
from sidecar.web.waiting import EVERYBODY, queueing, waiting

views = Blueprint("sessions", __name__, url_prefix="/api")


@views.post("/session/create")
@describe(
    Operation(
        schemas.SessionObject,
        status=201,
        body=schemas.CreateBody,
        problems=(409, 413, 415, 502, 503),
        once=True,
    )
)
def create_session() -> Response:
    """Create a session and wait until Claude takes input."""
    body = parse_body(schemas.CreateBody)
    user = acting_user(body.user_id)
    with waiting(user, body.wait_ms):
        return once(user, lambda reserved: _create(body, user, reserved), makes=body.session_id or uuid4())


@views.post("/session/<session_id>/command")
@describe(
    Operation(
        schemas.CommandObject,
        body=schemas.CommandBody,
        problems=(404, 409, 413, 415, 502, 503),
        once=True,
        user=True,
    )
)
def command_session(session_id: str) -> Response:
    """Put text, raw bytes or keys in; an idle session wakes first."""
    access, body = _access(session_id), parse_body(schemas.CommandBody)
    command = shapes.command(body)
    # With a pump nobody needs to wait: it brings the output too, a little later.
    with queueing(access.user_id, body.wait_ms, gives_way=body.pump is not None) as waits:
        return once(access.user_id, lambda _: _command(access, command, body, waits=waits))


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
    with waiting(access.user_id, query.wait):
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
        once=True,
        user=True,
    )
)
def resize_session(session_id: str) -> Response:
    """Change the terminal's size."""
    access, body = _access(session_id), parse_body(schemas.ResizeBody)
    size = Size(body.columns, body.rows)
    return once(access.user_id, lambda _: reply(shapes.session_object(desk().resize(access, size))))


@views.delete("/session/<session_id>")
@describe(Operation(schemas.TerminatedObject, problems=(404, 409, 503), admin=True, once=True, user=True))
def delete_session(session_id: str) -> Response:
    """End the session for good; an administrator may end anybody's."""
    access = _access(session_id)
    return once(access.user_id, lambda _: _terminate(access))


@views.get("/sessions")
@describe(
    Operation(
        schemas.SessionPage,
        query=schemas.SessionsQuery,
        problems=(503,),
        admin=True,
        user=True,
    )
)
def list_sessions() -> Response:
    """The user's sessions, newest first; an administrator may name another owner."""
    query = parse_query(schemas.SessionsQuery)
    found, total = desk().page(Query(listed_user(query.owner), query.state, query.limit, query.offset))
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
    with waiting(EVERYBODY, body.wait, name=body.pump):
        news = desk().outputs(body.pump, body.cursors, body.max_bytes, body.wait)
    return reply(shapes.outputs_object(news))


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


def _create(body: schemas.CreateBody, user: str, reserved: Reserved) -> Response:
    """Create the session of this id, or tell of the one a run that was cut short has created."""
    try:
        status = desk().status(Access(user, reserved.id)) if reserved.again else None
    except NotFound:
        status = None
    if status is None:
        status = desk().create(shapes.new_session(body, user, reserved.id), body.wait_ms / 1000)
    return reply(shapes.session_object(status), 201)


def _command(access: Access, command: Command, body: schemas.CommandBody, *, waits: bool) -> Response:
    if not waits:
        return reply(shapes.command_object(desk().command(access, command)))
    span = Span(body.max_bytes, body.wait_ms / 1000, text=body.encoding == "utf8")
    receipt, reading = desk().answered(access, command, span, body.pump)
    return reply(shapes.command_object(receipt, shapes.output_object(reading, body.encoding)))


def _terminate(access: Access) -> Response:
    desk().terminate(access, anybodys=is_administrator())
    return reply(schemas.TerminatedObject(terminated=True))


def _access(session_id: str) -> Access:
    """Return whose session is meant. An id that is no UUID cannot exist."""
    user = acting_user()
    try:
        return Access(user, UUID(session_id))
    except ValueError:
        raise NotFound from None
