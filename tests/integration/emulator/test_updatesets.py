"""Retrieved update sets: load, preview, commit. [ELIN export, t_PreviewARemoteUpdateSet, t_CreateAnACLRule]"""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

import pytest

from emulator.servicenow import Instance
from tests.integration.emulator.updates import (
    Fields,
    UpdateSet,
    commit,
    control,
    load,
    preview,
    sys_id,
    table_of,
)


def counts(inserted: int = 0, updated: int = 0, unchanged: int = 0, deleted: int = 0) -> dict[str, Any]:
    return {
        "state": "committed",
        "inserted": inserted,
        "updated": updated,
        "unchanged": unchanged,
        "deleted": deleted,
    }


# -- loading -------------------------------------------------------------------------------------------------


def test_a_loaded_set_is_kept_and_nothing_takes_effect(instance: Instance) -> None:
    update_set = UpdateSet("kept")
    update_set.add("sys_properties", name="set.kept", value="1", type="string")

    answer = load(instance, update_set.text)

    assert answer.json() == {"sys_id": update_set.id, "state": "loaded", "records": 1}
    assert instance.table("sys_remote_update_set").row(update_set.id)["state"] == "loaded"
    assert len(instance.table("sys_update_xml").rows(f"remote_update_set={update_set.id}")) == 1
    assert instance.table("sys_properties").rows("name=set.kept") == []


def test_loading_it_again_replaces_it(instance: Instance) -> None:
    update_set = UpdateSet("again")
    update_set.add("sys_properties", name="set.again", value="1")
    load(instance, update_set.text)
    update_set.updates.clear()

    load(instance, update_set.text)

    assert instance.table("sys_update_xml").rows(f"remote_update_set={update_set.id}") == []


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("<unload", "<unloaded", "is not well-formed XML"),
        ("unload>", "other>", "is not well-formed XML"),
        ("<category>customer</category>", "<kind>x</kind>", "sys_update_xml has no column kind"),
        ("REMOTE", "a" * 32, "belongs to the update set"),
        ("UPDATE", "update_app_001", 'sys_id "update_app_001", which is not 32 hex digits'),
        ("UPDATE", "A" * 32, "which is not 32 hex digits"),
    ],
    ids=["start", "end", "column", "other set", "sys_id", "upper case"],
)
def test_a_malformed_set_is_refused(instance: Instance, before: str, after: str, expected: str) -> None:
    update_set = UpdateSet("malformed")
    update_set.add("sys_properties", name="set.malformed", value="1")
    update = update_set.updates[0]
    words = {"REMOTE": update["remote_update_set"] + "</remote", "UPDATE": update["sys_id"]}
    tail = "</remote" if before == "REMOTE" else ""

    answer = load(instance, update_set.text.replace(words.get(before, before), after + tail))

    assert answer.status_code in (400, 422)
    assert expected in answer.json()["error"]["detail"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<xml/>", "not <unload>"),
        ("<unload/>", "0 sys_remote_update_set instead of one"),
        ("<unload><sys_user/></unload>", "<sys_user> does not belong"),
        ("<!DOCTYPE a [<!ENTITY b 'c'>]><unload>&b;</unload>", "document type"),
    ],
    ids=["other", "empty", "record", "doctype"],
)
def test_what_is_no_update_set_is_refused(instance: Instance, text: str, expected: str) -> None:
    answer = load(instance, text)

    assert answer.status_code in (400, 422)
    assert expected in answer.json()["error"]["detail"]


def test_the_same_update_twice_is_refused(instance: Instance) -> None:
    update_set = UpdateSet("twice")
    update_set.add("sys_properties", name="set.twice", value="1")
    update_set.updates *= 2

    assert "two updates have the sys_id" in load(instance, update_set.text).json()["error"]["detail"]


