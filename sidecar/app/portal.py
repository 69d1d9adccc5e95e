"""The records of the Service Portal, which follow from a few lines in portal.json: widgets, scripts, styles, menus.

A page is a container with a row with a column with an instance of its widget; a library comes to a widget over an
include, a dependency, and a row that ties each to the next. Nobody wants to write those by hand, so here they are
made, with sys_ids that follow from their table and name. The order is that in which they refer to each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sidecar.app.identity import derived
from sidecar.app.library import PREFIX
from sidecar.app.record import Record

#: What is made here: names and files follow from one word each, so they need no check.
PORTAL_TABLES = frozenset(
    {
        "m2m_sp_dependency_css_include",
        "m2m_sp_dependency_js_include",
        "m2m_sp_widget_dependency",
        "sp_column",
        "sp_container",
        "sp_css",
        "sp_css_include",
        "sp_dependency",
        "sp_instance",
        "sp_instance_menu",
        "sp_js_include",
        "sp_page",
        "sp_portal",
        "sp_rectangle_menu_item",
        "sp_row",
        "sp_widget",
        "sys_app_application",
        "sys_app_module",
        "sys_ui_script",
    }
)
WIDGETS, UI_SCRIPTS, STYLES = "widgets", "ui-scripts", "styles"
#: A widget's column and its file; the last one only when it is there.
_WIDGET_FILES = {
    "template": "template.html",
    "client_script": "client.js",
    "script": "server.js",
    "css": "style.css",
    "option_schema": "options.json",
}
_OPTIONAL = {"option_schema"}
#: The whole width of the grid that pages are laid out on.
_FULL_WIDTH = "12"
#: `sys_ui_script.ui_type` of scripts for the Service Portal.
_SERVICE_PORTAL = "1"
_STEP = 100


def records(folder: Path, scope: str, document: Any) -> list[Record]:
    """Return the records that a portal.json stands for; `folder` is the app's.

    Raises:
        KeyError: it lacks something.
    """
    widgets = [_widget(folder, item) for item in document["widgets"]]
    return [
        *_dependency(scope, document),
        *widgets,
        *(_tie(widget, document["dependency"]) for widget in widgets),
        *(record for item in document["widgets"] for record in _page(item)),
        *_portal(document),
        *_navigator(scope, document["navigator"]),
    ]


def widget_folder(widget_id: str) -> str:
    """Return the folder with a widget's files, relative to the app."""
    return f"{WIDGETS}/{widget_id.replace('_', '-')}"


def _record(table: str, name: str, fields: Mapping[str, str], **files: str) -> Record:
    return Record(table, _id(table, name), name, fields, files)


def _id(table: str, name: str) -> str:
    return derived("record", table, name)


def _order(place: int) -> str:
    return str((place + 1) * _STEP)


# -- libraries and our own classes ---------------------------------------------------------------------------


def _dependency(scope: str, document: Any) -> Iterator[Record]:
    name = document["dependency"]
    yield _record("sp_dependency", name, {"name": name, "module": "", "page_load": "false"})
    scripts = {script: PREFIX + file for script, file in document["libraries"]["scripts"].items()}
    scripts |= {script: f"{UI_SCRIPTS}/{script}.js" for script in document["ui_scripts"]}
    for place, (script, file) in enumerate(scripts.items()):
        yield from _script(scope, name, place, script, file)
    styles = {style: PREFIX + file for style, file in document["libraries"]["styles"].items()}
    styles |= {style: f"{STYLES}/{style}.css" for style in document["styles"]}
    for place, (style, file) in enumerate(styles.items()):
        yield from _style(name, place, style, file)


def _script(scope: str, dependency: str, place: int, script: str, file: str) -> Iterator[Record]:
    name = f"{scope}.{script}"
    fields = {
        "name": name,
        "script_name": script,
        "active": "true",
        "global": "false",
        "ui_type": _SERVICE_PORTAL,
        "use_scoped_format": "false",
    }
    yield _record("sys_ui_script", name, fields, script=file)
    include = {"display_name": name, "source": "local", "sys_ui_script": _id("sys_ui_script", name)}
    yield _record("sp_js_include", name, include)
    yield _include("m2m_sp_dependency_js_include", "sp_js_include", dependency, name, place)


