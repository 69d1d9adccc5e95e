"""Scripts on the emulated instance: ES5 only, which names they see, and how their errors read."""

from __future__ import annotations

import pytest

from emulator.servicenow import Instance, ScriptError

NEWER_SYNTAX = {
    "let": ("let a = 1;", "let is not ES5"),
    "const": ("const a = 1;", "const is not ES5"),
    "arrow": ("var f = () => 1;", "an arrow function is not ES5"),
    "template": ("var a = `x`;", "a template literal is not ES5"),
    "destructured list": ("var [a] = [1];", "destructuring is not ES5"),
    "destructured object": ("var {a} = {a: 1};", "destructuring is not ES5"),
    "destructured parameter": ("function f([a]) { return a; }", "destructuring is not ES5"),
    "for of": ("for (var a of [1]) { a; }", "for...of is not ES5"),
    "for each": ("for each (var a in [1]) { a; }", "for each is not ES5"),
    "generator": ("function* f() {}", "a generator is not ES5"),
    "shorthand property": ("var a = 1; var o = {a};", "a shorthand property is not ES5"),
    "shorthand method": ("var o = {a() { return 1; }};", "a shorthand method is not ES5"),
    "power": ("2 ** 3;", "the operator ** is not ES5"),
    "big integer": ("10n;", "a BigInt literal is not ES5"),
    "binary literal": ("0b11;", "a binary or octal literal is not ES5"),
    "long escape": (r"'\u{41}';", "escape is not ES5"),
    "sticky flag": ("/a/y;", "a regular expression flag is not ES5"),
    "conditional catch": ("try { x; } catch (e if e) { e; }", "a conditional catch is not ES5"),
    "XML literal": ("<a/>;", "an XML literal is not ES5"),
    "class": ("class A {}", "SyntaxError"),
    "default parameter": ("function f(a = 1) {}", "SyntaxError"),
    "spread": ("f(...[1]);", "SyntaxError"),
    "optional chaining": ("a?.b;", "SyntaxError"),
    "nullish": ("a ?? b;", "SyntaxError"),
    "computed name": ("var o = {['a']: 1};", "SyntaxError"),
    "async": ("async function f() {}", "SyntaxError"),
}

NEWER_NAMES = [
    "Promise", "Map", "Set", "WeakMap", "WeakSet", "Symbol", "Proxy", "Reflect", "globalThis",
    "ArrayBuffer", "Uint8Array", "BigInt", "Iterator", "XML", "Object.assign", "Object.is",
    "Object.entries", "Object.values", "Array.from", "Array.of", "Math.trunc", "Math.sign", "Math.log2",
    "Number.isInteger", "Number.isFinite", "String.raw", "''.startsWith", "''.endsWith", "''.includes",
    "''.repeat", "''.padStart", "''.trimLeft", "''.bold", "''.equalsIgnoreCase", "[].includes", "[].find",
    "[].findIndex", "[].fill", "[].keys",
]  # fmt: skip

OTHER_NAMES = [
    "Packages", "java", "javax", "com", "org", "JavaAdapter", "JavaImporter", "importPackage", "print",
    "load", "require", "exports", "module", "console", "setTimeout", "setInterval", "window", "fetch",
    "XMLHttpRequest", "HTTPRequest", "probe", "ms", "GlideXMLDocument", "current", "previous",
]  # fmt: skip

ES5_NAMES = [
    "Object.create", "Object.keys", "Object.defineProperty", "Object.freeze", "Array.isArray", "[].map",
    "[].reduce", "[].indexOf", "''.trim", "Date.now", "JSON.parse", "JSON.stringify",
    "Function.prototype.bind", "parseInt", "encodeURIComponent", "Math.max", "''.substr",
]  # fmt: skip


def include(
    instance: Instance, name: str, script: str, scope: str = "global", access: str = "public"
) -> None:
    """Make a Script Include, once for the tests of this file."""
    if not instance.table("sys_script_include").rows(f"name={name}^sys_scope={scope}"):
        instance.table("sys_script_include").insert(
            name=name, script=script, sys_scope=scope, access=access, active="true"
        )


def refusal(instance: Instance, source: str, scope: str = "global") -> str:
    """Return the text of the error a script ends with."""
    with pytest.raises(ScriptError) as refused:
        instance.script(source, scope=scope)
    return str(refused.value)


