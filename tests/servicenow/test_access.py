"""Access rules as the manifest has them; what they come to for whom is in test_roles.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.servicenow.conftest import SCOPE

MANIFEST = json.loads((Path(__file__).resolve().parents[2] / "servicenow-app/manifest.json").read_text())

TABLES = ["session", "output", "request", "credential", "mid_status", "claim", "audit"]
OPERATIONS = ["create", "read", "write", "delete"]


def records(table: str) -> list[dict[str, Any]]:
    """Return the fields of a table's records in the manifest."""
    return [record["fields"] for record in MANIFEST["records"] if record["table"] == table]


def test_every_table_and_operation_has_a_rule() -> None:
    rules = {(rule["name"], rule["operation"]) for rule in records("sys_security_acl")}
    tables = {table["name"] for table in records("sys_db_object")}

    assert {f"{SCOPE}_{table}" for table in TABLES} == tables
    assert {(table, operation) for table in tables for operation in OPERATIONS} <= rules


def test_no_table_is_open_to_web_services() -> None:
    assert {table["ws_access"] for table in records("sys_db_object")} == {"false"}


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
