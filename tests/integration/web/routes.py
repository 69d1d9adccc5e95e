"""Every route there is, for tests that must not forget a new one. Known without a running service."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import uuid4

from flask import Flask

from sidecar.web import BLUEPRINTS
from sidecar.web.operation import Operation

#: Methods the framework answers by itself.
_IMPLIED = frozenset({"HEAD", "OPTIONS"})


@dataclass(frozen=True)
class Route:
    """One method of one path."""

    method: str
    rule: str
    operation: Operation

    def __str__(self) -> str:
        """Return its name in a list of tests."""
        return f"{self.method} {self.rule}"

    @property
    def is_of_one(self) -> bool:
        """Tell whether its path names one thing, which somebody owns."""
        return "<" in self.rule

    def path(self, name: str = "") -> str:
        """Return the path to the thing of this id, or to none."""
        return re.sub(r"<[\w:]+>", name or str(uuid4()), self.rule)


def bare_app() -> Flask:
    """Return an application that has the routes and nothing behind them."""
    app = Flask("sidecar.web", static_folder=None)
    for views in BLUEPRINTS:
        app.register_blueprint(views)
    return app


def routes() -> list[Route]:
    """Return all routes."""
    app = bare_app()
    return [
        Route(method, rule.rule, vars(app.view_functions[rule.endpoint])["operation"])
        for rule in app.url_map.iter_rules()
        for method in sorted((rule.methods or set()) - _IMPLIED)
    ]
