"""The life cycle of ecc_queue rows, by the platform's own business rules. [KB0855595, ecc-queue-mid-server]"""

from __future__ import annotations

import time
from xml.sax.saxutils import quoteattr

import pytest

from emulator.servicenow import Instance, Row

AGENT = "mid.server.queue-mid"
QUEUE = "ecc_queue"


def output(instance: Instance, agent: str = AGENT, **fields: str) -> str:
    values = {"agent": agent, "topic": "JavascriptProbe", "queue": "output", "state": "ready", "name": "P"}
    return instance.table(QUEUE).insert(**values | fields)["sys_id"]


def result(instance: Instance, response_to: str, payload: str = "<results/>", **fields: str) -> str:
    values = {"agent": AGENT, "topic": "JavascriptProbe", "queue": "input", "state": "ready", "name": "P"}
    return instance.table(QUEUE).insert(**values | fields, response_to=response_to, payload=payload)["sys_id"]


def processing(instance: Instance, *sys_ids: str, state: str = "processing") -> str:
    ids = "".join(f'<sys_id state="{state}">{sys_id}</sys_id>' for sys_id in sys_ids)
    payload = f'<queue.processing output_message_count="{len(sys_ids)}">{ids}</queue.processing>'
    values = {"agent": AGENT, "topic": "queue.processing", "queue": "input", "state": "ready"}
    return instance.table(QUEUE).insert(**values, payload=payload)["sys_id"]


def row(instance: Instance, sys_id: str) -> Row:
    return instance.table(QUEUE).row(sys_id)


def echo(**parameters: str) -> str:
    inner = "".join(f"<parameter name={quoteattr(n)} value={quoteattr(v)}/>" for n, v in parameters.items())
    return f"<results><result><output>x</output></result><parameters>{inner}</parameters></results>"


def test_the_queue_has_the_documented_columns_and_no_output(instance: Instance) -> None:
    found = set(row(instance, output(instance)))

    documented = (
        "agent topic name source queue state priority agent_correlator response_to sequence payload processed "
        "error_string from_sys_id from_host sys_domain"
    )
    assert set(documented.split()) <= found
    assert "output" not in found


def test_a_new_row_is_standard_ready_global_and_has_its_place(instance: Instance) -> None:
    found = row(instance, instance.table(QUEUE).insert(agent=AGENT)["sys_id"])

    assert (found["priority"], found["state"], found["sys_domain"]) == ("2", "ready", "global")
    assert abs(int(found["sequence"][:-7], 16) / 1000 - time.time()) < 60


def test_an_output_is_marked_when_a_mid_has_taken_it_and_when_it_was_answered(instance: Instance) -> None:
    sys_id = output(instance)

    message = processing(instance, sys_id)
    taken = row(instance, sys_id)
    answer = result(instance, sys_id)
    done = row(instance, sys_id)

    assert (taken["state"], bool(taken["processed"])) == ("processing", True)
    assert (done["state"], done["processed"]) == ("processed", taken["processed"])
    assert row(instance, message)["state"] == "processed"
    assert row(instance, answer)["state"] == "ready"


def test_one_message_marks_several_outputs(instance: Instance) -> None:
    outputs = [output(instance), output(instance)]

    processing(instance, *outputs)

    assert [row(instance, each)["state"] for each in outputs] == ["processing", "processing"]


def test_an_output_can_be_cancelled_and_stays_so(instance: Instance) -> None:
    sys_id = output(instance)

    processing(instance, sys_id, state="cancelled")
    result(instance, sys_id)

    assert row(instance, sys_id)["state"] == "cancelled"


@pytest.mark.parametrize("state", ["processed", "ready", "nonsense"])
def test_a_message_moves_outputs_in_no_other_way(instance: Instance, state: str) -> None:
    sys_id = output(instance)

    processing(instance, sys_id, state=state)

    assert row(instance, sys_id)["state"] == "ready"


def test_a_late_message_does_not_reopen_an_output(instance: Instance) -> None:
    sys_id = output(instance)
    result(instance, sys_id)

    processing(instance, sys_id)

    assert row(instance, sys_id)["state"] == "processed"


@pytest.mark.parametrize("payload", ["", "<broken", "<queue.processing/>"], ids=["empty", "broken", "none"])
def test_a_message_without_rows_does_no_harm(instance: Instance, payload: str) -> None:
    values = {"agent": AGENT, "topic": "queue.processing", "queue": "input", "payload": payload}

    sys_id = instance.table(QUEUE).insert(**values)["sys_id"]

    assert row(instance, sys_id)["state"] == "processed"


def test_an_output_for_all_mids_is_copied_to_those_that_are_up(instance: Instance) -> None:
    for name, status in (("all-1", "Up"), ("all-2", "Up"), ("all-3", "Down")):
        instance.table("ecc_agent").insert(name=name, status=status, validated="true")

    sys_id = output(instance, "mid.server.*", name="for all", payload="<p/>", priority="1")

    copies = instance.table(QUEUE).rows("name=for all^agentSTARTSWITHmid.server.all")
    assert sorted(each["agent"] for each in copies) == ["mid.server.all-1", "mid.server.all-2"]
    assert {(each["state"], each["payload"], each["priority"]) for each in copies} == {("ready", "<p/>", "1")}
    assert row(instance, sys_id)["state"] == "processed"


