"""What a script on the emulated MID Server can name, and how the host's values behave."""

from __future__ import annotations

import json
import re

import pytest

from emulator.midserver import MidServer
from emulator.servicenow import Instance
from tests.integration.emulator.probing import Desk
from tests.waiting import until

CLASS = """
    var %s = Class.create();
    %s.prototype = {
        initialize: function () { this.greeting = 'hello'; },
        execute: function () { return this.greeting + ' ' + probe.getParameter('op'); },
        type: '%s'
    };
"""


@pytest.fixture(scope="module")
def desk(instance: Instance, mid: MidServer) -> Desk:
    return Desk(instance, mid.name)


def named(source: str, name: str) -> str:
    return source.replace("%s", name)


def test_the_scope_has_the_known_names_and_no_others(desk: Desk) -> None:
    found = json.loads(desk.run("JSON.stringify(Object.getOwnPropertyNames(this))").output)
    includes = {row["name"] for row in desk.instance.table("ecc_agent_script_include").rows("active=true")}

    assert set(found) - includes == {"ms", "probe", "Packages", "java", "Class"}


def test_ms_has_exactly_its_documented_methods(desk: Desk) -> None:
    members = json.loads(desk.run("JSON.stringify(Object.keys(ms).sort())").output)

    assert members == ["getConfigParameter", "getName", "getSysID", "include", "log", "toJavaScript"]


def test_probe_gives_parameters_and_takes_nothing(desk: Desk) -> None:
    script = "[Object.keys(probe).join(), typeof probe.setOutput, typeof probe.setError].join()"

    assert desk.run(script).output == "getParameter,undefined,undefined"


@pytest.mark.parametrize(
    "name",
    [
        "gs",
        "GlideRecord",
        "GlideSystem",
        "HTTPRequest",
        "XMLDocument2",
        "current",
        "JavascriptProbe",
        "console",
        "setTimeout",
        "print",
        "load",
        "require",
        "exports",
        "Promise",
        "Map",
        "Symbol",
        "JavaAdapter",
        "JavaImporter",
        "com",
        "org",
        "javax",
        "XML",
    ],
)
def test_a_name_of_elsewhere_is_not_there(desk: Desk, name: str) -> None:
    assert desk.run(f"typeof {name};").output == "undefined"


@pytest.mark.parametrize(
    "expression",
    [
        "'abc'.startsWith",
        "'abc'.includes",
        "'abc'.padStart",
        "[].find",
        "[].includes",
        "Object.assign",
        "Object.values",
        "Number.isInteger",
        "Array.from",
        "Math.trunc",
    ],
)
def test_a_method_newer_than_es5_is_not_there(desk: Desk, expression: str) -> None:
    assert desk.run(f"typeof {expression};").output == "undefined"


@pytest.mark.parametrize(
    ("source", "construct"),
    [
        ("let a = 1; a;", "let"),
        ("const a = 1; a;", "const"),
        ("(function (f) { return f(); })(() => 1);", "arrow function"),
        ("`a`;", "template literal"),
        ("class A {}; 1;", ""),
        ("for (var a of [1]) { a; }", ""),
        ("var [a] = [1]; a;", "destructuring"),
    ],
    ids=["let", "const", "arrow", "template", "class", "for-of", "destructuring"],
)
def test_syntax_newer_than_es5_is_refused(desk: Desk, source: str, construct: str) -> None:
    assert construct in desk.run(source).error


def test_packages_and_java_reach_all_of_java(desk: Desk) -> None:
    script = "java.lang.Math.abs(-3) + ' ' + new Packages.java.util.ArrayList().size() + ' ' + java.io.File.separator"

    assert desk.run(script).output == "3 0 /"


# -- the host's values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("typeof x", "object"),
        ("x === 'abc'", "false"),
        ("x == 'abc'", "true"),
        ("typeof x.length", "function"),
        ("'' + x", "abc"),
        ("typeof ('' + x)", "string"),
        ("('' + x) === 'abc'", "true"),
        ("x.slice(1)", "bc"),
        ("x.charAt(0)", "97"),
        ("x.split(/b/).length", "1"),
        ("(function () { switch (x) { case 'abc': return 'js'; default: return 'none'; } })()", "none"),
        ("probe.getParameter('empty') ? 'true' : 'false'", "true"),
        ("'' + probe.getParameter('missing')", "null"),
        ("probe.getParameter('missing') == null", "true"),
        ("'' + probe.getParameter(probe.getParameter('which'))", "abc"),
    ],
)
def test_a_parameter_is_a_java_string(desk: Desk, expression: str, value: str) -> None:
    sent = {"x": "abc", "empty": "", "which": "x"}

    assert desk.run(f"var x = probe.getParameter('x'); {expression};", parameters=sent).output == value


def test_replace_with_a_pattern_is_ambiguous_on_a_java_string(desk: Desk) -> None:
    assert "ambiguous" in desk.run("probe.getParameter('topic').replace(/a/g, 'b');").error


def test_columns_of_the_output_are_parameters_too(desk: Desk) -> None:
    answer = desk.run("probe.getParameter('name') + '|' + probe.getParameter('agent')", name="MyProbe")

    assert answer.output == "MyProbe|mid.server.mid-a"


