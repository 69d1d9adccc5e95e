"""Faults of the predecessor in what it installed, each by its number, shown to be absent.

What is installed is the built update set and fix scripts; what they are made from is looked at only for names.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from joserfc.jwk import ECKey

from emulator import installation
from emulator.browser import seal
from emulator.installation import ADMIN_ROLE, USER_ROLE
from emulator.servicenow import Instance
from tests.fixtures.probe import ROOT
from tests.fixtures.servicenow import MID, MakePlatform
from tests.integration.emulator.shelf import build
from tests.servicenow.conftest import SCOPE, Desk

APP = ROOT / "servicenow-app"
RECORDS: list[dict[str, Any]] = json.loads((APP / "manifest.json").read_text())["records"]
SCRIPTS = [record["name"] for record in RECORDS if record["table"] == "sys_script_fix"]
INSTALLING = [script for script in SCRIPTS if not script.startswith(("00_", "99_"))]
SYS_ID = re.compile("[0-9a-f]{32}")

PASSWORD = "the password of a user"


def names(table: str, field: str = "name") -> list[str]:
    """Return a field of the manifest's records of a table."""
    return [record["fields"][field] for record in RECORDS if record["table"] == table]


TABLES = names("sys_db_object")

# -- 12 ------------------------------------------------------------------------------------------------------


def test_nothing_asks_for_a_push_channel_that_nobody_has(app_build: Path) -> None:
    """Regression 12: pages hear of changes over the record watcher, the one way that is documented."""
    unload = ET.fromstring(installation.update_set(app_build).read_bytes())
    texts = [
        text for row in unload.iter("payload") for text in ET.fromstring(str(row.text).encode())[0].itertext()
    ]

    assert not [text for text in texts if re.search(r"\bsn_amb\b|AmbulatoryMessageBus|\bwindow\.AMB\b", text)]
    assert any("spUtil.recordWatch(" in text for text in texts)


# -- 13 ------------------------------------------------------------------------------------------------------

OPERATIONS = {"create", "read", "write", "delete"}
#: Tables with rows of users, and the column that says whose.
OWNED = {"session": "user", "request": "user", "credential": "user", "output": "session.user"}


def allowed(user: str, table: str) -> set[str]:
    """Return what a user may do with a row of alice or of nobody; the app's own scripts are not held back."""
    if user == "admin":  # may mend, and reads no user's rows
        return OPERATIONS - {"read"} if table in OWNED else OPERATIONS
    reads = user == "alice" if table in OWNED else user == "keeper"
    return {"read"} if reads else set()


@pytest.fixture(scope="module")
def stocked(desk: Desk) -> Desk:
    """Return the app with a row of alice's in each table."""
    if not desk.instance.table("sys_user").rows("user_name=nobody"):
        desk.instance.create_user("nobody", desk.password, [])
    session = desk.session()
    desk.call("alice", "POST", f"/sessions/{session}/output", {"cursor": 0})
    piece = {
        "data": "YQ==",
        "encoding": "base64",
        "cursor": 0,
        "nextCursor": 1,
        "dropped": 0,
        "state": "running",
    }
    desk.reply("output", piece, session)
    desk.script("new ClaudeTerminalTable('claim').insert({queue_row: '0', attempt: 1, owner: 'mid-a/0'})")
    return desk


@pytest.mark.parametrize("user", ["alice", "bob", "keeper", "nobody", "admin"])
@pytest.mark.parametrize("table", [table.removeprefix(f"{SCOPE}_") for table in TABLES])
def test_each_operation_is_open_to_whom_it_should_be(stocked: Desk, table: str, user: str) -> None:
    """Regression 13: asked of the access rules themselves, with a row that is alice's or nobody's."""
    alice = stocked.users["alice"]
    query = f"{OWNED[table]}={alice}" if table in OWNED else ""
    may = stocked.instance.script(
        f"""(function () {{
            var row = new GlideRecord('{SCOPE}_{table}');
            row.addEncodedQuery('{query}'); row.setLimit(1); row.query();
            return row.next() && {{create: row.canCreate(), read: row.canRead(), write: row.canWrite(),
                'delete': row.canDelete()}};
        }})()""",
        user=user,
    )

    assert may, "there is no row to ask about"
    assert {operation for operation, granted in may.items() if granted} == allowed(user, table)


