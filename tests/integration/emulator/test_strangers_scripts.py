"""Scripts and update sets that were not made for the emulator: they run, or are told what is missing."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from emulator.servicenow import Instance, ScriptError
from tests.integration.emulator.updates import UpdateSet, commit, preview, sys_id, table_of

SCOPE = "x_lib"
LOANS = "x_lib_loan"

#: How reports are usually written: counts by a column, most first.
REPORT = """
    var report = [];
    var count = new GlideAggregate('x_lib_loan');
    count.addQuery('returned', false);
    count.addAggregate('COUNT');
    count.groupBy('book');
    count.orderBy('book');
    count.query();
    while (count.next()) {
        report.push(count.getValue('book') + ': ' + count.getAggregate('COUNT'));
    }
    report.join(', ');
"""

LEND = """
    (function process(request, response) {
        var loan = new Loans().lend(request.body.data.book);
        if (!loan) {
            throw new sn_ws_err.ConflictError('All copies are out');
        }
        response.setStatus(201);
        response.setBody({number: loan.getValue('number'), reader: gs.getUserName()});
    })(request, response);
"""

INCLUDE = """
    var Loans = Class.create();
    Loans.prototype = {
        COPIES: 2,
        initialize: function () {},
        lend: function (book) {
            var loan = new GlideRecord('x_lib_loan');
            loan.addQuery('book', book);
            loan.addQuery('returned', false);
            loan.query();
            if (loan.getRowCount() >= this.COPIES) {
                return null;
            }
            loan.initialize();
            loan.setValue('book', book);
            loan.reader = gs.getUserID();
            loan.insert();
            return loan;
        },
        type: 'Loans'
    };
"""

NUMBER = """
    (function executeRule(current, previous /*null when async*/) {
        current.number = 'LOAN' + (1000 + new GlideRecordCounter('x_lib_loan').rows());
    })(current, previous);
"""

COUNTER = """
    var GlideRecordCounter = function (table) { this.table = table; };
    GlideRecordCounter.prototype.rows = function () {
        var all = new GlideAggregate(this.table);
        all.addAggregate('COUNT');
        all.query();
        return all.next() ? parseInt(all.getAggregate('COUNT'), 10) : 0;
    };
