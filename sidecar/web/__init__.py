"""The HTTP API. Views authenticate, parse, make one call on the services, and serialise."""

from __future__ import annotations

import secrets

from flask import Flask, Response

from sidecar.services import Services
from sidecar.web import (
    auth,
    cors,
    credentials,
    limits,
    metrics,
    pages,
    problems,
    service,
    sessions,
    traffic,
    waiting,
)

#: Largest body of a request, in bytes.
LARGEST_BODY = 1 << 20

#: All views, by noun.
BLUEPRINTS = (sessions.views, credentials.views, service.views, metrics.views, pages.views)


def create_app(services: Services) -> Flask:
    """Return the application on `services`, which somebody else opens and closes."""
    app = Flask("sidecar.web", static_folder=None)
    app.config.update(MAX_CONTENT_LENGTH=LARGEST_BODY, NEW_ID=lambda: secrets.token_hex(8))
    app.extensions.update(services=services, refusals=services.refusals)
    app.url_map.merge_slashes = False  # one spelling of each path; the others do not exist
    problems.register(app)
    traffic.register(app, services.clock, metrics.register(app, services))
    app.after_request(_finish)  # before the others, because the first one runs last
    cors.register(app, services.settings.cors_origins)
    limits.register(app, services.settings, services.clock)
    waiting.register(app, services.settings.threads)
    auth.register(app, services.settings)
    for views in BLUEPRINTS:
        app.register_blueprint(views)
    return app


def _finish(response: Response) -> Response:
    """Add what every answer carries."""
    headers = response.headers
    headers["X-Request-ID"] = auth.request_id()
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Cache-Control"] = "no-store"
    headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    return response
