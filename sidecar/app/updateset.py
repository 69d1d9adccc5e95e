"""The update set: all records of the app in the XML that an instance imports.

The same sources give the same bytes: ids are derived from the manifest's, times are the version's date. The form is
the one of exported sets; `payload_hash` is our own number, because how the platform computes its is not known.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Mapping
from datetime import timedelta
from xml.sax.saxutils import escape, quoteattr

from sidecar.app.identity import derived
from sidecar.app.manifest import TIME_FORM, Manifest
from sidecar.app.record import Record
from sidecar.errors import AppBroken

_HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
_AUTHOR = "admin"
#: What XML 1.0 cannot carry.
_UNWRITABLE = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

#: How the platform calls records of a table in `sys_update_xml.type`; of others it is the table's name.
_TYPES = {
    "ecc_agent_script_include": "MID Server Script Include",
    "m2m_sp_dependency_css_include": "Dependency CSS Include",
    "m2m_sp_dependency_js_include": "Dependency JS Include",
    "m2m_sp_widget_dependency": "Widget Dependency",
    "sp_column": "Column",
    "sp_container": "Container",
    "sp_css": "Style Sheet",
    "sp_css_include": "CSS Include",
    "sp_dependency": "Widget Dependency Package",
    "sp_instance": "Widget Instance",
    "sp_instance_menu": "Menu Instance",
    "sp_js_include": "JS Include",
    "sp_page": "Page",
    "sp_portal": "Service Portal",
    "sp_rectangle_menu_item": "Menu Item",
    "sp_row": "Row",
    "sp_widget": "Widget",
    "sys_app": "Custom Application",
    "sys_app_application": "Application Menu",
    "sys_app_module": "Module",
    "sys_choice": "Choice list",
    "sys_db_object": "Table",
    "sys_dictionary": "Dictionary",
    "sys_index": "Table Index",
    "sys_properties": "System Property",
    "sys_scope_privilege": "Cross scope privilege",
    "sys_script": "Business Rule",
    "sys_script_fix": "Fix Script",
    "sys_script_include": "Script Include",
    "sys_security_acl": "Access Control",
    "sys_security_acl_role": "Access Roles",
    "sys_ui_script": "UI Script",
    "sys_user_role": "Role",
    "sys_user_role_contains": "Contained Role",
    "sys_ws_definition": "Scripted REST API",
    "sys_ws_operation": "Scripted REST Resource",
    "sysauto_script": "Scheduled Script Execution",
    "sysevent_script_action": "Script Action",
}

#: Fields that are the administrator's: an update would take back what was set. The fix scripts fill them when empty.
_NOT_OURS = {"sys_properties": {"value"}}

#: One child of an element: its name, its text, and what is shown for a reference.
Child = tuple[str, str] | tuple[str, str, str]


def update_set(manifest: Manifest, scripts: Mapping[str, str]) -> str:
    """Return the update set.

    Args:
        manifest: The app.
        scripts: The fix scripts in one piece, by their names; they replace the files that the manifest names.

    Raises:
        AppBroken: a text holds what XML cannot carry.
    """
    rows = [_row(manifest, record, scripts, place) for place, record in enumerate(manifest.records)]
    parts = [_element("sys_remote_update_set", _remote_set(manifest)), *rows]
    return f"{_HEAD}\n<unload unload_date={quoteattr(_date(manifest))}>\n{''.join(parts)}</unload>\n"


def _remote_set(manifest: Manifest) -> list[Child]:
    return [
        _application(manifest),
        ("application_name", manifest.name),
        ("application_scope", manifest.scope),
        ("application_version", manifest.version),
        ("collisions", ""),
        ("commit_date", ""),
        ("deleted", ""),
        ("description", f"{manifest.name} {manifest.version}: install with its fix scripts."),
        ("inserted", ""),
        ("name", _title(manifest)),
        ("origin_sys_id", ""),
        ("parent", ""),
        ("release_date", ""),
        ("remote_base_update_set", ""),
        ("remote_parent_id", ""),
        ("remote_sys_id", derived("local set", manifest.sys_id, manifest.version)),
        ("state", "loaded"),
        ("summary", ""),
        *_stamps(manifest, _set_id(manifest)),
        ("update_set", ""),
        ("update_source", ""),
        ("updated", ""),
    ]


def _row(manifest: Manifest, record: Record, scripts: Mapping[str, str], place: int) -> str:
    payload = _payload(manifest, record, _values(manifest, record, scripts))
    digest = str(zlib.crc32(payload.encode()) - 2**31)  # signed, 32 bits
    guid = derived("guid", record.table, record.sys_id, payload)
    moment = int((manifest.released + timedelta(milliseconds=place)).timestamp() * 1000)
    return _element(
        "sys_update_xml",
        [
            ("action", "INSERT_OR_UPDATE"),
            _application(manifest),
            ("category", "customer"),
            ("comments", ""),
            ("name", f"{record.table}_{record.sys_id}"),
            ("payload", payload),
            ("payload_hash", digest),
            ("remote_update_set", _set_id(manifest), _title(manifest)),
            ("replace_on_upgrade", "false"),
            *_stamps(manifest, derived("row", _set_id(manifest), record.sys_id)),
            ("sys_recorded_at", f"{moment:x}0000001"),
            ("table", ""),
            ("target_name", record.name),
            ("type", _TYPES.get(record.table, record.table)),
            ("update_domain", "global"),
            ("update_guid", guid),
            ("update_guid_history", f"{guid}:{digest}"),
            ("update_set", ""),
            ("view", ""),
        ],
    )


def _values(manifest: Manifest, record: Record, scripts: Mapping[str, str]) -> dict[str, str]:
    kept = _NOT_OURS.get(record.table, set())
    values = {column: value for column, value in record.fields.items() if column not in kept}
    for column, file in record.files.items():
        fix = record.table == "sys_script_fix"
        values[column] = scripts[record.name] if fix else manifest.text(file)
    return values


def _payload(manifest: Manifest, record: Record, values: Mapping[str, str]) -> str:
    children: list[Child] = [*sorted(values.items()), ("sys_id", record.sys_id)]
    if "sys_scope" not in values:
        children.append(("sys_scope", manifest.sys_id, manifest.name))
    inner = "".join(_child(record, *child) for child in sorted(children))
    table = record.table
    return (
        f"{_HEAD}<record_update table={quoteattr(table)}>"
        f'<{table} action="INSERT_OR_UPDATE">{inner}</{table}></record_update>'
    )


def _stamps(manifest: Manifest, sys_id: str) -> Iterable[Child]:
    return (
        ("sys_created_by", _AUTHOR),
        ("sys_created_on", _date(manifest)),
        ("sys_id", sys_id),
        ("sys_mod_count", "0"),
        ("sys_updated_by", _AUTHOR),
        ("sys_updated_on", _date(manifest)),
    )


def _application(manifest: Manifest) -> Child:
    return ("application", manifest.sys_id, manifest.name)


def _title(manifest: Manifest) -> str:
    return f"{manifest.name} {manifest.version}"


def _set_id(manifest: Manifest) -> str:
    return derived("remote set", manifest.sys_id, manifest.version)


def _date(manifest: Manifest) -> str:
    return manifest.released.strftime(TIME_FORM)


def _element(name: str, children: Iterable[Child]) -> str:
    inner = "".join(f"    {_child(name, *child)}\n" for child in children)
    return f'  <{name} action="INSERT_OR_UPDATE">\n{inner}  </{name}>\n'


def _child(owner: object, name: str, text: str, shown: str | None = None) -> str:
    if _UNWRITABLE.search(text):
        raise AppBroken(f"{owner}: {name} holds a control character, which XML cannot carry")
    attribute = "" if shown is None else f" display_value={quoteattr(shown)}"
    return f"<{name}{attribute}>{_character_data(text)}</{name}>"


def _character_data(text: str) -> str:
    """Return text as it stands in an element: scripts and payloads as CDATA, in which `]]>` has to be split."""
    if "<" in text or "\n" in text:
        return "<![CDATA[" + text.replace("]]>", "]]]]><![CDATA[>") + "]]>"
    return escape(text)
