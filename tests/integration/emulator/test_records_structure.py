"""Tables, columns and indexes follow the rows that describe them."""

from __future__ import annotations

from typing import Any

import pytest

from emulator.platform import Platform
from emulator.servicenow import Instance
from tests.integration.emulator.shelf import Shelf, build


def described(instance: Instance, kind: str, /, **values: str) -> Any:
    """Insert a row of a describing table; return its sys_id, or None when it was refused."""
    return Shelf(instance, kind).run(f"return fill({values!r});")


def index(table: str, columns: str, **more: str) -> dict[str, str]:
    return {
        "name": f"{table}_{columns.replace(',', '_')}",
        "logical_table_name": table,
        "col_name_string": columns,
        **more,
    }


def test_a_table_creator_makes_a_table_once(instance: Instance) -> None:
    count = instance.script("""
        new GlideTableCreator('u_once', 'Once').update();
        new GlideTableCreator('u_once', 'Once').update();
        var tables = new GlideRecord('sys_db_object');
        tables.addQuery('name', 'u_once');
        tables.query();
        String(tables.getRowCount()) + ' ' + new GlideRecord('u_once').isValid();
    """)

    assert count == "1 true"


def test_a_table_creator_is_global_only(instance: Instance) -> None:
    ran = instance.attempt("new GlideTableCreator('x_other_t', 'T');", scope="x_other")

    assert ran.error is not None
    assert "GlideTableCreator" in ran.error


def test_unknown_methods_of_the_table_creator_are_refused(instance: Instance) -> None:
    ran = instance.attempt("new GlideTableCreator('u_t', 'T').setColumnAttributes('x');")

    assert ran.error is not None
    assert "setColumnAttributes is not provided" in ran.error


def test_a_dictionary_entry_of_the_table_itself_makes_the_table(instance: Instance) -> None:
    described(instance, "sys_dictionary", name="u_collected", internal_type="collection")

    assert instance.script("new GlideRecord('u_collected').isValid();") is True


def test_a_new_column_can_be_used_at_once_and_a_removed_one_is_gone(instance: Instance) -> None:
    shelf = build(instance, "u_columns", {"kept": "string"})
    shelf.run("fill({kept: 'k'});")
    sys_id = described(instance, "sys_dictionary", name="u_columns", element="late", internal_type="string")
    used = shelf.run("return one(fill({late: 'now'})).getValue('late');")
    instance.table("sys_dictionary").delete(sys_id)

    assert used == "now"
    assert "has no column late" in shelf.refusal("new GlideRecord(TABLE).late;")
    assert shelf.run("return found(new GlideRecord(TABLE), 'kept');") == ["k", None]


def test_a_removed_table_takes_its_dictionary_along(instance: Instance) -> None:
    shelf = build(instance, "u_removed", {"title": "string"})
    shelf.run("fill({title: 't'});")
    instance.script("""
        var table = new GlideRecord('sys_db_object');
        table.get('name', 'u_removed');
        table.deleteRecord();
    """)

    assert instance.script("new GlideRecord('u_removed').isValid();") is False
    assert instance.table("sys_dictionary").rows("name=u_removed") == []


def test_a_unique_index_over_two_columns_refuses_the_second_row(instance: Instance) -> None:
    shelf = build(instance, "u_pairs", {"left": "string", "right": "integer"})
    described(instance, "sys_index", **index("u_pairs", "left,right", unique_index="true"))

    made = shelf.run("return [['a', 1], ['a', 2], ['A', 1]].map(function (pair) {"
                     "return fill({left: pair[0], right: pair[1]}) !== null; });")  # fmt: skip

    assert made == [True, True, False]


def test_a_removed_index_holds_nobody_back(instance: Instance) -> None:
    shelf = build(instance, "u_freed", {"code": "string"})
    sys_id = described(instance, "sys_index", **index("u_freed", "code", unique_index="true"))
    refused = shelf.run("return [fill({code: 'c'}) === null, fill({code: 'c'}) === null];")
    instance.table("sys_index").delete(sys_id)

    assert refused == [False, True]
    assert shelf.run("return fill({code: 'c'}) !== null;") is True


