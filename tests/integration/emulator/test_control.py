"""The emulator's own endpoints, which stand for what an administrator does in the user interface."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from emulator.platform import Platform
from emulator.servicenow import Instance, InstanceError, ScriptError
from tests.fixtures.servicenow import copied
from tests.waiting import until

PASSWORD = "somebody's"


@pytest.fixture(scope="module")
def somebody(instance: Instance) -> Instance:
    instance.create_user("somebody", PASSWORD, ["itil"], "somebody@mail.example")
    return instance.signed_in("somebody", PASSWORD)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/scripts/run"),
        ("POST", "/fix_scripts/run"),
        ("POST", "/jobs/run"),
        ("POST", "/users"),
        ("GET", "/log"),
        ("GET", "/faults"),
        ("POST", "/faults"),
        ("POST", "/stop"),
        ("POST", "/restart"),
        ("POST", "/update_sets"),
    ],
)
def test_they_are_for_administrators(instance: Instance, somebody: Instance, method: str, path: str) -> None:
    nobody = instance.request(method, f"/emulator{path}", auth=("admin", "wrong"))
    other = somebody.request(method, f"/emulator{path}")

    assert (nobody.status_code, other.status_code) == (401, 403)


def test_an_unknown_endpoint_is_named(instance: Instance) -> None:
    answer = instance.request("GET", "/emulator/nothing")

    assert answer.status_code == 404
    assert answer.json()["error"]["detail"] == "GET /nothing"


# -- scripts -------------------------------------------------------------------------------------------------


def test_a_background_script_leaves_its_value_and_what_it_printed(instance: Instance) -> None:
    ran = instance.attempt("gs.print('a'); gs.info('b'); ({n: 1, list: ['ä', null]});")

    assert (ran.result, ran.error) == ({"n": 1, "list": ["ä", None]}, None)
    assert "".join(ran.output).index("a") < "".join(ran.output).index("b")


def test_a_script_that_fails_keeps_what_it_printed(instance: Instance) -> None:
    with pytest.raises(ScriptError, match="nothing") as caught:
        instance.script("gs.print('before');\nnothing.here();")

    assert "before" in "".join(caught.value.output)
    assert "line 2" in str(caught.value)


@pytest.mark.usefixtures("somebody")
@pytest.mark.parametrize(
    ("choices", "expected"),
    [({}, ["admin", True, False]), ({"user": "somebody"}, ["somebody", False, False])],
    ids=["administrator", "other"],
)
def test_a_script_runs_as_who_is_named(
    instance: Instance, choices: dict[str, Any], expected: list[object]
) -> None:
    source = "[gs.getUserName(), gs.hasRole('admin'), gs.hasRole('security_admin')]"

    assert instance.script(source, **choices) == expected


@pytest.mark.usefixtures("somebody")
def test_elevation_brings_security_admin_to_who_has_it(instance: Instance) -> None:
    assert instance.script("gs.hasRole('security_admin')", elevated=True) is True
    with pytest.raises(InstanceError, match="no role to elevate to"):
        instance.script("1", user="somebody", elevated=True)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 422), (b"{}", 422), (b'{"script":"1","user":"nobody"}', 422)],
    ids=["broken", "list", "empty", "user"],
)
def test_a_wish_that_cannot_be_understood_is_refused(instance: Instance, body: bytes, status: int) -> None:
    assert instance.request("POST", "/emulator/scripts/run", data=body).status_code == status


# -- fix scripts and jobs ------------------------------------------------------------------------------------


def test_a_fix_script_runs_in_its_scope_with_what_is_put_before_it(instance: Instance) -> None:
    app = instance.table("sys_app").insert(name="Control", scope="x_control")["sys_id"]
    script = (
        "gs.info(typeof OPTIONS === 'undefined' ? 'none' : OPTIONS); gs.info(gs.hasRole('security_admin'));"
    )
    instance.table("sys_script_fix").insert(name="fix", script=script, sys_scope=app)
    instance.table("sys_script_fix").insert(name="scoped", script="gs.log('a');", sys_scope=app)

    plain = "".join(instance.fix("fix", elevated=False))
    full = "".join(instance.fix("fix", before="var OPTIONS = 'given';"))

    assert ("none" in plain, "false" in plain) == (True, True)
    assert ("given" in full, "true" in full) == (True, True)
    with pytest.raises(ScriptError):
        instance.fix("scoped")


def test_a_job_runs_now_and_its_error_is_told(instance: Instance) -> None:
    table = instance.table("sysauto_script")
    table.insert(
        name="works", script="gs.setProperty('job.ran', 'yes');", run_type="on_demand", active="true"
    )
    table.insert(name="fails", script="nothing.here();", run_type="on_demand", active="true")

    instance.run_job("works")

    assert instance.script("gs.getProperty('job.ran')") == "yes"
    with pytest.raises(ScriptError, match="nothing"):
        instance.run_job("fails")
    with pytest.raises(InstanceError, match="0 records of sysauto_script have the name missing"):
        instance.run_job("missing")


# -- users ---------------------------------------------------------------------------------------------------


def test_a_user_has_the_roles_and_what_they_contain(instance: Instance) -> None:
    instance.create_user("mid.account", PASSWORD, ["mid_server"])

    found = instance.script("['mid_server', 'soap', 'rest_service', 'itil'].map(function (role) "
                            "{ return gs.hasRole(role); })", user="mid.account")  # fmt: skip

    assert found == [True, True, True, False]


def test_a_role_of_a_group_is_its_members(instance: Instance) -> None:
    user = instance.create_user("member", PASSWORD)
    instance.script(f"""
        function add(table, values) {{
            var row = new GlideRecord(table); row.initialize();
            for (var name in values) {{ row.setValue(name, values[name]); }}
            return row.insert();
        }}
        var role = new GlideRecord('sys_user_role'); role.get('name', 'itil');
        var group = add('sys_user_group', {{name: 'desk'}});
        add('sys_user_grmember', {{group: group, user: '{user}'}});
        add('sys_group_has_role', {{group: group, role: role.getUniqueValue()}});
    """)

    assert instance.script("gs.hasRole('itil')", user="member") is True


def test_an_unknown_role_makes_no_user(instance: Instance) -> None:
    with pytest.raises(InstanceError, match="there is no role nothing"):
        instance.create_user("half", PASSWORD, ["nothing"])

    assert instance.table("sys_user").rows("user_name=half") == []


@pytest.mark.usefixtures("somebody")
def test_a_password_is_kept_as_a_hash_and_never_shown(instance: Instance) -> None:
    stored = instance.script("var u = new GlideRecord('sys_user'); u.get('user_name', 'somebody');"
                             "u.getValue('user_password');")  # fmt: skip

    assert PASSWORD not in stored
    assert instance.table("sys_user").rows("user_name=somebody")[0]["user_password"] == ""


# -- faults and the log --------------------------------------------------------------------------------------


def test_latency_is_half_before_and_half_after(instance: Instance) -> None:
    instance.faults(latencyMs=400)

    started = time.monotonic()
    instance.table("sys_user").rows("user_name=admin")
    lasted = time.monotonic() - started

    instance.faults(latencyMs=0)
    assert lasted >= 0.4


def test_there_are_no_faults_at_first_and_each_can_be_read(instance: Instance) -> None:
    assert instance.faults() == {
        "latencyMs": 0,
        "amb": True,
        "tooManyRequests": None,
        "answers": {"lose": 0, "double": 0, "reorder": 0},
        "discovery": False,
    }
    assert instance.faults(latencyMs=1, answers={"lose": 2})["answers"]["lose"] == 2
    assert instance.faults(latencyMs=0, answers={"lose": 0})["latencyMs"] == 0


@pytest.mark.parametrize(
    "wish",
    [
        {"rain": True},
        {"latencyMs": -1},
        {"latencyMs": "1"},
        {"amb": "no"},
        {"answers": {"burn": 1}},
        {"answers": {"lose": 0.5}},
        {"tooManyRequests": {"seconds": 1}},
    ],
    ids=["unknown", "negative", "text", "flag", "answer", "fraction", "path"],
)
def test_a_fault_that_makes_no_sense_is_refused_and_changes_nothing(
    instance: Instance, wish: dict[str, object]
) -> None:
    before = instance.faults()

    with pytest.raises(InstanceError, match="422"):
        instance.faults(**wish)

    assert instance.faults() == before


def test_the_log_tells_what_scripts_wrote(instance: Instance) -> None:
    instance.script("gs.error('a line for the log');")

    assert any("a line for the log" in line for line in instance.log())


# -- the process ---------------------------------------------------------------------------------------------


def test_it_ends_when_it_is_told_to(empty_platform: Platform) -> None:
    instance = empty_platform.admin

    assert instance.request("POST", "/emulator/stop").json() == {"state": "stopping"}

    assert until(lambda: not empty_platform.program.running)


def test_it_begins_again_on_other_data_and_knows_nothing_else(
    empty_platform: Platform, empty_template: Path, tmp_path: Path
) -> None:
    before = empty_platform.url, empty_platform.program.pid, empty_platform.data
    empty_platform.admin.table("sys_properties").insert(name="of the first data", value="1")
    empty_platform.admin.create_user("of.the.first.data", "a password")
    empty_platform.admin.faults(latencyMs=1)

    empty_platform.move(copied(empty_template, tmp_path / "other"))
    there = empty_platform.admin
    found = [there.table("sys_properties").rows("name=of the first data"), there.faults()["latencyMs"]]
    stranger = there.signed_in("of.the.first.data", "a password").request("GET", "/api/now/table/sys_user")
    empty_platform.move(before[2])

    assert found == [[], 0]
    assert stranger.status_code == 401
    assert (empty_platform.url, empty_platform.program.pid, empty_platform.data) == before
    assert there.table("sys_properties").rows("name=of the first data")


def test_data_outlives_a_kill(empty_platform: Platform) -> None:
    row = empty_platform.admin.table("sys_properties").insert(name="outlives", value="1")

    empty_platform.kill9()
    empty_platform.start()

    assert empty_platform.admin.table("sys_properties").row(row["sys_id"])["value"] == "1"


def test_what_an_administrator_did_to_a_rule_outlives_a_start(empty_platform: Platform) -> None:
    table = empty_platform.admin.table("sys_script")
    rule = table.rows("name=Probe - All MIDs")[0]["sys_id"]
    table.update(rule, active="false")

    empty_platform.stop()
    empty_platform.start()

    assert empty_platform.admin.table("sys_script").row(rule)["active"] == "false"
