"""A table of the test's own on an emulated instance, and scripts that work on it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from emulator.servicenow import Instance, ScriptError

#: What a column is made from: its type, or its type with more fields of its dictionary entry.
Column = str | dict[str, str]

_PRELUDE = """
    function fill(values) {
        var record = new GlideRecord(TABLE);
        record.initialize();
        for (var name in values) {
            record.setValue(name, values[name]);
        }
        return record.insert();
    }
    function found(record, column) {
        var values = [];
        record.query();
        while (record.next()) {
            values.push(record.getValue(column));
        }
        return values;
    }
    function one(sysId) {
        var record = new GlideRecord(TABLE);
        record.get(sysId);
        return record;
    }
"""


@dataclass(frozen=True)
class Shelf:
    """One table; scripts find its name in `TABLE`, and `fill`, `found` and `one` to work with it."""

    instance: Instance
    table: str

    def run(self, body: str, **choices: Any) -> Any:
        """Run a function body; return what it returns, by way of JSON."""
        source = f"var TABLE = '{self.table}'; {_PRELUDE} JSON.stringify({{answer: (function () {{ {body} }})()}});"
        return json.loads(self.instance.script(source, **choices)).get("answer")

    def refusal(self, body: str, **choices: Any) -> str:
        """Run a function body that has to fail; return the error."""
        with pytest.raises(ScriptError) as caught:
            self.run(body, **choices)
        return str(caught.value)


def build(instance: Instance, table: str, columns: dict[str, Column]) -> Shelf:
    """Make a table as a fix script does: GlideTableCreator, then dictionary entries."""
    entries = [
        {"name": table, "element": name, **({"internal_type": made} if isinstance(made, str) else made)}
        for name, made in columns.items()
    ]
    instance.script(f"""
        new GlideTableCreator('{table}', 'A test table').update();
        {json.dumps(entries)}.forEach(function (entry) {{
            var column = new GlideRecord('sys_dictionary');
            column.initialize();
            for (var name in entry) {{
                column.setValue(name, entry[name]);
            }}
            column.insert();
        }});
    """)
    return Shelf(instance, table)
