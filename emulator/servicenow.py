"""A client of an instance: its REST interfaces as a user, and what the emulator adds for administrators."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

Json = dict[str, Any]
Row = dict[str, str]

#: Where the app's own resources are.
APP = "/api/x_claude_terminal/v1"
_TIMEOUT_S = 120.0


class InstanceError(Exception):
    """The instance refused something; the text is its own."""


class ScriptError(InstanceError):
    """A script failed; `output` is what it had printed before."""

    def __init__(self, text: str, output: list[str]) -> None:
        super().__init__(text)
        self.output = output


@dataclass(frozen=True)
class Ran:
    """What a script left: its last value, what it printed, and its error, if it failed."""

    result: Any
    output: list[str]
    error: str | None


@dataclass(frozen=True)
class Answer:
    """What a resource answered: `body` is what was under `result`, or the whole of an error."""

    status: int
    body: Any
    headers: dict[str, str]


@dataclass(frozen=True)
class Table:
    """One table through the Table API."""

    instance: Instance
    name: str

    def rows(self, query: str = "", *, fields: str = "", limit: int = 10_000) -> list[Row]:
        """Return the rows an encoded query selects."""
        parameters: dict[str, str | int] = {
            "sysparm_query": query,
            "sysparm_fields": fields,
            "sysparm_limit": limit,
        }
        found: list[Row] = self._call(
            "GET", params={key: value for key, value in parameters.items() if value}
        )
        return found

    def row(self, sys_id: str) -> Row:
        """Return one row."""
        found: Row = self._call("GET", sys_id)
        return found

    def insert(self, **values: str) -> Row:
        """Insert a row; return it as it is stored."""
        made: Row = self._call("POST", json=values)
        return made

    def update(self, sys_id: str, **changes: str) -> Row:
        """Change columns of a row; return it as it is stored."""
        changed: Row = self._call("PATCH", sys_id, json=changes)
        return changed

    def delete(self, sys_id: str) -> None:
        """Delete a row."""
        self._call("DELETE", sys_id)

    def _call(self, method: str, sys_id: str = "", **options: Any) -> Any:
        path = f"/api/now/table/{self.name}" + (f"/{sys_id}" if sys_id else "")
        options["params"] = {"sysparm_exclude_reference_link": "true", **options.get("params", {})}
        answer = self.instance.request(method, path, **options)
        if not answer.ok:
            raise InstanceError(f"{method} {path} answered {answer.status_code}: {answer.text[:500]}")
        return answer.json()["result"] if answer.content else None


@dataclass(frozen=True)
class Instance:
    """One user of an instance. Everything from `script` on needs an administrator."""

    url: str
    user: str
    password: str

    def __repr__(self) -> str:
        return f"Instance({self.url!r}, {self.user!r})"

    def signed_in(self, user: str, password: str) -> Instance:
        """Return the same instance for another user."""
        return Instance(self.url, user, password)

    # -- what a real instance has ----------------------------------------------------------------------

    def request(self, method: str, path: str, **options: Any) -> requests.Response:
        """Make one call with basic authentication; `options` go to `requests.request`."""
        options.setdefault("timeout", _TIMEOUT_S)
        options.setdefault("auth", (self.user, self.password))
        headers = {"Accept": "application/json", **options.pop("headers", {})}
        # Without the machine's proxy settings, and closed again at once.
        with requests.Session() as session:
            session.trust_env = False
            return session.request(method, self.url + path, headers=headers, **options)

    def table(self, name: str) -> Table:
        """Return a table."""
        return Table(self, name)

    def rest(self, method: str, path: str, body: Json | None = None, **options: Any) -> Answer:
        """Call a resource of the app, or with `/api/…` any other one."""
        whole = path if path.startswith("/api/") else APP + path
        response = self.request(method, whole, json=body, **options)
        document = _document(response)
        if response.ok and isinstance(document, dict) and "result" in document:
            document = document["result"]
        return Answer(response.status_code, document, dict(response.headers))

    # -- what the emulator adds ------------------------------------------------------------------------

    def attempt(
        self, source: str, *, scope: str = "global", user: str | None = None, elevated: bool = False
    ) -> Ran:
        """Run a background script, as `user` if given; the caller looks whether it failed."""
        body = {"script": source, "scope": scope, "elevated": elevated} | ({"user": user} if user else {})
        done = self._control("POST", "/scripts/run", json=body)
        return Ran(done.get("result"), done.get("output") or [], done.get("error"))

    def script(
        self, source: str, *, scope: str = "global", user: str | None = None, elevated: bool = False
    ) -> Any:
        """Run a background script; return its last value, or raise `ScriptError`."""
        ran = self.attempt(source, scope=scope, user=user, elevated=elevated)
        if ran.error is not None:
            raise ScriptError(ran.error, ran.output)
        return ran.result

    def import_update_set(self, file: Path, *, elevated: bool = True) -> Json:
        """Load, preview and commit an update set; raise `InstanceError` when the preview finds problems."""
        headers = {"Content-Type": "application/xml"}
        loaded = self._control("POST", "/update_sets", data=file.read_bytes(), headers=headers)
        path = f"/update_sets/{loaded['sys_id']}"
        problems = self._control("POST", f"{path}/preview")["problems"]
        if problems:
            raise InstanceError(f"{file.name} has problems: {problems}")
        return self._control("POST", f"{path}/commit", json={"elevated": elevated})

    def fix(self, name: str, *, elevated: bool = True, before: str = "") -> list[str]:
        """Run a fix script; return what it printed, or raise `ScriptError`."""
        body = {"name": name, "elevated": elevated, "before": before}
        done = self._control("POST", "/fix_scripts/run", json=body)
        output: list[str] = done["output"]
        if done.get("error") is not None:
            raise ScriptError(f"{name}: {done['error']}", output)
        return output

    def run_job(self, name: str) -> None:
        """Run a scheduled job now and wait for its end; raise `ScriptError` when it fails."""
        error = self._control("POST", "/jobs/run", json={"name": name}).get("error")
        if error is not None:
            raise ScriptError(f"{name}: {error}", [])

    def faults(self, **changes: Any) -> Json:
        """Change which faults are on; return all of them."""
        if not changes:
            return self._control("GET", "/faults")
        return self._control("POST", "/faults", json=changes)

    def restart(self, data: Path) -> None:
        """Let it begin again, on another data directory; it answers before it ends."""
        self._control("POST", "/restart", json={"data": str(data)})

    def log(self) -> list[str]:
        """Return the last lines of the system log."""
        return list(self._control("GET", "/log")["lines"])

    def create_user(
        self, user_name: str, password: str, roles: list[str] | None = None, email: str = ""
    ) -> str:
        """Create a user with roles; return the sys_id."""
        body = {"user_name": user_name, "password": password, "roles": roles or [], "email": email}
        return str(self._control("POST", "/users", json=body)["sys_id"])

    def _control(self, method: str, path: str, **options: Any) -> Json:
        answer = self.request(method, f"/emulator{path}", **options)
        document = _document(answer)
        if not answer.ok or not isinstance(document, dict):
            raise InstanceError(
                f"{method} /emulator{path} answered {answer.status_code}: {answer.text[:2000]}"
            )
        return document


def _document(response: requests.Response) -> Any:
    try:
        return response.json()
    except requests.JSONDecodeError:
        return response.text
