"""Queries select the rows that the platform's would."""

from __future__ import annotations

import json

import pytest

from emulator.servicenow import Instance
from tests.integration.emulator.shelf import Shelf, build

#: title, state, count, open, whether it has an owner
ROWS = [
    ("alpha", "ready", "5", "true", True),
    ("Beta", "ready", "10", "false", False),
    ("gamma", "done", "70", "true", False),
    ("delta_1", "failed", "", "false", True),
    ("x^y", "done", "-3", "false", False),
]

#: An encoded query, and the rows it selects in order.
QUERIES: list[tuple[str, list[str]]] = [
    ("", ["alpha", "Beta", "gamma", "delta_1", "x^y"]),
    ("state=ready", ["alpha", "Beta"]),
    ("state=READY", ["alpha", "Beta"]),
    ("state!=ready", ["gamma", "delta_1", "x^y"]),
    ("stateINready,failed", ["alpha", "Beta", "delta_1"]),
    ("stateNOT INready,failed", ["gamma", "x^y"]),
    ("titleLIKETA", ["Beta", "delta_1"]),
    ("titleNOT LIKEta", ["alpha", "gamma", "x^y"]),
    ("titleSTARTSWITHB", ["Beta"]),
    ("titleENDSWITHa", ["alpha", "Beta", "gamma"]),
    ("titleLIKE_", ["delta_1"]),
    ("titleLIKE%", []),
    ("count>5", ["Beta", "gamma"]),
    ("count<5", ["x^y"]),
    ("count>=5", ["alpha", "Beta", "gamma"]),
    ("count<=5", ["alpha", "x^y"]),
    ("count=10", ["Beta"]),
    ("count!=10", ["alpha", "gamma", "delta_1", "x^y"]),
    ("countISEMPTY", ["delta_1"]),
    ("countISNOTEMPTY", ["alpha", "Beta", "gamma", "x^y"]),
    ("count=", ["delta_1"]),
    ("open=true", ["alpha", "gamma"]),
    ("open=1", ["alpha", "gamma"]),
    ("open=false", ["Beta", "delta_1", "x^y"]),
    ("state=done^count>0", ["gamma"]),
    ("state=failed^ORstate=done", ["gamma", "delta_1", "x^y"]),
    ("state=failed^ORstate=done^open=true", ["gamma"]),
    ("state=ready^open=true^NQstate=done^open=false", ["alpha", "x^y"]),
    ("title=x^^y", ["x^y"]),
    ("state=ready^EQ", ["alpha", "Beta"]),
    ("state=ready^ORDERBYDESCcount", ["Beta", "alpha"]),
    ("ORDERBYcount", ["delta_1", "x^y", "alpha", "Beta", "gamma"]),
    ("ORDERBYstate^ORDERBYDESCtitle", ["x^y", "gamma", "delta_1", "Beta", "alpha"]),
    ("owner.user_name=admin", ["alpha", "delta_1"]),
    ("owner.user_name!=admin", ["Beta", "gamma", "x^y"]),
    ("owner=javascript:gs.getUserID()", ["alpha", "delta_1"]),
    ("ownerISEMPTY^state=done", ["gamma", "x^y"]),
]


@pytest.fixture(scope="module")
def shelf(instance: Instance) -> Shelf:
    shelf = build(
        instance,
        "u_queries",
        {
            "title": "string",
            "state": "string",
            "count": "integer",
            "open": "boolean",
            "active": "boolean",
            "owner": {"internal_type": "reference", "reference": "sys_user"},
            "mark": "string",
        },
    )
    shelf.run(f"""
        var admin = new GlideRecord('sys_user');
        admin.get('user_name', 'admin');
        {json.dumps(ROWS)}.forEach(function (row) {{
            fill({{title: row[0], state: row[1], count: row[2], open: row[3], active: row[3],
                owner: row[4] ? admin.getUniqueValue() : ''}});
        }});
    """)
    return shelf


def encoded(shelf: Shelf, query: str) -> list[str]:
    found: list[str] = shelf.run(f"""
        var record = new GlideRecord(TABLE);
        record.addEncodedQuery({json.dumps(query)});
        return found(record, 'title');
    """)
    return found


def titles(shelf: Shelf, body: str) -> list[str]:
    found: list[str] = shelf.run(f"var q = new GlideRecord(TABLE); {body}; return found(q, 'title');")
    return found