# -- clusters ------------------------------------------------------------------------------------------------


def cluster(instance: Instance, name: str, kind: str, members: dict[str, str]) -> None:
    made = instance.table("ecc_agent_cluster").insert(name=name, cluster_type=kind)["sys_id"]
    for order, (member, status) in enumerate(members.items()):
        agent = instance.table("ecc_agent").insert(name=member, status=status, validated="true")["sys_id"]
        link = instance.table("ecc_agent_cluster_member_m2m")
        link.insert(cluster=made, agent=agent, order=str(order))


def test_a_load_balancing_cluster_sends_outputs_to_any_member_that_is_up(instance: Instance) -> None:
    cluster(instance, "balanced", "Load Balance", {"lb-1": "Down", "lb-2": "Up", "lb-3": "Up"})

    agents = {row(instance, output(instance, "mid.server.lb-2"))["agent"] for _ in range(30)}
    stays = row(instance, output(instance, "mid.server.lb-1", topic="SystemCommand"))["agent"]

    assert agents == {"mid.server.lb-2", "mid.server.lb-3"}
    assert stays == "mid.server.lb-1"


def test_a_failover_cluster_moves_outputs_of_a_member_that_is_down(instance: Instance) -> None:
    cluster(instance, "failover", "Failover", {"fo-1": "Up", "fo-2": "Down", "fo-3": "Up"})

    assert row(instance, output(instance, "mid.server.fo-2"))["agent"] == "mid.server.fo-1"
    assert row(instance, output(instance, "mid.server.fo-3"))["agent"] == "mid.server.fo-3"


# -- the sensor of Discovery ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("payload", "fields", "state"),
    [
        (echo(skip_sensor="true"), {}, "ready"),
        (echo(skip_sensor="false"), {}, "error"),
        (echo(), {}, "error"),
        ("<broken", {}, "error"),
        (echo(), {"topic": "HeartbeatProbe", "agent": "mid.server.nobody"}, "processed"),
        (echo(), {"topic": "SystemCommand"}, "ready"),
        (echo(), {"agent_correlator": "rba.1"}, "ready"),
        (echo(), {"agent": "claude.poller.a"}, "ready"),
    ],
    ids=["skipped", "not skipped", "nothing said", "broken", "heartbeat", "command", "rba", "no mid"],
)
def test_discovery_knows_no_sensor_for_foreign_probes(
    instance: Instance, payload: str, fields: dict[str, str], state: str
) -> None:
    instance.faults(discovery=True)

    found = row(instance, result(instance, output(instance), payload, **fields))

    instance.faults(discovery=False)
    assert found["state"] == state
    assert found["error_string"] == ("No sensors defined" if state == "error" else "")


def test_without_discovery_an_input_nobody_takes_stays_ready(instance: Instance) -> None:
    assert row(instance, result(instance, output(instance), echo()))["state"] == "ready"


# -- MID Servers up and down ---------------------------------------------------------------------------------


def events(instance: Instance, name: str) -> list[str]:
    return [each["parm1"] for each in instance.table("sysevent").rows(f"name={name}")]


def silent_after(instance: Instance, seconds: int) -> None:
    table = instance.table("sys_properties")
    name = "mid_server.heartbeat.silent_seconds"
    table.update(table.rows(f"name={name}")[0]["sys_id"], value=str(seconds))


def test_a_mid_that_leaves_a_heartbeat_lying_is_down_and_one_that_answers_is_up(instance: Instance) -> None:
    agent = instance.table("ecc_agent").insert(name="heart", status="Up", validated="true")["sys_id"]
    silent_after(instance, 0)

    instance.run_job("MID Server Monitor")
    (heartbeat,) = instance.table(QUEUE).rows("agent=mid.server.heart^topic=HeartbeatProbe")
    instance.run_job("MID Server Monitor")
    down = instance.table("ecc_agent").row(agent)
    result(instance, heartbeat["sys_id"], topic="HeartbeatProbe", agent="mid.server.heart")
    up = instance.table("ecc_agent").row(agent)

    silent_after(instance, 300)
    assert (heartbeat["priority"], heartbeat["state"]) == ("0", "ready")
    assert (down["status"], up["status"]) == ("Down", "Up")
    assert events(instance, "mid_server.down").count("heart") == 1
    assert events(instance, "mid_server.up").count("heart") == 2


def test_changed_script_includes_are_announced_to_mids(instance: Instance) -> None:
    instance.table("ecc_agent").insert(name="reload", status="Up", validated="true")

    instance.table("ecc_agent_script_include").insert(name="X", script="var X = 1;", active="true")

    (sent,) = instance.table(QUEUE).rows("agent=mid.server.reload^topic=SystemCommand")
    assert (sent["name"], sent["state"]) == ("reload_script_includes", "ready")


def test_rows_older_than_a_week_go(instance: Instance) -> None:
    old, young = output(instance), output(instance)
    instance.script(f"""
        var row = new GlideRecord('ecc_queue'); row.get('{old}');
        var then = new GlideDateTime(); then.addDaysUTC(-8);
        row.autoSysFields(false); row.setValue('sys_created_on', then.getValue()); row.update();
    """)

    instance.run_job("ECC Queue - rotation")

    assert instance.table(QUEUE).rows(f"sys_id={old}") == []
    assert row(instance, young)["state"] == "ready"
