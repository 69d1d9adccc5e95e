"""The application on real services with the scripted CLI, one for a module; each test is a user of its own."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from flask import Flask
from flask.testing import FlaskClient

from sidecar import config
from sidecar.services import Services
from sidecar.web import create_app
from tests.fixtures.services import ENCRYPTION_KEY, FAKE_CLAUDE, TOKEN, access, create
from tests.integration.web.api import Api

_numbers = itertools.count(1)


@pytest.fixture(autouse=True)
def _push_request_context() -> None:
    """Replace pytest-flask's fixture of this name: with its context all requests of a test would share one `g`."""


@pytest.fixture(scope="module")
def web_services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    """Return open services that the tests of a module share."""
    folder = tmp_path_factory.mktemp("web")
    environment = {
        "API_AUTH_TOKEN": TOKEN,
        "RATE_LIMIT": "off",
        "ENCRYPTION_KEY": ENCRYPTION_KEY,
        "SIDECAR_DATA_DIR": str(folder / "data"),
        "CLAUDE_PATH": str(FAKE_CLAUDE),
        "ISOLATION": "none",
        "MAX_SESSIONS_PER_USER": "200",
        "MAX_SESSIONS": "1000",
    }
    services = Services(config.load(environment, folder / "no.env"))
    services.open()
    warm_up(services)
    yield services
    services.close()


@pytest.fixture(scope="module")
def app(web_services: Services) -> Flask:
    """Return the application, as pytest-flask's `client` wants it."""
    return create_app(web_services)


@pytest.fixture
def user() -> str:
    """Return a user nobody has been before."""
    return f"user-{next(_numbers)}"


@pytest.fixture
def api(client: FlaskClient, user: str) -> Iterator[Api]:
    """Return a caller with the service token; what it creates is ended."""
    caller = Api(client, TOKEN, user)
    yield caller
    caller.end()


@pytest.fixture
def session(api: Api) -> str:
    """Return the id of a running session of the caller."""
    return api.create()


def warm_up(services: Services) -> None:
    """Open what is kept from the first use on: opened in a test it would look like left behind by it."""
    services.sessions.terminate(access(create(services)))
    assert services.records.database._engine is not None
    with ExitStack() as stack:
        for _ in range(4):  # the size of the pool
            stack.enter_context(services.records.database._engine.connect())