# -- preview -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("table", "fields", "expected"),
    [
        ("u_nothing", {"name": "a"}, "there is no table u_nothing"),
        ("sys_properties", {"colour": "a"}, "table sys_properties has no column colour"),
        ("sys_properties", {"sys_id": "property_1"}, 'the record has the sys_id "property_1"'),
        (
            "sys_ws_operation",
            {"name": "a", "web_service_definition": "b" * 32},
            "could not find a record in sys_ws_definition for column web_service_definition",
        ),
    ],
    ids=["table", "column", "sys_id", "reference"],
)
def test_problems_are_named(instance: Instance, table: str, fields: Fields, expected: str) -> None:
    update_set = UpdateSet(f"problem {expected}")
    update_set.add(table, **fields)

    problems = preview(instance, update_set)
    refused = control(instance, f"/{update_set.id}/commit", json={})

    assert len(problems) == 1
    assert expected in problems[0]
    assert refused.status_code == 409
    kept = instance.table("sys_update_preview_problem").rows(f"remote_update_set={update_set.id}")
    assert [row["description"] for row in kept] == problems


@pytest.mark.parametrize(
    ("payload", "expected"),
    [("<database/>", "only <record_update> can be imported"), ("<record_update", "not well-formed")],
    ids=["other", "broken"],
)
def test_a_payload_that_cannot_be_read_is_a_problem(instance: Instance, payload: str, expected: str) -> None:
    update_set = UpdateSet(f"payload {payload}")
    update_set.add_payload("sys_properties_x", payload)

    assert expected in preview(instance, update_set)[0]


def test_a_set_has_to_be_previewed_first(instance: Instance) -> None:
    update_set = UpdateSet("hasty")
    update_set.add("sys_properties", name="set.hasty", value="1")
    load(instance, update_set.text)

    answer = control(instance, f"/{update_set.id}/commit", json={})

    assert answer.status_code == 409
    assert "previewed first" in answer.json()["error"]["message"]


@pytest.mark.parametrize("which", ["nothing", "0" * 32], ids=["malformed", "unknown"])
def test_an_unknown_set_is_404(instance: Instance, which: str) -> None:
    assert control(instance, f"/{which}/preview").status_code == 404


# -- commit --------------------------------------------------------------------------------------------------


def test_a_set_brings_tables_columns_and_what_uses_them_in_any_order(instance: Instance) -> None:
    update_set = UpdateSet("whole")
    rule = "current.setValue('name', 'ruled');"
    update_set.add("sys_script", name="rule", collection="u_set", when="before", action_insert="true",
                   active="true", script=rule)  # fmt: skip
    table_of(update_set, "u_set", {"name": "string", "open": "boolean"})
    update_set.add(
        "sys_index",
        logical_table_name="u_set",
        name="u_set_name",
        col_name_string="name",
        unique_index="true",
    )

    done = commit(instance, update_set)

    assert done == counts(inserted=6)
    row = instance.table("u_set").insert(name="a", open="true")
    assert (row["name"], row["open"]) == ("ruled", "true")
    assert instance.request("POST", "/api/now/table/u_set", json={}).status_code == 403


def test_a_second_commit_changes_nothing_and_a_newer_one_what_differs(instance: Instance) -> None:
    update_set = UpdateSet("second")
    same = update_set.add(
        "sys_properties", name="set.same", value="<&>", sys_updated_on="2020-01-01 00:00:00"
    )
    update_set.add("sys_properties", name="set.other", value="1", sys_id=sys_id("other"))
    commit(instance, update_set)
    before = instance.table("sys_properties").row(same)

    second = commit(instance, update_set)
    update_set.updates.pop()
    update_set.add("sys_properties", name="set.other", value="2", sys_id=sys_id("other"))
    third = commit(instance, update_set)

    assert (second, third) == (counts(unchanged=2), counts(updated=1, unchanged=1))
    assert instance.table("sys_properties").row(same) == before
    assert instance.script("gs.getProperty('set.same') + gs.getProperty('set.other')") == "<&>2"


def test_what_is_there_under_another_sys_id_is_the_same(instance: Instance) -> None:
    there = instance.table("sys_properties").insert(name="set.there", value="old")
    update_set = UpdateSet("coalesce")
    update_set.add("sys_properties", name="set.there", value="new")

    done = commit(instance, update_set)

    assert done == counts(updated=1)
    assert instance.table("sys_properties").rows("name=set.there")[0]["sys_id"] == there["sys_id"]


