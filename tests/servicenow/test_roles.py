"""Who may do what with the app's tables: every table and operation, for everybody there is, by every door.

Scripts that work for a user use GlideRecordSecure; the doors of the web are the Table API, SOAP and the push channel.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

import pytest
import requests

from tests.fixtures.servicenow import MID
from tests.integration.emulator.test_amb import Bayeux, channel
from tests.servicenow.conftest import SCOPE, Desk

#: Tables whose rows have an owner, who alone reads them; the others are read by administrators of the app.
OWNED = ("session", "output", "request", "credential")
TABLES = (*OWNED, "mid_status", "claim", "audit")
OPERATIONS = ("create", "read", "write", "delete")
#: alice owns the rows; keeper administrates the app, admin the instance.
USERS = ("nobody.special", "alice", "bob", "keeper", "admin")
#: A column to write into.
COLUMN = {"output": "start", "claim": "owner"}

#: Tries all operations on all tables, as the user it runs for, and tells which had an effect.
TRY = """
(function (rows, columns) {
    function secure(table, sysId) {
        var row = new GlideRecordSecure('x_claude_terminal_' + table);
        return row.get(sysId) ? row : null;
    }
    var attempts = {
        create: function (table) {
            var row = new GlideRecordSecure('x_claude_terminal_' + table);
            row.initialize();
            row.setValue(columns[table], '77');
            return Boolean(row.insert());
        },
        read: function (table) { return secure(table, rows[table]) !== null; },
        write: function (table) {
            var row = secure(table, rows[table]);
            if (row === null) { return false; }
            row.setValue(columns[table], '78');
            return Boolean(row.update());
        },
        'delete': function (table) {
            var row = secure(table, rows[table]);
            return row !== null && row.deleteRecord();
        }
    };
    var done = {};
    Object.keys(rows).forEach(function (table) {
        Object.keys(attempts).forEach(function (operation) {
            done[table + ' ' + operation] = attempts[operation](table);
        });
    });
    return done;
})(%s, %s)
"""


def columns() -> dict[str, str]:
    """Return a column of each table that the tests write into."""
    return {table: COLUMN.get(table, "mid_name") for table in TABLES}


def made(desk: Desk) -> dict[str, str]:
    """Have a row of alice in every table; return their sys_ids."""
    alice = desk.users["alice"]
    session = desk.script(
        "(function (row) { row.initialize(); row.setValue('session_id', gs.generateGUID());"
        f"row.setValue('user', '{alice}'); return row.insert(); }})(new GlideRecord('{SCOPE}_session'))"
    )
    others = {
        "output": {"session": session, "start": "0", "length": "3", "data": "bWFy"},
        "request": {"session": session, "user": alice, "key": session},
        "credential": {"user": alice, "sealed": "marker.of.a.sealed.key"},
        "mid_status": {"mid_name": session},
        "claim": {"queue_row": session, "attempt": "1"},
        "audit": {"user": alice, "event": "test"},
    }
    rows = {"session": str(session)}
    for table, values in others.items():
        sets = "".join(f"row.setValue('{name}', '{value}');" for name, value in values.items())
        rows[table] = desk.script(
            f"(function (row) {{ row.initialize(); {sets} return row.insert(); }})"
            f"(new GlideRecord('{SCOPE}_{table}'))"
        )
    return rows


@pytest.fixture(scope="module", autouse=True)
def nobody(desk: Desk) -> None:
    """Have a user without any role."""
    desk.instance.create_user("nobody.special", desk.password, [])


@pytest.fixture(scope="module")
def done(desk: Desk) -> dict[str, dict[str, bool]]:
    """Let everybody try everything, each on rows of their own; return what had an effect."""
    return {
        user: desk.script(TRY % (json.dumps(made(desk)), json.dumps(columns())), user=user) for user in USERS
    }


def allowed(user: str, table: str, operation: str) -> bool:
    """Tell what the guide promises."""
    if operation == "read":
        return user == "alice" if table in OWNED else user in {"keeper", "admin"}
    # What an administrator cannot see, scripts under the rules do not find, so it is neither changed nor deleted.
    return user == "admin" and (operation == "create" or table not in OWNED)


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("table", TABLES)
def test_scripts_of_a_user_do_what_is_allowed(
    done: dict[str, dict[str, bool]], table: str, operation: str, user: str
) -> None:
    assert done[user][f"{table} {operation}"] is allowed(user, table, operation)


@pytest.mark.parametrize("user", USERS)
def test_nobody_reads_a_sealed_key_in_a_script(desk: Desk, user: str) -> None:
    row = made(desk)["credential"]
    seen = desk.script(
        f"(function (row) {{ row.get('{row}'); return String(row.getValue('sealed')); }})"
        f"(new GlideRecordSecure('{SCOPE}_credential'))",
        user=user,
    )

    assert desk.rows("credential", f"sys_id={row}")[0]["sealed"]
    assert "marker" not in seen


# -- the doors of the web ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rows(desk: Desk) -> dict[str, str]:
    """Have rows that all tests of the web's doors try to reach."""
    return made(desk)