def test_every_name_of_a_rule_is_a_table_or_a_column(installed: Instance) -> None:
    """Regression 13: `table.read` would be a rule for a column called read, and the table stays open."""
    rules = [record["fields"] for record in RECORDS if record["table"] == "sys_security_acl"]
    there = {(row["name"], row["operation"]) for row in installed.table("sys_security_acl").rows()}

    for rule in rules:
        assert (rule["name"], rule["operation"]) in there
        if rule["type"] != "record":
            continue
        table, _, field = rule["name"].partition(".")
        assert table in TABLES
        assert not field or installed.table("sys_dictionary").rows(f"name={table}^element={field}"), rule[
            "name"
        ]
    closed = {(name, operation) for name in TABLES for operation in OPERATIONS}
    assert closed <= {(rule["name"], rule["operation"]) for rule in rules}


# -- 14 ------------------------------------------------------------------------------------------------------


def test_a_key_of_300_characters_is_kept_sealed_whole_and_never_shown(desk: Desk) -> None:
    """Regression 14: no column of ours cuts it, holds it in clear, or gives it away."""
    key = "sk-ant-" + "0123456789" * 29 + "abc"
    jwk = {**ECKey.generate_key("P-256").as_dict(private=False), "kid": "k" * 43}
    sealed = seal(
        {name: str(value) for name, value in jwk.items()}, key, desk.users["bob"], datetime.now(UTC)
    )
    made = desk.call(
        "bob", "POST", "/credentials", {"mid": MID, "sealed": sealed, "hint": "9abc", "kid": "k" * 43}
    )
    (row,) = desk.rows("credential", f"sys_id={made.body['credential']}")
    call = desk.last("credential.store")
    listed = desk.call("bob", "GET", "/credentials").body
    direct = desk.instance.signed_in("bob", desk.password).request(
        "GET", f"/api/now/table/{SCOPE}_credential/{row['sys_id']}"
    )
    desk.reply("credential.store", {"credentialId": "7b1d6a52-5a0c-4c1e-8f0b-9f2f6f3d1c11", "hint": "9abc"})

    assert len(key) == 300
    assert row["sealed"] == call.body["sealed"] == sealed
    for shown in (json.dumps(row), json.dumps(call.row), json.dumps(listed), direct.text):
        for form in (key, base64.b64encode(key.encode()).decode()):
            assert form not in shown
    assert sealed not in json.dumps(listed) + direct.text
    assert desk.rows("credential", f"sys_id={made.body['credential']}")[0]["sealed"] == ""


def test_no_column_of_ours_needs_a_password_type() -> None:
    """Regression 14: nothing the instance could open is stored, so there is nothing to write wrongly."""
    assert "password2" not in {
        record["fields"]["internal_type"] for record in RECORDS if record["table"] == "sys_dictionary"
    }
    text = "".join(file.read_text() for file in APP.rglob("*.js"))
    assert not re.search(r"GlideEncrypter|getDecryptedValue", text)


def test_a_password_column_keeps_300_characters_and_refuses_set_value(instance: Instance) -> None:
    """Regression 14: an app that does need one is held to the platform's way."""
    shelf = build(instance, "u_regression", {"word": {"internal_type": "password2", "max_length": "1000"}})
    secret = "k" * 300
    made = shelf.run(
        f"var row = new GlideRecord(TABLE); row.initialize(); row.word.setDisplayValue('{secret}');"
        "return row.insert();"
    )

    assert shelf.run(f"return one('{made}').word.getDecryptedValue();") == secret
    assert secret not in shelf.run(f"return one('{made}').getValue('word');")
    assert secret not in json.dumps(instance.table("u_regression").row(made))
    assert "password2" in shelf.refusal("new GlideRecord(TABLE).setValue('word', 'x');")


