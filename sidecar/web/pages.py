"""Pages for people: signing in and out, and what their sessions do. Without scripts."""

from __future__ import annotations

from flask import Blueprint, Response, render_template

from sidecar.errors import Unauthenticated
from sidecar.model.caller import Caller, Scope
from sidecar.sessions.desk import Query, Status
from sidecar.web import cookie, schemas
from sidecar.web.auth import visitor
from sidecar.web.body import FORM, parse_form
from sidecar.web.context import desk, services
from sidecar.web.operation import Operation, describe
from sidecar.web.refusals import note_refusal

views = Blueprint("pages", __name__)

#: Sessions shown on the start page.
_SHOWN = 100
_HTML = "text/html"


@views.get("/")
@describe(Operation(None, scope=None, page=True, redirects=True, problems=(403, 503), media=_HTML))
def show_start() -> Response:
    """The sessions of the signed-in user."""
    found = visitor()
    if found is None:
        return _go_to("/signin")
    sessions, total = _sessions(found)
    return _page("start.html", visitor=found, sessions=sessions, total=total)


@views.get("/signin")
@describe(Operation(None, scope=None, media=_HTML))
def show_sign_in() -> Response:
    """The form to sign in with an API key."""
    return _page("signin.html", refused=False)


@views.post("/signin")
@describe(
    Operation(
        None,
        scope=None,
        status=303,
        redirects=True,
        body=schemas.SignInForm,
        body_media=FORM,
        problems=(403, 413, 415, 503),
        also=(401,),
        media=_HTML,
    )
)
def sign_in() -> Response:
    """Sign in with an API key."""
    cookie.require_own_origin()
    form = parse_form(schemas.SignInForm)
    signed_in, token = services().records.sign_ins.enter(form.key.strip())
    response = _go_to("/")
    cookie.hand_out(response, signed_in, token)
    return response


@views.post("/signout")
@describe(Operation(None, scope=None, status=303, redirects=True, problems=(403, 503), media=_HTML))
def sign_out() -> Response:
    """Sign out."""
    cookie.require_own_origin()
    services().records.sign_ins.leave(cookie.presented() or "")
    response = _go_to("/signin")
    cookie.take_back(response)
    return response


@views.errorhandler(Unauthenticated)
def refuse(error: Unauthenticated) -> Response:
    """Show the form again, without what was put in."""
    note_refusal(error, 401)
    response = _page("signin.html", refused=True)
    response.status_code = 401
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _sessions(found: Caller) -> tuple[list[Status], int]:
    if not (found.may(Scope.SESSIONS) or found.may(Scope.ADMIN)):
        return [], 0
    return desk().page(Query(found.user_id, None, _SHOWN, 0))


def _page(template: str, **values: object) -> Response:
    return Response(render_template(template, **values), content_type="text/html; charset=utf-8")


def _go_to(path: str) -> Response:
    return Response(status=303, headers={"Location": path})
