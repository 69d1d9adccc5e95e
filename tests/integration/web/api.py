"""A caller of the HTTP API that holds every answer against the OpenAPI document."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from flask import Flask
from flask.testing import FlaskClient
from openapi_schema_validator import OAS31Validator
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from sidecar.web import openapi
from tests.fixtures.services import API_KEY

Json = dict[str, Any]


@dataclass
class Api:
    """Calls as one user. Answers of described operations must have a described status, type and shape."""

    client: FlaskClient
    token: str
    user: str
    _ids: list[tuple[str, str]] = field(default_factory=list)

    def call(self, method: str, path: str, body: object = None, **options: Any) -> Any:
        """Make one call; `body` is sent as JSON. A header given as None is left out.

        Return Werkzeug's `TestResponse`, as Any: its `json` may be None, which every test would have to deny.
        """
        named = isinstance(body, dict) and "userId" in body  # by the body, so not by a header
        user = None if named else self.user
        headers: dict[str, str | None] = {"Authorization": f"Bearer {self.token}", "X-User-ID": user}
        headers |= options.pop("headers", {})
        options["headers"] = {name: value for name, value in headers.items() if value is not None}
        if body is not None:
            options |= {"data": json.dumps(body), "content_type": "application/json"}
        options.setdefault("base_url", "http://localhost")
        response = self.client.open(path, method=method, **options)
        self._check(method, path, response)
        return response

    def get(self, path: str, **options: Any) -> Any:
        """Make a GET."""
        return self.call("GET", path, **options)

    def post(self, path: str, body: object = None, **options: Any) -> Any:
        """Make a POST."""
        return self.call("POST", path, body, **options)

    def delete(self, path: str, **options: Any) -> Any:
        """Make a DELETE."""
        return self.call("DELETE", path, **options)

    def raw(self, path: str, data: bytes, content_type: str = "application/json") -> Any:
        """POST these very bytes."""
        return self.call("POST", path, data=data, content_type=content_type)

    def wanted(self, **changes: Any) -> Json:
        """Return the body of a create; a field set to None is left out."""
        body = {"userId": self.user, "credentials": {"anthropicApiKey": API_KEY}, "waitMs": 20_000, **changes}
        return {name: value for name, value in body.items() if value is not None}

    def made(self, **changes: Any) -> Any:
        """Try to create a session."""
        body = self.wanted(**{"sessionId": str(uuid4()), **changes})
        response = self.post("/api/session/create", body)
        if response.status_code == 201:
            self._ids.append((response.json["sessionId"], body["userId"]))
        return response

    def create(self, **changes: Any) -> str:
        """Create a session and return its id."""
        response = self.made(**changes)
        assert response.status_code == 201, response.text
        return self._ids[-1][0]

    def command(self, session: str, command: object, **more: Any) -> Any:
        """Send one command."""
        return self.post(f"/api/session/{session}/command", {"command": command, **more})

    def end(self) -> None:
        """End what was created."""
        for session, user in self._ids:
            assert self.delete(f"/api/session/{session}", headers={"X-User-ID": user}).status_code == 200

    # -- the contract ----------------------------------------------------------------------------------

    def _check(self, method: str, path: str, response: TestResponse) -> None:
        if method == "HEAD":  # has no body
            return
        if response.status_code >= 400 and response.mimetype not in ("application/json", "text/html"):
            check_problem(response, path)
        document = described(self.client.application)
        operation = self._operation(document, method, path)
        if operation is not None:
            check_answer(document, operation, response)

    def _operation(self, document: Json, method: str, path: str) -> Json | None:
        router = self.client.application.url_map.bind("localhost")
        try:
            rule, _ = router.match(path.partition("?")[0], method=method, return_rule=True)
        except HTTPException:
            return None
        template = rule.rule.replace("<", "{").replace(">", "}")
        found: Json | None = document["paths"].get(template, {}).get(method.lower())
        return found


def check_answer(document: Json, operation: Json, response: TestResponse) -> None:
    """Hold an answer against the document: its status, its media type, and its shape if it is JSON."""
    status = str(response.status_code)
    known = operation["responses"]
    assert status in known, f"{operation['operationId']} answered {status}, not described: {response.text}"
    content = known[status]["content"]
    if not content:
        assert not response.data
        return
    assert response.mimetype in {name.partition(";")[0] for name in content}, (response.mimetype, content)
    schema = next(iter(content.values()))["schema"]
    if schema:
        whole = {**schema, "components": document["components"]}
        OAS31Validator(whole, format_checker=OAS31Validator.FORMAT_CHECKER).validate(response.get_json())


def check_problem(response: TestResponse, path: str) -> None:
    """Hold an answer against the contract's errors."""
    assert response.mimetype == "application/problem+json", response.text
    problem: Json = response.get_json(force=True)
    assert set(problem) - {"errors"} == {"type", "title", "status", "detail", "instance", "error"}
    assert problem["instance"] == unquote(path.partition("?")[0])
    assert problem["status"] == response.status_code
    assert problem["error"] == problem["detail"] != ""
    assert ("errors" in problem) == (response.status_code == 422)


@cache
def described(app: Flask) -> Json:
    """Return the application's OpenAPI document."""
    return openapi.document(app)
