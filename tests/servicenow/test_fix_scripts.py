"""The fix scripts on an emulated instance: what is missing is restored, what is right stays, all of it can go."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emulator import installation
from emulator.servicenow import Instance, ScriptError
from tests.fixtures.servicenow import MakePlatform

SCRIPTS = [
    "01_create_terminal_session_table",
    "02_create_credentials_table",
    "03_create_system_properties",
    "04_create_acls",
    "05_create_scope_privileges",
    "06_complete_portal",
]
DRY = "var FIX_OPTIONS = {dryRun: true};"
REMOVE = "var FIX_OPTIONS = {remove: true};"


@pytest.fixture
def instance(make_platform: MakePlatform) -> Instance:
    """Return the administrator of an instance with the app, which the test may damage."""
    return make_platform(app=True).admin


def delete(instance: Instance, table: str, query: str) -> None:
    """Delete the rows a query selects; there must be some."""
    rows = instance.table(table).rows(query, fields="sys_id")
    assert rows, f"{table} has no row with {query}"
    for row in rows:
        instance.script(
            f"var row = new GlideRecord('{table}'); row.get('{row['sys_id']}'); row.deleteRecord();",
            elevated=True,
        )


def change(instance: Instance, table: str, query: str, **values: str) -> None:
    """Change the one row a query selects."""
    (row,) = instance.table(table).rows(query)
    for field, value in values.items():
        instance.script(
            f"var row = new GlideRecord('{table}'); row.get('{row['sys_id']}');"
            f"row.setValue('{field}', '{value}'); row.update();",
            elevated=True,
        )


def findings(instance: Instance) -> list[str]:
    """Return what the self-check finds, but for the MID Server, which does not run in these tests."""
    return [line for line in instance.fix("00_self_check")[:-1] if "x_claude_terminal.mids" not in line]


def sums(line: str) -> dict[str, int]:
    """Read the last line of a script."""
    return {what: int(number) for what, number in re.findall(r"(\w+) (\d+)", line)}


#: What is taken away → the script that restores it and the one line it prints about it.
DAMAGES = {
    "a column": (
        "sys_dictionary",
        "name=x_claude_terminal_session^element=mid_name",
        SCRIPTS[0],
        "created sys_dictionary x_claude_terminal_session.mid_name",
    ),
    "an index": (
        "sys_index",
        "name=x_claude_terminal_output_session_start",
        SCRIPTS[0],
        "created sys_index x_claude_terminal_output_session_start",
    ),
    "a column of the second script": (
        "sys_dictionary",
        "name=x_claude_terminal_credential^element=sealed",
        SCRIPTS[1],
        "created sys_dictionary x_claude_terminal_credential.sealed",
    ),
    "a property": (
        "sys_properties",
        "name=x_claude_terminal.keep_days",
        SCRIPTS[2],
        "created sys_properties x_claude_terminal.keep_days",
    ),
    "an access rule": (
        "sys_security_acl",
        "name=x_claude_terminal_audit^operation=read",
        SCRIPTS[3],
        "created sys_security_acl x_claude_terminal_audit read",
    ),
    "a privilege": (
        "sys_scope_privilege",
        "target_name=ecc_queue^operation=create",
        SCRIPTS[4],
        "created sys_scope_privilege ecc_queue create",
    ),
    "a page": ("sp_page", "id=claude_terminal", SCRIPTS[5], "created sp_page claude_terminal"),
    "a widget's place on its page": (
        "sp_instance",
        "sp_widget.id=claude_admin",
        SCRIPTS[5],
        "created sp_instance claude_admin",
    ),
    "what a widget needs": (
        "m2m_sp_widget_dependency",
        "sp_widget.id=claude_terminal",
        SCRIPTS[5],
        "created m2m_sp_widget_dependency claude_terminal needs Claude Terminal",
    ),
    "the portal": ("sp_portal", "url_suffix=claude", SCRIPTS[5], "created sp_portal claude"),
    "a module of the navigator": (
        "sys_app_module",
        "title=API keys",
        SCRIPTS[5],
        "created sys_app_module API keys",
    ),
}


class TestRepair:
    @pytest.mark.parametrize(("table", "query", "script", "line"), DAMAGES.values(), ids=DAMAGES)
    def test_what_is_missing_is_restored_and_nothing_else_is_touched(
        self, instance: Instance, table: str, query: str, script: str, line: str
    ) -> None:
        delete(instance, table, query)

        first, second = instance.fix(script), instance.fix(script)

        assert line in first
        assert sums(first[-1])["failed"] == 0
        assert len(instance.table(table).rows(query)) == 1
        assert [sums(second[-1])[what] for what in ("created", "updated", "failed")] == [0, 0, 0]
        assert len(second) == 1
        assert findings(instance) == []

    def test_a_role_comes_back_with_its_rules(self, instance: Instance) -> None:
        delete(instance, "sys_user_role", "name=x_claude_terminal.user")

        said = instance.fix("04_create_acls")

        assert "created sys_user_role x_claude_terminal.user" in said
        assert findings(instance) == []

    def test_a_whole_table_is_made_again(self, instance: Instance) -> None:
        delete(instance, "sys_db_object", "name=x_claude_terminal_audit")
        assert instance.script("gs.tableExists('x_claude_terminal_audit')") is False

        said = instance.fix(SCRIPTS[0])

        assert "created sys_db_object x_claude_terminal_audit" in said
        assert findings(instance) == []
        instance.script(
            "var row = new GlideRecord('x_claude_terminal_audit'); row.initialize();"
            "row.setValue('detail', 'x'); row.insert();"
        )
        assert instance.script("var row = new GlideRecord('x_claude_terminal_audit'); row.get('detail', 'x')")

    def test_a_column_lost_beside_a_table_that_is_there(self, instance: Instance) -> None:
        """A script that stops because the table exists would leave it half made."""
        delete(instance, "sys_dictionary", "name=x_claude_terminal_session^element=problem")
        delete(instance, "sys_dictionary", "name=x_claude_terminal_request^element=answer")

        assert sums(instance.fix(SCRIPTS[0])[-1])["created"] == 2
        instance.script(
            "var row = new GlideRecord('x_claude_terminal_session'); row.initialize();"
            "row.setValue('problem', 'x'); row.insert();"
        )
        stored = "var row = new GlideRecord('x_claude_terminal_session'); row.get('problem', 'x')"
        assert instance.script(stored) is True

    def test_what_differs_is_mended_and_told(self, instance: Instance) -> None:
        change(instance, "sys_properties", "name=x_claude_terminal.mids", description="wrong")

        said = instance.fix("03_create_system_properties")

        assert said[0].startswith(
            "updated sys_properties x_claude_terminal.mids: description wrong → Names of"
        )
        assert sums(said[-1])["updated"] == 1

    def test_a_rule_that_was_switched_off_is_switched_on(self, instance: Instance) -> None:
        query = "name=x_claude_terminal_session^operation=write"
        change(instance, "sys_security_acl", query, active="false")

        said = instance.fix("04_create_acls")

        assert said[0] == "updated sys_security_acl x_claude_terminal_session write: active 0 → true"
        assert instance.table("sys_security_acl").rows(query)[0]["active"] in {"true", "1"}

    def test_a_value_the_administrator_set_is_kept(self, instance: Instance) -> None:
        installation.set_property(instance, "x_claude_terminal.keep_days", "30")

        said = instance.fix("03_create_system_properties")

        assert sums(said[-1]) == {"created": 0, "updated": 0, "unchanged": 8, "failed": 0}
        (row,) = instance.table("sys_properties").rows("name=x_claude_terminal.keep_days")
        assert row["value"] == "30"

    def test_a_value_the_administrator_set_outlives_the_next_update_set(
        self, instance: Instance, app_build: Path
    ) -> None:
        installation.set_property(instance, "x_claude_terminal.sealing_keys", "a-key-id")

        instance.import_update_set(installation.update_set(app_build))

        (row,) = instance.table("sys_properties").rows("name=x_claude_terminal.sealing_keys")
        assert row["value"] == "a-key-id"

    def test_a_property_without_a_value_gets_its_default(self, instance: Instance) -> None:
        installation.set_property(instance, "x_claude_terminal.keep_days", "")

        said = instance.fix("03_create_system_properties")

        assert said[0] == "updated sys_properties x_claude_terminal.keep_days: value (empty) → 7"

    def test_what_was_made_by_hand_is_mended_and_not_doubled(self, instance: Instance) -> None:
        """A role under another sys_id is the same role; what refers to it follows."""
        delete(instance, "sys_user_role", "name=x_claude_terminal.user")
        instance.table("sys_user_role").insert(name="x_claude_terminal.user")

        instance.fix("04_create_acls")

        (role,) = instance.table("sys_user_role").rows("name=x_claude_terminal.user")
        (contained,) = instance.table("sys_user_role_contains").rows("role.name=x_claude_terminal.admin")
        assert contained["contains"] == role["sys_id"]
        assert instance.table("sys_security_acl_role").rows(f"sys_user_role={role['sys_id']}")
        assert "created 0, updated 0" in instance.fix("04_create_acls")[-1]


class TestTheLook:
    """A portal without a theme has no header; which theme is the company's, only the company knows."""

    def test_is_that_of_the_instance_s_own_portal(self, instance: Instance) -> None:
        theme = company_portal(instance)

        said = instance.fix(SCRIPTS[5])

        (ours,) = instance.table("sp_portal").rows("url_suffix=claude")
        (menu,) = instance.table("sp_instance_menu").rows(f"sys_id={ours['sp_rectangle_menu']}")
        assert ours["theme"] == theme
        assert menu["sp_widget"] == theme
        assert said[1:] == [
            "adopted from /sp: sp_portal theme",
            "adopted from /sp: sp_instance_menu sp_widget",
        ]
        assert len(instance.fix(SCRIPTS[5])) == 1

    def test_is_only_told_in_a_dry_run(self, instance: Instance) -> None:
        company_portal(instance)

        said = instance.fix(SCRIPTS[5], before=DRY)

        (ours,) = instance.table("sp_portal").rows("url_suffix=claude")
        assert ours["theme"] == ""
        assert "would adopt from /sp: sp_portal theme" in said

    def test_is_kept_where_the_administrator_has_chosen(self, instance: Instance) -> None:
        company_portal(instance)
        own = instance.table("sp_theme").insert(name="Ours")["sys_id"]
        change(instance, "sp_portal", "url_suffix=claude", theme=own, title="Assistant")

        instance.fix(SCRIPTS[5])

        (ours,) = instance.table("sp_portal").rows("url_suffix=claude")
        assert (ours["theme"], ours["title"]) == (own, "Assistant")


