"""What does not fit between scripts and manifest is found, each kind by one broken app."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sidecar.app.coherence import faults
from tests.unit.app import sources
from tests.unit.app.sources import (
    CLASS,
    CLASS_SCRIPT,
    COLUMN,
    FIX_SCRIPT,
    INDEX,
    PROPERTY,
    RESOURCE,
    ROLE,
    RULES,
    Json,
)

Damage = Callable[[Json], object]


def test_nothing_is_found_where_all_is_well(tmp_path: Path) -> None:
    assert faults(sources.manifest_of(tmp_path)) == []


def fields(manifest: Json, sys_id: str, **values: str) -> None:
    """Change fields of a record."""
    sources.find(manifest, sys_id)["fields"].update(values)


DAMAGES: dict[str, tuple[Damage, str]] = {
    "a sys_id that is a name": (
        lambda m: sources.find(m, COLUMN).update(sys_id="column_owner_001"),
        "sys_dictionary x_app_thing.owner: 'column_owner_001' is not a sys_id: 32 hex digits in small letters",
    ),
    "a sys_id in capitals": (
        lambda m: sources.find(m, COLUMN).update(sys_id="A" * 32),
        f"sys_dictionary x_app_thing.owner: '{'A' * 32}' is not a sys_id: 32 hex digits in small letters",
    ),
    "a sys_id given twice": (
        lambda m: sources.find(m, COLUMN).update(sys_id=INDEX),
        f"2 records have the sys_id {INDEX}",
    ),
    "a rule for a table nobody has": (
        lambda m: fields(m, RULES["read"], name="x_app_other"),
        "sys_security_acl x_app_thing read: there is no table x_app_other",
    ),
    "a rule named after its operation": (
        lambda m: fields(m, RULES["read"], name="x_app_thing.read"),
        "sys_security_acl x_app_thing read: the table has no column read",
    ),
    "an operation without a rule": (
        lambda m: m["records"].remove(sources.find(m, RULES["write"])),
        "x_app_thing: no access rule for write",
    ),
    "a column of a table nobody has": (
        lambda m: fields(m, COLUMN, name="x_app_other"),
        "sys_dictionary x_app_thing.owner: there is no table x_app_other",
    ),
    "an index over a column nobody has": (
        lambda m: fields(m, INDEX, col_name_string="owner,age"),
        "sys_index x_app_thing_owner: the table has no column age",
    ),
    "a reference to nothing": (
        lambda m: fields(m, COLUMN, owner="0" * 32),
        "sys_dictionary x_app_thing.owner: owner refers to no record of the manifest",
    ),
    "a role outside the scope": (
        lambda m: sources.find(m, ROLE).update(name="user", fields={"name": "user", "description": ""}),
        "sys_user_role user: its name does not begin with x_app.",
    ),
    "another name in the fields": (
        lambda m: fields(m, ROLE, name="x_other.user"),
        "sys_user_role x_app.user: its field name says x_other.user",
    ),
    "another default in the manifest": (
        lambda m: fields(m, PROPERTY, value="6"),
        "sys_script_include Thing: the default of x_app.wait is not the manifest's, '6'",
    ),
    "a property the manifest does not have": (
        lambda m: m["records"].remove(sources.find(m, PROPERTY)),
        "sys_script_include Thing: reads x_app.wait, which the manifest does not have",
    ),
    "a script no record names": (
        lambda m: m["records"].remove(sources.find(m, RESOURCE)),
        "servicenow-app/rest/thing-get.js: no record of the manifest names it, so it would not be delivered",
    ),
    "a script that is not there": (
        lambda m: sources.find(m, RESOURCE)["files"].update(operation_script="rest/other.js"),
        "servicenow-app/rest/other.js: the manifest names it, and it is not there",
    ),
    "a script under another name": (
        lambda m: sources.find(m, RESOURCE)["files"].update(operation_script="script-includes/Thing.js"),
        "sys_ws_operation thing-get: its file has another name: script-includes/Thing.js",
    ),
    "a name too long for the queue": (
        lambda m: sources.find(m, CLASS).update(name="T" * 81),
        f"sys_script_include {'T' * 81}: its name has more than 80 characters",
    ),
    "a missing field": (
        lambda m: sources.find(m, INDEX)["fields"].pop("col_name_string"),
        "sys_index x_app_thing_owner: lacks the field col_name_string",
    ),
}


@pytest.mark.parametrize(("damage", "told"), DAMAGES.values(), ids=DAMAGES)
def test_in_the_manifest_this_is_found(tmp_path: Path, damage: Damage, told: str) -> None:
    manifest = sources.document()
    damage(manifest)

    assert told in faults(sources.manifest_of(tmp_path, manifest))


INCLUDE = "servicenow-app/script-includes/Thing.js"
SCRIPTS: dict[str, tuple[dict[str, str], str]] = {
    "a class of another name": (
        {INCLUDE: CLASS_SCRIPT.replace("var Thing", "var Other")},
        "sys_script_include Thing: its class is not Thing, or not only that",
    ),
    "two classes in a file": (
        {INCLUDE: CLASS_SCRIPT + "var Other = Class.create();\n"},
        "sys_script_include Thing: its class is not Thing, or not only that",
    ),
    "another type": (
        {INCLUDE: CLASS_SCRIPT.replace("type: 'Thing'", "type: 'Other'")},
        "sys_script_include Thing: its type is not Thing, or not only that",
    ),
    "a property read without a default": (
        {INCLUDE: CLASS_SCRIPT.replace(", '5'", "")},
        "sys_script_include Thing: reads x_app.wait without a default",
    ),
    "a property nothing reads": (
        {INCLUDE: CLASS_SCRIPT.replace("gs.getProperty('x_app.wait', '5')", "5")},
        "x_app.wait: no script reads this property",
    ),
    "a long resource": (
        {"servicenow-app/rest/thing-get.js": "var a;\n" * 13},
        "sys_ws_operation thing-get: 13 lines, 12 are enough for a resource",
    ),
    "a file nobody includes": (
        {"fix-scripts/02_forgotten.js": ""},
        "fix-scripts/02_forgotten.js: no record of the manifest names it, so it would not be delivered",
    ),
    "a fix script that wants in vain": (
        {"fix-scripts/01_tables.js": FIX_SCRIPT.replace("table thing", "table other")},
        "a fix script wants records of x_app_other, and the manifest has none",
    ),
}


@pytest.mark.parametrize(("files", "told"), SCRIPTS.values(), ids=SCRIPTS)
def test_in_the_scripts_this_is_found(tmp_path: Path, files: dict[str, str], told: str) -> None:
    assert told in faults(sources.manifest_of(tmp_path, files=files))
