"""`python -m sidecar.web > docs/openapi.json` writes the OpenAPI document; no setting and no service is needed."""

from __future__ import annotations

import json
import sys

from flask import Flask

from sidecar.web import BLUEPRINTS, openapi


def rendered() -> str:
    """Return the document as it is kept in docs/openapi.json."""
    app = Flask("sidecar.web", static_folder=None)
    for views in BLUEPRINTS:
        app.register_blueprint(views)
    return json.dumps(openapi.document(app), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(rendered())