def company_portal(instance: Instance) -> str:
    """Make the portal that instances come with; return the id that is its theme's and its menu widget's."""
    theme = instance.table("sp_theme").insert(name="Stock")["sys_id"]
    menu = instance.table("sp_instance_menu").insert(title="Stock menu", sp_widget=theme)["sys_id"]
    instance.table("sp_portal").insert(
        title="Service Portal", url_suffix="sp", theme=theme, sp_rectangle_menu=menu
    )
    return theme


class TestSecondRun:
    @pytest.mark.parametrize("script", SCRIPTS)
    def test_changes_nothing(self, installed: Instance, script: str) -> None:
        said = installed.fix(script)

        assert len(said) == 1
        assert {what: n for what, n in sums(said[0]).items() if what != "unchanged"} == {
            "created": 0,
            "updated": 0,
            "failed": 0,
        }

    def test_leaves_the_self_check_nothing_to_find(self, installed: Instance) -> None:
        assert findings(installed) == []

    def test_the_update_set_again_changes_nothing(self, installed: Instance, app_build: Path) -> None:
        counts = installed.import_update_set(installation.update_set(app_build))

        assert (counts["inserted"], counts["updated"]) == (0, 0)


class TestDryRun:
    def test_tells_and_does_nothing(self, instance: Instance) -> None:
        query = "name=x_claude_terminal_session^element=mid_name"
        delete(instance, "sys_dictionary", query)

        said = instance.fix(SCRIPTS[0], before=DRY)

        assert said[0] == "would create sys_dictionary x_claude_terminal_session.mid_name"
        assert said[-1].startswith("dry run, nothing was done: created 1, updated 0, ")
        assert instance.table("sys_dictionary").rows(query) == []

    def test_of_access_rules_needs_no_elevation(self, installed: Instance) -> None:
        assert installed.fix("04_create_acls", elevated=False, before=DRY)[-1].startswith("dry run")