# -- 15 ------------------------------------------------------------------------------------------------------

#: What is taken away, and how the scripts name it when it is back.
TAKEN = {
    ("sys_dictionary", "name=x_claude_terminal_session^element=problem"): (
        "created sys_dictionary x_claude_terminal_session.problem"
    ),
    ("sys_security_acl", "name=x_claude_terminal_credential^operation=read"): (
        "created sys_security_acl x_claude_terminal_credential read"
    ),
    ("sys_user_role", f"name={ADMIN_ROLE}"): f"created sys_user_role {ADMIN_ROLE}",
}


@pytest.fixture
def damaged(make_platform: MakePlatform) -> Instance:
    """Return an instance whose app has lost a column, an access rule and a role; all its tables are there."""
    admin = make_platform(app=True).admin
    for table, query in TAKEN:
        admin.script(
            f"var row = new GlideRecord('{table}'); row.addEncodedQuery('{query}'); row.query();"
            "if (!row.next() || !row.deleteRecord()) { throw new Error('nothing to take'); }",
            elevated=True,
        )
    assert admin.script(f"gs.tableExists('{SCOPE}_session')") is True
    return admin


def test_what_is_missing_is_restored_although_the_tables_are_there(damaged: Instance) -> None:
    """Regression 15: exactly the column, the rule and the role, with what hangs on them; then nothing more."""
    first = [line for script in INSTALLING for line in damaged.fix(script)]
    second = [line for script in INSTALLING for line in damaged.fix(script)]

    created = {line for line in first if line.startswith("created ") and "unchanged" not in line}
    rest = created - set(TAKEN.values())
    assert set(TAKEN.values()) <= created
    # The links of what was deleted went with it.
    assert {line.split()[1] for line in rest} <= {"sys_security_acl_role", "sys_user_role_contains"}
    assert [line for line in first if line.startswith("updated ")] == []
    for table, query in TAKEN:
        assert len(damaged.table(table).rows(query)) == 1
    assert len(second) == len(INSTALLING)
    assert all(re.search(r"created 0, updated 0, unchanged \d+, failed 0", line) for line in second), second


def test_the_mended_app_works(damaged: Instance) -> None:
    """Regression 15: and it is not only named as before."""
    for script in INSTALLING:
        damaged.fix(script)
    damaged.create_user("erin", PASSWORD, [ADMIN_ROLE])
    erin = damaged.signed_in("erin", PASSWORD)

    assert erin.rest("GET", "/sessions").body == {"items": [], "total": 0, "limit": 20, "offset": 0}
    assert erin.rest("POST", "/sessions", {}).status == 503  # no MID Server runs


# -- 16 ------------------------------------------------------------------------------------------------------


def test_every_sys_id_of_the_set_is_one_and_the_only_one(app_build: Path) -> None:
    """Regression 16: 32 hex digits, also of what a record refers to."""
    unload = ET.fromstring(installation.update_set(app_build).read_bytes())
    own, seen = [], []
    for row in unload:
        own.append(row.findtext("sys_id", ""))
        payload = row.findtext("payload")
        if payload:
            record = ET.fromstring(payload.encode())[0]
            own.append(record.findtext("sys_id", ""))
            seen += [record.findtext(name, "") for name in ("sys_scope", "web_service_definition", "role")]

    assert all(SYS_ID.fullmatch(sys_id) for sys_id in own)
    assert len(own) == len(set(own))
    assert {sys_id for sys_id in seen if sys_id} <= {*own, "global"}


def test_every_file_of_the_app_is_in_the_set(app_build: Path) -> None:
    """Regression 16: nothing has to be copied by hand, no widget either."""
    unload = ET.fromstring(installation.update_set(app_build).read_bytes())
    texts = {
        text for row in unload.iter("payload") for text in ET.fromstring(str(row.text).encode())[0].itertext()
    }
    files = [file for file in APP.rglob("*") if file.suffix in {".js", ".html", ".css"}]

    assert {file.suffix for file in files} == {".js", ".html", ".css"}
    for file in files:
        assert file.read_text() in texts, file.name
    assert any("var ClaudeTerminalProbe = Class.create();" in text for text in texts)


