"""What the views of one application work on."""

from __future__ import annotations

from flask import current_app

from sidecar.services import Services
from sidecar.sessions.desk import Desk


def services() -> Services:
    """Return the services of the current application."""
    found: Services = current_app.extensions["services"]
    return found


def desk() -> Desk:
    """Return the operations on sessions."""
    return services().sessions
