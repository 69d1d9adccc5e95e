"""`gs`, GlideDateTime and GlideDuration on the emulated instance."""

from __future__ import annotations

import json
import re
from uuid import uuid4

import pytest

from emulator.servicenow import Instance, ScriptError

SCOPED = [
    "getProperty", "setProperty", "getUserID", "getUserName", "getUserDisplayName", "hasRole", "info",
    "warn", "error", "debug", "nil", "eventQueue", "eventQueueScheduled", "generateGUID", "base64Encode",
    "base64Decode", "tableExists", "getSession", "getSessionID", "getMessage", "addInfoMessage",
    "addErrorMessage", "include", "isInteractive", "isLoggedIn", "xmlToJSON", "minutesAgoStart",
    "minutesAgoEnd",
]  # fmt: skip
GLOBAL = [
    "log", "logError", "logWarning", "print", "now", "nowDateTime", "minutesAgo", "getPreference",
]  # fmt: skip


def refusal(instance: Instance, source: str, scope: str) -> str:
    with pytest.raises(ScriptError) as refused:
        instance.script(source, scope=scope)
    return str(refused.value)


@pytest.fixture(scope="module")
def clerk(instance: Instance) -> str:
    instance.create_user("o'neil", "a password", ["itil"])
    return "o'neil"


# -- which methods there are -------------------------------------------------------------------------------------


def test_the_global_list_is_complete_and_no_longer(instance: Instance) -> None:
    found = json.loads(instance.script("JSON.stringify(Object.keys(gs))"))

    assert sorted(found) == sorted(SCOPED + GLOBAL)


@pytest.mark.parametrize("method", GLOBAL)
def test_a_global_method_is_refused_in_an_application(instance: Instance, method: str) -> None:
    text = refusal(instance, f"\ngs.{method}('x');", "x_one")

    assert f"Function {method} is not allowed in scope x_one" in text
    assert "line 2" in text


@pytest.mark.parametrize("scope", ["global", "x_one"])
@pytest.mark.parametrize("method", ["sleep", "getUser", "dateGenerate", "flushMessages"])
def test_a_method_of_neither_list_is_not_there(instance: Instance, method: str, scope: str) -> None:
    assert f"Cannot find function {method} in object [object GlideSystem]" in refusal(
        instance, f"gs.{method}(1);", scope
    )


# -- people ------------------------------------------------------------------------------------------------------


def test_the_user_is_known_by_three_names(instance: Instance, clerk: str) -> None:
    source = "JSON.stringify([gs.getUserID(), gs.getUserName(), gs.getUserDisplayName(), gs.isLoggedIn()])"
    [row] = instance.table("sys_user").rows(f"user_name={clerk}")

    assert json.loads(instance.script(source, user=clerk, scope="x_one")) == [
        row["sys_id"],
        clerk,
        clerk,
        True,
    ]


@pytest.mark.parametrize(
    ("roles", "answer"), [("itil", True), ("admin", False), ("admin,itil", True), ("security_admin", False)]
)
def test_a_user_has_the_roles_given(instance: Instance, clerk: str, roles: str, answer: bool) -> None:
    assert instance.script(f"gs.hasRole('{roles}')", user=clerk) is answer


def test_an_administrator_has_all_roles_but_the_elevated(instance: Instance) -> None:
    source = "[gs.hasRole('anything'), gs.hasRole('security_admin'), gs.hasRole('maint')].join()"

    assert instance.script(source) == "true,false,false"
    assert instance.script(source, elevated=True) == "true,true,false"


def test_a_session_keeps_what_a_script_puts_into_it(instance: Instance) -> None:
    source = """
        var session = gs.getSession();
        session.putClientData('a', 1);
        [gs.getSession().getClientData('a') === '1', session.getClientData('b'), session.isInteractive() ===
            gs.isInteractive(), /^[0-9A-F]{32}$/.test(gs.getSessionID())].join();
    """

    assert instance.script(source, scope="x_one") == "true,,true,true"


# -- texts -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["null", "undefined", "''", "new GlideRecord('sys_user').name"])
def test_nothing_is_nil(instance: Instance, value: str) -> None:
    assert instance.script(f"gs.nil({value})", scope="x_one") is True


@pytest.mark.parametrize("value", ["0", "false", "' '", "{}"])
def test_something_is_not_nil(instance: Instance, value: str) -> None:
    assert instance.script(f"gs.nil({value})", scope="x_one") is False


def test_a_guid_is_32_hex_digits_and_new(instance: Instance) -> None:
    first, second = instance.script("gs.generateGUID() + ',' + gs.generateGUID()").split(",")

    assert re.fullmatch("[0-9a-f]{32}", first)
    assert first != second


@pytest.mark.parametrize(
    "text", ["plain", "äß€ 😀", "", "line\\nline"], ids=["ascii", "unicode", "empty", "lines"]
)
def test_base64_is_of_utf8_and_back(instance: Instance, text: str) -> None:
    source = f"var t = '{text}'; gs.base64Decode(gs.base64Encode(t)) === t"

    assert instance.script(source, scope="x_one") is True


def test_base64_is_the_usual_one(instance: Instance) -> None:
    assert instance.script("gs.base64Encode('é')") == "w6k="


def test_messages_are_filled_in(instance: Instance) -> None:
    assert instance.script("gs.getMessage('{0} of {1} {2}', ['a', 'b'])") == "a of b {2}"


def test_a_log_line_is_filled_in_printed_and_kept(instance: Instance) -> None:
    mark = uuid4().hex
    ran = instance.attempt(f"gs.info('{{0}} {{1}}', '{mark}', 2); gs.error('bad {mark}');", scope="x_one")
    rows = instance.table("syslog").rows(f"messageLIKE{mark}^ORDERBYsequence")

    assert ran.output == [f"{mark} 2", f"bad {mark}"]
    assert [(row["level"], row["source"], row["message"]) for row in rows] == [
        ("0", "x_one", f"{mark} 2"),
        ("2", "x_one", f"bad {mark}"),
    ]


