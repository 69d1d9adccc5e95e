"""What scripts and callers cannot do to the instance: run for ever, get out of their scope, wear it down."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from emulator import rhino
from emulator.platform import ADMIN, ADMIN_PASSWORD, Platform
from emulator.servicenow import Instance, ScriptError
from tests.waiting import until

PATIENCE_S = 60
GROUPS = "/api/now/table/sys_user_group"
LIMIT = "emulator.script_seconds"
CUT = "Transaction cancelled: maximum execution time exceeded"

#: No `catch` may keep it alive.
ENDLESS = "while (true) { try { gs.nil(''); } catch (ignore) { continue; } }"


def refusal(instance: Instance, source: str, scope: str = "global") -> str:
    with pytest.raises(ScriptError) as refused:
        instance.script(source, scope=scope)
    return str(refused.value)


# -- time ----------------------------------------------------------------------------------------------------


@pytest.fixture
def impatient(instance: Instance) -> Iterator[Instance]:
    """Let scripts run for one second."""
    instance.script(f"gs.setProperty('{LIMIT}', '1')")
    yield instance
    instance.script(f"gs.setProperty('{LIMIT}', '')")


def test_a_script_without_end_is_cut_off_with_its_line(impatient: Instance) -> None:
    assert f"{CUT} (background script; line 2)" in refusal(impatient, f"var before = 1;\n{ENDLESS}")
    assert impatient.script("1 + 1") == 2


def test_a_resource_without_end_answers_500(impatient: Instance) -> None:
    service = impatient.table("sys_ws_definition").insert(
        name="Endless", namespace="u_bounds", service_id="endless", active="true"
    )
    impatient.table("sys_ws_operation").insert(
        name="Endless",
        web_service_definition=service["sys_id"],
        http_method="GET",
        relative_path="/",
        operation_script=f"(function process(request, response) {{ {ENDLESS} }})(request, response);",
    )

    answer = impatient.request("GET", "/api/u_bounds/endless")

    assert answer.status_code == 500
    assert CUT in answer.json()["error"]["detail"]


def test_a_job_and_a_rule_without_end_are_cut_off(impatient: Instance) -> None:
    impatient.table("sysauto_script").insert(
        name="endless", script=ENDLESS, run_type="on_demand", active="true"
    )
    rule = impatient.table("sys_script").insert(
        name="endless rule",
        collection="sys_user_group",
        when="before",
        action_insert="true",
        active="true",
        script=ENDLESS,
        filter_condition="name=endless",
    )

    with pytest.raises(ScriptError, match=CUT):
        impatient.run_job("endless")
    impatient.table("sys_user_group").insert(name="endless")
    impatient.table("sys_script").delete(rule["sys_id"])

    assert [row for row in impatient.table("syslog").rows(f"messageLIKE{CUT}") if "rule" in row["source"]]


# -- scope ---------------------------------------------------------------------------------------------------

WAYS_OUT = {
    "eval": ("eval('1')", "eval() is not provided"),
    "Function": ("new Function('return 1')()", "The constructor Function() is not provided"),
    "a function's constructor": ("(function () {}).constructor('return 1')()", "Function() is not provided"),
    "a host function's": ("gs.info.constructor('return 1')()", "Function() is not provided"),
    "a record's": ("new GlideRecord('sys_user').get.constructor('return 1')", "Function() is not provided"),
    "the scope above": ("gs.info.__parent__", "__parent__, __proto__ or $ is not ES5"),
    "by a text": ("gs.info['__parent__']", "__parent__, __proto__ or $ is not ES5"),
    "a prototype": ("var o = {__proto__: gs};", "__parent__ or __proto__ is not ES5"),
    "the emulator's own state": ("new GlideRecord('sys_user').$", "__parent__, __proto__ or $ is not ES5"),
}


@pytest.mark.parametrize(("source", "complaint"), WAYS_OUT.values(), ids=WAYS_OUT)
def test_ways_out_of_a_script_are_closed(instance: Instance, source: str, complaint: str) -> None:
    assert complaint in refusal(instance, source)


def test_functions_are_still_functions(instance: Instance) -> None:
    source = "String((function () {} instanceof Function) && typeof Function.prototype.bind)"

    assert instance.script(source) == "function"


THROWING = {
    "XPath": "var d = new XMLDocument2(); d.parseXML('<a/>'); d.getNode('[[');",
    "base64": "var u = new GlideRecord('sys_user'); u.get('user_name', 'admin'); "
    "new GlideSysAttachment().writeBase64(u, 'a', 'b', '!');",
}


@pytest.mark.parametrize("source", THROWING.values(), ids=THROWING)
def test_a_caught_error_brings_no_java_object(instance: Instance, source: str) -> None:
    caught = f"var kind; try {{ {source} }} catch (e) {{ kind = typeof e.javaException + e.message; }} kind;"

    assert instance.script(caught).startswith("undefined")
    assert "java" not in instance.script(caught)


# -- privileges ----------------------------------------------------------------------------------------------

WRITER = """
    var Writer = {
        queue: function () {
            var row = new GlideRecord('ecc_queue');
            row.initialize();
            row.setValue('agent', 'nobody');
            return row.insert();
        },
        total: function (table) {
            var all = new GlideAggregate(table);
            all.addAggregate('COUNT');
            all.query();
            return all.next() ? all.getAggregate('COUNT') : 'none';
        }
    };