# -- ES5 ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("source", "complaint"), NEWER_SYNTAX.values(), ids=NEWER_SYNTAX)
def test_newer_syntax_is_refused_with_its_line(instance: Instance, source: str, complaint: str) -> None:
    text = refusal(instance, f"var first = 1;\n\n{source}")

    assert complaint in text
    assert "(background script; line 3)" in text


@pytest.mark.parametrize("name", NEWER_NAMES)
def test_what_came_after_es5_is_not_there(instance: Instance, name: str) -> None:
    assert instance.script(f"typeof {name}") == "undefined"


@pytest.mark.parametrize("name", OTHER_NAMES)
def test_names_of_other_hosts_are_not_there(instance: Instance, name: str) -> None:
    assert instance.script(f"typeof {name}") == "undefined"


@pytest.mark.parametrize("name", ES5_NAMES)
def test_es5_is_there(instance: Instance, name: str) -> None:
    assert instance.script(f"typeof {name}") == "function"


def test_es5_oddities_are_accepted(instance: Instance) -> None:
    source = """
        var o = {get a() { return this.b; }, set a(v) { this.b = v; }, 'class': 1, 'if': 2,};
        o.a = 4;
        '' + o.a + o.class + o.if + '\\\\u{41}'.length + /a/gim.test('A');
    """

    assert instance.script(source) == "4126true"


def test_a_script_include_in_newer_syntax_is_refused_where_it_is_used(instance: Instance) -> None:
    include(instance, "TooNew", "var TooNew = Class.create();\nconst x = 1;")

    assert "const is not ES5 (sys_script_include.TooNew; line 2)" in refusal(instance, "new TooNew();")


# -- values and errors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 + 1", 2),
        ("'a' + 'b'", "ab"),
        ("var a = 'ab'; a + a.length; ", "ab2"),
        ("({a: [1, 'x', null, true]})", {"a": [1, "x", None, True]}),
        ("var x = 5;", None),
        ("null", None),
        ("1 === 1", True),
    ],
    ids=["number", "text", "joined text", "object", "declaration", "null", "boolean"],
)
def test_the_last_expression_is_the_value(instance: Instance, source: str, value: object) -> None:
    assert instance.script(source) == value


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("null.x;", 'TypeError: Cannot read property "x" from null'),
        ("missing();", 'ReferenceError: "missing" is not defined'),
        ("throw new Error('own words');", "Error: own words"),
        ("throw 'plain words';", "plain words"),
        ("gs.sleep(1);", "Cannot find function sleep"),
        ("new GlideRecord('no_such_table').query();", "no_such_table"),
    ],
    ids=["engine", "name", "error", "string", "missing method", "emulator"],
)
def test_an_error_names_script_and_line(instance: Instance, statement: str, complaint: str) -> None:
    text = refusal(instance, f"var a = 1;\nfunction inner() {{\n    {statement}\n}}\ninner();")

    assert complaint in text
    assert "(background script; line 3)" in text


def test_an_error_inside_a_script_include_names_the_include(instance: Instance) -> None:
    include(
        instance,
        "Breaking",
        "var Breaking = Class.create();\nBreaking.prototype = {\n  go: function () {\n    null.x; } };",
    )

    assert "(sys_script_include.Breaking; line 4)" in refusal(instance, "new Breaking().go();")


def test_endless_recursion_is_an_error_and_the_instance_lives(instance: Instance) -> None:
    assert "too much recursion" in refusal(instance, "function f() { return f() + 1; }\nf();")
    assert instance.script("1") == 1


def test_a_script_can_catch_errors_of_the_platform(instance: Instance) -> None:
    source = """
        var caught = [];
        try { null.x; } catch (e) { caught.push(e instanceof TypeError); }
        try { new GlideRecord('sys_user').no_such_column; } catch (e) { caught.push(/no_such_column/.test(e.message)); }
        caught.join();
    """

    assert instance.script(source) == "true,true"


def test_variables_do_not_outlive_their_script(instance: Instance) -> None:
    instance.script("var left = 1; leaked = 2; String.prototype.shout = function () { return '!'; };")

    assert (
        instance.script("[typeof left, typeof leaked, typeof ''.shout].join()")
        == "undefined,undefined,undefined"
    )


# -- Script Includes ---------------------------------------------------------------------------------------------