def test_the_set_on_an_empty_instance_is_a_working_app(empty_instance: Instance, app_build: Path) -> None:
    """Regression 16: import, fix scripts, a user; a session is asked for, and its row waits for the MID Server."""
    installation.install(empty_instance, app_build)
    installation.use_mids(empty_instance, MID)
    empty_instance.table("ecc_agent").insert(name=MID, status="Up", validated="true")
    empty_instance.create_user("erin", PASSWORD, [USER_ROLE])
    erin = empty_instance.signed_in("erin", PASSWORD)

    asked = erin.rest("POST", f"/mids/{MID}/key")
    refused = erin.rest("POST", "/sessions", {})

    assert asked.status == 202, asked
    assert refused.status in {422, 503}, refused
    (row,) = empty_instance.table("ecc_queue").rows("queue=output^name=ClaudeTerminalProbe")
    assert row["state"] == "ready"
    assert empty_instance.table("ecc_agent_script_include").rows("name=ClaudeTerminalProbe^active=true")


def test_the_set_on_an_empty_instance_has_a_page_for_each_widget(
    empty_instance: Instance, app_build: Path
) -> None:
    """Regression 16: from the portal's address over its page down to what the widget's scripts need."""
    empty_instance.import_update_set(installation.update_set(app_build))

    portal = the(empty_instance, "sp_portal", "url_suffix=claude")
    menu = rows(empty_instance, "sp_rectangle_menu_item", f"sp_rectangle_menu={portal['sp_rectangle_menu']}")
    widgets = [widget_of(empty_instance, item["sp_page"]) for item in menu]

    assert portal["homepage"] == menu[0]["sp_page"]
    assert [widget["id"] for widget in widgets] == [
        "claude_terminal",
        "claude_credential_setup",
        "claude_admin",
    ]
    for widget in widgets:
        assert all(widget[column] for column in ("template", "client_script", "script", "css"))
        scripts = scripts_of(empty_instance, widget["sys_id"])
        assert [script["script_name"] for script in scripts[:3]] == ["xterm", "addon_fit", "Problem"]
        assert all(script["script"] and script["active"] in {"true", "1"} for script in scripts)


def rows(instance: Instance, table: str, query: str) -> list[dict[str, str]]:
    """Return the rows a query selects, in the order of their column `order`."""
    found = instance.table(table).rows(query)
    return sorted(found, key=lambda row: int(row.get("order") or 0))


def the(instance: Instance, table: str, query: str) -> dict[str, str]:
    """Return the one row a query selects."""
    (found,) = rows(instance, table, query)
    return found


def widget_of(instance: Instance, page: str) -> dict[str, str]:
    """Return the one widget on a page, as the platform finds it."""
    holder = page
    for table, outer in [
        ("sp_container", "sp_page"),
        ("sp_row", "sp_container"),
        ("sp_column", "sp_row"),
        ("sp_instance", "sp_column"),
    ]:
        found = the(instance, table, f"{outer}={holder}")
        holder = found["sys_id"]
    return the(instance, "sp_widget", f"sys_id={found['sp_widget']}")


def scripts_of(instance: Instance, widget: str) -> list[dict[str, str]]:
    """Return the UI scripts a widget is loaded with, in their order."""
    dependency = the(instance, "m2m_sp_widget_dependency", f"sp_widget={widget}")["sp_dependency"]
    ties = rows(instance, "m2m_sp_dependency_js_include", f"sp_dependency={dependency}")
    includes = [the(instance, "sp_js_include", f"sys_id={tie['sp_js_include']}") for tie in ties]
    return [the(instance, "sys_ui_script", f"sys_id={found['sys_ui_script']}") for found in includes]
