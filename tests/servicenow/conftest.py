"""The app on an instance whose MID Server is the test itself."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from emulator.installation import ADMIN_ROLE, USER_ROLE
from emulator.servicenow import Answer, Instance, Row
from tests.fakes.queue import Call, Queue, bad, good
from tests.fixtures.servicenow import MID

Json = dict[str, Any]

SCOPE = "x_claude_terminal"
KID = "k" * 43
#: The header of a sealed key says which key it was sealed to.
SEALED = f"{urlsafe_b64encode(json.dumps({'kid': KID}).encode()).decode().rstrip('=')}..aXY.dGV4dA.dGFn"
HEALTH = {"status": "ok", "version": "1.2.3", "uptimeSeconds": 1.0, "sessions": 0, "checks": {}}


@dataclass(frozen=True)
class Desk:
    """The app, two users and an administrator of it, and the queue with a test at its far end."""

    instance: Instance
    queue: Queue
    users: dict[str, str]
    password: str = "the password of a user"

    def call(self, user: str, method: str, path: str, body: Json | None = None) -> Answer:
        """Call a resource as a user."""
        return self.instance.signed_in(user, self.password).rest(method, path, body)

    def script(self, source: str, user: str | None = None) -> Any:
        """Run a script in the app's scope; return its value."""
        return self.instance.script(source, scope=SCOPE, user=user)

    def rows(self, table: str, query: str = "") -> list[Row]:
        """Return rows of a table of the app, past its access rules."""
        found: list[Row] = self.script(f"""
            (function () {{
                var row = new GlideRecord('{SCOPE}_{table}');
                var columns = [];
                var column = new GlideRecord('sys_dictionary');
                var rows = [];
                column.addQuery('name', '{SCOPE}_{table}');
                column.query();
                while (column.next()) {{ columns.push(column.getValue('element') || 'sys_id'); }}
                row.addEncodedQuery({query!r});
                row.query();
                while (row.next()) {{
                    rows.push(columns.reduce(function (values, name) {{
                        values[name] = row.getValue(name) || '';
                        return values;
                    }}, {{}}));
                }}
                return rows;
            }})()""")
        return found

    def change(self, table: str, query: str, **values: str) -> None:
        """Set columns of rows of the app, without its rules."""
        sets = "".join(f"row.setValue({name!r}, {value!r});" for name, value in values.items())
        self.script(
            f"(function () {{ var row = new GlideRecord('{SCOPE}_{table}'); row.addEncodedQuery({query!r});"
            f"row.query(); while (row.next()) {{ {sets} row.setWorkflow(false); row.update(); }} }})()"
        )

    def property(self, name: str, value: str) -> None:
        """Set a property of the app."""
        self.script(f"gs.setProperty('{SCOPE}.{name}', {value!r})")

    def last(self, op: str, session: str = "") -> Call:
        """Return the newest output row of an operation."""
        return self.queue.calls(op, session)[-1]

    def reply(self, op: str, body: Json, session: str = "") -> Row:
        """Answer the newest call of an operation; return the answer's row."""
        return self.queue.answer(self.last(op, session), good(body))

    def refuse(self, op: str, status: int, detail: str = "It was refused.", session: str = "") -> Row:
        """Refuse the newest call of an operation."""
        return self.queue.answer(self.last(op, session), bad(status, "Refused", detail))

    # -- what the tests begin with ---------------------------------------------------------------------

    def healthy(self) -> None:
        """Let the sidecar be healthy."""
        made = self.call("keeper", "POST", f"/mids/{MID}/health")
        assert made.status == 202, made
        self.reply("health", HEALTH)

    def enrol(self, user: str) -> str:
        """Store a key of a user; return the id that the sidecar gave it."""
        made = self.call(
            user, "POST", "/credentials", {"mid": MID, "sealed": SEALED, "hint": "wxyz", "kid": KID}
        )
        assert made.status == 202, made
        given = str(uuid4())
        self.reply("credential.store", {"credentialId": given, "hint": "wxyz", "createdAt": "x"})
        return given

    def session(self, user: str = "alice", **fields: Any) -> str:
        """Return a running session of a user."""
        made = self.call(user, "POST", "/sessions", fields)
        assert made.status == 202, made
        session = str(made.body["session"])
        self.reply("create", told(session, self.users[user]), session)
        return session

    def stored(self, session: str) -> Row:
        """Return the row of a session."""
        return self.rows("session", f"session_id={session}")[0]

    def output(self, user: str, session: str, cursor: int = 0) -> Json:
        """Return what the instance has of a session's output."""
        answer = self.call(user, "GET", f"/sessions/{session}/output?cursor={cursor}")
        assert answer.status == 200, answer
        body: Json = answer.body
        return body


def told(session: str, user: str, **changes: Any) -> Json:
    """Return a session object as the sidecar tells it."""
    return {
        "sessionId": session,
        "userId": user,
        "state": "running",
        "activity": "idle",
        "workspaceType": "isolated",
        "workspaceName": "default",
        "columns": 120,
        "rows": 40,
        "outputOffset": 0,
        "createdAt": "2026-01-15T09:30:00.123456Z",
        "lastActivityAt": "2026-01-15T09:30:01Z",
        "endedAt": None,
        "exitCode": None,
        "reason": None,
        "claudeVersion": "2.0.0",
    } | changes


@pytest.fixture(scope="module")
def desk(installed: Instance) -> Desk:
    """Return the app with a MID Server that is up, and users who have stored a key."""
    for job in installed.table("sysauto_script").rows("nameSTARTSWITHclaude-terminal"):
        # The tests decide when a job runs.
        installed.table("sysauto_script").update(job["sys_id"], active="false")
    installed.table("ecc_agent").insert(name=MID, status="Up", validated="true")
    users = {
        name: installed.create_user(name, Desk.password, [role])
        for name, role in (("alice", USER_ROLE), ("bob", USER_ROLE), ("keeper", ADMIN_ROLE))
    }
    made = Desk(installed, Queue(installed), users)
    made.healthy()
    for user in ("alice", "bob"):
        made.enrol(user)
    return made
