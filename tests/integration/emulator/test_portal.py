"""The emulated Service Portal over HTTP: pages, widgets' server scripts, files. [widget-api-reference]"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from emulator.servicenow import Instance
from tests.integration.emulator.portals import Browsing, Portals

PASSWORD = "the visitor's"
VISITOR = "portal.visitor"


@pytest.fixture(scope="module")
def portals(instance: Instance) -> Portals:
    instance.create_user(VISITOR, PASSWORD, ["itil"])
    made = Portals(instance)
    made.portal()
    return made


@pytest.fixture
def session() -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        yield session


@pytest.fixture
def visitor(portals: Portals, session: requests.Session) -> Browsing:
    return Browsing(portals.instance.url, session, VISITOR, PASSWORD)


def test_a_stranger_is_sent_to_the_form_and_back(portals: Portals, session: requests.Session) -> None:
    address = f"{portals.instance.url}/tests?id=welcome"

    sent = session.get(address, allow_redirects=False, timeout=30)
    form = session.get(portals.instance.url + sent.headers["Location"], timeout=30)
    back = session.post(
        portals.instance.url + "/login.do",
        data={
            "user_name": VISITOR,
            "user_password": PASSWORD,
            "sysparm_goto_url": form.text.split('name="sysparm_goto_url" value="')[1].split('"')[0],
        },
        allow_redirects=False,
        timeout=30,
    )

    assert (sent.status_code, back.status_code) == (302, 302)
    assert back.headers["Location"] == "/tests?id=welcome"


@pytest.mark.parametrize(
    "wish", ["//elsewhere.example/x", "https://elsewhere.example", '"><script>', "\\\\elsewhere.example"]
)
def test_the_form_leads_nowhere_else(portals: Portals, session: requests.Session, wish: str) -> None:
    form = session.get(portals.instance.url + "/login.do", params={"sysparm_goto_url": wish}, timeout=30).text

    assert 'name="sysparm_goto_url" value="/"' in form


def test_nothing_but_the_form_is_for_strangers(portals: Portals) -> None:
    portals.insert("sys_ui_script", name="x_tests.closed", script="1;")

    for path in ("/api/now/sp/page?id=any", "/x_tests.closed.jsdbx", "/api/now/sp/widget/any"):
        assert portals.instance.request("GET", path, auth=None).status_code == 401


def test_the_document_carries_the_session_s_token(visitor: Browsing) -> None:
    document = visitor.get("/tests")

    assert document.status_code == 200
    assert f'g_ck = "{visitor.token}"' in document.text
    assert document.headers["Cache-Control"] == "no-store"


def test_the_root_leads_to_a_portal(visitor: Browsing) -> None:
    assert visitor.get("/").headers["Location"] == "/tests"


def test_an_unknown_address_is_no_portal(visitor: Browsing) -> None:
    assert visitor.get("/nosuchportal").status_code == 404


def test_a_page_brings_its_widgets_with_their_data(portals: Portals, visitor: Browsing) -> None:
    first = portals.widget("first", script="data.user = gs.getUserName(); data.input = typeof input;")
    second = portals.widget("second", template="<p>two</p>", css=".x { color: red; }")
    placed = portals.place("two_widgets", first, second)

    models = visitor.widgets("two_widgets")

    assert [model["rectangle_id"] for model in models] == placed
    assert models[0]["data"] == {"user": VISITOR, "input": "undefined"}
    assert (models[1]["template"], models[1]["controllerAs"]) == ("<p>two</p>", "c")
    assert models[1]["css"].strip() == f".v{second} {{\n.x {{ color: red; }}\n}}"


def test_what_a_widget_sends_is_its_input(portals: Portals, visitor: Browsing) -> None:
    widget = portals.widget("asked", script="data.got = input ? input.list[1].name + input.list.length : '';")

    answer = visitor.call(f"widget/{widget}", {"list": [{}, {"name": "x"}]})

    assert answer.status_code == 200
    assert answer.json()["result"]["data"] == {"got": "x2"}


def test_a_widget_is_found_by_its_id_too(portals: Portals, visitor: Browsing) -> None:
    portals.widget("by-name", script="data.n = 1;")

    assert visitor.call("widget/by-name", {}).json()["result"]["data"] == {"n": 1}


def test_a_call_needs_the_token_of_the_session(portals: Portals, visitor: Browsing) -> None:
    widget = portals.widget("guarded", script="data.n = 1;")

    refused = visitor.call(f"widget/{widget}", {}, token="0" * 32)

    assert refused.status_code == 401
    assert "WWW-Authenticate" not in refused.headers  # a browser would ask for a password


def test_input_that_is_no_json_is_400(portals: Portals, visitor: Browsing) -> None:
    widget = portals.widget("strict", script="data.n = 1;")

    answer = visitor.session.post(
        f"{visitor.url}/api/now/sp/widget/{widget}",
        data="{",
        headers={"X-UserToken": visitor.token, "Content-Type": "application/json"},
        timeout=30,
    )

    assert answer.status_code == 400


def test_options_come_from_the_instance(portals: Portals, visitor: Browsing) -> None:
    widget = portals.widget("optional", script="data.seen = options.colour + options.size + options.title;")
    parameters = '{"colour": {"value": "red", "displayValue": "Red"}, "size": 3}'
    (placed,) = portals.place(
        "with_options", widget, instance={"widget_parameters": parameters, "title": "Titled"}
    )

    (model,) = visitor.widgets("with_options")
    again = visitor.call(f"rectangle/{placed}", {"any": 1}).json()["result"]

    assert model["data"] == again["data"] == {"seen": "red3Titled"}


def test_an_error_of_the_server_script_is_told_and_logged(portals: Portals, visitor: Browsing) -> None:
    widget = portals.widget(
        "failing", template="<p>still here</p>", script="data.before = 1; data.after = nothing.at.all;"
    )
    portals.place("failing_page", widget)

    (model,) = visitor.widgets("failing_page")

    assert (model["data"], model["template"]) == ({"before": 1}, "<p>still here</p>")
    (notice,) = model["$$uiNotification"]
    assert notice["type"] == "error"
    assert "nothing" in notice["message"]
    assert any("server script of failing" in line for line in portals.instance.log())


def test_messages_of_the_server_script_come_along(portals: Portals, visitor: Browsing) -> None:
    widget = portals.widget("saying", script="gs.addInfoMessage('hello'); gs.addErrorMessage('alas');")

    result = visitor.call(f"widget/{widget}", {}).json()["result"]

    assert result["$$uiNotification"] == [
        {"type": "info", "message": "hello"},
        {"type": "error", "message": "alas"},
    ]


def test_a_server_script_runs_in_the_scope_of_its_application(portals: Portals, visitor: Browsing) -> None:
    scope = portals.insert("sys_scope", name="Tests", scope="x_tests")
    portals.insert(
        "sys_script_include",
        name="OnlyOurs",
        script="var OnlyOurs = {word: function () { return 'ours'; }};",
        sys_scope=scope,
        access="package_private",
        active="true",
    )
    ours = portals.widget("ours", script="data.word = OnlyOurs.word();", sys_scope=scope)
    theirs = portals.widget("theirs", script="data.word = OnlyOurs.word();")

    inside = visitor.call(f"widget/{ours}", {}).json()["result"]
    outside = visitor.call(f"widget/{theirs}", {}).json()["result"]

    assert inside["data"] == {"word": "ours"}
    assert outside["data"] == {}
    assert "OnlyOurs" in outside["$$uiNotification"][0]["message"]


def test_newer_javascript_is_refused_in_server_scripts(portals: Portals, visitor: Browsing) -> None:
    widget = portals.widget("modern", script="data.n = [1].map(x => x);")

    result = visitor.call(f"widget/{widget}", {}).json()["result"]

    assert "arrow function" in result["$$uiNotification"][0]["message"]


SP = {
    "the address": ("$sp.getParameter('colour')", "green"),
    "no such parameter": ("$sp.getParameter('taste')", None),
    "the portal's column": ("$sp.getValue('url_suffix')", "tests"),
    "the portal's record": ("$sp.getPortalRecord().getValue('title')", "Tests"),
    "the portal's display value": ("$sp.getDisplayValue('title')", "Tests"),
    "another widget": ("$sp.getWidget('inner', {n: 20}).data.n", 21),
    "a row that is not there": ("$sp.canReadRecord('sys_user', 'none')", False),
    "initials": ("$sp.getUserInitials()", "P"),
}


@pytest.mark.parametrize("case", SP)
def test_sp_knows(portals: Portals, visitor: Browsing, case: str) -> None:
    script, expected = SP[case]
    if not portals.instance.table("sp_widget").rows("id=inner"):
        portals.widget("inner", script="data.n = options.n + 1;")
    page = "sp_" + case.replace(" ", "_").replace("'", "")
    portals.place(page, portals.widget(page, script=f"data.found = {script};"))
    (portal,) = portals.instance.table("sp_portal").rows("url_suffix=tests")

    (model,) = visitor.widgets(page, colour="green", portal_id=portal["sys_id"])

    assert model["$$uiNotification"] == []
    assert model["data"]["found"] == expected


def test_sp_has_nothing_that_is_not_documented(portals: Portals, visitor: Browsing) -> None:
    widget = portals.widget("inventing", script="$sp.runAnything('x');")

    result = visitor.call(f"widget/{widget}", {}).json()["result"]

    assert "$sp.runAnything" in result["$$uiNotification"][0]["message"]


def test_a_widget_that_holds_itself_ends(portals: Portals, visitor: Browsing) -> None:
    widget = portals.widget("endless", script="data.inner = $sp.getWidget('endless', {});")

    answer = visitor.call(f"widget/{widget}", {})

    assert answer.status_code == 500
    assert "holds itself" in answer.text


@pytest.mark.parametrize("where", ["page", "widget", "instance"])
def test_roles_keep_others_out(portals: Portals, visitor: Browsing, where: str) -> None:
    only = {"roles": "mid_server"}
    widget = portals.widget(
        f"secret_{where}", script="data.secret = 1;", **(only if where == "widget" else {})
    )
    (placed,) = portals.place(
        f"closed_{where}",
        widget,
        instance=only if where == "instance" else None,
        **(only if where == "page" else {}),
    )

    answer = visitor.get("/api/now/sp/page", params={"id": f"closed_{where}"})
    direct = visitor.call(f"rectangle/{placed}", {})

    assert "secret" not in answer.text.replace("secret_", "")
    assert direct.status_code == (200 if where == "page" else 403)  # a page's roles guard the page alone


def test_a_page_that_is_not_there_says_so(visitor: Browsing) -> None:
    found = visitor.page("nosuchpage")

    assert found["containers"] == []
    assert "nosuchpage" in found["problem"]["text"]


def test_the_menu_shows_what_is_for_the_user(portals: Portals, visitor: Browsing) -> None:
    menu = portals.insert("sp_instance_menu", title="Menu")
    page = portals.insert("sp_page", id="listed", title="Listed")
    item = {"sp_rectangle_menu": menu}
    portals.insert("sp_rectangle_menu_item", label="Second", order="2", sp_page=page, type="page", **item)
    portals.insert(
        "sp_rectangle_menu_item", label="First", order="1", url="https://a.example", type="url", **item
    )
    portals.insert("sp_rectangle_menu_item", label="Trap", order="3", url="javascript:1", type="url", **item)
    portals.insert("sp_rectangle_menu_item", label="Others'", order="4", roles="mid_server", **item)
    portals.insert("sp_rectangle_menu_item", label="Never", order="5", condition="false", **item)
    portal = portals.insert("sp_portal", title="Menus", url_suffix="menus", sp_rectangle_menu=menu)

    shown = visitor.page("listed", portal_id=portal)["menu"]

    assert [(each["label"], each["href"]) for each in shown] == [
        ("First", "https://a.example"),
        ("Second", "?id=listed"),
        ("Trap", ""),
    ]


def test_texts_of_a_widget_are_translated(portals: Portals, visitor: Browsing) -> None:
    portals.insert("sys_ui_message", key="Known", message="Bekannt", language="en")
    widget = portals.widget(
        "translated",
        template="${Known} ${Other {{data.n}} text} {{c.n}}",
        client_script="var a = '${Known}';",
    )

    result = visitor.call(f"widget/{widget}", {}).json()["result"]

    assert result["template"] == "Bekannt Other {{data.n}} text {{c.n}}"
    assert result["client_script"] == "var a = 'Bekannt';"


def test_dependencies_come_in_their_order(portals: Portals, visitor: Browsing) -> None:
    widget = portals.widget("depending")
    portals.depend(
        widget, [("x_tests.b", "window.b = 1;"), ("x_tests.a", "window.a = 1;")], css="p { margin: 0; }"
    )

    (dependency,) = visitor.call(f"widget/{widget}", {}).json()["result"]["dependencies"]
    names = [address.split(".jsdbx")[0] for address in dependency["scripts"]]

    assert names == ["/x_tests.b", "/x_tests.a"]
    assert visitor.get(dependency["styles"][0]).text == "p { margin: 0; }"


def test_a_ui_script_loses_what_looks_like_a_reference(portals: Portals, visitor: Browsing) -> None:
    portals.insert("sys_ui_script", name="x_tests.mangled", script="var a = `x${name}y`; var b = '$ {c}';")

    assert visitor.get("/x_tests.mangled.jsdbx").text == "var a = `xy`; var b = '$ {c}';"


def test_files_are_kept_by_browsers_until_they_change(portals: Portals, visitor: Browsing) -> None:
    widget = portals.widget("kept")
    portals.depend(widget, [("x_tests.kept", "1;")])

    def address() -> str:
        (dependency,) = visitor.call(f"widget/{widget}", {}).json()["result"]["dependencies"]
        found: str = dependency["scripts"][0]
        return found

    before = address()
    first = visitor.get(before)
    again = visitor.get(before, headers={"If-None-Match": first.headers["ETag"]})
    (script,) = portals.instance.table("sys_ui_script").rows("name=x_tests.kept")
    portals.instance.table("sys_ui_script").update(script["sys_id"], script="2;")
    after = address()

    assert "immutable" in first.headers["Cache-Control"]
    assert (again.status_code, again.content) == (304, b"")
    assert after != before
    assert visitor.get(after).text == "2;"
    assert "no-cache" in visitor.get(before).headers["Cache-Control"]  # the old address serves the new text


def test_page_load_dependencies_come_with_the_document(portals: Portals, visitor: Browsing) -> None:
    widget = portals.widget("early")
    portals.depend(widget, [("x_tests.early", "1;")], page_load="true")
    portals.depend(widget, [("x_tests.late", "1;")])
    portals.place("early_page", widget)

    document = visitor.get("/tests?id=early_page").text

    assert "x_tests.early.jsdbx" in document
    assert "x_tests.late.jsdbx" not in document


def test_css_that_means_nothing_inside_is_taken_out(portals: Portals, visitor: Browsing) -> None:
    css = """
        // a comment of SCSS: { and }
        @keyframes turn { from { top: 0; } to { top: 1px; } }
        a { background: url("http://x.example/{"); &:hover { top: 0; } }
    """
    widget = portals.widget("styled", css=css)

    made = visitor.call(f"widget/{widget}", {}).json()["result"]["css"]

    outside, inside = made.split(f".v{widget} {{")
    assert outside.strip() == "@keyframes turn { from { top: 0; } to { top: 1px; } }"
    assert inside.strip().startswith('a { background: url("http://x.example/{"); &:hover')
    assert "comment" not in made
