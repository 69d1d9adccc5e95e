"""Scheduled scripts, events and script actions on the emulated instance."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from emulator.servicenow import Instance, Row, ScriptError
from tests.waiting import until

if TYPE_CHECKING:
    from emulator.platform import Platform

PATIENCE_S = 60
SECOND = "1970-01-01 00:00:01"
HOUR = "1970-01-01 01:00:00"


def moment(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%d %H:%M:%S")


def add_job(instance: Instance, name: str, script: str, **fields: str) -> Row:
    values = {"active": "true", "run_type": "on_demand", **fields}
    return instance.table("sysauto_script").insert(name=name, script=script, **values)


def add_action(instance: Instance, event: str, script: str, **fields: str) -> Row:
    values = {"active": "true", "name": f"action for {event}", **fields}
    return instance.table("sysevent_script_action").insert(event_name=event, script=script, **values)


def said(instance: Instance, text: str) -> list[str]:
    return [row["message"] for row in instance.table("syslog").rows(f"messageLIKE{text}^ORDERBYsequence")]


def trigger(instance: Instance, job: Row) -> list[Row]:
    return instance.table("sys_trigger").rows(f"parent={job['sys_id']}")


def event(instance: Instance, name: str) -> list[Row]:
    return instance.table("sysevent").rows(f"name={name}")


# -- scheduled scripts -------------------------------------------------------------------------------------------


def test_execute_now_runs_the_script_as_the_system_in_its_scope(instance: Instance) -> None:
    add_job(instance, "now", "gs.info('ran now as ' + gs.getUserName()); gs.now();", sys_scope="x_one")

    with pytest.raises(ScriptError, match=r"now is not allowed in scope x_one.*sysauto_script.now; line 1"):
        instance.run_job("now")
    assert said(instance, "ran now as") == ["ran now as system"]


def test_a_script_on_demand_does_not_run_by_itself(instance: Instance) -> None:
    assert trigger(instance, add_job(instance, "never", "gs.info('never');")) == []


def test_a_periodic_script_runs_again_and_again(instance: Instance) -> None:
    job = add_job(
        instance, "ticking", "gs.info('tick ' + 'tock');", run_type="periodically", run_period=SECOND
    )

    assert until(lambda: len(said(instance, "tick tock")) >= 3, PATIENCE_S)
    instance.table("sysauto_script").update(job["sys_id"], active="false")
    assert trigger(instance, job) == []


def test_a_failing_periodic_script_is_logged_and_runs_again(instance: Instance) -> None:
    source = "gs.info('failing again'); throw new Error('always');"
    job = add_job(instance, "failing", source, run_type="periodically", run_period=SECOND)

    assert until(lambda: len(said(instance, "failing again")) >= 2, PATIENCE_S)
    assert until(lambda: trigger(instance, job)[0]["last_error"] != "", PATIENCE_S)
    assert "Error: always (sysauto_script.failing; line 1)" in trigger(instance, job)[0]["last_error"]
    instance.table("sysauto_script").delete(job["sys_id"])
    assert trigger(instance, job) == []


def test_a_script_runs_once_at_its_moment(instance: Instance) -> None:
    job = add_job(instance, "once", "gs.info('ran ' + 'once');", run_type="once", run_start=moment(1))

    assert until(lambda: said(instance, "ran once") != [], PATIENCE_S)
    assert until(lambda: trigger(instance, job) == [], PATIENCE_S)


def test_the_next_run_is_a_whole_number_of_periods_after_the_start(instance: Instance) -> None:
    fields = {"run_type": "periodically", "run_period": HOUR, "run_start": "2026-01-01 00:17:05"}
    [row] = trigger(instance, add_job(instance, "hourly", "1;", **fields))

    assert row["next_action"].endswith(":17:05")
    assert moment(0) < row["next_action"] <= moment(3600)


def test_a_daily_script_runs_next_at_its_time(instance: Instance) -> None:
    fields = {"run_type": "daily", "run_time": "1970-01-01 03:04:05"}
    [row] = trigger(instance, add_job(instance, "daily", "1;", **fields))

    assert row["next_action"].endswith("03:04:05")
    assert moment(0) < row["next_action"] <= moment(86400)


def test_a_changed_period_is_obeyed(instance: Instance) -> None:
    job = add_job(instance, "changing", "1;", run_type="periodically", run_period=HOUR, run_start=moment(-1))
    [before] = trigger(instance, job)
    instance.table("sysauto_script").update(job["sys_id"], run_period="1970-01-01 02:00:00")
    [after] = trigger(instance, job)

    assert after["next_action"] > before["next_action"]


def test_an_unknown_run_type_is_named_in_the_log(instance: Instance) -> None:
    job = add_job(instance, "weekly one", "1;", run_type="weekly")

    assert trigger(instance, job) == []
    assert any("known: on_demand, once, daily, periodically" in text for text in said(instance, "weekly"))


def test_a_conditional_script_runs_when_its_condition_holds(instance: Instance) -> None:
    add_job(instance, "unmet", "gs.info('was met: no');", conditional="true", condition="1 == 2")
    add_job(instance, "met", "gs.info('was met: yes');", conditional="true", condition="1 == 1")
    instance.run_job("unmet")
    instance.run_job("met")

    assert said(instance, "was met") == ["was met: yes"]


def test_a_script_runs_as_whom_it_says(instance: Instance) -> None:
    user = instance.create_user("job.runner", "a password", ["itil"])
    add_job(instance, "as user", "gs.info('runner ' + gs.getUserName() + gs.hasRole('admin'));", run_as=user)
    instance.run_job("as user")

    assert said(instance, "runner") == ["runner job.runnerfalse"]


def test_a_script_never_overlaps_itself(instance: Instance) -> None:
    source = """
        gs.info('overlap begin');
        var until = new Date().getTime() + 1500;
        while (new Date().getTime() < until) { until = until; }
        gs.info('overlap end');
    """
    job = add_job(instance, "slow", source, run_type="periodically", run_period=SECOND)
    assert until(lambda: said(instance, "overlap begin") != [], PATIENCE_S)
    instance.run_job("slow")
    instance.table("sysauto_script").delete(job["sys_id"])

    lines = said(instance, "overlap")
    assert len(lines) >= 4
    assert lines[: len(lines) // 2 * 2] == ["overlap begin", "overlap end"] * (len(lines) // 2)


def test_jobs_go_on_after_a_restart(empty_platform: Platform) -> None:
    platform, instance = empty_platform, empty_platform.admin
    job = add_job(instance, "kept", "gs.info('kept ' + 'going');", run_type="periodically", run_period=SECOND)
    assert until(lambda: said(instance, "kept going") != [], PATIENCE_S)
    platform.kill9()
    platform.start()
    before = len(said(platform.admin, "kept going"))

    assert until(lambda: len(said(platform.admin, "kept going")) > before, PATIENCE_S)
    assert len(trigger(platform.admin, job)) == 1


def test_what_ran_once_does_not_run_again_after_a_restart(empty_platform: Platform) -> None:
    platform, instance = empty_platform, empty_platform.admin
    job = add_job(instance, "once", "gs.info('only ' + 'once');", run_type="once", run_start=moment(-5))
    assert until(lambda: trigger(instance, job) == [], PATIENCE_S)
    instance.table("sysauto_script").update(job["sys_id"], name="renamed")
    platform.stop()
    platform.start()

    add_job(platform.admin, "witness", "gs.info('wit' + 'ness');", run_type="once", run_start=moment(0))
    assert until(lambda: said(platform.admin, "witness") != [], PATIENCE_S)
    assert said(platform.admin, "only once") == ["only once"]


def test_a_job_and_an_event_cut_off_by_a_crash_are_done_again(empty_platform: Platform) -> None:
    platform, instance = empty_platform, empty_platform.admin
    endless = "while (gs.getProperty('test.hold', 'yes') == 'yes') { gs.nil(1); }"
    add_job(instance, "cut", "gs.info('cut job');" + endless, run_type="once", run_start=moment(1))
    add_action(instance, "cut.event", "gs.info('cut event');" + endless)
    instance.script("gs.eventQueue('cut.event', null);")
    assert until(lambda: said(instance, "cut job") and said(instance, "cut event"), PATIENCE_S)
    platform.kill9()
    platform.start()

    assert until(lambda: len(said(platform.admin, "cut job")) == 2, PATIENCE_S)
    assert until(lambda: len(said(platform.admin, "cut event")) == 2, PATIENCE_S)
    platform.admin.script("gs.setProperty('test.hold', 'no');")
    assert until(lambda: event(platform.admin, "cut.event")[0]["state"] == "processed", PATIENCE_S)


# -- events ------------------------------------------------------------------------------------------------------


def test_an_event_runs_its_script_actions_with_event_and_current(instance: Instance) -> None:
    add_action(
        instance,
        "test.seen",
        "gs.info('seen ' + [event.name, event.parm1, event.parm2, current.user_name, gs.getUserName()].join());",
    )
    instance.script(
        "var u = new GlideRecord('sys_user'); u.get('user_name', 'admin'); gs.eventQueue('test.seen', u, 'one', 2);"
    )

    assert until(lambda: said(instance, "seen ") == ["seen test.seen,one,2,admin,system"], PATIENCE_S)
    assert until(lambda: event(instance, "test.seen")[0]["state"] == "processed", PATIENCE_S)
    [row] = event(instance, "test.seen")
    assert [row["table"], row["user_name"], row["error"]] == ["sys_user", "admin", ""]


def test_an_event_without_a_record_has_no_current(instance: Instance) -> None:
    add_action(instance, "test.bare", "gs.info('bare ' + current);")
    instance.script("gs.eventQueue('test.bare', null, 'x');", scope="x_one")

    assert until(lambda: said(instance, "bare ") == ["bare null"], PATIENCE_S)


def test_an_event_nobody_waits_for_is_processed(instance: Instance) -> None:
    instance.script("gs.eventQueue('test.nobody', null);")

    assert until(lambda: event(instance, "test.nobody")[0]["state"] == "processed", PATIENCE_S)


def test_inactive_and_conditional_actions_are_left_out(instance: Instance) -> None:
    add_action(instance, "test.some", "gs.info('some: asleep');", active="false")
    add_action(instance, "test.some", "gs.info('some: unmet');", condition_script="event.parm1 == 'else'")
    add_action(instance, "test.some", "gs.info('some: met');", condition_script="event.parm1 == 'this'")
    instance.script("gs.eventQueue('test.some', null, 'this');")

    assert until(lambda: event(instance, "test.some")[0]["state"] == "processed", PATIENCE_S)
    assert said(instance, "some: ") == ["some: met"]


def test_a_failing_action_marks_the_event_and_the_others_run(instance: Instance) -> None:
    add_action(instance, "test.fail", "\nthrow new Error('no');", order="1", name="failing action")
    add_action(instance, "test.fail", "gs.info('after the failure');", order="2")
    instance.script("gs.eventQueue('test.fail', null);")

    assert until(lambda: event(instance, "test.fail")[0]["state"] == "error", PATIENCE_S)
    assert event(instance, "test.fail")[0]["error"] == (
        "Error: no (sysevent_script_action.failing action; line 2)"
    )
    assert said(instance, "after the failure") == ["after the failure"]


def test_events_are_taken_in_their_order(instance: Instance) -> None:
    add_action(instance, "test.order", "gs.info('order ' + event.parm1);")
    instance.script("for (var i = 10; i < 40; i++) { gs.eventQueue('test.order', null, i); }")

    assert until(lambda: len(said(instance, "order ")) == 30, PATIENCE_S)
    assert said(instance, "order ") == [f"order {number}" for number in range(10, 40)]


def test_a_scheduled_event_waits_for_its_moment(instance: Instance) -> None:
    add_action(instance, "test.later", "gs.info('later ' + new GlideDateTime().getValue());")
    due = instance.script(
        "var t = new GlideDateTime(); t.addSeconds(2); gs.eventQueueScheduled('test.later', null, '', '', t); '' + t"
    )

    assert until(lambda: said(instance, "later ") != [], PATIENCE_S)
    assert said(instance, "later ")[0].removeprefix("later ") >= due


def test_an_event_from_a_rule_carries_its_row(instance: Instance) -> None:
    rule = instance.table("sys_script").insert(
        name="raise", collection="ecc_queue", when="after", action_insert="true", active="true",
        script="gs.eventQueue('test.rule', current, current.name, '');", filter_condition="agent=test.rule",
    )  # fmt: skip
    add_action(instance, "test.rule", "gs.info('rule ' + event.parm1 + current.source);")
    instance.table("ecc_queue").insert(agent="test.rule", name="n", source="s")

    assert until(lambda: said(instance, "rule ns") == ["rule ns"], PATIENCE_S)
    instance.table("sys_script").delete(rule["sys_id"])


def test_the_state_of_a_running_transaction_is_its_own(instance: Instance) -> None:
    """What a job leaves on its thread is not seen by the next."""
    add_job(instance, "leaver", "left = 1; gs.getSession().putClientData('a', 'b');")
    add_job(instance, "finder", "gs.info('found ' + typeof left + gs.getSession().getClientData('a'));")
    instance.run_job("leaver")
    instance.run_job("finder")

    assert said(instance, "found ") == ["found undefinednull"]
    assert json.loads(instance.script("'[]'")) == []