@pytest.mark.parametrize(("query", "expected"), QUERIES)
def test_encoded_queries(shelf: Shelf, query: str, expected: list[str]) -> None:
    assert encoded(shelf, query) == expected


@pytest.fixture(scope="module")
def marker(shelf: Shelf) -> str:
    """Make a rule that marks the rows its condition fits; return its sys_id."""
    rule = shelf.instance.table("sys_script").insert(
        name="Mark", collection="u_queries", when="before", action_update="true", active="true",
        advanced="true", script="current.mark = 'fits';",
    )  # fmt: skip
    return rule["sys_id"]


@pytest.mark.parametrize(("query", "expected"), QUERIES)
def test_a_row_in_hand_fits_the_query_that_would_select_it(
    shelf: Shelf, marker: str, query: str, expected: list[str]
) -> None:
    shelf.instance.table("sys_script").update(marker, filter_condition=query)
    marked = shelf.run("""
        var record = new GlideRecord(TABLE);
        record.query();
        while (record.next()) {
            record.setValue('mark', record.getValue('mark') === 'touched' ? 'again' : 'touched');
            record.update();
        }
        var fitting = new GlideRecord(TABLE);
        fitting.addQuery('mark', 'fits');
        return found(fitting, 'title');
    """)

    assert sorted(marked) == sorted(expected)


@pytest.mark.parametrize("query", ["state~ready", "state", "stateBETWEEN1@2", "=ready", "^ORxyz"])
def test_what_is_no_query_is_refused_by_name(shelf: Shelf, query: str) -> None:
    error = shelf.refusal(f"new GlideRecord(TABLE).addEncodedQuery({json.dumps(query)});")

    assert "cannot read" in error
    assert "STARTSWITH" in error


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("q.addQuery('state', 'ready')", ["alpha", "Beta"]),
        ("q.addQuery('count', '>', 5)", ["Beta", "gamma"]),
        ("q.addQuery('state', 'IN', 'ready,failed')", ["alpha", "Beta", "delta_1"]),
        ("q.addQuery('state', 'IN', ['ready', 'failed'])", ["alpha", "Beta", "delta_1"]),
        ("q.addQuery('title', 'CONTAINS', 'ta')", ["Beta", "delta_1"]),
        ("q.addNullQuery('count')", ["delta_1"]),
        ("q.addNotNullQuery('count')", ["alpha", "Beta", "gamma", "x^y"]),
        ("q.addActiveQuery()", ["alpha", "gamma"]),
        ("q.addQuery('state', 'ready').addOrCondition('count', '<', 0)", ["alpha", "Beta", "x^y"]),
        (
            "q.addQuery('state', 'failed').addOrCondition('count', 5).addOrCondition('count', 10)",
            ["alpha", "Beta", "delta_1"],
        ),
        ("q.orderByDesc('count'); q.setLimit(2)", ["gamma", "Beta"]),
        ("q.orderBy('title')", ["alpha", "Beta", "delta_1", "gamma", "x^y"]),
        ("q.orderBy('title'); q.chooseWindow(1, 3)", ["Beta", "delta_1"]),
        ("q.orderBy('state'); q.orderByDesc('count'); q.setLimit(3)", ["gamma", "x^y", "delta_1"]),
        (
            "q.setQueryReferences(true); q.addQuery('owner.name', 'System Administrator')",
            ["alpha", "delta_1"],
        ),
    ],
)
def test_query_methods(shelf: Shelf, body: str, expected: list[str]) -> None:
    assert titles(shelf, body) == expected


def test_add_query_takes_two_or_three_arguments(shelf: Shelf) -> None:
    assert "addEncodedQuery" in shelf.refusal("new GlideRecord(TABLE).addQuery('state=ready');")


def test_an_unknown_operator_is_refused(shelf: Shelf) -> None:
    error = shelf.refusal("new GlideRecord(TABLE).addQuery('state', 'SOUNDSLIKE', 'reddy');")

    assert 'operator "SOUNDSLIKE" is not provided' in error


def test_get_finds_by_sys_id_and_by_a_field(shelf: Shelf) -> None:
    answer = shelf.run("""
        var byField = new GlideRecord(TABLE);
        var hit = byField.get('title', 'gamma');
        var byId = new GlideRecord(TABLE);
        var again = byId.get(byField.getUniqueValue());
        return [hit, again, byId.getValue('title'), new GlideRecord(TABLE).get('title', 'nothing'),
            new GlideRecord(TABLE).get(''), new GlideRecord(TABLE).get(null)];
    """)

    assert answer == [True, True, "gamma", False, False, False]