"""


@pytest.fixture(scope="module")
def writers(instance: Instance) -> Instance:
    """Make the same include in the global scope and in an application."""
    for scope in ("global", "x_bound"):
        instance.table("sys_script_include").insert(
            name="Writer", script=WRITER, sys_scope=scope, access="public", active="true"
        )
    return instance


def test_an_include_may_what_its_own_scope_may(writers: Instance) -> None:
    assert writers.script("x_bound.Writer.queue()") is None
    assert len(writers.script("global.Writer.queue()", scope="x_other")) == 32


def test_totals_need_the_right_to_read(writers: Instance) -> None:
    writers.script("new GlideTableCreator('u_private', 'Private').update();")
    table = writers.table("sys_db_object").rows("name=u_private")[0]
    writers.table("sys_db_object").update(table["sys_id"], read_access="false")

    assert writers.script("x_bound.Writer.total('u_private')") == "none"
    assert writers.script("Writer.total('u_private')") == "0"


# -- wear ----------------------------------------------------------------------------------------------------


def test_a_rule_that_nothing_sets_off_is_named_in_the_log(instance: Instance) -> None:
    for name, fields in {
        "shown": {"when": "display"},
        "asked": {"when": "before", "action_query": "true"},
    }.items():
        instance.table("sys_script").insert(
            name=name, collection="sys_user", active="true", script="gs.info('x');", **fields
        )
    instance.script("var u = new GlideRecord('sys_user_group'); u.name = 'wakes the rules'; u.insert();")

    log = instance.log()

    assert any(
        "sys_script.shown: the emulator does not run business rules for display" in line for line in log
    )
    assert any(
        "sys_script.asked: the emulator does not run business rules before queries" in line for line in log
    )


ROTATING = """
    var store = require('STORE').open(':memory:');
    var rotate = require('ROTATION').of(store, 'events', {
        column: 'at', where: {column: 'state', operator: '=', value: 'done'}
    });
    store.createTable('events', [{name: 'at', kind: 'text'}, {name: 'state', kind: 'text'}]);
    store.transaction(function () {
        for (var i = 0; i < 6000; i += 1) {
            store.insert('events', {sys_id: String(i), at: ('0000' + i).slice(-5), state: i < 10 ? 'open' : 'done'});
        }
    });
    for (var i = 0; i < 499; i += 1) { rotate(); }
    print(store.count('events', null));
    rotate();
    print(store.count('events', null), store.select('events', null, {orderBy: [{column: 'at'}]})[10].at);