def call(desk: Desk, user: str, method: str, path: str, body: Any = None) -> requests.Response:
    """Call the Table API."""
    person = desk.instance if user == "admin" else desk.instance.signed_in(user, desk.password)
    return person.request(method, f"/api/now/table/{SCOPE}_{path}", json=body)


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("table", TABLES)
def test_the_table_api_is_closed_to_everybody(
    desk: Desk, rows: dict[str, str], table: str, user: str
) -> None:
    """Not even the number of rows is told: with a query it would give away what nobody may read."""
    column = columns()[table]
    answers = [
        call(desk, user, "GET", f"{table}?sysparm_query=sys_id={rows[table]}"),
        call(desk, user, "GET", f"{table}/{rows[table]}"),
        call(desk, user, "POST", table, {column: "79"}),
        call(desk, user, "PATCH", f"{table}/{rows[table]}", {column: "79"}),
        call(desk, user, "DELETE", f"{table}/{rows[table]}"),
    ]

    assert [answer.status_code for answer in answers] == [403] * len(answers)
    assert not any("X-Total-Count" in answer.headers for answer in answers)
    assert desk.rows(table, f"sys_id={rows[table]}")
    assert desk.rows(table, f"{column}=79") == []


@pytest.mark.usefixtures("rows")
def test_an_oracle_that_counts_rows_finds_no_output_of_others(desk: Desk) -> None:
    right = call(desk, "bob", "GET", "output?sysparm_query=dataSTARTSWITHbWF&sysparm_limit=1")
    wrong = call(desk, "bob", "GET", "output?sysparm_query=dataSTARTSWITHxyz&sysparm_limit=1")

    assert desk.rows("output", "dataSTARTSWITHbWF")
    assert (right.status_code, right.content) == (wrong.status_code, wrong.content)


@pytest.mark.parametrize("user", USERS)
@pytest.mark.parametrize("operation", ["getRecords", "get", "insert", "update", "deleteRecord"])
def test_soap_is_closed_to_everybody(desk: Desk, rows: dict[str, str], operation: str, user: str) -> None:
    person = desk.instance if user == "admin" else desk.instance.signed_in(user, desk.password)
    envelope = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
        f"<{operation}><sys_id>{escape(rows['request'])}</sys_id></{operation}></e:Body></e:Envelope>"
    )
    answer = person.request("POST", f"/{SCOPE}_request.do?SOAP", data=envelope)

    assert answer.status_code == 500
    assert "does not allow web services" in answer.text
    assert desk.rows("request", f"sys_id={rows['request']}")


@pytest.fixture
def sessions() -> Iterator[list[requests.Session]]:
    """Return a list of browsers that are closed afterwards."""
    opened: list[requests.Session] = []
    yield opened
    for session in opened:
        session.close()


def watching(desk: Desk, user: str, sessions: list[requests.Session], path: str) -> Bayeux:
    """Let a user sign in and watch."""
    browser = requests.Session()
    browser.trust_env = False
    sessions.append(browser)
    form = {"user_name": user, "user_password": desk.password}
    entered = browser.post(f"{desk.instance.url}/login.do", data=form, allow_redirects=False, timeout=60)
    assert entered.status_code == 302
    client = Bayeux(desk.instance.url, browser)
    assert client.subscribe(path)["successful"]
    return client


def test_watching_a_session_tells_its_owner_alone(desk: Desk, sessions: list[requests.Session]) -> None:
    session = desk.session()
    path = channel(f"{SCOPE}_session", f"session_id={session}")
    watchers = {user: watching(desk, user, sessions, path) for user in ("alice", "bob", "keeper")}
    desk.change("session", f"session_id={session}", output_seq="4711")
    told = {user: client.poll(1000) for user, client in watchers.items()}

    assert [event["data"]["record"]["output_seq"]["value"] for event in told["alice"]] == ["4711"]
    assert (told["bob"], told["keeper"]) == ([], [])


# -- the queue -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["nobody.special", "alice", "keeper"])
def test_users_of_the_app_neither_read_nor_write_the_queue(desk: Desk, user: str) -> None:
    """Whoever may write there forges answers, and runs scripts on the MID Server."""
    person = desk.instance.signed_in(user, desk.password)
    before = desk.queue.count()
    forged = {
        "agent": f"mid.server.{MID}",
        "topic": "JavascriptProbe",
        "name": "ClaudeTerminalProbe",
        "queue": "input",
        "state": "ready",
    }

    assert person.request("POST", "/api/now/table/ecc_queue", json=forged).status_code == 403
    assert person.request("GET", "/api/now/table/ecc_queue").json()["result"] == []
    assert desk.queue.count() == before
