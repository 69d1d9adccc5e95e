"""Access rules: who may do what with which row and field."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from emulator.servicenow import Instance
from tests.integration.emulator.shelf import Shelf, build

OPERATIONS = ["create", "read", "write", "delete"]
USER, OTHER = "plain.user", "other.user"
PASSWORD = "a password for the test"

MakeShelf = Callable[[str], Shelf]


@pytest.fixture(scope="module")
def desk(instance: Instance) -> Instance:
    instance.table("sys_user_role").insert(name="u_role")
    instance.create_user(USER, PASSWORD, ["u_role"])
    instance.create_user(OTHER, PASSWORD)
    return instance


@pytest.fixture(scope="module")
def make_shelf(desk: Instance) -> MakeShelf:
    def make(table: str) -> Shelf:
        shelf = build(
            desk,
            table,
            {
                "title": "string",
                "secret": "string",
                "owner": {"internal_type": "reference", "reference": "sys_user"},
            },
        )
        shelf.run(f"""
            ['{USER}', '{OTHER}'].forEach(function (name) {{
                var user = new GlideRecord('sys_user');
                user.get('user_name', name);
                fill({{title: name, secret: 's', owner: user.getUniqueValue()}});
            }});
        """)
        return shelf

    return make


def rule(instance: Instance, name: str, operation: str, role: str = "", **fields: str) -> None:
    """Make an access rule, as a security administrator."""
    values = {"name": name, "operation": operation, "type": "record", "active": "true", **fields}
    instance.script(
        f"""
        var rule = new GlideRecord('sys_security_acl');
        rule.initialize();
        var values = {json.dumps(values)};
        for (var column in values) {{
            rule.setValue(column, values[column]);
        }}
        var sysId = rule.insert();
        var role = new GlideRecord('sys_user_role');
        if (role.get('name', '{role}')) {{
            var needs = new GlideRecord('sys_security_acl_role');
            needs.initialize();
            needs.setValue('sys_security_acl', sysId);
            needs.setValue('sys_user_role', role.getUniqueValue());
            needs.insert();
        }}
        """,
        elevated=True,
    )


def allowed(shelf: Shelf, user: str) -> list[bool]:
    found: list[bool] = shelf.run(
        """
        var record = new GlideRecord(TABLE);
        record.setLimit(1);
        record.query();
        record.next();
        return [record.canCreate(), record.canRead(), record.canWrite(), record.canDelete()];
        """,
        user=user,
    )
    return found


def secured(shelf: Shelf, user: str, column: str = "title") -> list[str | None]:
    found: list[str | None] = shelf.run(
        f"""
        var record = new GlideRecordSecure(TABLE);
        record.orderBy('title');
        return found(record, '{column}');
        """,
        user=user,
    )
    return found


def test_without_a_rule_of_its_own_a_table_is_open_to_administrators_only(make_shelf: MakeShelf) -> None:
    shelf = make_shelf("u_denied")

    assert allowed(shelf, USER) == [False] * 4
    assert allowed(shelf, "admin") == [True] * 4


@pytest.mark.parametrize("operation", OPERATIONS)
def test_one_rule_opens_one_operation_to_its_role(make_shelf: MakeShelf, operation: str) -> None:
    shelf = make_shelf(f"u_opens_{operation}")
    rule(shelf.instance, shelf.table, operation, "u_role")

    assert allowed(shelf, USER) == [operation == one for one in OPERATIONS]
    assert allowed(shelf, OTHER) == [False] * 4


def test_a_rule_named_table_dot_read_protects_a_field_called_read(make_shelf: MakeShelf) -> None:
    shelf = make_shelf("u_misnamed")
    rule(shelf.instance, "u_misnamed.read", "read", "u_role")

    assert allowed(shelf, USER) == [False] * 4


def test_an_inactive_rule_does_not_count(make_shelf: MakeShelf) -> None:
    shelf = make_shelf("u_inactive")
    rule(shelf.instance, "u_inactive", "read", "u_role", active="false")

    assert secured(shelf, USER) == []


def test_one_of_several_rules_of_a_name_is_enough(make_shelf: MakeShelf) -> None:
    shelf = make_shelf("u_several")
    rule(shelf.instance, "u_several", "read", "admin")
    rule(shelf.instance, "u_several", "read", "u_role")

    assert secured(shelf, USER) == [OTHER, USER]


def test_a_condition_lets_only_matching_rows_pass(make_shelf: MakeShelf) -> None:
    shelf = make_shelf("u_condition")
    rule(shelf.instance, "u_condition", "read", "u_role", condition="owner=javascript:gs.getUserID()")

    assert secured(shelf, USER) == [USER]


def test_a_script_decides_row_by_row(make_shelf: MakeShelf) -> None:
    shelf = make_shelf("u_script")
    script = "answer = current.getValue('owner') === gs.getUserID();"
    rule(shelf.instance, "u_script", "read", advanced="true", script=script)

    assert secured(shelf, USER) == [USER]
    assert secured(shelf, OTHER) == [OTHER]


def test_a_script_that_fails_refuses_and_is_logged(make_shelf: MakeShelf) -> None:
    shelf = make_shelf("u_failing")
    rule(shelf.instance, "u_failing", "read", advanced="true", script="answer = current.no_such_column == 1;")

    assert secured(shelf, USER) == []
    assert any("script of u_failing read failed" in line for line in shelf.instance.log())


def test_administrators_pass_role_checks_but_not_scripts_without_override(make_shelf: MakeShelf) -> None:
    shelf = make_shelf("u_override")
    rule(shelf.instance, "u_override", "read", "u_role", admin_overrides="false")
    rule(
        shelf.instance,
        "u_override",
        "write",
        admin_overrides="false",
        advanced="true",
        script="answer = false;",
    )
    rule(
        shelf.instance,
        "u_override",
        "delete",
        admin_overrides="true",
        advanced="true",
        script="answer = false;",
    )

    assert allowed(shelf, "admin") == [True, True, False, True]


def test_a_field_needs_the_row_and_its_own_rule(make_shelf: MakeShelf) -> None:
    shelf = make_shelf("u_field")
    rule(shelf.instance, "u_field", "read")
    rule(shelf.instance, "u_field.secret", "read", "u_role")

    assert secured(shelf, USER, "secret") == ["s", "s"]
    assert secured(shelf, OTHER, "secret") == [None, None]
    assert secured(shelf, OTHER, "title") == [OTHER, USER]


def test_a_field_rule_opens_no_row(make_shelf: MakeShelf) -> None:
    shelf = make_shelf("u_field_only")
    rule(shelf.instance, "u_field_only.secret", "read", "u_role")

    assert secured(shelf, USER, "secret") == []


def test_a_rule_for_all_fields_gives_way_to_one_for_the_field(make_shelf: MakeShelf) -> None:
    shelf = make_shelf("u_all_fields")
    rule(shelf.instance, "u_all_fields", "read")
    rule(shelf.instance, "u_all_fields.*", "read", "admin")
    rule(shelf.instance, "u_all_fields.title", "read", "u_role")

    assert secured(shelf, USER, "secret") == [None, None]
    assert secured(shelf, USER, "title") == [OTHER, USER]


def test_plain_glide_record_in_a_server_script_is_not_held_back(make_shelf: MakeShelf) -> None:
    shelf = make_shelf("u_plain")

    assert shelf.run("return found(new GlideRecord(TABLE), 'secret');", user=OTHER) == ["s", "s"]


def test_secure_writes_that_are_not_allowed_answer_null_and_change_nothing(make_shelf: MakeShelf) -> None:
    shelf = make_shelf("u_secure")
    rule(shelf.instance, "u_secure", "read")
    answer = shelf.run(
        """
        var record = new GlideRecordSecure(TABLE);
        record.query();
        record.next();
        record.setValue('title', 'changed');
        var updated = record.update();
        var message = record.getLastErrorMessage();
        var deleted = record.deleteRecord();
        var other = new GlideRecordSecure(TABLE);
        other.initialize();
        other.setValue('title', 'inserted');
        return [updated, message, deleted, other.insert()];
        """,
        user=OTHER,
    )
    left = shelf.run("return found(new GlideRecord(TABLE), 'title');")

    assert [answer[0], answer[2], answer[3]] == [None, False, None]
    assert "not allowed" in answer[1]
    assert left == [USER, OTHER]


def test_secure_writes_that_are_allowed_happen(make_shelf: MakeShelf) -> None:
    shelf = make_shelf("u_permitted")
    for operation in OPERATIONS:
        rule(shelf.instance, "u_permitted", operation, "u_role")
    rule(shelf.instance, "u_permitted.secret", "write", "admin")
    answer = shelf.run(
        """
        var record = new GlideRecordSecure(TABLE);
        record.initialize();
        record.setValue('title', 'mine');
        var sysId = record.insert();
        record.setValue('title', 'changed');
        record.setValue('secret', 'changed');
        record.update();
        var seen = [one(sysId).getValue('title'), one(sysId).getValue('secret')];
        return seen.concat([record.deleteRecord()]);
        """,
        user=USER,
    )

    assert answer == ["changed", None, True]


def test_a_row_cannot_be_made_ones_own_by_claiming_it(make_shelf: MakeShelf) -> None:
    """A write is judged by the row as it is stored, not by what the script would make of it."""
    shelf = make_shelf("u_claimed")
    rule(shelf.instance, "u_claimed", "read")
    rule(shelf.instance, "u_claimed", "write", condition="owner=javascript:gs.getUserID()")
    updated = shelf.run(
        f"""
        var record = new GlideRecordSecure(TABLE);
        record.get('title', '{USER}');
        record.setValue('owner', gs.getUserID());
        return record.update();
        """,
        user=OTHER,
    )

    assert updated is None


def test_secure_records_are_told_apart(make_shelf: MakeShelf) -> None:
    shelf = make_shelf("u_kinds")

    assert shelf.run("""
        var secure = new GlideRecordSecure(TABLE);
        return [secure instanceof GlideRecordSecure, '' + secure, new GlideRecord(TABLE) instanceof GlideRecordSecure];
    """) == [True, "[object GlideRecordSecure]", False]


@pytest.mark.parametrize("table", ["sys_security_acl", "sys_security_acl_role"])
def test_access_rules_are_written_with_elevation_only(desk: Instance, table: str) -> None:
    source = """
        var record = new GlideRecord(TABLE);
        record.initialize();
        return [record.insert() !== null, record.getLastErrorMessage()];
    """
    refused, message = Shelf(desk, table).run(source)
    made, _ = Shelf(desk, table).run(source, elevated=True)

    assert (refused, made) == (False, True)
    assert "elevation to security_admin" in message


def test_the_role_security_admin_is_held_while_elevated_only(desk: Instance) -> None:
    source = "gs.hasRole('security_admin');"

    assert [desk.script(source), desk.script(source, elevated=True)] == [False, True]


WRITES = {
    "create": "record.insert() !== null",
    "write": "(record.get('title', 'plain.user'), record.setValue('secret', 'x'), record.update() !== null)",
    "delete": "(record.get('title', 'plain.user'), record.deleteRecord())",
}


@pytest.mark.parametrize("operation", WRITES)
def test_another_scope_needs_a_privilege_to_write(make_shelf: MakeShelf, operation: str) -> None:
    shelf = make_shelf(f"u_scoped_{operation}")
    source = (
        f"var record = new GlideRecord(TABLE); return [{WRITES[operation]}, record.getLastErrorMessage()];"
    )
    app = shelf.instance.table("sys_app").insert(name="Another", scope=f"x_{operation}")
    refused = shelf.run(source, scope=f"x_{operation}")
    shelf.instance.table("sys_scope_privilege").insert(
        source_scope=app["sys_id"],
        target_name=shelf.table,
        target_type="sys_db_object",
        operation=operation,
        status="allowed",
    )

    assert refused[0] is False
    assert "cross-scope access policy" in refused[1]
    assert shelf.run(source, scope=f"x_{operation}")[0] is True