class TestElevation:
    @pytest.mark.parametrize(("script", "before"), [("04_create_acls", ""), ("99_uninstall", REMOVE)])
    def test_is_asked_for_before_anything_is_done(
        self, installed: Instance, script: str, before: str
    ) -> None:
        with pytest.raises(ScriptError, match="Elevate to security_admin first") as refused:
            installed.fix(script, elevated=False, before=before)

        assert refused.value.output == []


class TestSelfCheck:
    def test_names_what_is_wrong_and_what_mends_it(self, instance: Instance) -> None:
        delete(instance, "sys_security_acl", "name=x_claude_terminal_audit^operation=read")
        change(instance, "sys_script_include", "name=ClaudeTerminalBridge", script="var changed = 1;")

        said = instance.fix("00_self_check")

        assert "missing: sys_security_acl x_claude_terminal_audit read (mended by fix script 04)" in said
        assert (
            "differs: sys_script_include ClaudeTerminalBridge: script (mended by importing the update set again)"
            in said
        )

    def test_names_a_widget_and_what_it_needs(self, instance: Instance) -> None:
        delete(instance, "sp_widget", "id=claude_terminal")
        delete(instance, "sp_page", "id=claude_admin")
        delete(instance, "m2m_sp_dependency_js_include", "sp_js_include.display_name=x_claude_terminal.xterm")
        change(instance, "sp_css", "name=xterm", css="")

        said = instance.fix("00_self_check")

        again = "(mended by importing the update set again)"
        assert f"missing: sp_widget claude_terminal {again}" in said
        assert f"differs: sp_css xterm: css {again}" in said
        assert "missing: sp_page claude_admin (mended by fix script 06)" in said
        assert any(
            line.startswith("missing: m2m_sp_dependency_js_include Claude Terminal loads") for line in said
        )

    def test_names_a_rule_of_somebody_else(self, instance: Instance) -> None:
        instance.script(
            "var rule = new GlideRecord('sys_security_acl'); rule.initialize();"
            "rule.setValue('name', 'x_claude_terminal_credential'); rule.setValue('operation', 'read');"
            "rule.setValue('type', 'record'); rule.setValue('active', '1'); rule.insert();",
            elevated=True,
        )

        said = instance.fix("04_create_acls")

        assert said[-1] == "note: not of this application: sys_security_acl x_claude_terminal_credential read"

    def test_looks_at_the_mid_servers(self, instance: Instance) -> None:
        installation.use_mids(instance, "nobody")

        assert "x_claude_terminal.mids names nobody, and there is no MID Server of that name" in instance.fix(
            "00_self_check"
        )

    def test_looks_at_the_pollers_where_they_are_used(self, instance: Instance) -> None:
        installation.use_mids(instance, "poller-a,poller-b")
        installation.use_bridge(instance, "poller")
        instance.script(
            "(function (row) { row.initialize(); row.setValue('mid_name', 'poller-b'); row.setValue('bridge', 'poller');"
            "row.setValue('seen_at', '2026-01-01 00:00:00'); row.insert(); })"
            "(new GlideRecord('x_claude_terminal_mid_status'))"
        )

        said = "\n".join(instance.fix("00_self_check"))

        assert "x_claude_terminal.mids names poller-a, and no poller of that name runs" in said
        assert "the poller poller-b has not asked for work since 2026-01-01 00:00:00 UTC" in said