"""


def library() -> UpdateSet:
    """A small application as somebody else might export it."""
    made = UpdateSet("library")
    app = made.add("sys_app", name="Library", scope=SCOPE, version="1.0.0")
    own = {"sys_scope": app}
    columns = {"number": "string", "book": "string", "returned": "boolean", "reader": "reference"}
    for element, kind in columns.items():
        reference = {"reference": "sys_user"} if kind == "reference" else {}
        made.add("sys_dictionary", name=LOANS, element=element, internal_type=kind, **own, **reference)
    made.add("sys_db_object", name=LOANS, label="Loan", **own)
    role = made.add("sys_user_role", name=f"{SCOPE}.reader", **own)
    acl = made.add("sys_security_acl", name=LOANS, operation="read", type="record", active="true", **own)
    made.add("sys_security_acl_role", sys_security_acl=acl, sys_user_role=role)
    made.add("sys_script_include", name="Loans", script=INCLUDE, active="true", **own)
    made.add("sys_script_include", name="GlideRecordCounter", script=COUNTER, active="true", **own)
    made.add(
        "sys_script",
        name="Number loans",
        collection=LOANS,
        when="before",
        action_insert="true",
        active="true",
        advanced="true",
        script=NUMBER,
        **own,
    )
    service = made.add(
        "sys_ws_definition", name="Library", namespace=SCOPE, service_id="loans", active="true", **own
    )
    made.add(
        "sys_ws_operation",
        name="Lend",
        web_service_definition=service,
        http_method="POST",
        relative_path="/",
        operation_script=LEND,
        active="true",
        **own,
    )
    return made


@pytest.fixture(scope="module")
def reader(instance: Instance) -> Instance:
    """Install the library; return one of its readers."""
    commit(instance, library(), elevated=True)
    instance.create_user("reader", "a reader's password", [f"{SCOPE}.reader"])
    return instance.signed_in("reader", "a reader's password")


def lend(reader: Instance, book: str) -> requests.Response:
    return reader.request("POST", f"/api/{SCOPE}/loans", json={"book": book})


def test_an_application_with_table_rule_and_rest_works(reader: Instance) -> None:
    first, second, third = (lend(reader, "Candide") for _ in range(3))

    assert (first.status_code, first.json()) == (201, {"result": {"number": "LOAN1000", "reader": "reader"}})
    assert second.json()["result"]["number"] == "LOAN1001"
    assert (third.status_code, third.json()["error"]["message"]) == (409, "All copies are out")
    assert [row["book"] for row in reader.table(LOANS).rows("number=LOAN1000")] == ["Candide"]


def test_a_report_counts_by_group(instance: Instance, reader: Instance) -> None:
    lend(reader, "Zadig")

    assert instance.script(REPORT, scope=SCOPE).endswith("Zadig: 1")


def test_who_has_no_role_reads_nothing(instance: Instance, reader: Instance) -> None:
    lend(reader, "Micromégas")
    instance.create_user("nobody", "nobody's password")

    assert instance.signed_in("nobody", "nobody's password").table(LOANS).rows() == []


MISSING = {
    "outbound REST": ("new sn_ws.RESTMessageV2();", '"sn_ws" is not defined. The emulator does not provide'),
    "a Glide class": (
        "new GlideHTTPRequest('x');",
        '"GlideHTTPRequest" is not defined. The emulator does not',
    ),
    "an include": (
        "new ArrayUtil().unique([1]);",
        '"ArrayUtil" is not defined. The emulator does not provide',
    ),
    "a typing error": ("gs.info(Arayutil);", '"Arayutil" is not defined. (background'),
    "a method": (
        "new GlideRecord('sys_user').addJoinQuery('x');",
        "no method addJoinQuery here; there are get, ",
    ),
    "a gs method": ("gs.getUser();", "Cannot find function getUser in object [object GlideSystem]"),
    "an operator": (
        "new GlideRecord('sys_user').addQuery('name', 'SAMEAS', 'x');",
        '"SAMEAS" is not provided',
    ),
    "a table": ("var r = new GlideRecord('incident'); r.query();", "there is no table incident"),
    "a column": ("var r = new GlideRecord('sys_user'); r.u_shoe_size = 4;", "no column u_shoe_size"),
    "Java": ("new Packages.java.util.HashMap();", '"Packages" is not defined'),
}


@pytest.mark.parametrize(("source", "complaint"), MISSING.values(), ids=MISSING)
def test_a_script_is_told_what_is_missing(instance: Instance, source: str, complaint: str) -> None:
    with pytest.raises(ScriptError) as refused:
        instance.script(source)

    assert complaint in str(refused.value)


def test_a_set_with_a_table_that_extends_another_is_told_so(instance: Instance) -> None:
    made = UpdateSet("extends")
    table_of(made, "u_base", {"word": "string"})
    made.add("sys_db_object", name="u_derived", label="Derived", super_class=sys_id("u_base"))

    assert any("could not find a record in sys_db_object" in problem for problem in preview(instance, made))


def probes(instance: Instance, source: str, **choices: Any) -> str:
    """Write an output with the platform's own class; return its payload."""
    written = instance.script(f"var p = new global.JavascriptProbe('mid-x'); {source} p.create();", **choices)
    return instance.table("ecc_queue").row(written)["payload"]


def test_the_platforms_probe_class_writes_an_output(instance: Instance) -> None:
    payload = probes(instance, r"p.setName('Mine'); p.addParameter('a', '<\n\"'); p.setJavascript('1 && 2');")

    assert payload == (
        '<parameters><parameter name="a" value="&lt;&#10;&quot;"/>'
        '<parameter name="script" value="1 &amp;&amp; 2"/></parameters>'
    )


def test_an_application_uses_the_platforms_probe_class(instance: Instance) -> None:
    payload = probes(instance, "p.setJavascript('3');", scope="x_somebody")

    assert payload == '<parameters><parameter name="script" value="3"/></parameters>'