def test_an_include_is_found_by_its_name(instance: Instance) -> None:
    include(
        instance,
        "Greeter",
        """var Greeter = Class.create();
        Greeter.prototype = {
            initialize: function (name) { this.name = name; },
            greet: function () { return hidden() + this.name; },
            type: 'Greeter'
        };
        function hidden() { return 'hello '; }""",
    )

    assert instance.script("new Greeter('you').greet()") == "hello you"
    assert instance.script("typeof new Greeter('you').greet() + typeof hidden") == "stringundefined"


def test_includes_use_each_other_in_any_order(instance: Instance) -> None:
    include(instance, "First", "var First = {value: function () { return Second.value() + 1; }};")
    include(
        instance,
        "Second",
        "var Second = {value: function () { return 1; }, first: function () { return First; }};",
    )

    assert instance.script("First.value() + Second.first().value()") == 4


def test_an_inactive_include_is_not_there(instance: Instance) -> None:
    include(instance, "Asleep", "var Asleep = {};")
    [row] = instance.table("sys_script_include").rows("name=Asleep")
    instance.table("sys_script_include").update(row["sys_id"], active="false")

    assert instance.script("typeof Asleep") == "undefined"


def test_a_changed_include_is_seen_by_the_next_script(instance: Instance) -> None:
    include(instance, "Changing", "var Changing = {value: 1};")
    [row] = instance.table("sys_script_include").rows("name=Changing")
    before = instance.script("Changing.value")
    instance.table("sys_script_include").update(row["sys_id"], script="var Changing = {value: 2};")

    assert [before, instance.script("Changing.value")] == [1, 2]


def test_an_include_that_does_not_declare_its_name_is_an_error(instance: Instance) -> None:
    include(instance, "Misnamed", "var Other = {};")

    assert "Script Include Misnamed declares no Misnamed" in refusal(instance, "Misnamed;")


def test_an_application_names_global_includes_with_global(instance: Instance) -> None:
    include(instance, "Worldwide", "var Worldwide = {value: 7};")

    assert instance.script("global.Worldwide.value", scope="x_one") == 7
    assert '"Worldwide" is not defined' in refusal(instance, "Worldwide.value", scope="x_one")


def test_another_applications_include_needs_its_scope_and_leave(instance: Instance) -> None:
    include(instance, "Open", "var Open = {value: 1};", scope="x_one", access="public")
    include(instance, "Shut", "var Shut = {value: 2};", scope="x_one", access="package_private")

    assert instance.script("x_one.Open.value", scope="x_two") == 1
    assert instance.script("Open.value + Shut.value + x_one.Shut.value", scope="x_one") == 5
    assert "x_one.Shut is not accessible from scope x_two" in refusal(
        instance, "x_one.Shut.value", scope="x_two"
    )
    assert '"Open" is not defined' in refusal(instance, "Open.value", scope="x_two")


def test_an_include_runs_in_its_own_scope(instance: Instance) -> None:
    include(
        instance,
        "Scoped",
        "var Scoped = {say: function () { gs.print('never'); }, now: function () { return typeof gs.now(); }};",
        scope="x_one",
    )
    include(instance, "Unscoped", "var Unscoped = {now: function () { return typeof gs.now(); }};")

    assert "print is not allowed in scope x_one" in refusal(instance, "x_one.Scoped.say();")
    assert instance.script("global.Unscoped.now()", scope="x_one") == "string"


def test_classes_are_made_the_platforms_way(instance: Instance) -> None:
    source = """
        var Base = Class.create();
        Base.prototype = {initialize: function (a) { this.a = a; }, name: function () { return 'base' + this.a; }};
        var Child = Class.create();
        Child.prototype = Object.extendsObject(Base, {name: function () {
            return 'child of ' + Base.prototype.name.call(this);
        }});
        new Child(1).name() + ' ' + (new Child(2) instanceof Child) + ' ' + new Base(3).name();
    """

    assert instance.script(source) == "child of base1 true base3"


def test_an_ajax_processor_can_be_extended(instance: Instance) -> None:
    source = """
        var Mine = Class.create();
        Mine.prototype = Object.extendsObject(AbstractAjaxProcessor, {
            answer: function () { return this.getParameter('sysparm_x'); }, type: 'Mine'
        });
        String(new Mine().answer());
    """

    assert instance.script(source) == "null"
