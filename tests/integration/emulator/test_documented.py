"""What the documentation lists is there by its name, and what it says not to use is not."""

from __future__ import annotations

import json
import re

import pytest

from emulator.servicenow import Instance
from tests.fixtures.probe import ROOT
from tests.integration.emulator.shelf import Shelf, build

RECORD = [
    "get", "addQuery", "addEncodedQuery", "addNullQuery", "addNotNullQuery", "addActiveQuery", "orderBy",
    "orderByDesc", "setLimit", "chooseWindow", "query", "_query", "next", "_next", "hasNext", "getRowCount",
    "setQueryReferences", "initialize", "newRecord", "insert", "update", "updateMultiple", "deleteRecord",
    "deleteMultiple", "setNewGuidValue", "setWorkflow", "autoSysFields", "setAbortAction", "getValue",
    "setValue", "getDisplayValue", "getUniqueValue", "getElement", "getTableName", "getLastErrorMessage",
    "operation", "isValid", "isValidField", "isValidRecord", "isNewRecord", "canRead", "canWrite", "canCreate",
    "canDelete",
]  # fmt: skip
ELEMENT = [
    "changes", "changesFrom", "changesTo", "nil", "setDisplayValue", "getDecryptedValue", "getRefRecord", "toString",
]  # fmt: skip
OPERATION_FIELDS = {
    "active", "http_method", "relative_path", "operation_uri", "operation_script", "enforce_acl",
    "requires_authentication", "requires_acl_authorization", "requires_snc_internal_role", "consumes", "produces",
    "web_service_definition",
}  # fmt: skip


@pytest.fixture(scope="module")
def shelf(instance: Instance) -> Shelf:
    return build(instance, "u_documented", {"title": "string"})


@pytest.mark.parametrize("kind", ["GlideRecord", "GlideRecordSecure"])
def test_every_method_of_a_record_is_there(shelf: Shelf, kind: str) -> None:
    names = json.dumps(RECORD)
    missing = shelf.run(f"""
        var record = new {kind}(TABLE);
        return {names}.filter(function (name) {{ return typeof record[name] !== 'function'; }});
    """)

    assert missing == []


def test_every_member_of_an_element_is_there(shelf: Shelf) -> None:
    names = json.dumps(ELEMENT)
    missing = shelf.run(f"""
        var element = one(fill({{title: 'x'}})).title;
        return {names}.filter(function (name) {{ return typeof element[name] !== 'function'; }});
    """)

    assert missing == []


def test_the_names_that_a_column_cannot_hide_do_the_same(shelf: Shelf) -> None:
    found = shelf.run("""
        fill({title: 'underscored'});
        var record = new GlideRecord(TABLE);
        record.addQuery('title', 'underscored');
        record._query();
        return [record._next(), record.getValue('title'), record._next()];
    """)

    assert found == [True, "underscored", False]


def test_a_condition_is_what_add_query_returns(shelf: Shelf) -> None:
    assert (
        shelf.run("return typeof new GlideRecord(TABLE).addQuery('title', 'x').addOrCondition;") == "function"
    )


def test_a_resource_has_the_fields_of_an_export(instance: Instance) -> None:
    columns = instance.table("sys_dictionary").rows("name=sys_ws_operation", fields="element")

    assert {row["element"] for row in columns} >= OPERATION_FIELDS


def test_every_resource_of_ours_is_one_function_that_is_called() -> None:
    """The platform runs what the wrapper returns, so nothing may stand behind it."""
    shape = re.compile(
        r"(//[^\n]*\n)*\(function process\(request, response\) \{\n.*\n\}\)\(request, response\);\n",
        re.DOTALL,
    )
    files = list((ROOT / "servicenow-app" / "rest").glob("*.js"))

    assert files
    for file in files:
        text = file.read_text()
        assert shape.fullmatch(text), file.name
        assert text.count("function process") == 1, file.name


def test_a_view_is_taken_and_changes_nothing(shelf: Shelf) -> None:
    """Forms and their views do not exist here."""
    shelf.run("fill({title: 'viewed'});")
    path = "/api/now/table/u_documented?sysparm_query=title=viewed"
    plain = shelf.instance.request("GET", path).json()["result"]

    assert plain
    assert shelf.instance.request("GET", f"{path}&sysparm_view=mobile").json()["result"] == plain


@pytest.mark.parametrize("scope", ["global", "x_one"])
@pytest.mark.parametrize("name", ["GlideEncrypter", "sn_ws"])
def test_what_is_not_provided_is_refused_by_its_name(instance: Instance, name: str, scope: str) -> None:
    """GlideEncrypter is off on new instances; outbound REST by RESTMessageV2 is not emulated."""
    error = instance.attempt(f"{name}.anything;", scope=scope).error

    assert f'"{name}" is not defined' in str(error)


def test_a_display_rule_is_refused_in_the_log(shelf: Shelf) -> None:
    shelf.instance.table("sys_script").insert(
        name="Shown", collection="u_documented", when="display", action_query="false", active="true",
        advanced="true", script="current.title = 'shown';",
    )  # fmt: skip
    sys_id = shelf.run("return fill({title: 'as it was'});")

    assert shelf.instance.table("u_documented").row(sys_id)["title"] == "as it was"
    assert any("it has no forms" in line for line in shelf.instance.log())