class TestUninstall:
    def test_without_the_switch_it_only_lists(self, installed: Instance) -> None:
        said = installed.fix("99_uninstall")

        assert "would remove sys_db_object x_claude_terminal_session" in said
        assert said[-1] == "Nothing was done. To do it, set REMOVE to true in the script."
        assert installed.table("sys_db_object").rows("nameSTARTSWITHx_claude_terminal_")

    def test_leaves_nothing_and_the_app_can_be_installed_again(
        self, instance: Instance, app_build: Path
    ) -> None:
        instance.create_user("jane", "a password of jane", ["x_claude_terminal.user"])
        (widget,) = instance.table("sp_widget").rows("id=claude_terminal")
        instance.table("sp_instance").insert(title="on a page of theirs", sp_widget=widget["sys_id"])

        said = instance.fix("99_uninstall", before=REMOVE)

        assert "failed 0" in said[-1]
        for table, query in LEFTOVERS.items():
            assert instance.table(table).rows(query) == [], table
        assert instance.script("gs.tableExists('x_claude_terminal_session')") is False
        done = installation.install(instance, app_build)
        assert all(sums(lines[-1])["failed"] == 0 for lines in done.printed.values())


#: Where something of the app could be left.
LEFTOVERS = {
    "sys_db_object": "nameSTARTSWITHx_claude_terminal",
    "sys_dictionary": "nameSTARTSWITHx_claude_terminal",
    "sys_index": "nameSTARTSWITHx_claude_terminal",
    "sys_properties": "nameSTARTSWITHx_claude_terminal",
    "sys_security_acl": "nameSTARTSWITHx_claude_terminal",
    "sys_user_role": "nameSTARTSWITHx_claude_terminal",
    "sys_user_has_role": "role.nameSTARTSWITHx_claude_terminal",
    "sys_script_include": "nameSTARTSWITHClaudeTerminal",
    "ecc_agent_script_include": "nameSTARTSWITHClaudeTerminal",
    "sys_script": "nameSTARTSWITHclaude-terminal",
    "sysauto_script": "nameSTARTSWITHclaude-terminal",
    "sysevent_script_action": "nameSTARTSWITHclaude-terminal",
    "sys_script_fix": "name=04_create_acls",
    "sys_ui_script": "nameSTARTSWITHx_claude_terminal",
    "sys_app_application": "name=x_claude_terminal",
    "sys_app_module": "queryLIKEclaude",
    "sp_widget": "idSTARTSWITHclaude_",
    "sp_page": "idSTARTSWITHclaude_",
    "sp_portal": "url_suffix=claude",
    "sp_container": "",
    "sp_row": "",
    "sp_column": "",
    "sp_instance": "",
    "sp_instance_menu": "",
    "sp_rectangle_menu_item": "",
    "sp_css": "",
    "sp_css_include": "",
    "sp_js_include": "",
    "sp_dependency": "",
    "m2m_sp_dependency_css_include": "",
    "m2m_sp_dependency_js_include": "",
    "m2m_sp_widget_dependency": "",
    "sys_ws_definition": "namespace=x_claude_terminal",
    "sys_app": "scope=x_claude_terminal",
}
