"""The records of the Service Portal, from a few lines."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from sidecar.app.coherence import faults
from sidecar.app.manifest import Manifest, read
from sidecar.app.record import Record
from sidecar.errors import AppBroken
from tests.unit.app import sources
from tests.unit.app.sources import Json

NAMESPACE = "window.claudeTerminal = window.claudeTerminal || {};\n"
CLASS = NAMESPACE + "\n(function (ns) {\n    ns.Thing = function () {};\n}(window.claudeTerminal));\n"
HOME = "servicenow-app/widgets/the-thing"
FILES = {
    "servicenow-app/ui-scripts/Thing.js": CLASS,
    "servicenow-app/ui-scripts/Other.js": CLASS.replace("Thing", "Other"),
    "servicenow-app/styles/app.css": ".ct-thing {\n    color: red;\n}\n",
    f"{HOME}/template.html": '<p class="ct-thing">${Hello} {{c.data.name}}</p>\n',
    f"{HOME}/client.js": "api.controller = function () {\n};\n",
    f"{HOME}/server.js": "(function () {\n    data.name = gs.getUserName();\n})();\n",
    f"{HOME}/style.css": ".ct-thing {\n    color: blue;\n}\n",
}


def document() -> Json:
    """Return a portal with one widget."""
    return {
        "title": "An App",
        "url_suffix": "app",
        "homepage": "the_thing",
        "dependency": "An App",
        "libraries": {"scripts": {"lib": "lib/lib.js"}, "styles": {"lib": "lib/lib.css"}},
        "ui_scripts": ["Thing", "Other"],
        "styles": ["app"],
        "widgets": [
            {
                "id": "the_thing",
                "name": "The Thing",
                "title": "Thing",
                "glyph": "cube",
                "roles": "x_app.user",
                "description": "Shows it",
            }
        ],
        "navigator": {
            "title": "An App",
            "roles": "x_app.user",
            "modules": [
                {"title": "Thing", "url": "/app", "roles": "x_app.user"},
                {"title": "Things", "table": "_thing", "roles": "x_app.user"},
                {"title": "Users", "table": "sys_user", "filter": "active=true", "roles": "x_app.user"},
            ],
        },
    }


def manifest_of(root: Path, portal: Json | None = None, files: dict[str, str] | None = None) -> Manifest:
    """Write an app with a portal and read it."""
    whole = FILES | {"servicenow-app/portal.json": json.dumps(portal or document())} | (files or {})
    return sources.manifest_of(root, files=whole)


@pytest.fixture
def manifest(tmp_path: Path) -> Manifest:
    return manifest_of(tmp_path)


def the(manifest: Manifest, table: str, name: str = "the_thing") -> Record:
    """Return a record by its table and name."""
    (found,) = (record for record in manifest.of_table(table) if record.name == name)
    return found


def test_all_is_well(manifest: Manifest) -> None:
    assert faults(manifest) == []


def test_the_manifest_s_own_records_come_first(manifest: Manifest) -> None:
    own = len(sources.document()["records"])

    assert manifest.records[own].table == "sp_dependency"


def test_sys_ids_are_the_same_every_time_and_all_different(tmp_path: Path, manifest: Manifest) -> None:
    again = read(tmp_path)
    ids = [record.sys_id for record in again.records]

    assert ids == [record.sys_id for record in manifest.records]
    assert len(set(ids)) == len(ids)


def test_a_record_refers_only_to_those_before_it(manifest: Manifest) -> None:
    """So that an import in this order finds everything that a record names."""
    every = {record.sys_id for record in manifest.records}
    seen: set[str] = set()
    for record in manifest.records:
        assert set(record.fields.values()) & every <= seen | {record.sys_id}, record
        seen.add(record.sys_id)


def test_a_widget_has_its_files(manifest: Manifest) -> None:
    assert the(manifest, "sp_widget").files == {
        "template": "widgets/the-thing/template.html",
        "client_script": "widgets/the-thing/client.js",
        "script": "widgets/the-thing/server.js",
        "css": "widgets/the-thing/style.css",
    }


def test_a_widget_with_options_has_their_schema(tmp_path: Path) -> None:
    manifest = manifest_of(tmp_path, files={f"{HOME}/options.json": "[]\n"})

    assert the(manifest, "sp_widget").files["option_schema"] == "widgets/the-thing/options.json"


def test_a_page_leads_to_its_widget(manifest: Manifest) -> None:
    chain = [
        the(manifest, table) for table in ("sp_page", "sp_container", "sp_row", "sp_column", "sp_instance")
    ]

    for outer, inner in pairwise(chain):
        assert inner.fields[outer.table] == outer.sys_id
    assert chain[-1].fields["sp_widget"] == the(manifest, "sp_widget").sys_id


def test_libraries_are_loaded_before_our_classes_and_those_in_their_order(manifest: Manifest) -> None:
    ties = sorted(manifest.of_table("m2m_sp_dependency_js_include"), key=lambda tie: int(tie.fields["order"]))
    includes = {record.sys_id: record for record in manifest.of_table("sp_js_include")}
    scripts = {record.sys_id: record for record in manifest.of_table("sys_ui_script")}

    loaded = [scripts[includes[tie.fields["sp_js_include"]].fields["sys_ui_script"]] for tie in ties]

    assert [script.fields["name"] for script in loaded] == ["x_app.lib", "x_app.Thing", "x_app.Other"]
    assert [script.files["script"] for script in loaded] == [
        "npm:lib/lib.js",
        "ui-scripts/Thing.js",
        "ui-scripts/Other.js",
    ]


def test_our_styles_come_after_those_of_libraries(manifest: Manifest) -> None:
    ties = manifest.of_table("m2m_sp_dependency_css_include")

    assert [tie.name for tie in ties] == ["An App loads lib", "An App loads app"]
    assert [tie.fields["order"] for tie in ties] == ["100", "200"]


def test_the_widget_needs_them(manifest: Manifest) -> None:
    (tie,) = manifest.of_table("m2m_sp_widget_dependency")

    assert tie.fields == {
        "sp_widget": the(manifest, "sp_widget").sys_id,
        "sp_dependency": the(manifest, "sp_dependency", "An App").sys_id,
    }


def test_the_portal_begins_with_its_page_and_has_a_menu(manifest: Manifest) -> None:
    portal, menu = the(manifest, "sp_portal", "app"), the(manifest, "sp_instance_menu", "An App")
    item = the(manifest, "sp_rectangle_menu_item")

    assert portal.fields["homepage"] == item.fields["sp_page"] == the(manifest, "sp_page").sys_id
    assert portal.fields["sp_rectangle_menu"] == item.fields["sp_rectangle_menu"] == menu.sys_id
    assert item.fields["roles"] == "x_app.user"


def test_modules_lead_to_addresses_and_lists(manifest: Manifest) -> None:
    modules = [record.fields for record in manifest.of_table("sys_app_module")]

    assert [(module["link_type"], module.get("query", module.get("name"))) for module in modules] == [
        ("DIRECT", "/app"),
        ("LIST", "x_app_thing"),
        ("LIST", "sys_user"),
    ]
    assert modules[2]["filter"] == "active=true"


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    portal = document()
    del portal["widgets"][0]["glyph"]

    with pytest.raises(AppBroken, match=r"portal\.json lacks 'glyph'"):
        manifest_of(tmp_path, portal)


@pytest.mark.parametrize("text", ["{", "[]", '{"widgets": 5}'], ids=["no json", "a list", "a number"])
def test_another_form_is_told(tmp_path: Path, text: str) -> None:
    with pytest.raises(AppBroken, match=r"portal\.json has another form"):
        manifest_of(tmp_path, files={"servicenow-app/portal.json": text})


SYS_ID = "0123456789abcdef" * 2
TEMPLATE, CLIENT, SERVER = (f"{HOME}/{file}" for file in ("template.html", "client.js", "server.js"))
SCRIPT, STYLE = "servicenow-app/ui-scripts/Thing.js", "servicenow-app/styles/app.css"
#: What is wrong → the file, its text, and what is told.
BROKEN = {
    "a widget's file that is not there": (
        f"{HOME}/style.css",
        None,
        "the manifest names it, and it is not there",
    ),
    "a file of a widget that is not delivered": (f"{HOME}/more.js", "", "no record of the manifest names it"),
    "a placeholder in a UI script": (
        SCRIPT,
        CLASS + "// ${a}\n",
        "Thing.js:6: ${ is replaced by the platform",
    ),
    "a placeholder in a client script": (
        CLIENT,
        "api.controller = function () {};\n'${a}';\n",
        "${ is replaced",
    ),
    "a placeholder in a server script": (SERVER, "data.a = '${a}';\n", "server.js:1: ${ is replaced"),
    "a script in a template": (
        TEMPLATE,
        "<p></p>\n<SCRIPT src='a.js'></SCRIPT>\n",
        "template.html:2: a script",
    ),
    "a handler in a template": (TEMPLATE, '<p onclick="go()"></p>\n', "a handler as an attribute"),
    "a script as an address": (TEMPLATE, '<a href="javascript:go()"></a>\n', "a script as an address"),
    "another page in a template": (TEMPLATE, '<iframe src="/x"></iframe>\n', "fetches from elsewhere"),
    "an image from elsewhere": (
        TEMPLATE,
        '<img src="https://cdn.example/a.png">\n',
        "an address of another host",
    ),
    "a script from elsewhere": (
        CLIENT,
        "api.controller = function () {};\nvar a = '//cdn.example/a.js';\n",
        "host",
    ),
    "a font from elsewhere": (
        STYLE,
        "p { background: url(//cdn.example/a.png); }\n",
        "an address of another host",
    ),
    "a style in a style": (STYLE, "@import 'other.css';\n", "app.css:1: an import"),
    "a function that SCSS has": (
        f"{HOME}/style.css",
        "p { width: min(1px, 2vw); }\n",
        "style.css:1: SCSS takes it",
    ),
    "a sys_id in a template": (TEMPLATE, f'<a href="?id={SYS_ID}"></a>\n', "a sys_id, which is different"),
    "a class outside the namespace": (SCRIPT, "window.Thing = function () {};\n", "lacks the line window."),
    "a class of another name": (
        SCRIPT,
        CLASS.replace("ns.Thing", "ns.Another"),
        "it does not put Thing into",
    ),
    "two classes": (SCRIPT, CLASS.replace("}(w", "    ns.More = 1;\n}(w"), "it does not put Thing into"),
    "nothing in the namespace": (SCRIPT, NAMESPACE, "it does not put Thing into"),
    "no controller": (CLIENT, "window.controller = 1;\n", "has to begin with api.controller = function"),
}


@pytest.mark.parametrize(("file", "text", "told"), BROKEN.values(), ids=BROKEN)
def test_this_is_found(tmp_path: Path, file: str, text: str | None, told: str) -> None:
    manifest = manifest_of(tmp_path, files={file: text or ""})
    if text is None:
        (tmp_path / file).unlink()

    assert any(told in fault for fault in faults(manifest)), faults(manifest)


def test_a_style_sheet_of_its_own_may_use_all_of_css(tmp_path: Path) -> None:
    assert faults(manifest_of(tmp_path, files={STYLE: "p { width: min(1px, 2vw); }\n"})) == []


def test_functions_may_share_a_file(tmp_path: Path) -> None:
    """One that is named after a noun in capitals is a class; others are what the file is about."""
    text = CLASS.replace("ns.Thing", "ns.seal").replace("}(w", "    ns.open = 1;\n}(w")

    assert faults(manifest_of(tmp_path, files={SCRIPT: text})) == []