"""


def test_a_growing_table_is_cut_back_to_its_newest_rows(tmp_path: Path) -> None:
    folder = rhino.FOLDER / "instance"
    main = tmp_path / "main.js"
    main.write_text(ROTATING.replace("STORE", f"{folder}/store").replace("ROTATION", f"{folder}/rotation"))

    done = subprocess.run(rhino.command(main, []), capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout.split() == ["6000", "5010", "01000"]


def connection(instance: Instance, path: str, body: bytes, length: int | None = None) -> socket.socket:
    """Post something as the administrator; the body may be shorter than it says."""
    host, port = instance.url.removeprefix("http://").split(":")
    secret = base64.b64encode(f"{ADMIN}:{ADMIN_PASSWORD}".encode()).decode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}\r\nOrigin: {instance.url}\r\nAuthorization: Basic {secret}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {length or len(body)}\r\n\r\n"
    )
    made = socket.create_connection((host, int(port)), timeout=PATIENCE_S)
    made.sendall(head.encode() + body)
    return made


def poll(instance: Instance) -> socket.socket:
    """Open a poll of the push channel that would wait for a second."""
    shake = [{"channel": "/meta/handshake", "version": "1.0", "supportedConnectionTypes": ["long-polling"]}]
    answer = instance.request("POST", "/amb", json=shake, headers={"Origin": instance.url}).json()
    message = {
        "channel": "/meta/connect",
        "clientId": answer[0]["clientId"],
        "connectionType": "long-polling",
        "advice": {"timeout": 1000},
    }
    return connection(instance, "/amb", json.dumps([message]).encode())


def test_a_document_that_goes_too_deep_is_answered(instance: Instance) -> None:
    with connection(instance, GROUPS, b"[" * 200_000) as caller:
        status = caller.recv(100).split(b"\r\n")[0]

    assert status == b"HTTP/1.1 500 Internal Server Error"
    assert instance.script("1 + 1") == 2


LEAVING = {
    "in mid request": lambda instance: connection(instance, GROUPS, b"{", 500),
    "before the answer": poll,
}


@pytest.mark.parametrize("call", LEAVING.values(), ids=LEAVING)
def test_callers_that_leave_cost_nothing(
    platform: Platform, call: Callable[[Instance], socket.socket]
) -> None:
    descriptors = Path(f"/proc/{platform.program.pid}/fd")

    def opened() -> int:
        return sum(1 for _ in descriptors.iterdir())

    before = opened()
    for _ in range(40):
        call(platform.admin).close()

    assert until(lambda: opened() < before + 10, PATIENCE_S)


def test_many_at_once_are_all_answered(instance: Instance) -> None:
    statuses: list[int] = []

    def insert(number: int) -> None:
        answer = instance.request("POST", GROUPS, json={"name": f"crowd {number}"})
        statuses.append(answer.status_code)

    threads = [threading.Thread(target=insert, args=(number,)) for number in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert statuses == [201] * 50
    assert len(instance.table("sys_user_group").rows("nameSTARTSWITHcrowd")) == 50


def test_a_kill_in_mid_write_leaves_only_whole_tables(empty_platform: Platform) -> None:
    create = "for (var i = 0; i < 200; i += 1) { new GlideTableCreator('u_cut' + i, 'Cut').update(); }"

    def work() -> None:
        with suppress(requests.ConnectionError):
            empty_platform.admin.script(create)

    thread = threading.Thread(target=work)
    thread.start()
    assert until(
        lambda: len(empty_platform.admin.table("sys_db_object").rows("nameSTARTSWITHu_cut")) > 3, PATIENCE_S
    )
    empty_platform.kill9()
    thread.join()
    empty_platform.start()
    instance = empty_platform.admin

    tables = [row["name"] for row in instance.table("sys_db_object").rows("nameSTARTSWITHu_cut")]

    assert 3 < len(tables) < 200
    assert [instance.table(name).insert()["sys_mod_count"] for name in tables] == ["0"] * len(tables)
