"""Whether scripts and manifest fit together: ids, names, files, access rules and properties."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from sidecar.app.fixscripts import fix_scripts
from sidecar.app.library import PREFIX
from sidecar.app.manifest import PORTAL_FILE, Manifest
from sidecar.app.page import forbidden_content, wrong_browser_classes, wrong_controllers
from sidecar.app.portal import PORTAL_TABLES
from sidecar.app.record import Record
from sidecar.errors import AppBroken

_SYS_ID = re.compile(r"[0-9a-f]{32}")
_OPERATIONS = ("create", "read", "write", "delete")
#: What a folder may hold that has to be in a record.
_DELIVERED = {".js", ".html", ".css", ".json"}
#: Files that no record names: one is put into others, two name them.
_SHARED = {"converge.js", "manifest.json", PORTAL_FILE}
#: ecc_queue.name holds that much in practice, and it is the name of a MID script.
_LONGEST_NAME = 80
_LONGEST_RESOURCE = 12
_CLASS = re.compile(r"^var (\w+) = Class\.create\(\);$", re.MULTILINE)
_TYPE = re.compile(r"^ +type: '(\w+)'$", re.MULTILINE)
_PROPERTY = re.compile(r"gs\.getProperty\(\s*'([^']*)'\s*([,)+])(?:\s*'([^']*)'\s*\))?")
#: What a record cannot do without, as far as the checks below rely on it.
_NEEDED = {
    "sys_db_object": ("name", "label"),
    "sys_dictionary": ("name", "internal_type"),
    "sys_index": ("name", "logical_table_name", "col_name_string", "unique_index"),
    "sys_security_acl": ("name", "operation", "type", "active"),
    "sys_security_acl_role": ("sys_security_acl", "sys_user_role"),
    "sys_properties": ("name", "value", "type", "description"),
    "sys_user_role": ("name", "description"),
    "sys_script_include": ("name", "api_name", "active"),
    "sys_ws_operation": ("name", "http_method", "relative_path", "web_service_definition"),
}
#: Tables whose records are named within the scope.
_SCOPED = {"sys_db_object": "_", "sys_user_role": ".", "sys_properties": "."}
Check = Callable[[Manifest], Iterator[str]]


def faults(manifest: Manifest) -> list[str]:
    """Return one line for each thing that does not fit; with a field missing, that is all that is looked at."""
    return list(missing_fields(manifest)) or [fault for check in CHECKS for fault in check(manifest)]


def broken_ids(manifest: Manifest) -> Iterator[str]:
    """Name sys_ids that are not 32 hex digits, and those given twice."""
    for record in manifest.records:
        if not _SYS_ID.fullmatch(record.sys_id):
            yield f"{record}: {record.sys_id!r} is not a sys_id: 32 hex digits in small letters"
    counted = Counter(record.sys_id for record in manifest.records)
    for sys_id, times in counted.items():
        if times > 1:
            yield f"{times} records have the sys_id {sys_id}"


def missing_fields(manifest: Manifest) -> Iterator[str]:
    """Name records without a field they need."""
    for record in manifest.records:
        for field in _NEEDED.get(record.table, ()):
            if field not in record.fields:
                yield f"{record}: lacks the field {field}"


def lost_files(manifest: Manifest) -> Iterator[str]:
    """Name files that are not there, and scripts that no record names."""
    files = (file for record in manifest.records for file in record.files.values())
    named = {(manifest.folder / file).resolve() for file in files if not file.startswith(PREFIX)}
    there = {
        path.resolve()
        for folder in (manifest.folder, manifest.fix_folder)
        for path in folder.rglob("*")
        if path.suffix in _DELIVERED and path.name not in _SHARED
    }
    for path in sorted(named - there):
        yield f"{_shown(manifest, path)}: the manifest names it, and it is not there"
    for path in sorted(there - named):
        yield f"{_shown(manifest, path)}: no record of the manifest names it, so it would not be delivered"


def _shown(manifest: Manifest, path: Path) -> Path:
    root = manifest.folder.parent.resolve()
    return path.relative_to(root) if path.is_relative_to(root) else path


def wrong_names(manifest: Manifest) -> Iterator[str]:
    """Name records whose file, class, scope or length does not fit their name."""
    for record in manifest.records:
        if record.table not in PORTAL_TABLES:
            yield from _other_names(record)
        separator = _SCOPED.get(record.table)
        if separator and not record.name.startswith(manifest.scope + separator):
            yield f"{record}: its name does not begin with {manifest.scope}{separator}"
        if record.files and len(record.name) > _LONGEST_NAME:
            yield f"{record}: its name has more than {_LONGEST_NAME} characters"


def _other_names(record: Record) -> Iterator[str]:
    if record.fields.get("name", record.name).partition(".")[0] not in record.name:
        yield f"{record}: its field name says {record.fields['name']}"
    for file in record.files.values():
        if Path(file).stem != record.name:
            yield f"{record}: its file has another name: {file}"


def wrong_classes(manifest: Manifest) -> Iterator[str]:
    """Name script includes that do not define the one class of their name."""
    for record in manifest.of_table("sys_script_include", "ecc_agent_script_include"):
        text = _script(manifest, record)
        for what, pattern in (("class", _CLASS), ("type", _TYPE)):
            if text and pattern.findall(text) != [record.name]:
                yield f"{record}: its {what} is not {record.name}, or not only that"


def long_resources(manifest: Manifest) -> Iterator[str]:
    """Name REST resources that do more than parse, call and reply."""
    for record in manifest.of_table("sys_ws_operation"):
        lines = len([line for line in _script(manifest, record).splitlines() if line.strip()])
        if lines > _LONGEST_RESOURCE:
            yield f"{record}: {lines} lines, {_LONGEST_RESOURCE} are enough for a resource"


def wrong_rules(manifest: Manifest) -> Iterator[str]:
    """Name access rules for what does not exist, and tables that an operation is not ruled for."""
    columns = _columns(manifest)
    ruled = set()
    for record in manifest.of_table("sys_security_acl"):
        if record.fields.get("type") != "record":
            continue
        table, _, field = record.fields["name"].partition(".")
        ruled.add((record.fields["name"], record.fields["operation"]))
        if table not in columns:
            yield f"{record}: there is no table {table}"
        elif field and field != "*" and field not in columns[table]:
            yield f"{record}: the table has no column {field}"
    for table in columns:
        for operation in _OPERATIONS:
            if (table, operation) not in ruled:
                yield f"{table}: no access rule for {operation}"


def _columns(manifest: Manifest) -> dict[str, set[str]]:
    columns: dict[str, set[str]] = {r.fields["name"]: set() for r in manifest.of_table("sys_db_object")}
    for record in manifest.of_table("sys_dictionary"):
        columns.setdefault(record.fields["name"], set()).add(record.fields.get("element", ""))
    return columns


def wrong_columns(manifest: Manifest) -> Iterator[str]:
    """Name columns and indexes of tables, or of columns, that are not in the manifest."""
    tables = {record.fields["name"] for record in manifest.of_table("sys_db_object")}
    columns = _columns(manifest)
    for record in manifest.of_table("sys_dictionary"):
        if record.fields["name"] not in tables:
            yield f"{record}: there is no table {record.fields['name']}"
    for record in manifest.of_table("sys_index"):
        for column in record.fields["col_name_string"].split(","):
            if column not in columns.get(record.fields["logical_table_name"], set()):
                yield f"{record}: the table has no column {column}"


def wrong_references(manifest: Manifest) -> Iterator[str]:
    """Name references to records that are not in the manifest: in it, every sys_id as a value is one."""
    known = {record.sys_id for record in manifest.records}
    for record in manifest.records:
        for column, value in record.fields.items():
            if _SYS_ID.fullmatch(value) and value not in known:
                yield f"{record}: {column} refers to no record of the manifest"


def wrong_properties(manifest: Manifest) -> Iterator[str]:
    """Name properties read without a default, with another one, or not in the manifest, and those nothing reads."""
    values = {r.name: r.fields.get("value", "") for r in manifest.of_table("sys_properties")}
    unread = set(values)
    for record in manifest.records:
        for name, then, default in _PROPERTY.findall(_script(manifest, record)):
            unread.discard(name)
            if then != ",":
                yield f"{record}: reads {name} without a default"
            elif name.startswith(f"{manifest.scope}.") and name not in values:
                yield f"{record}: reads {name}, which the manifest does not have"
            elif name in values and record.table != "sys_script_fix" and default != values[name]:
                yield f"{record}: the default of {name} is not the manifest's, {values[name]!r}"
    for name in sorted(unread):
        yield f"{name}: no script reads this property"


def unbuilt_fix_scripts(manifest: Manifest) -> Iterator[str]:
    """Name what the fix scripts include or want in vain."""
    try:
        fix_scripts(manifest)
    except AppBroken as error:
        yield error.detail


def _script(manifest: Manifest, record: Record) -> str:
    """Return a record's scripts; a file that is not there is named once, by `lost_files`."""
    files = [file for file in record.files.values() if (manifest.folder / file).is_file()]
    return "\n".join(manifest.text(file) for file in files)


CHECKS: tuple[Check, ...] = (
    broken_ids,
    lost_files,
    wrong_names,
    wrong_classes,
    long_resources,
    wrong_rules,
    wrong_columns,
    wrong_references,
    wrong_properties,
    unbuilt_fix_scripts,
    forbidden_content,
    wrong_browser_classes,
    wrong_controllers,
)
