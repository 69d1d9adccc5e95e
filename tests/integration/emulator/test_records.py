"""GlideRecord writes and reads rows as the platform does."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from emulator.servicenow import Instance
from tests.integration.emulator.shelf import Shelf, build

SYS_ID = re.compile(r"[0-9a-f]{32}")


@pytest.fixture(scope="module")
def shelf(instance: Instance) -> Shelf:
    return build(
        instance,
        "u_records",
        {
            "title": {"internal_type": "string", "max_length": "10"},
            "code": {"internal_type": "string", "max_length": "40", "unique": "true"},
            "count": {"internal_type": "integer", "default_value": "7"},
            "open": "boolean",
            "due": "glide_date_time",
            "owner": {"internal_type": "reference", "reference": "sys_user"},
            "notes": {"internal_type": "string", "max_length": "4000"},
        },
    )


def test_insert_returns_the_sys_id_and_fills_what_every_row_has(shelf: Shelf) -> None:
    row = shelf.run("""
        var record = one(fill({title: 'a'}));
        return ['sys_id', 'sys_created_by', 'sys_updated_by', 'sys_mod_count', 'sys_created_on',
            'sys_updated_on'].map(function (name) { return record.getValue(name); });
    """)

    assert SYS_ID.fullmatch(row[0])
    assert row[1:4] == ["admin", "admin", "0"]
    assert row[4] == row[5]
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", row[4])


def test_defaults_fill_what_was_not_set_and_only_that(shelf: Shelf) -> None:
    values = shelf.run("""
        return [one(fill({title: 'a'})), one(fill({title: 'b', count: ''})), one(fill({count: 3}))].map(
            function (record) { return record.getValue('count'); });
    """)

    assert values == ["7", None, "3"]


def test_a_default_may_be_computed(instance: Instance) -> None:
    computed = {"internal_type": "string", "max_length": "40", "default_value": "javascript:gs.getUserName()"}
    shelf = build(instance, "u_computed", {"who": computed})

    assert shelf.run("return one(fill({})).getValue('who');") == "admin"


def test_get_value_is_a_string_or_null(shelf: Shelf) -> None:
    kinds = shelf.run("""
        var record = one(fill({title: 'x', count: 5, open: true}));
        return ['title', 'count', 'open', 'due', 'owner'].map(function (name) {
            var value = record.getValue(name);
            return value === null ? null : typeof value + ' ' + value;
        });
    """)

    assert kinds == ["string x", "string 5", "string 1", None, None]


def test_update_writes_changes_and_counts_them(shelf: Shelf) -> None:
    answer = shelf.run("""
        var sysId = fill({title: 'before'});
        var record = one(sysId);
        record.setValue('title', 'after');
        var returned = record.update();
        return [returned === sysId, one(sysId).getValue('title'), one(sysId).getValue('sys_mod_count')];
    """)

    assert answer == [True, "after", "1"]


def test_an_update_without_a_change_writes_nothing(shelf: Shelf) -> None:
    answer = shelf.run("""
        var record = one(fill({title: 'same'}));
        record.setValue('title', 'same');
        return [record.update() === record.getUniqueValue(), record.getValue('sys_mod_count')];
    """)

    assert answer == [True, "0"]


def test_an_update_keeps_what_somebody_else_changed_meanwhile(shelf: Shelf) -> None:
    answer = shelf.run("""
        var sysId = fill({title: 'a', notes: 'b'});
        var first = one(sysId);
        var second = one(sysId);
        first.setValue('title', 'first');
        first.update();
        second.setValue('notes', 'second');
        second.update();
        return [one(sysId).getValue('title'), one(sysId).getValue('notes')];
    """)

    assert answer == ["first", "second"]


def test_update_of_a_record_that_is_not_there_inserts_it(shelf: Shelf) -> None:
    assert (
        shelf.run("""
        var record = new GlideRecord(TABLE);
        record.initialize();
        record.setValue('title', 'new');
        return one(record.update()).getValue('title');
    """)
        == "new"
    )


def test_update_multiple_writes_to_all_rows_of_the_query_and_no_others(shelf: Shelf) -> None:
    answer = shelf.run("""
        [['m1', 'x'], ['m2', 'x'], ['m3', 'y']].forEach(function (pair) {
            fill({title: pair[0], notes: pair[1]});
        });
        var record = new GlideRecord(TABLE);
        record.addQuery('title', 'STARTSWITH', 'm');
        record.addQuery('notes', 'x');
        record.setValue('count', 99);
        record.updateMultiple();
        var check = new GlideRecord(TABLE);
        check.addQuery('count', 99);
        check.orderBy('title');
        return found(check, 'title');
    """)

    assert answer == ["m1", "m2"]


def test_delete_record_and_delete_multiple_remove_what_they_stand_on(shelf: Shelf) -> None:
    answer = shelf.run("""
        ['d1', 'd2', 'd3'].forEach(function (title) { fill({title: title}); });
        var single = new GlideRecord(TABLE);
        single.get('title', 'd1');
        var deleted = single.deleteRecord();
        var many = new GlideRecord(TABLE);
        many.addQuery('title', 'd2');
        many.deleteMultiple();
        var left = new GlideRecord(TABLE);
        left.addEncodedQuery('titleSTARTSWITHd');
        return [deleted, found(left, 'title')];
    """)

    assert answer == [True, ["d3"]]


def test_deleting_without_a_row_answers_false(shelf: Shelf) -> None:
    assert shelf.run("return new GlideRecord(TABLE).deleteRecord();") is False


def test_a_unique_index_refuses_with_null_and_says_why(shelf: Shelf) -> None:
    answer = shelf.run("""
        fill({code: 'only'});
        var record = new GlideRecord(TABLE);
        record.initialize();
        record.setValue('code', 'ONLY');
        var sysId = record.insert();
        return [sysId, record.getLastErrorMessage()];
    """)

    assert answer[0] is None
    assert "Unique Key violation" in answer[1]


def test_a_unique_column_may_be_empty_in_many_rows(shelf: Shelf) -> None:
    assert shelf.run("return [fill({code: ''}), fill({code: ''})].indexOf(null);") == -1


def test_an_update_that_breaks_a_unique_index_answers_null_and_changes_nothing(shelf: Shelf) -> None:
    answer = shelf.run("""
        fill({code: 'taken'});
        var sysId = fill({code: 'free'});
        var record = one(sysId);
        record.setValue('code', 'taken');
        return [record.update(), one(sysId).getValue('code')];
    """)

    assert answer == [None, "free"]


def test_of_many_inserts_at_once_a_unique_index_lets_one_through(shelf: Shelf) -> None:
    source = "return [fill({code: 'raced'}) !== null, fill({title: 'raced'}) !== null];"
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: shelf.run(source), range(24)))

    assert [won for won, _ in made].count(True) == 1
    assert all(other for _, other in made)
    assert len(shelf.instance.table("u_records").rows("title=raced")) == 24


def test_text_longer_than_its_column_is_cut_and_the_log_says_so(shelf: Shelf) -> None:
    value = shelf.run("return one(fill({title: 'abcdefghijklmnop'})).getValue('title');")

    assert value == "abcdefghij"
    assert any("u_records.title was cut from 16 to 10 characters" in line for line in shelf.instance.log())


@pytest.mark.parametrize(
    ("column", "value"),
    [("count", "five"), ("count", "1.5"), ("open", "perhaps"), ("due", "2026-01-15T09:30:00Z")],
    ids=["word as integer", "fraction as integer", "word as boolean", "RFC 3339"],
)
def test_a_value_that_cannot_be_of_the_columns_type_is_refused(shelf: Shelf, column: str, value: str) -> None:
    error = shelf.refusal(f"fill({{{column}: '{value}'}});")

    assert f"u_records.{column}" in error
    assert value in error


@pytest.mark.parametrize("use", ["setValue('owner', user)", "addQuery('owner', user)"])
def test_a_record_is_no_value(shelf: Shelf, use: str) -> None:
    error = shelf.refusal(f"""
        var user = new GlideRecord('sys_user');
        user.get('user_name', 'admin');
        new GlideRecord(TABLE).{use};
    """)

    assert "a GlideRecord of sys_user is no value" in error


@pytest.mark.parametrize(
    ("given", "stored"),
    [("true", "1"), ("'true'", "1"), ("1", "1"), ("false", "0"), ("'false'", "0"), ("''", "0")],
)
def test_a_yes_no_column_stores_one_or_zero(shelf: Shelf, given: str, stored: str) -> None:
    assert shelf.run(f"return one(fill({{open: {given}}})).getValue('open');") == stored


@pytest.mark.parametrize("action", ["record.nope", "record.nope = 1", "record.getValue('nope')"])
def test_an_unknown_column_is_an_error(shelf: Shelf, action: str) -> None:
    error = shelf.refusal(f"var record = new GlideRecord(TABLE); {action};")

    assert "table u_records has no column nope" in error


def test_the_queue_has_no_output_column(instance: Instance) -> None:
    error = Shelf(instance, "ecc_queue").refusal("new GlideRecord(TABLE).output;")

    assert "table ecc_queue has no column output" in error


@pytest.mark.parametrize("method", ["getFields", "addJoinQuery", "setForceUpdate"])
def test_a_method_that_is_not_provided_is_a_type_error(shelf: Shelf, method: str) -> None:
    error = shelf.refusal(f"new GlideRecord(TABLE).{method}();")

    assert "TypeError" in error
    assert method in error


def test_new_record_has_defaults_and_an_id_and_initialize_has_not(shelf: Shelf) -> None:
    answer = shelf.run("""
        var made = new GlideRecord(TABLE);
        made.newRecord();
        var sysId = made.getUniqueValue();
        var empty = new GlideRecord(TABLE);
        empty.initialize();
        return [made.getValue('count'), made.insert() === sysId, made.isNewRecord(),
            empty.getValue('count'), empty.getUniqueValue(), empty.isNewRecord()];
    """)

    assert answer == ["7", True, False, None, None, True]


def test_set_new_guid_value_chooses_the_sys_id(shelf: Shelf) -> None:
    assert shelf.run("""
        var record = new GlideRecord(TABLE);
        record.initialize();
        record.setNewGuidValue('0123456789abcdef0123456789abcdef');
        return [record.insert(), one('0123456789abcdef0123456789abcdef').isValidRecord()];
    """) == ["0123456789abcdef0123456789abcdef", True]


def test_the_sys_id_of_a_row_cannot_be_changed(shelf: Shelf) -> None:
    assert "cannot be changed" in shelf.refusal("one(fill({})).setValue('sys_id', 'other');")


def test_auto_sys_fields_keeps_given_times_and_is_global_only(shelf: Shelf) -> None:
    kept = shelf.run("""
        var record = new GlideRecord(TABLE);
        record.initialize();
        record.autoSysFields(false);
        record.setValue('sys_created_on', '2020-01-01 00:00:00');
        return one(record.insert()).getValue('sys_created_on');
    """)

    assert kept == "2020-01-01 00:00:00"
    assert "not allowed in scoped" in shelf.refusal(
        "new GlideRecord(TABLE).autoSysFields(false);", scope="x_other"
    )


def test_the_tests_of_a_record(shelf: Shelf) -> None:
    answer = shelf.run("""
        var record = new GlideRecord(TABLE);
        var nowhere = new GlideRecord('u_no_such_table');
        var seen = [record.isValid(), nowhere.isValid(), record.isValidField('title'),
            record.isValidField('nope'), record.isValidRecord(), record.isNewRecord()];
        record.get(fill({title: 'v'}));
        return seen.concat([record.isValidRecord(), record.isNewRecord(), record.canRead(), record.canWrite(),
            record.canCreate(), record.canDelete(), record.getTableName()]);
    """)

    assert answer[:6] == [True, False, True, False, False, True]
    assert answer[6:] == [True, False, True, True, True, True, "u_records"]


def test_working_with_an_unknown_table_is_an_error(shelf: Shelf) -> None:
    error = shelf.refusal("new GlideRecord('u_no_such_table').query();")

    assert "there is no table u_no_such_table" in error


def test_display_values(shelf: Shelf) -> None:
    answer = shelf.run("""
        var admin = new GlideRecord('sys_user');
        admin.get('user_name', 'admin');
        var record = one(fill({title: 'shown', open: true, owner: admin.getUniqueValue()}));
        return [record.getDisplayValue('owner'), record.getDisplayValue('open'), record.getDisplayValue('due'),
            record.getDisplayValue()];
    """)

    assert answer == ["System Administrator", "true", "", "shown"]


def test_set_workflow_false_leaves_the_business_rules_out(shelf: Shelf) -> None:
    shelf.instance.table("sys_script").insert(
        name="Mark", collection="u_records", when="before", action_insert="true", active="true",
        advanced="true", script="current.notes = 'marked';", filter_condition="titleSTARTSWITHwf",
    )  # fmt: skip
    answer = shelf.run("""
        function made(workflow) {
            var record = new GlideRecord(TABLE);
            record.initialize();
            record.setWorkflow(workflow);
            record.setValue('title', 'wf');
            return one(record.insert()).getValue('notes');
        }
        return [made(true), made(false)];
    """)

    assert answer == ["marked", None]


def test_a_rule_that_aborts_makes_insert_answer_null(shelf: Shelf) -> None:
    shelf.instance.table("sys_script").insert(
        name="Stop", collection="u_records", when="before", action_insert="true", active="true",
        advanced="true", script="current.setAbortAction(true);", filter_condition="title=stopped",
    )  # fmt: skip
    answer = shelf.run("""
        var sysId = fill({title: 'stopped'});
        var check = new GlideRecord(TABLE);
        check.addQuery('title', 'stopped');
        return [sysId, found(check, 'title')];
    """)

    assert answer == [None, []]


def test_operation_names_the_write_in_a_rule_and_nothing_elsewhere(shelf: Shelf) -> None:
    shelf.instance.table("sys_script").insert(
        name="Name it", collection="u_records", when="before", action_insert="true", action_update="true",
        active="true", advanced="true", script="current.notes = current.operation();",
        filter_condition="titleSTARTSWITHop",
    )  # fmt: skip
    answer = shelf.run("""
        var record = one(fill({title: 'op'}));
        var seen = [record.getValue('notes'), record.operation()];
        record.setValue('title', 'op2');
        record.update();
        return seen.concat([record.getValue('notes')]);
    """)

    assert answer == ["insert", None, "update"]


def test_current_update_in_an_after_insert_rule_changes_the_row_and_adds_none(shelf: Shelf) -> None:
    shelf.instance.table("sys_script").insert(
        name="After", collection="u_records", when="after", action_insert="true", active="true",
        advanced="true", script="current.notes = 'later'; current.update();", filter_condition="title=twice",
    )  # fmt: skip
    answer = shelf.run("""
        fill({title: 'twice'});
        var check = new GlideRecord(TABLE);
        check.addQuery('title', 'twice');
        return found(check, 'notes');
    """)

    assert answer == ["later"]
