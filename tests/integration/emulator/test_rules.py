"""Business rules on the emulated instance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from emulator.servicenow import Instance, Row, ScriptError
from tests.waiting import until

TABLE = "ecc_queue"
PATIENCE_S = 60
WRAPPED = "(function executeRule(current, previous) { %s })(current, previous);"


class Rules:
    """Business rules of one test on the queue, and the rows it writes there."""

    def __init__(self, instance: Instance, name: str) -> None:
        self.instance = instance
        self.name = name
        self._made: list[str] = []

    def add(self, when: str, script: str, operation: str = "insert", **fields: Any) -> None:
        """Make a rule for the rows of this test."""
        row = {
            "name": f"{self.name} {len(self._made)}", "collection": TABLE, "when": when, "active": "true",
            f"action_{operation}": "true", "script": WRAPPED % script, "filter_condition": f"agent={self.name}",
            **fields,
        }  # fmt: skip
        self._made.append(self.instance.table("sys_script").insert(**row)["sys_id"])

    def insert(self, **fields: str) -> Row:
        """Insert a row that the rules look at."""
        return self.instance.table(TABLE).insert(agent=self.name, **fields)

    def update(self, row: Row, **fields: str) -> Row:
        """Change it."""
        return self.instance.table(TABLE).update(row["sys_id"], **fields)

    def read(self, row: Row) -> Row:
        """Read it again."""
        return self.instance.table(TABLE).row(row["sys_id"])

    def remove(self) -> None:
        """Delete the rules."""
        for sys_id in self._made:
            self.instance.table("sys_script").delete(sys_id)


@pytest.fixture
def rules(instance: Instance, request: pytest.FixtureRequest) -> Iterator[Rules]:
    made = Rules(instance, request.node.originalname)
    yield made
    made.remove()


def logged(instance: Instance, text: str) -> list[str]:
    return [row["message"] for row in instance.table("syslog").rows(f"messageLIKE{text}")]


def test_a_before_rule_changes_what_is_written(rules: Rules) -> None:
    rules.add("before", "current.name = 'set for ' + current.source;")

    assert rules.insert(source="x")["name"] == "set for x"


def test_an_after_rule_sees_the_row_written(rules: Rules) -> None:
    rules.add(
        "after",
        """var row = new GlideRecord('ecc_queue');
        gs.info('seen by {0}: {1}', current.agent + '', row.get(current.getUniqueValue()) + ' ' + row.name);
        current.name = 'too late';""",
    )

    assert rules.insert(name="as given")["name"] == "as given"
    assert logged(rules.instance, f"seen by {rules.name}") == [f"seen by {rules.name}: true as given"]


def test_previous_is_null_on_insert_and_the_old_row_on_update(rules: Rules) -> None:
    rules.add("before", "current.source = previous === null ? 'none' : 'some';")
    rules.add("before", "current.source = previous.name + ' to ' + current.name;", "update")
    row = rules.insert(name="one")

    assert [row["source"], rules.update(row, name="two")["source"]] == ["none", "one to two"]


def test_a_delete_rule_sees_what_goes(rules: Rules) -> None:
    rules.add("after", "gs.info('gone ' + current.agent + ' ' + current.name);", "delete")
    row = rules.insert(name="it")
    rules.instance.table(TABLE).delete(row["sys_id"])

    assert logged(rules.instance, f"gone {rules.name}") == [f"gone {rules.name} it"]


def test_rules_run_in_their_order(rules: Rules) -> None:
    rules.add("before", "current.name = current.name + 'c';", order="300")
    rules.add("before", "current.name = current.name + 'a';", order="20")
    rules.add("before", "current.name = current.name + 'b';", order="100")

    assert rules.insert(name="")["name"] == "abc"


def test_an_inactive_rule_and_one_for_another_operation_do_not_run(rules: Rules) -> None:
    rules.add("before", "current.name = 'wrong';", active="false")
    rules.add("before", "current.name = 'wrong';", "update")
    rules.add("display", "current.name = 'wrong';")

    assert rules.insert(name="right")["name"] == "right"


def test_a_rule_that_aborts_stops_the_write_and_the_rules_behind(rules: Rules) -> None:
    rules.add("before", "current.setAbortAction(true);", order="1")
    rules.add("before", "gs.info('ran behind ' + current.agent);", order="2")
    source = f"""
        var row = new GlideRecord('{TABLE}');
        row.initialize();
        row.agent = '{rules.name}';
        var id = row.insert();
        row.initialize();
        id + ',' + row.get('agent', '{rules.name}');
    """

    assert rules.instance.script(source) == "null,false"
    assert logged(rules.instance, f"ran behind {rules.name}") == []


def test_an_aborted_update_and_delete_leave_the_row(rules: Rules) -> None:
    rules.add("before", "current.setAbortAction(true);", "update")
    rules.add("before", "current.setAbortAction(true);", "delete")
    row = rules.insert(name="kept")
    rules.instance.script(
        f"var r = new GlideRecord('{TABLE}'); r.get('{row['sys_id']}'); r.name = 'x'; r.update(); r.deleteRecord();"
    )

    assert rules.read(row)["name"] == "kept"


def test_a_condition_reads_changes_of_current(rules: Rules) -> None:
    rules.add("before", "current.source = 'changed';", "update", condition="current.name.changes()")
    row = rules.insert(name="one")

    assert rules.update(row, topic="x")["source"] == ""
    assert rules.update(row, name="two")["source"] == "changed"


def test_changes_from_and_to(rules: Rules) -> None:
    rules.add(
        "before",
        "current.source = current.state.changesFrom('ready') + ',' + current.state.changesTo('processed');",
        "update",
    )
    row = rules.insert(state="ready")

    assert rules.update(row, state="processed")["source"] == "true,true"
    assert rules.update(row, state="error")["source"] == "false,false"


def test_a_bare_field_in_a_condition_is_a_reference_error(rules: Rules) -> None:
    rules.add("before", "current.source = 'wrong';", condition=f"/* {rules.name} */ state.changes()")

    assert rules.insert(name="kept")["source"] == ""
    assert any(
        '"state" is not defined' in row["message"]
        for row in rules.instance.table("syslog").rows(f"sourceLIKE{rules.name}")
    )


def test_an_error_in_a_rule_is_logged_with_its_line_and_the_write_goes_on(rules: Rules) -> None:
    rules.add("before", f"\n\nthrow new Error('from {rules.name}');", order="1")
    rules.add("before", "current.source = 'went on';", order="2")

    assert rules.insert(name="x")["source"] == "went on"
    [message] = logged(rules.instance, f"from {rules.name}")
    assert message == f"Error: from {rules.name} (sys_script.{rules.name} 0; line 3)"


def test_a_rule_writes_through_other_rules(rules: Rules) -> None:
    rules.add(
        "after",
        f"""if (current.name == 'first') {{
            var row = new GlideRecord('{TABLE}');
            row.initialize();
            row.agent = current.agent;
            row.name = 'second';
            row.insert();
        }}""",
    )
    rules.add("before", "current.source = 'seen';")
    rules.insert(name="first")

    rows = rules.instance.table(TABLE).rows(f"agent={rules.name}^ORDERBYname")
    assert [(row["name"], row["source"]) for row in rows] == [("first", "seen"), ("second", "seen")]


def test_rules_without_end_are_ended(rules: Rules) -> None:
    rules.add(
        "after",
        f"var r = new GlideRecord('{TABLE}'); r.initialize(); r.agent = current.agent; r.insert();",
    )
    rules.insert(name="x")

    assert len(rules.instance.table(TABLE).rows(f"agent={rules.name}")) < 100
    assert any(
        "business rules cause each other" in text for text in logged(rules.instance, "cause each other")
    )


def test_set_workflow_false_leaves_rules_out(rules: Rules) -> None:
    rules.add("before", "current.source = 'ran';")
    source = f"""
        var r = new GlideRecord('{TABLE}');
        r.initialize();
        r.setWorkflow(false);
        r.agent = '{rules.name}';
        r.insert();
        '' + r.source;
    """

    assert rules.instance.script(source) == ""


def test_a_rule_runs_in_its_own_scope_and_as_the_user(rules: Rules) -> None:
    rules.add("before", "current.source = gs.getUserName(); gs.nowDateTime();", sys_scope="x_one")

    assert rules.insert(name="x")["source"] == "admin"
    assert logged(rules.instance, "nowDateTime is not allowed in scope x_one")


def test_an_async_rule_runs_later_without_previous_as_the_same_user(rules: Rules) -> None:
    rules.instance.create_user("rule.writer", "a password", ["admin"])
    rules.add(
        "async",
        "current.source = previous + ',' + gs.getUserName() + ',' + current.name; current.setWorkflow(false); "
        "current.update();",
        "update",
        condition="current.state.changesTo('processed')",
    )
    row = rules.insert(name="x", state="ready")
    writer = rules.instance.signed_in("rule.writer", "a password")
    writer.table(TABLE).update(row["sys_id"], state="processed")

    assert until(lambda: rules.read(row)["source"] == "null,rule.writer,x", PATIENCE_S)


def test_an_async_rule_for_deleted_rows_is_refused_in_the_log(rules: Rules) -> None:
    rules.add("async", "gs.info('never');", "delete")
    rules.instance.table(TABLE).delete(rules.insert(name="x")["sys_id"])

    sources = [
        row["source"] for row in rules.instance.table("syslog").rows("messageLIKEcannot see a deleted row")
    ]
    assert f"sys_script.{rules.name} 0" in sources


def test_a_rule_in_newer_javascript_is_refused_in_the_log(rules: Rules) -> None:
    rules.add("before", "const source = 'x'; current.source = source;")

    assert rules.insert(name="x")["source"] == ""
    assert any(rules.name in text for text in logged(rules.instance, "const is not ES5"))


def test_a_rule_that_could_only_be_obeyed_in_part_is_refused_in_the_log(rules: Rules) -> None:
    rules.add("before", "current.name = 'wrong';", template="name=x^EQ")
    rules.add("before", "current.name = 'wrong';", "query")

    assert rules.insert(name="right")["name"] == "right"
    assert logged(rules.instance, "does not provide template")
    assert logged(rules.instance, "does not run business rules before queries")


def test_current_is_not_there_outside_of_rules(instance: Instance) -> None:
    with pytest.raises(ScriptError, match='"current" is not defined'):
        instance.script("current.name;")