def _style(dependency: str, place: int, name: str, file: str) -> Iterator[Record]:
    # As it is: a compiler for SCSS that is older than a function of CSS takes it for its own.
    yield _record("sp_css", name, {"name": name, "turn_off_scss_compilation": "true"}, css=file)
    include = {"name": name, "source": "local", "sp_css": _id("sp_css", name), "lazy_load": "false"}
    yield _record("sp_css_include", name, include)
    yield _include("m2m_sp_dependency_css_include", "sp_css_include", dependency, name, place)


def _include(table: str, kind: str, dependency: str, name: str, place: int) -> Record:
    fields = {
        "sp_dependency": _id("sp_dependency", dependency),
        kind: _id(kind, name),
        "order": _order(place),
    }
    return _record(table, f"{dependency} loads {name}", fields)


# -- widgets and their pages ---------------------------------------------------------------------------------


def _widget(folder: Path, item: Any) -> Record:
    home = widget_folder(item["id"])
    files = {
        column: f"{home}/{file}"
        for column, file in _WIDGET_FILES.items()
        if column not in _OPTIONAL or (folder / home / file).is_file()
    }
    fields = {
        "id": item["id"],
        "name": item["name"],
        "description": item["description"],
        "controller_as": "c",
        "data_table": "sp_instance",
        "public": "false",
        "has_preview": "false",
    }
    return _record("sp_widget", item["id"], fields, **files)


def _tie(widget: Record, dependency: str) -> Record:
    fields = {"sp_widget": widget.sys_id, "sp_dependency": _id("sp_dependency", dependency)}
    return _record("m2m_sp_widget_dependency", f"{widget.name} needs {dependency}", fields)


def _page(item: Any) -> Iterator[Record]:
    page = item["id"]
    about = {"id": page, "title": item["title"], "short_description": item["description"]}
    yield _record("sp_page", page, {**about, "public": "false", "draft": "false", "internal": "false"})
    container = {
        "name": item["name"],
        "sp_page": _id("sp_page", page),
        "order": "1",
        "width": "container-fluid",
    }
    yield _record("sp_container", page, container)
    yield _record("sp_row", page, {"sp_container": _id("sp_container", page), "order": "1"})
    yield _record("sp_column", page, {"sp_row": _id("sp_row", page), "order": "1", "size": _FULL_WIDTH})
    fields = {
        "sp_column": _id("sp_column", page),
        "sp_widget": _id("sp_widget", page),
        "title": item["title"],
        "order": "1",
        "active": "true",
    }
    yield _record("sp_instance", page, fields)


def _portal(document: Any) -> Iterator[Record]:
    title = document["title"]
    yield _record("sp_instance_menu", title, {"title": title, "active": "true", "order": "1"})
    for place, item in enumerate(document["widgets"]):
        fields = {
            "label": item["title"],
            "sp_rectangle_menu": _id("sp_instance_menu", title),
            "type": "page",
            "sp_page": _id("sp_page", item["id"]),
            "glyph": item["glyph"],
            "roles": item["roles"],
            "order": _order(place),
            "active": "true",
        }
        yield _record("sp_rectangle_menu_item", item["id"], fields)
    fields = {
        "title": title,
        "url_suffix": document["url_suffix"],
        "homepage": _id("sp_page", document["homepage"]),
        "sp_rectangle_menu": _id("sp_instance_menu", title),
    }
    yield _record("sp_portal", document["url_suffix"], fields)


# -- the navigator -------------------------------------------------------------------------------------------


def _navigator(scope: str, document: Any) -> Iterator[Record]:
    title = document["title"]
    fields = {"title": title, "name": scope, "roles": document["roles"], "order": _order(0), "active": "true"}
    yield _record("sys_app_application", title, fields)
    for place, item in enumerate(document["modules"]):
        fields = {
            "title": item["title"],
            "application": _id("sys_app_application", title),
            "roles": item["roles"],
            "order": _order(place),
            "active": "true",
            **_target(scope, item),
        }
        yield _record("sys_app_module", item["title"], fields)


def _target(scope: str, item: Any) -> dict[str, str]:
    """Return where a module leads: to an address, or to the list of a table; `_x` is our table x."""
    if "url" in item:
        return {"link_type": "DIRECT", "query": item["url"]}
    table = item["table"]
    whole = scope + table if table.startswith("_") else table
    return {"link_type": "LIST", "name": whole, "filter": item.get("filter", "")}