def test_a_column_may_become_unique_later(instance: Instance) -> None:
    shelf = build(instance, "u_later", {"code": "string"})
    instance.script("""
        var entry = new GlideRecord('sys_dictionary');
        entry.addQuery('name', 'u_later');
        entry.addQuery('element', 'code');
        entry.query();
        entry.next();
        entry.setValue('unique', 'true');
        entry.update();
    """)

    assert shelf.run("return [fill({code: 'c'}) !== null, fill({code: 'c'}) !== null];") == [True, False]


def test_an_index_that_the_rows_already_break_is_refused_and_leaves_no_entry(instance: Instance) -> None:
    shelf = build(instance, "u_broken", {"code": "string"})
    shelf.run("fill({code: 'c'}); fill({code: 'c'});")
    Shelf(instance, "sys_index").run("""
        var index = new GlideRecord(TABLE);
        index.initialize();
        index.setValue('name', 'u_broken_code');
        index.setValue('logical_table_name', 'u_broken');
        index.setValue('col_name_string', 'code');
        index.setValue('unique_index', 'true');
        try {
            index.insert();
        } catch (refused) {
            // Whether it throws or answers null is not what this is about.
        }
    """)

    assert instance.table("sys_index").rows("name=u_broken_code") == []


@pytest.mark.parametrize(
    ("table", "values", "words"),
    [
        ("sys_db_object", {"name": "U Bad Name"}, "is not a table name"),
        ("sys_db_object", {"name": "u_child", "super_class": "0" * 32}, "extends another table"),
        ("sys_dictionary", {"name": "u_nowhere", "element": "x"}, "there is no table u_nowhere"),
        ("sys_dictionary", {"name": "sys_user", "element": "Bad-Name"}, "is not a column name"),
        (
            "sys_dictionary",
            {"name": "sys_user", "element": "u_odd", "internal_type": "hologram"},
            'type "hologram"',
        ),
        ("sys_index", index("sys_user", "nope"), "there is no column nope"),
        ("sys_index", {"name": "u_i", "logical_table_name": "sys_user"}, "needs"),
    ],
    ids=["table name", "inheritance", "no such table", "column name", "type", "no such column", "no columns"],
)
def test_what_cannot_be_made_is_refused_and_leaves_no_row(
    instance: Instance, table: str, values: dict[str, str], words: str
) -> None:
    shelf = Shelf(instance, table)
    before = len(instance.table(table).rows(fields="sys_id"))

    assert words in shelf.refusal(f"fill({values!r});")
    assert len(instance.table(table).rows(fields="sys_id")) == before


@pytest.mark.parametrize(
    ("table", "values"),
    [("sys_db_object", {"name": "sys_user"}), ("sys_dictionary", {"name": "sys_user", "element": "email"})],
    ids=["table", "column"],
)
def test_what_exists_is_not_made_again(instance: Instance, table: str, values: dict[str, str]) -> None:
    assert described(instance, table, **values) is None


def test_the_type_of_a_column_cannot_turn_from_text_to_number(instance: Instance) -> None:
    build(instance, "u_typed", {"code": "string"})
    error = Shelf(instance, "sys_dictionary").refusal("""
        var entry = new GlideRecord(TABLE);
        entry.addQuery('name', 'u_typed');
        entry.addQuery('element', 'code');
        entry.query();
        entry.next();
        entry.setValue('internal_type', 'integer');
        entry.update();
    """)

    assert "cannot change its type" in error


def test_structure_and_rows_survive_kill_9(empty_platform: Platform) -> None:
    shelf = build(empty_platform.admin, "u_survivor", {"title": "string", "count": "integer"})
    described(empty_platform.admin, "sys_index", **index("u_survivor", "title", unique_index="true"))
    shelf.run("fill({title: 'alive', count: 3});")

    empty_platform.kill9()
    empty_platform.start()

    again = Shelf(empty_platform.admin, "u_survivor")
    assert again.run("return found(new GlideRecord(TABLE), 'count');") == ["3"]
    assert again.run("return fill({title: 'alive'});") is None
