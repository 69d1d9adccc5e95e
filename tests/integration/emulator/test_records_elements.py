"""GlideElement: a column that is alive."""

from __future__ import annotations

import pytest

from emulator.servicenow import Instance
from tests.integration.emulator.shelf import Shelf, build


@pytest.fixture(scope="module")
def shelf(instance: Instance) -> Shelf:
    return build(
        instance,
        "u_elements",
        {
            "title": {"internal_type": "string", "column_label": "The title"},
            "count": "integer",
            "open": "boolean",
            "owner": {"internal_type": "reference", "reference": "sys_user"},
        },
    )


def test_a_field_is_an_object_and_no_string(shelf: Shelf) -> None:
    answer = shelf.run("""
        var record = one(fill({title: 'text'}));
        return [typeof record.title, record.title === 'text', record.title == 'text', '' + record.title,
            typeof record.getValue('title')];
    """)

    assert answer == ["object", False, True, "text", "string"]


def test_elements_pushed_into_an_array_change_with_the_next_row(shelf: Shelf) -> None:
    answer = shelf.run("""
        ['r1', 'r2', 'r3'].forEach(function (title) { fill({title: title}); });
        var q = new GlideRecord(TABLE);
        q.addQuery('title', 'STARTSWITH', 'r');
        q.orderBy('title');
        q.query();
        var elements = [];
        var strings = [];
        while (q.next()) {
            elements.push(q.title);
            strings.push('' + q.title);
        }
        return [elements.map(String), strings];
    """)

    assert answer == [["r3", "r3", "r3"], ["r1", "r2", "r3"]]


def test_assigning_to_a_field_sets_it(shelf: Shelf) -> None:
    assert shelf.run("""
        var sysId = fill({title: 'old'});
        var record = one(sysId);
        record.title = 'new';
        record.count = 5;
        record.update();
        return [one(sysId).getValue('title'), one(sysId).getValue('count')];
    """) == ["new", "5"]


def test_changes_changes_from_and_changes_to(shelf: Shelf) -> None:
    answer = shelf.run("""
        var record = one(fill({title: 'was', count: 1}));
        var before = record.title.changes();
        record.title = 'is';
        return [before, record.title.changes(), record.title.changesFrom('was'), record.title.changesFrom('x'),
            record.title.changesTo('is'), record.title.changesTo('x'), record.count.changes()];
    """)

    assert answer == [False, True, True, False, True, False, False]


def test_in_a_business_rule_changes_speaks_of_the_write_in_hand(shelf: Shelf) -> None:
    shelf.instance.table("sys_script").insert(
        name="Watch the title", collection="u_elements", when="after", action_update="true", active="true",
        advanced="true", condition="current.title.changesFrom('one') && current.title.changesTo('two')",
        script="gs.setProperty('u.seen', previous.title + ' ' + current.title + ' ' + current.count.changes());",
    )  # fmt: skip
    shelf.run("""
        var record = one(fill({title: 'one', count: 1}));
        record.count = 2;
        record.update();
        record.title = 'two';
        record.update();
    """)

    assert shelf.instance.script("gs.getProperty('u.seen', '');") == "one two false"


def test_on_insert_every_filled_field_has_changed(shelf: Shelf) -> None:
    shelf.instance.table("sys_script").insert(
        name="See inserts", collection="u_elements", when="before", action_insert="true", active="true",
        advanced="true", condition="current.title.changesTo('inserted')",
        script="current.count = current.owner.changes() ? 1 : 2;",
    )  # fmt: skip

    assert shelf.run("return one(fill({title: 'inserted'})).getValue('count');") == "2"


def test_nil_is_true_for_empty(shelf: Shelf) -> None:
    assert shelf.run("""
        var record = one(fill({title: 'x'}));
        return [record.title.nil(), record.count.nil(), '' + record.count];
    """) == [False, True, ""]


def test_a_reference_leads_to_its_record(shelf: Shelf) -> None:
    answer = shelf.run("""
        var admin = new GlideRecord('sys_user');
        admin.get('user_name', 'admin');
        var record = one(fill({owner: admin.getUniqueValue()}));
        var user = record.owner.getRefRecord();
        return [user.getTableName(), user.getValue('user_name'), '' + record.owner.user_name,
            record.owner.getDisplayValue(), record.owner == admin.getUniqueValue(), record.owner.getReferenceTable()];
    """)

    assert answer == ["sys_user", "admin", "admin", "System Administrator", True, "sys_user"]


def test_an_empty_reference_leads_to_an_empty_record(shelf: Shelf) -> None:
    assert shelf.run("""
        var record = one(fill({title: 'nobody'}));
        return [record.owner.getRefRecord().isValidRecord(), '' + record.owner.user_name];
    """) == [False, ""]


def test_a_reference_follows_the_row_too(shelf: Shelf) -> None:
    shelf.instance.create_user("follow.me", "a password for the test")
    assert shelf.run("""
        ['admin', 'follow.me'].forEach(function (name) {
            var user = new GlideRecord('sys_user');
            user.get('user_name', name);
            fill({title: 'f ' + name, owner: user.getUniqueValue()});
        });
        var q = new GlideRecord(TABLE);
        q.addQuery('title', 'STARTSWITH', 'f ');
        q.orderBy('title');
        q.query();
        var names = [];
        while (q.next()) {
            names.push('' + q.owner.user_name);
        }
        return names;
    """) == ["admin", "follow.me"]


def test_a_reference_can_be_set_by_its_display_value(shelf: Shelf) -> None:
    assert (
        shelf.run("""
        var record = new GlideRecord(TABLE);
        record.initialize();
        record.owner.setDisplayValue('System Administrator');
        return '' + one(record.insert()).owner.user_name;
    """)
        == "admin"
    )


def test_a_yes_no_element_reads_true_while_its_value_is_one(shelf: Shelf) -> None:
    assert shelf.run("""
        var record = one(fill({open: true}));
        return ['' + record.open, record.getValue('open'), record.open == true, record.open == 'true',
            record.open == '1', record.open == false, 'true' == record.open];
    """) == ["true", "1", True, True, True, False, True]


def test_get_element_is_the_same_element(shelf: Shelf) -> None:
    assert shelf.run("""
        var record = one(fill({title: 't'}));
        var element = record.getElement('title');
        return [element === record.title, element.getName(), element.getLabel(), element.getTableName()];
    """) == [True, "title", "The title", "u_elements"]


@pytest.mark.parametrize("use", ["record.title.indexOf('t')", "record.title.length", "record.title.x"])
def test_an_element_has_no_members_of_a_string(shelf: Shelf, use: str) -> None:
    error = shelf.refusal(f"var record = one(fill({{title: 't'}})); {use};")

    assert "make it a string first" in error


def test_for_in_names_the_columns(shelf: Shelf) -> None:
    names = shelf.run("""
        var names = [];
        for (var name in new GlideRecord(TABLE)) {
            names.push(name);
        }
        return names;
    """)

    assert set(names) == {
        "title", "count", "open", "owner", "sys_id", "sys_created_on", "sys_created_by", "sys_updated_on",
        "sys_updated_by", "sys_mod_count",
    }  # fmt: skip


def test_a_column_hides_the_method_of_its_name(instance: Instance) -> None:
    """As on the platform, which therefore has _query and _next."""
    shelf = build(instance, "u_hidden", {"next": "string", "query": "string"})
    assert shelf.run("""
        fill({next: 'n', query: 'q'});
        var record = new GlideRecord(TABLE);
        record._query();
        return [record._next(), '' + record.next, '' + record.query];
    """) == [True, "n", "q"]
