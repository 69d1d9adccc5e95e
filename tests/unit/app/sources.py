"""A small app on the disk, with one record of each kind that the checks look at."""

from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import Any

from sidecar.app.manifest import Manifest, read

Json = dict[str, Any]

APP = "a" * 32
ROLE, TABLE, COLLECTION, COLUMN, INDEX = ("1" * 32, "2" * 32, "3" * 32, "4" * 32, "5" * 32)
RULES = {
    operation: f"{place}" * 32
    for place, operation in zip("6789", ("create", "read", "write", "delete"), strict=True)
}
PROPERTY, CLASS, RESOURCE, PROBE, FIX = ("b" * 32, "c" * 32, "d" * 32, "e" * 32, "f" * 32)

CLASS_SCRIPT = """\
var Thing = Class.create();

Thing.prototype = {
    wait: function () {
        return gs.getProperty('x_app.wait', '5') < 6 && ']]>';
    },

    type: 'Thing'
};
"""
FIX_SCRIPT = """\
(function () {
    /* include converge.js */
    var WANTED = /* wanted table thing */ [];
})();
"""
FILES = {
    "servicenow-app/script-includes/Thing.js": CLASS_SCRIPT,
    "servicenow-app/mid-script-includes/Probe.js": CLASS_SCRIPT.replace("Thing", "Probe").replace(
        "gs.", "ms."
    ),
    "servicenow-app/rest/thing-get.js": "(function process(request, response) {\n})(request, response);\n",
    "fix-scripts/01_tables.js": FIX_SCRIPT,
    "fix-scripts/converge.js": "var converged = 1;\n\nvar more = 2;\n",
    "fix-scripts/README.md": "# Fix scripts\n",
}


def record(
    table: str, sys_id: str, name: str, file: str = "", column: str = "script", /, **fields: str
) -> Json:
    """Return one record of a manifest."""
    found: Json = {"table": table, "sys_id": sys_id, "name": name, "fields": fields}
    return found | ({"files": {column: file}} if file else {})


def document() -> Json:
    """Return a manifest with which all is well."""
    table = "x_app_thing"
    return {
        "name": "An App",
        "scope": "x_app",
        "version": "1.2.3",
        "released": "2026-01-15 09:30:00",
        "sys_id": APP,
        "records": [
            record("sys_app", APP, "An App", name="An App", scope="x_app"),
            record("sys_user_role", ROLE, "x_app.user", name="x_app.user", description="May"),
            record("sys_db_object", TABLE, table, name=table, label="Thing"),
            record("sys_dictionary", COLLECTION, table, name=table, internal_type="collection"),
            record(
                "sys_dictionary",
                COLUMN,
                f"{table}.owner",
                name=table,
                element="owner",
                internal_type="string",
            ),
            record(
                "sys_index",
                INDEX,
                f"{table}_owner",
                name=f"{table}_owner",
                logical_table_name=table,
                col_name_string="owner",
                unique_index="true",
            ),
            *(
                record(
                    "sys_security_acl",
                    sys_id,
                    f"{table} {operation}",
                    name=table,
                    operation=operation,
                    type="record",
                    active="true",
                )
                for operation, sys_id in RULES.items()
            ),
            record(
                "sys_properties",
                PROPERTY,
                "x_app.wait",
                name="x_app.wait",
                value="5",
                type="integer",
                description="How long",
            ),
            record(
                "sys_script_include",
                CLASS,
                "Thing",
                "script-includes/Thing.js",
                name="Thing",
                api_name="x_app.Thing",
                active="true",
            ),
            record("ecc_agent_script_include", PROBE, "Probe", "mid-script-includes/Probe.js", name="Probe"),
            record(
                "sys_ws_operation",
                RESOURCE,
                "thing-get",
                "rest/thing-get.js",
                "operation_script",
                name="thing-get",
                http_method="GET",
                relative_path="/things/{id}",
                web_service_definition="",
            ),
            record("sys_script_fix", FIX, "01_tables", "../fix-scripts/01_tables.js", name="01_tables"),
        ],
    }


def find(manifest: Json, sys_id: str) -> Json:
    """Return a record of a manifest by its id."""
    (found,) = (item for item in manifest["records"] if item["sys_id"] == sys_id)
    fields: Json = found
    return fields


def write(root: Path, manifest: Json | None = None, files: dict[str, str] | None = None) -> Path:
    """Write the sources below `root`, some of them replaced; a file that is None is left out."""
    whole = FILES | (files or {})
    whole["servicenow-app/manifest.json"] = json.dumps(deepcopy(manifest or document()))
    for name, text in whole.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def manifest_of(root: Path, manifest: Json | None = None, files: dict[str, str] | None = None) -> Manifest:
    """Write the sources and read their manifest."""
    return read(write(root, manifest, files))