def test_a_variable_named_probe_hides_the_host(desk: Desk) -> None:
    error = desk.run("var probe = {}; probe.getParameter('op');").error

    assert "Cannot find function getParameter in object" in error


def test_a_missing_class_fails_only_when_it_is_made(desk: Desk) -> None:
    assert desk.run("Packages.com.nowhere.Thing ? 'truthy' : 'falsy'").output == "truthy"
    error = desk.run("new Packages.com.nowhere.Thing();").error
    assert "[JavaPackage com.nowhere.Thing] is not a function" in error


def test_a_java_exception_is_caught_with_its_cause(desk: Desk) -> None:
    script = """(function () {
        try { java.lang.Integer.parseInt('x'); } catch (e) { return e.name + ' ' + e.javaException.getClass(); }
    })()"""

    assert desk.run(script).output == "JavaException class java.lang.NumberFormatException"


def test_to_javascript_copies_strings_lists_maps_and_arrays(desk: Desk) -> None:
    script = """
        var list = new java.util.ArrayList();
        var map = new java.util.HashMap();
        map.put('a', new java.lang.String('b'));
        list.add(map); list.add(java.lang.Boolean.FALSE); list.add(java.lang.Integer.valueOf(7)); list.add(null);
        list.add(new java.lang.String('xy').getBytes('UTF-8'));
        JSON.stringify([typeof ms.toJavaScript(new java.lang.String('s')), ms.toJavaScript(list)]);
    """

    assert json.loads(desk.run(script).output) == ["string", [{"a": "b"}, False, 7, None, [120, 121]]]


def test_the_mid_knows_its_name_and_sys_id(desk: Desk, mid: MidServer) -> None:
    agent = desk.instance.table("ecc_agent").rows(f"name={mid.name}")[0]

    assert desk.run("ms.getName() + ' ' + ms.getSysID()").output == f"{mid.name} {agent['sys_id']}"


def test_what_one_probe_leaves_behind_does_not_reach_the_next(desk: Desk) -> None:
    desk.run("leftover = 1; Object.prototype.leftover2 = 1; 'x';")

    assert desk.run("typeof leftover + typeof {}.leftover2").output == "undefinedundefined"


# -- MID script includes -------------------------------------------------------------------------------------


def test_an_include_is_there_by_its_name_when_it_is_first_used(desk: Desk) -> None:
    desk.include("LazyGreeter", named(CLASS, "LazyGreeter"))

    assert until(lambda: desk.run("typeof LazyGreeter").output == "function")
    answer = desk.run("new LazyGreeter().execute();", parameters={"op": "world"})
    assert answer.output == "hello world"


def test_an_include_may_state_what_it_needs(desk: Desk) -> None:
    desk.include("Upper", named(CLASS, "Upper"))
    desk.include(
        "Lower", "ms.include('Upper'); var Lower = {greet: function () { return new Upper().type; }};"
    )

    assert until(lambda: desk.run("typeof Lower").output == "object")
    assert desk.run("Lower.greet();").output == "Upper"


def test_including_what_does_not_exist_is_an_error(desk: Desk) -> None:
    assert "no active MID script include named Missing" in desk.run("ms.include('Missing'); 'x';").error


def test_an_inactive_include_is_not_there(desk: Desk) -> None:
    desk.include("Sleeping", named(CLASS, "Sleeping"), active="false")
    desk.include("Awake", named(CLASS, "Awake"))

    assert until(lambda: desk.run("typeof Awake").output == "function")
    assert desk.run("typeof Sleeping").output == "undefined"


def test_a_changed_include_is_fetched_again(desk: Desk) -> None:
    sys_id = desk.include("Changing", "var Changing = {version: 1};")
    assert until(lambda: desk.run("typeof Changing").output == "object")

    desk.instance.table("ecc_agent_script_include").update(sys_id, script="var Changing = {version: 2};")

    assert until(lambda: desk.run("Changing.version;").output == "2")


def test_a_faulty_include_fails_only_those_who_use_it(desk: Desk, mid: MidServer) -> None:
    desk.include("Faulty", "var Faulty = () => 1;")

    assert until(lambda: "Faulty cannot be used" in mid.log())
    assert desk.run("'others work'").output == "others work"
    assert re.search(r"arrow function is not ES5 \(Faulty; line 1\)", desk.run("new Faulty();").error)


def test_an_error_in_an_include_names_it_and_the_line(desk: Desk) -> None:
    desk.include("Thrower", "var Thrower = {\n    go: function () {\n        return nothing.here;\n    }\n};")
    assert until(lambda: desk.run("typeof Thrower").output == "object")

    assert "(Thrower#3)" in desk.run("Thrower.go();").error


def test_an_instance_script_include_is_no_mid_script_include(desk: Desk) -> None:
    desk.instance.table("sys_script_include").insert(
        name="InstanceOnly",
        script=named(CLASS, "InstanceOnly"),
        active="true",
        api_name="global.InstanceOnly",
    )

    assert desk.run("typeof InstanceOnly").output == "undefined"
