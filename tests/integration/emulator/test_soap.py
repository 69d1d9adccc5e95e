"""The direct SOAP service that MID Servers use. [KB0855595, OOB/RESTECCResponse]"""

from __future__ import annotations

from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

import pytest
import requests

from emulator.servicenow import Instance
from tests.integration.emulator.shelf import build

PASSWORD = "the MID's"
AGENT = "mid.server.soap-mid"


@pytest.fixture(scope="module")
def mid(instance: Instance) -> Instance:
    """Return the instance as an account with the role of MID Servers sees it."""
    instance.create_user("soap.mid", PASSWORD, ["mid_server"])
    return instance.signed_in("soap.mid", PASSWORD)


def post(instance: Instance, table: str, operation: str, **fields: str) -> requests.Response:
    inner = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in fields.items())
    envelope = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
        f"<{operation}>{inner}</{operation}></e:Body></e:Envelope>"
    )
    headers = {"Content-Type": "text/xml"}
    query = "SOAP&redirectSupported=true&displayvalue=all"
    return instance.request("POST", f"/{table}.do?{query}", data=envelope.encode(), headers=headers)


def call(instance: Instance, table: str, operation: str, **fields: str) -> ET.Element:
    answer = post(instance, table, operation, **fields)
    assert answer.status_code == 200, answer.text
    body = ET.fromstring(answer.content)[0]
    assert body[0].tag == f"{operation}Response"
    return body[0]


def records(instance: Instance, table: str, **fields: str) -> list[dict[str, str]]:
    return [
        {column.tag: column.text or "" for column in result}
        for result in call(instance, table, "getRecords", **fields).findall("getRecordsResult")
    ]


def insert(instance: Instance, **fields: str) -> str:
    return str(call(instance, "ecc_queue", "insert", **fields).findtext("sys_id"))


def fault(answer: requests.Response) -> str:
    assert answer.status_code == 500
    return str(ET.fromstring(answer.content).findtext(".//faultstring"))


def test_a_table_may_be_closed_to_web_services(instance: Instance) -> None:
    closed = build(instance, "u_soap_closed", {"title": "string"})
    tables = instance.table("sys_db_object")
    tables.update(tables.rows(f"name={closed.table}")[0]["sys_id"], ws_access="false")

    assert "does not allow web services" in fault(post(instance, closed.table, "getRecords"))


def test_rows_are_inserted_found_and_changed(mid: Instance) -> None:
    sys_id = insert(
        mid, agent=AGENT, topic="T", queue="output", state="ready", payload="<a b='1'>ü &amp;</a>"
    )

    (found,) = records(mid, "ecc_queue", sys_id=sys_id)
    changed = call(mid, "ecc_queue", "update", sys_id=sys_id, error_string="e").findtext("sys_id")

    assert (found["agent"], found["payload"]) == (AGENT, "<a b='1'>ü &amp;</a>")
    assert found["sys_created_by"] == "soap.mid"
    assert changed == sys_id
    assert records(mid, "ecc_queue", sys_id=sys_id)[0]["error_string"] == "e"


def test_columns_and_an_encoded_query_select_and_order_rows(mid: Instance) -> None:
    for priority in ("2", "0", "1"):
        insert(mid, agent="mid.server.order", queue="output", state="ready", priority=priority, name=priority)
    insert(mid, agent="mid.server.order", queue="input", state="ready", name="other")

    found = records(
        mid, "ecc_queue", agent="mid.server.order", queue="output", state="ready",
        __encoded_query="priorityIN0,1,2^ORDERBYpriority", __limit="2",
    )  # fmt: skip

    assert [row["name"] for row in found] == ["0", "1"]


def test_rows_can_be_ordered_without_a_query(mid: Instance) -> None:
    for name in ("b", "a", "c"):
        insert(mid, agent="mid.server.named", name=name)

    up = records(mid, "ecc_queue", agent="mid.server.named", __order_by="name")
    down = records(mid, "ecc_queue", agent="mid.server.named", __order_by_desc="name", __first_row="1")

    assert [row["name"] for row in up] == ["a", "b", "c"]
    assert [row["name"] for row in down] == ["b", "a"]


def test_nothing_found_is_an_empty_answer(mid: Instance) -> None:
    assert records(mid, "ecc_queue", agent="mid.server.nobody") == []


def test_rows_in_one_millisecond_keep_their_order(mid: Instance, instance: Instance) -> None:
    instance.script("""
        for (var i = 0; i < 20; i += 1) {
            var row = new GlideRecord('ecc_queue');
            row.initialize(); row.setValue('agent', 'mid.server.burst'); row.setValue('queue', 'output');
            row.setValue('name', 'n' + i); row.insert();
        }
    """)

    found = records(mid, "ecc_queue", agent="mid.server.burst", __encoded_query="ORDERBYsequence")

    assert [row["name"] for row in found] == [f"n{number}" for number in range(20)]


def test_control_characters_never_break_the_document(mid: Instance, instance: Instance) -> None:
    instance.script("""
        var row = new GlideRecord('ecc_queue'); row.initialize(); row.setValue('agent', 'mid.server.control');
        row.setValue('payload', 'a\\u001b[0m\\u0000b\\r\\nc'); row.insert();
    """)

    assert records(mid, "ecc_queue", agent="mid.server.control")[0]["payload"] == "a[0mb\r\nc"