def test_records_can_be_deleted(instance: Instance) -> None:
    there = instance.table("sys_script_include").insert(name="Gone", script="var Gone = 1;", active="true")
    update_set = UpdateSet("delete")
    update_set.add("sys_script_include", "DELETE", name="Gone", sys_id=there["sys_id"])

    done = commit(instance, update_set)

    assert done == counts(deleted=1)
    assert instance.table("sys_script_include").rows("name=Gone") == []


def test_all_of_it_takes_effect_or_nothing(instance: Instance) -> None:
    update_set = UpdateSet("atomic")
    update_set.add("sys_properties", name="set.atomic", value="1")
    update_set.add("sys_script_include", name="Undone", active="true", script="var Undone = 1;")
    table_of(update_set, "u_atomic", {"name": "no_such_type"})

    assert preview(instance, update_set) == []
    answer = control(instance, f"/{update_set.id}/commit", json={})

    assert answer.status_code == 422
    assert "no_such_type" in answer.json()["error"]["detail"]
    assert instance.table("sys_properties").rows("name=set.atomic") == []
    assert instance.script("gs.tableExists('u_atomic')") is False
    assert instance.script("typeof Undone") == "undefined"


def test_access_controls_need_elevation(instance: Instance) -> None:
    update_set = UpdateSet("acl")
    update_set.add("sys_security_acl", name="sys_choice", operation="read", type="record", active="true")
    assert preview(instance, update_set) == []

    refused = control(instance, f"/{update_set.id}/commit", json={})

    assert refused.status_code == 403
    assert "security_admin" in refused.json()["error"]["detail"]
    assert commit(instance, update_set, elevated=True) == counts(inserted=1)


def test_a_nested_cdata_section_arrives_whole(instance: Instance) -> None:
    script = "var Nested = function () { return ']]>' + (1 < 2) + '&amp;'; };"
    inner = script.replace("]]>", "]]]]><![CDATA[>")
    payload = (
        '<?xml version="1.0" encoding="UTF-8"?><record_update table="sys_script_include">'
        '<sys_script_include action="INSERT_OR_UPDATE"><name>Nested</name><active>true</active>'
        f"<script><![CDATA[{inner}]]></script><sys_id>{sys_id('nested')}</sys_id></sys_script_include></record_update>"
    )
    update_set = UpdateSet("nested")
    update_set.add_payload("sys_script_include_nested", payload)
    outer = payload.replace("]]>", "]]]]><![CDATA[>")
    text = update_set.text.replace(
        f"<payload>{escape(payload)}</payload>", f"<payload><![CDATA[{outer}]]></payload>"
    )

    loaded = control(instance, "", data=text.encode())
    control(instance, f"/{loaded.json()['sys_id']}/preview")
    done = control(instance, f"/{loaded.json()['sys_id']}/commit", json={})

    assert done.json() == counts(inserted=1)
    assert instance.script("Nested()") == "]]>true&amp;"


def test_an_application_is_a_scope_for_what_comes_with_it(instance: Instance) -> None:
    update_set = UpdateSet("app")
    app = update_set.add("sys_app", name="Set app", scope="x_set", version="1.0.0")
    update_set.add("sys_script_include", name="Scoped", active="true", sys_scope=app, access="public",
                   script="var Scoped = function () { return gs.nil(''); };")  # fmt: skip

    done = commit(instance, update_set)

    assert done == counts(inserted=2)
    assert instance.script("Scoped()", scope="x_set") is True
    assert instance.script("x_set.Scoped()") is True


def test_the_set_says_what_became_of_it(instance: Instance) -> None:
    update_set = UpdateSet("said")
    update_set.add("sys_properties", name="set.said", value="1")

    commit(instance, update_set)

    row = instance.table("sys_remote_update_set").row(update_set.id)
    assert (row["state"], row["inserted"], row["updated"], row["deleted"]) == ("committed", "1", "0", "0")
    assert row["commit_date"]
