"""An instance of version 1.0, which knew MID Servers alone: its rows tell of no bridge."""

from __future__ import annotations

import pytest

from emulator.servicenow import Instance

SCRIPT = "02_create_credentials_table"
DRY = "var FIX_OPTIONS = {dryRun: true};"
TABLES = [f"x_claude_terminal_{name}" for name in ("mid_status", "session", "request")]


@pytest.fixture(scope="module")
def instance(installed: Instance) -> Instance:
    """Return the administrator of an instance with the app and rows of before, and a column unique by itself."""
    installed.script(
        "(function (row) { row.addQuery('name', 'x_claude_terminal_mid_status');"
        "row.addQuery('element', 'mid_name'); row.query(); row.next();"
        "row.setValue('unique', 'true'); row.update(); })(new GlideRecord('sys_dictionary'))",
        elevated=True,
    )
    for job in installed.table("sysauto_script").rows("nameSTARTSWITHclaude-terminal"):
        installed.table("sysauto_script").update(job["sys_id"], active="false")
    for table in TABLES:  # what a job has noted until now
        installed.script(f"new GlideRecord({table!r}).deleteMultiple()", scope="x_claude_terminal")
    for table, column in zip(TABLES, ("mid_name", "mid_name", "key"), strict=True):
        insert(installed, table, **{column: "mid-old"})
    return installed


def insert(instance: Instance, table: str, **values: str) -> None:
    """Put a row into a table of the app, past its rules."""
    sets = "".join(f"row.setValue({name!r}, {value!r});" for name, value in values.items())
    instance.script(
        f"(function (row) {{ row.initialize(); {sets} row.setWorkflow(false); row.insert(); }})"
        f"(new GlideRecord({table!r}))",
        scope="x_claude_terminal",
    )


def bridges(instance: Instance, table: str, column: str = "bridge") -> list[str]:
    """Return a column of all rows of a table."""
    found: list[str] = instance.script(
        f"(function (row) {{ var found = []; row.orderBy({column!r}); row.query();"
        f"while (row.next()) {{ found.push(row.getValue({column!r}) || ''); }} return found; }})"
        f"(new GlideRecord({table!r}))",
        scope="x_claude_terminal",
    )
    return found


def test_rows_of_before_went_by_mid_servers(instance: Instance) -> None:
    dry = instance.fix(SCRIPT, before=DRY)
    untouched = [bridges(instance, table) for table in TABLES]
    said = instance.fix(SCRIPT)

    lines = [f"updated {table}: 1 rows, bridge (empty) → mid" for table in TABLES]
    assert said[-3:] == lines
    assert dry[-3:] == [line.replace("updated", "would update") for line in lines]
    assert untouched == [[""]] * 3
    assert [bridges(instance, table) for table in TABLES] == [["mid"]] * 3
    assert len(instance.fix(SCRIPT)) == 1


def test_a_name_may_then_be_a_mid_servers_and_a_pollers(instance: Instance) -> None:
    insert(instance, TABLES[0], mid_name="both", bridge="mid")
    insert(instance, TABLES[0], mid_name="both", bridge="poller")

    assert bridges(instance, TABLES[0], "mid_name") == ["both", "both", "mid-old"]


def test_a_host_that_was_noted_anew_meanwhile_is_not_there_twice(instance: Instance) -> None:
    insert(instance, TABLES[0], mid_name="mid-old")

    instance.fix(SCRIPT)

    assert bridges(instance, TABLES[0], "mid_name").count("mid-old") == 1
