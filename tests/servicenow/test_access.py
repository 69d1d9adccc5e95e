"""Access rules: every table and operation is ruled, and only what is one's own can be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.fixtures.servicenow import MID
from tests.servicenow.conftest import SCOPE, Desk

MANIFEST = json.loads((Path(__file__).resolve().parents[2] / "servicenow-app/manifest.json").read_text())

TABLES = ["session", "output", "request", "credential", "mid_status", "audit"]
#: Users read these, and of them only what is theirs; the others are for administrators of the app.
OWN = ["session", "output", "request", "credential"]
#: A column of the tables that have no user.
COLUMN = {"output": "length", "mid_status": "problem"}
OPERATIONS = ["create", "read", "write", "delete"]


def records(table: str) -> list[dict[str, Any]]:
    """Return the fields of a table's records in the manifest."""
    return [record["fields"] for record in MANIFEST["records"] if record["table"] == table]


@pytest.fixture(scope="module")
def filled(desk: Desk) -> dict[str, str]:
    """Have a row of alice in every table; return their sys_ids."""
    session = desk.session()
    desk.call("alice", "POST", f"/sessions/{session}/screen")
    desk.reply("screen", {"offset": 10}, session)
    row = desk.stored(session)["sys_id"]
    alice = desk.users["alice"]
    return {
        "session": row,
        "output": desk.rows("output", f"session={row}")[0]["sys_id"],
        "request": desk.rows("request", f"session={row}")[0]["sys_id"],
        "credential": desk.rows("credential", f"user={alice}")[0]["sys_id"],
        "mid_status": desk.rows("mid_status", f"mid_name={MID}")[0]["sys_id"],
        "audit": desk.rows("audit", f"user={alice}")[0]["sys_id"],
    }


def call(desk: Desk, user: str, method: str, path: str, body: Any = None) -> requests.Response:
    """Call the Table API as a user of the app, or as the instance's administrator."""
    person = desk.instance if user == "admin" else desk.instance.signed_in(user, desk.password)
    return person.request(method, f"/api/now/table/{SCOPE}_{path}", json=body)


def test_every_table_and_operation_has_a_rule() -> None:
    rules = {(rule["name"], rule["operation"]) for rule in records("sys_security_acl")}
    tables = {table["name"] for table in records("sys_db_object")}

    assert {f"{SCOPE}_{table}" for table in TABLES} == tables
    assert {(table, operation) for table in tables for operation in OPERATIONS} <= rules


def test_no_rule_is_named_after_an_operation_instead_of_a_column() -> None:
    columns = {
        f"{column['name']}.{column['element']}" for column in records("sys_dictionary") if "element" in column
    }
    fields = [
        rule["name"]
        for rule in records("sys_security_acl")
        if rule["type"] == "record" and "." in rule["name"]
    ]

    assert fields
    assert set(fields) <= columns


@pytest.mark.parametrize("table", OWN)
def test_users_read_their_own_rows(desk: Desk, filled: dict[str, str], table: str) -> None:
    answer = call(desk, "alice", "GET", f"{table}/{filled[table]}")

    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("user", ["bob", "nobody.special"])
def test_others_read_none(desk: Desk, filled: dict[str, str], table: str, user: str) -> None:
    if not desk.instance.table("sys_user").rows("user_name=nobody.special"):
        desk.instance.create_user("nobody.special", desk.password, [])
    one = call(desk, user, "GET", f"{table}/{filled[table]}")
    some = call(desk, user, "GET", f"{table}?sysparm_query=sys_id={filled[table]}")

    assert one.status_code in {403, 404}, one.text
    assert some.status_code == 403 or some.json()["result"] == []


@pytest.mark.parametrize("table", ["mid_status", "audit"])
def test_administrators_of_the_app_read_health_and_audit(
    desk: Desk, filled: dict[str, str], table: str
) -> None:
    assert call(desk, "keeper", "GET", f"{table}/{filled[table]}").status_code == 200


@pytest.mark.parametrize("table", OWN)
@pytest.mark.parametrize("user", ["keeper", "admin"])
def test_not_even_administrators_read_what_is_a_users(
    desk: Desk, filled: dict[str, str], table: str, user: str
) -> None:
    assert call(desk, user, "GET", f"{table}/{filled[table]}").status_code in {403, 404}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("user", ["alice", "keeper"])
def test_nobody_of_the_app_writes_through_the_table_api(
    desk: Desk, filled: dict[str, str], table: str, user: str
) -> None:
    made = call(desk, user, "POST", table, {})
    changed = call(desk, user, "PATCH", f"{table}/{filled[table]}", {COLUMN.get(table, "user"): "1"})
    deleted = call(desk, user, "DELETE", f"{table}/{filled[table]}")

    assert made.status_code == 403
    assert changed.status_code in {403, 404}
    assert deleted.status_code in {403, 404}
    assert desk.rows(table, f"sys_id={filled[table]}")


@pytest.mark.parametrize("table", TABLES)
def test_an_instance_administrator_may_mend(desk: Desk, table: str) -> None:
    made = call(desk, "admin", "POST", table, {"mid_name": "mended"} if table != "output" else {"start": "1"})
    left = desk.script(
        f"(function () {{ var row = new GlideRecord('{SCOPE}_{table}');"
        f"row.addQuery('{'start' if table == 'output' else 'mid_name'}', '{1 if table == 'output' else 'mended'}');"
        "row.query(); var ids = []; while (row.next()) { ids.push(row.getUniqueValue()); row.deleteRecord(); }"
        "return ids.length; })()"
    )

    assert made.status_code in {201, 403}, made.text  # without the right to read it the answer is a refusal
    assert left == 1


def test_nobody_reads_a_sealed_key(desk: Desk, filled: dict[str, str]) -> None:
    desk.change("credential", f"sys_id={filled['credential']}", sealed="marker.of.a.sealed.key")
    answer = call(desk, "alice", "GET", f"credential/{filled['credential']}")
    desk.change("credential", f"sys_id={filled['credential']}", sealed="")

    assert answer.status_code == 200
    assert "marker" not in answer.text
