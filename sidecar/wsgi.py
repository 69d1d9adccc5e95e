"""The application for gunicorn: `gunicorn -c python:sidecar.server sidecar.wsgi:app`."""

from sidecar import config
from sidecar.services import Services
from sidecar.web import create_app

app = create_app(Services(config.load()))