# -- properties, tables, preferences -----------------------------------------------------------------------------


def test_a_property_is_a_string_or_the_alternative(instance: Instance) -> None:
    source = """
        gs.setProperty('test.number', 5, 'a number');
        JSON.stringify([gs.getProperty('test.number'), gs.getProperty('test.none'), gs.getProperty('test.none', 'x'),
            gs.getProperty('test.number', 'x'), gs.getProperty('constructor')]);
    """

    assert json.loads(instance.script(source)) == ["5", None, "x", "5", None]
    assert instance.table("sys_properties").rows("name=test.number")[0]["description"] == "a number"


def test_a_property_changed_as_a_row_is_read_anew(instance: Instance) -> None:
    row = instance.table("sys_properties").insert(name="test.changed", value="one", type="string")
    before = instance.script("gs.getProperty('test.changed')")
    instance.table("sys_properties").update(row["sys_id"], value="two")

    assert [before, instance.script("gs.getProperty('test.changed')")] == ["one", "two"]


def test_tables_can_be_asked_for(instance: Instance) -> None:
    assert instance.script("gs.tableExists('ecc_queue') + ',' + gs.tableExists('no_such')") == "true,false"


def test_including_what_is_not_there_is_an_error(instance: Instance) -> None:
    assert "no Script Include Nowhere" in refusal(instance, "gs.include('Nowhere')", "x_one")


def test_a_users_preference_comes_before_everybodys(instance: Instance, clerk: str) -> None:
    [user] = instance.table("sys_user").rows(f"user_name={clerk}")
    instance.table("sys_user_preference").insert(name="test.colour", value="grey")
    instance.table("sys_user_preference").insert(name="test.colour", value="red", user=user["sys_id"])
    source = "gs.getPreference('test.colour') + gs.getPreference('test.none', ' else')"

    assert instance.script(source) == "grey else"
    assert instance.script(source, user=clerk) == "red else"


# -- time --------------------------------------------------------------------------------------------------------


def test_minutes_begin_and_end(instance: Instance) -> None:
    source = "JSON.stringify([gs.minutesAgoStart(5), gs.minutesAgoEnd(5), '' + new GlideDateTime()])"
    start, end, now = json.loads(instance.script(source, scope="x_one"))

    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:00", start)
    assert end == start[:-2] + "59"
    assert start < end < now


MOMENT = "var t = new GlideDateTime('2026-01-31 10:20:30'); "


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("t", "2026-01-31 10:20:30"),
        ("t.getValue()", "2026-01-31 10:20:30"),
        ("t.getNumericValue()", "1769854830000"),
        ("new GlideDateTime(t).equals(t)", "true"),
        ("t.addSeconds(40); t", "2026-01-31 10:21:10"),
        ("t.addDays(1); t", "2026-02-01 10:20:30"),
        ("t.addDaysUTC(-31); t", "2025-12-31 10:20:30"),
        ("t.addWeeksLocalTime(1); t", "2026-02-07 10:20:30"),
        ("t.addMonthsUTC(1); t", "2026-02-28 10:20:30"),
        ("t.addYears(-1); t", "2025-01-31 10:20:30"),
        ("t.add(1000); t", "2026-01-31 10:20:31"),
        ("t.subtract(1000); t", "2026-01-31 10:20:29"),
        ("t.getDayOfWeekUTC() + '.' + t.getDayOfMonthUTC() + '.' + t.getMonthUTC() + '.' + t.getYearUTC()", "6.31.1.2026"),
        ("t.getDaysInMonthUTC()", "31"),
        ("t.before(new GlideDateTime('2026-02-01 00:00:00'))", "true"),
        ("t.after(new GlideDateTime('2026-02-01 00:00:00'))", "false"),
        ("t.onOrBefore(t) && t.onOrAfter(t) && !t.before(t)", "true"),
        ("t.compareTo(new GlideDateTime('2026-02-01 00:00:00'))", "-1"),
        ("t.setValue('2024-02-29 00:00:00'); t", "2024-02-29 00:00:00"),
        ("t.setValue(0); t", "1970-01-01 00:00:00"),
        ("t.setDisplayValue('yesterday'); t.isValid() + t.getErrorMsg()", "falseCould not parse DateTime: yesterday"),
        ("new GlideDateTime('2026-02-30 00:00:00').isValid()", "false"),
        ("GlideDateTime.subtract(t, new GlideDateTime('2026-02-01 10:20:31')).getNumericValue()", "86401000"),
        ("GlideDateTime.subtract(t, new GlideDateTime('2026-02-01 10:20:31')).getDurationValue()", "1 00:00:01"),
        ("new GlideDuration('1 02:03:04').getValue()", "1970-01-02 02:03:04"),
        ("new GlideDuration('00:01:00').add(new GlideDuration(1000)).getNumericValue()", "61000"),
    ],
)  # fmt: skip
def test_moments_and_durations(instance: Instance, expression: str, value: str) -> None:
    assert instance.script(f"{MOMENT} var r = (function () {{ {with_return(expression)} }}()); '' + r",
                           scope="x_one") == value  # fmt: skip


def with_return(expression: str) -> str:
    """Return the statements with `return` before the last one."""
    *before, last = expression.split("; ")
    return "; ".join([*before, f"return {last};"])


def test_now_is_in_whole_seconds_of_utc(instance: Instance) -> None:
    source = "var t = new GlideDateTime(); Math.abs(t.getNumericValue() - Date.now()) < 2000 && t.getNumericValue() % 1000"

    assert instance.script(source) == 0
