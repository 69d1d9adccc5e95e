"""What the emulated MID Server answers: the input record, its payload, its errors."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import pytest

from emulator.midserver import MidServer
from emulator.servicenow import Instance
from tests.integration.emulator.probing import Desk
from tests.waiting import until

pytestmark = pytest.mark.usefixtures("mid")

TAKEN_OVER = ("agent", "topic", "name", "source", "agent_correlator", "priority")
ECHOED = [
    "agent",
    "topic",
    "name",
    "source",
    "queue",
    "state",
    "priority",
    "agent_correlator",
    "response_to",
    "sequence",
    "sys_created_on",
    "sys_id",
    "ecc_queue",
    "from_sys_id",
    "from_host",
    "sys_domain",
    "processed",
    "error_string",
    "signature",
]


@pytest.fixture(scope="module")
def desk(instance: Instance, mid: MidServer) -> Desk:
    return Desk(instance, mid.name)


def test_an_answer_is_a_new_input_that_takes_over_what_it_answers(desk: Desk) -> None:
    output = desk.put("'done'", source="10.0.0.1", agent_correlator="ct.8c1f", priority="2", name="SomeProbe")
    before = desk.output(output)

    answer = desk.answer(output).row

    assert {name: answer[name] for name in TAKEN_OVER} == {name: before[name] for name in TAKEN_OVER}
    assert (answer["queue"], answer["state"], answer["response_to"]) == ("input", "ready", output)
    assert answer["sys_id"] != output
    assert desk.output(output)["payload"] == before["payload"]


def test_an_output_is_claimed_by_a_message_and_processed_by_its_answer(desk: Desk) -> None:
    output = desk.put("'done'")
    desk.answer(output)
    messages = desk.instance.table("ecc_queue").rows(f"topic=queue.processing^payloadLIKE{output}")

    assert desk.state(output) == "processed"
    assert desk.output(output)["processed"]
    assert len(messages) == 1
    root = ET.fromstring(messages[0]["payload"])
    assert (root.tag, root.get("output_message_count")) == ("queue.processing", str(len(root)))
    assert [each.get("state") for each in root if each.text == output] == ["processing"]


def test_the_completion_value_is_the_result(desk: Desk) -> None:
    answer = desk.run("'sum ' + (2 + 3);")

    assert answer.output == "sum 5"
    assert answer.root.get("result_code") == "0"
    assert re.fullmatch(r"\d+", answer.root.get("probe_time", ""))


def test_all_columns_and_parameters_are_echoed(desk: Desk) -> None:
    sent = {"skip_sensor": "true", "op": "output", "session": "s<1>&\"'"}
    output = desk.put("'x'", parameters=sent, agent_correlator="ct.1")

    parameters = desk.answer(output).parameters

    assert [name for name in ECHOED if name not in parameters] == []
    assert {name: parameters[name] for name in sent} == sent
    assert parameters["script"] == "'x'"
    assert (parameters["sys_id"], parameters["ecc_queue"]) == (output, output)
    assert (parameters["queue"], parameters["agent_correlator"]) == ("output", "ct.1")


def test_skip_sensor_is_echoed_as_false_when_it_was_not_sent(desk: Desk) -> None:
    assert desk.run("'x'").parameters["skip_sensor"] == "false"


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("throw new Error('out of paper');", "out of paper"),
        ("throw 'a text';", "a text"),
        ("noSuchThing();", '"noSuchThing" is not defined.'),
        ("java.lang.Integer.parseInt('x');", "NumberFormatException"),
        ("var = 1;", "SyntaxError|missing variable name"),
    ],
    ids=["error", "text", "reference", "java", "syntax"],
)
def test_an_uncaught_exception_is_an_error_payload(desk: Desk, script: str, message: str) -> None:
    answer = desk.run(script)

    assert re.search(message, answer.error)
    assert answer.root.get("result_code") == "900000"
    assert answer.root.find("result/output") is None
    assert answer.parameters["topic"] == "JavascriptProbe"


def test_a_failed_probe_is_answered_by_a_ready_input_and_its_output_is_processed(desk: Desk) -> None:
    output = desk.put("throw new Error('x');")

    assert desk.answer(output).row["state"] == "ready"
    assert until(lambda: desk.state(output) == "processed")


@pytest.mark.parametrize(
    ("script", "value"),
    [
        ("function f() { return 'v'; } f();", "v"),
        ("var res; res = 'v';", "v"),
        ("var f = function () { return 1; }; '' + f();", "1"),
        ("({a: 1});", "[object Object]"),
        ("(function () { return 'inline ' + probe.getParameter('op'); })();", "inline echo"),
        ("'earlier'; var later = 'v';", "earlier"),
        ("1 + 1;", "2"),
    ],
    ids=["call", "assignment", "expression", "object", "inline", "earlier", "number"],
)
def test_the_last_expression_decides(desk: Desk, script: str, value: str) -> None:
    assert desk.run(script, parameters={"op": "echo"}).output == value


@pytest.mark.parametrize(
    "script", ["var res = 'v';", "(function () {})();", ""], ids=["var", "no-return", "empty"]
)
def test_a_script_without_a_value_is_an_error(desk: Desk, script: str) -> None:
    assert re.search("completion value|no parameter named script", desk.run(script).error)


def test_a_function_declaration_at_the_end_gives_its_source(desk: Desk) -> None:
    assert 'return "v"' in desk.run("function execute() { return 'v'; }").output


@pytest.mark.parametrize("text", ["<parameters>", "no xml", "<!DOCTYPE a><parameters/>"])
def test_a_payload_that_is_no_plain_xml_is_an_error(desk: Desk, text: str) -> None:
    assert "not XML" in desk.run("", payload=text).error


def test_an_unknown_topic_is_an_error(desk: Desk) -> None:
    assert "no probe for the topic Telepathy" in desk.run("'x'", topic="Telepathy").error


def test_a_heartbeat_says_that_the_mid_is_up(desk: Desk) -> None:
    answer = desk.run("", topic="HeartbeatProbe", payload="", priority="0")

    assert answer.root.get("result_code") == "0"
    assert "mid_operational_state=Up" in answer.row["payload"]


def test_a_system_command_that_is_not_known_is_an_error(desk: Desk) -> None:
    assert "no system command named make_tea" in desk.run("", topic="SystemCommand", name="make_tea").error


def test_a_forbidden_character_in_a_result_makes_a_payload_that_no_parser_takes(desk: Desk) -> None:
    text = desk.run("'a' + String.fromCharCode(27) + '[0m';").row["payload"]

    assert "&#27;" in text
    with pytest.raises(ET.ParseError):
        ET.fromstring(text)
    taken = desk.instance.script(f"new XMLDocument2().parseXML({json.dumps(text)})")
    assert str(taken).lower() == "false"


def test_a_carriage_return_in_a_result_arrives(desk: Desk) -> None:
    assert desk.run("'a\\r\\nb';").output == "a\r\nb"


def test_a_raw_line_break_in_a_parameter_becomes_a_space_and_a_reference_survives(desk: Desk) -> None:
    raw = "<parameters><parameter name='p' value='a\nb'/><parameter name='script' value='{0}'/></parameters>"
    script = 'JSON.stringify("" + probe.getParameter("p"))'

    assert desk.run("", payload=raw.replace("{0}", script)).output == '"a b"'
    assert desk.run(script, parameters={"p": "a\nb"}).output == '"a\\nb"'


def test_text_of_any_language_and_markup_arrives(desk: Desk) -> None:
    text = "a & b < c > \"d\" 'e' äß€ \U0001f600 ]]>"

    assert desk.run("'' + probe.getParameter('p')", parameters={"p": text}).output == text


def test_an_answer_of_one_hundred_kilobytes_arrives(desk: Desk) -> None:
    answer = desk.run("new Array(100 * 1024 + 1).join('x');")

    assert len(answer.output) == 100 * 1024


def test_outputs_of_others_are_left_alone(desk: Desk) -> None:
    foreign = desk.put("'x'", agent="mid.server.mid-z")
    poller = desk.put("'x'", agent="claude.poller.mid-a")
    desk.run("'x'")

    assert [desk.state(each) for each in (foreign, poller)] == ["ready", "ready"]


def test_payload_values_are_not_in_the_log(desk: Desk, mid: MidServer) -> None:
    desk.run("ms.log('said by a script'); '' + probe.getParameter('p')", parameters={"p": "marker-of-p"})
    desk.run("throw new Error(probe.getParameter('p'))", parameters={"p": "marker-of-p"})

    assert "script: said by a script" in mid.log()
    assert "marker-of-p" not in mid.log()
    assert "marker-of-p" not in mid.program.said()