@pytest.mark.parametrize(("size", "moved"), [(524_288, False), (524_289, True)], ids=["at", "over"])
def test_a_large_field_becomes_an_attachment(
    mid: Instance, instance: Instance, size: int, moved: bool
) -> None:
    text = "x" * size

    sys_id = insert(mid, agent="mid.server.large", queue="input", payload=text)

    (found,) = records(mid, "ecc_queue", sys_id=sys_id)
    assert found["payload"] == ("<see_attachment/>" if moved else text)
    if moved:
        length = instance.script(f"""
            var row = new GlideRecord('ecc_queue'); row.get('{sys_id}');
            ('' + new GlideSysAttachment().get(row, 'payload')).length;
        """)
        assert length == size


def test_a_sensor_finds_the_attachment_of_a_new_row(mid: Instance, instance: Instance) -> None:
    instance.table("sys_script").insert(
        name="reads", collection="ecc_queue", when="after", action_insert="true", active="true",
        filter_condition="agent=mid.server.sensor", script="""
            var row = new GlideRecord('ecc_queue'); row.get(current.getUniqueValue());
            row.setValue('error_string', ('' + new GlideSysAttachment().get(current, 'payload')).length);
            row.update();
        """,
    )  # fmt: skip

    sys_id = insert(mid, agent="mid.server.sensor", queue="input", payload="y" * 600_000)

    assert records(mid, "ecc_queue", sys_id=sys_id)[0]["error_string"] == "600000"


def test_references_have_their_names_beside_them(mid: Instance) -> None:
    agent = call(mid, "ecc_agent", "insert", name="named").findtext("sys_id")
    call(mid, "ecc_agent_config", "insert", ecc_agent=str(agent), param_name="p", value="v")

    (found,) = records(mid, "ecc_agent_config", param_name="p")

    assert (found["ecc_agent"], found["dv_ecc_agent"]) == (agent, "named")


@pytest.mark.parametrize(
    ("table", "operation", "fields", "expected"),
    [
        ("u_nothing", "getRecords", {}, "there is no table u_nothing"),
        ("ecc_queue", "aggregate", {}, "the operation aggregate is not provided"),
        ("ecc_queue", "insert", {"output": "a"}, "table ecc_queue has no column output"),
        ("ecc_queue", "getRecords", {"output": "a"}, "table ecc_queue has no column output"),
        ("ecc_queue", "update", {"sys_id": "a" * 32}, "there is no record"),
        ("sys_user", "insert", {"user_name": "intruder"}, "Insufficient rights"),
    ],
    ids=["table", "operation", "column", "condition", "record", "right"],
)
def test_what_is_wrong_is_a_fault_in_words(
    mid: Instance, table: str, operation: str, fields: dict[str, str], expected: str
) -> None:
    assert expected in fault(post(mid, table, operation, **fields))


def test_rows_a_user_may_not_read_are_not_there(mid: Instance) -> None:
    assert records(mid, "sys_user") == []


@pytest.mark.parametrize(
    "text",
    ["", "<a", "<a/>", "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/hostname'>]><a>&b;</a>"],
    ids=["empty", "broken", "other", "doctype"],
)
def test_what_is_no_envelope_is_a_fault(mid: Instance, text: str) -> None:
    answer = mid.request("POST", "/ecc_queue.do?SOAP", data=text)

    assert fault(answer)


def test_soap_needs_a_user(instance: Instance) -> None:
    assert instance.request("POST", "/ecc_queue.do?SOAP", data="", auth=("nobody", "x")).status_code == 401


def test_a_password2_column_is_empty(instance: Instance) -> None:
    shelf = build(instance, "u_soap_secret", {"secret": "password2"})
    shelf.run(
        "var r = new GlideRecord(TABLE); r.initialize(); r.secret.setDisplayValue('marker'); r.insert();"
    )

    (found,) = records(instance, shelf.table)

    assert found["secret"] == ""


# -- answers that get lost -----------------------------------------------------------------------------------


def answer(mid: Instance, name: str) -> str:
    return insert(
        mid, agent=AGENT, topic="T", name=name, queue="input", state="ready", response_to="0" * 31 + "1"
    )


def names(mid: Instance, prefix: str) -> list[str]:
    query = f"nameSTARTSWITH{prefix}^response_toISNOTEMPTY"
    return [row["name"] for row in records(mid, "ecc_queue", __encoded_query=query)]


def test_a_lost_answer_is_acknowledged_and_not_kept(mid: Instance, instance: Instance) -> None:
    instance.faults(answers={"lose": 1})

    acknowledged = answer(mid, "lose 1")
    answer(mid, "lose 2")

    assert len(acknowledged) == 32
    assert names(mid, "lose") == ["lose 2"]
    assert instance.faults()["answers"]["lose"] == 0


def test_a_doubled_answer_is_there_twice(mid: Instance, instance: Instance) -> None:
    instance.faults(answers={"double": 1})

    answer(mid, "double 1")
    answer(mid, "double 2")

    assert names(mid, "double") == ["double 1", "double 1", "double 2"]


def test_reordered_answers_come_together_and_backwards(mid: Instance, instance: Instance) -> None:
    instance.faults(answers={"reorder": 3})

    for number in (1, 2):
        answer(mid, f"reorder {number}")
    assert names(mid, "reorder") == []
    answer(mid, "reorder 3")

    assert names(mid, "reorder") == ["reorder 3", "reorder 2", "reorder 1"]


def test_other_rows_of_a_mid_are_not_lost(mid: Instance, instance: Instance) -> None:
    instance.faults(answers={"lose": 1})

    insert(mid, agent=AGENT, topic="queue.processing", name="kept", queue="input", payload="<a/>")

    instance.faults(answers={"lose": 0})
    assert len(records(mid, "ecc_queue", name="kept")) == 1