def test_has_next_next_and_row_count(shelf: Shelf) -> None:
    answer = shelf.run("""
        var q = new GlideRecord(TABLE);
        q.addQuery('state', 'ready');
        var before = [q.hasNext(), q.next(), q.getRowCount()];
        q._query();
        return before.concat([q.getRowCount(), q.hasNext(), q._next(), q.hasNext(), q.next(), q.hasNext(), q.next()]);
    """)

    assert answer == [False, False, 0, 2, True, True, True, True, False, False]


def test_unknown_fields_are_dropped_and_then_everything_is_selected(shelf: Shelf) -> None:
    assert len(titles(shelf, "q.addQuery('nope', 'x')")) == len(ROWS)
    assert encoded(shelf, "nope=x^state=failed") == ["delta_1"]
    assert encoded(shelf, "owner.nope=x^state=failed") == ["delta_1"]


def test_an_unknown_field_makes_delete_multiple_delete_everything(instance: Instance) -> None:
    shelf = build(instance, "u_gone", {"title": "string"})
    left = shelf.run("""
        ['a', 'b'].forEach(function (title) { fill({title: title}); });
        var q = new GlideRecord(TABLE);
        q.addQuery('titel', 'a');
        q.deleteMultiple();
        return found(new GlideRecord(TABLE), 'title');
    """)

    assert left == []


def test_with_the_property_an_unknown_field_selects_nothing(shelf: Shelf) -> None:
    name = "glide.invalid_query.returns_no_rows"
    shelf.instance.script(f"gs.setProperty('{name}', 'true');")
    try:
        assert titles(shelf, "q.addQuery('nope', 'x')") == []
        assert encoded(shelf, "nope=x^ORstate=failed") == []
        assert encoded(shelf, "state=failed") == ["delta_1"]
    finally:
        shelf.instance.script(f"gs.setProperty('{name}', 'false');")


def test_the_encoded_form_of_a_query_selects_the_same_rows(shelf: Shelf) -> None:
    text = shelf.run("""
        var q = new GlideRecord(TABLE);
        q.addQuery('state', 'ready').addOrCondition('title', 'x^y');
        q.addQuery('count', '<', 8);
        q.orderByDesc('title');
        return q.getEncodedQuery();
    """)

    assert text == "state=ready^ORtitle=x^^y^count<8^ORDERBYDESCtitle"
    assert encoded(shelf, text) == ["x^y", "alpha"]


def test_aggregates_count_by_group_and_over_all(shelf: Shelf) -> None:
    answer = shelf.run("""
        var groups = new GlideAggregate(TABLE);
        groups.addAggregate('COUNT');
        groups.addAggregate('MAX', 'count');
        groups.addQuery('state', '!=', 'failed');
        groups.groupBy('state');
        groups.query();
        var seen = [];
        while (groups.next()) {
            seen.push([groups.getValue('state'), groups.getAggregate('COUNT'), groups.getAggregate('MAX', 'count')]);
        }
        var all = new GlideAggregate(TABLE);
        ['COUNT', 'MIN', 'MAX', 'SUM'].forEach(function (type) {
            all.addAggregate(type, type === 'COUNT' ? null : 'count');
        });
        all.query();
        all.next();
        return [seen, all.getAggregate('COUNT'), all.getAggregate('MIN', 'count'), all.getAggregate('MAX', 'count'),
            all.getAggregate('SUM', 'count')];
    """)

    assert answer == [[["done", "2", "70"], ["ready", "2", "10"]], "5", "-3", "70", "82"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("g.addAggregate('MEDIAN', 'count'); g.query();", 'aggregate "MEDIAN" is not provided'),
        ("g.addAggregate('MAX');", "needs a field"),
        ("g.groupBy('nope');", "has no column nope"),
        ("g.query(); g.next(); g.getAggregate('COUNT');", "no aggregate COUNT"),
        ("g.query(); g.next(); g.getValue('state');", "not grouped by state"),
        ("g.setGroup(true);", "no method setGroup"),
    ],
    ids=["unknown", "without field", "unknown group", "not asked for", "not grouped", "no method"],
)
def test_what_an_aggregate_cannot_do_is_an_error(shelf: Shelf, body: str, words: str) -> None:
    assert words in shelf.refusal(f"var g = new GlideAggregate(TABLE); {body}")
