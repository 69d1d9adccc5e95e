"""The emulated Service Portal in a real browser: widgets come alive, and hear of changed rows."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Request

from emulator.platform import Platform
from tests.fixtures.browser import REFUSALS, UNREACHED, Visitor, window
from tests.integration.emulator.portals import Portals
from tests.integration.emulator.shelf import build
from tests.waiting import until

PATIENCE_S = 40
AMB_OFF = re.compile(r"status of 503")

WATCHING = """api.controller = function ($scope, $rootScope, spUtil) {
    var c = this;
    window.heard = window.heard || [];
    window.broadcast = 0;
    window.scopes = (window.scopes || []).concat([$scope]);
    spUtil.recordWatch($scope, 'u_news', 'name=' + c.options.name + '^ORDERBYname', function (event) {
        window.heard.push(event);
    });
    $rootScope.$on('record.updated', function () { window.broadcast += 1; });
};"""


@pytest.fixture(scope="module")
def portals(platform: Platform) -> Portals:
    made = Portals(platform.admin)
    made.portal()
    build(platform.admin, "u_news", {"name": "string", "seq": "integer", "other": "string"})
    return made


@pytest.fixture(scope="module")
def at_work(browser: Browser, platform: Platform, portals: Portals) -> Iterator[Visitor]:
    """Return somebody who has signed in; the window is shared."""
    portals.place("nothing")
    with window(browser, platform) as visitor:
        visitor.visit("nothing", portal="tests")
        visitor.sign_in("admin", "admin")
        visitor.page.wait_for_selector(".sp-header")
        yield visitor


@pytest.fixture
def visitor(at_work: Visitor) -> Iterator[Visitor]:
    """Return the same person at a new tab, whose complaints are this test's."""
    tab = at_work.tab()
    yield tab
    tab.page.close()
    complaints = tab.complaints.unexpected
    tab.complaints.made.clear()
    tab.complaints.expected.clear()
    assert not complaints


@pytest.fixture(scope="module")
def news(portals: Portals) -> str:
    """Return a page with two widgets that watch a row each: of the name "one" and "two"."""
    widget = portals.widget("watching", client_script=WATCHING)
    for name in ("one", "two"):
        portals.insert("u_news", name=name, seq="1", other="x")
    page = portals.insert("sp_page", id="news", title="news")
    container = portals.insert("sp_container", sp_page=page)
    column = portals.insert("sp_column", sp_row=portals.insert("sp_row", sp_container=container))
    for order, name in (("1", "one"), ("2", "two")):
        named = f'{{"name": "{name}"}}'
        portals.insert(
            "sp_instance", sp_column=column, sp_widget=widget, order=order, widget_parameters=named
        )
    return "news"


def bump(portals: Portals, name: str, seq: int) -> None:
    (row,) = portals.instance.table("u_news").rows(f"name={name}")
    portals.instance.table("u_news").update(row["sys_id"], seq=str(seq))


def heard(page: Page) -> list[int]:
    found: list[int] = page.evaluate("(window.heard || []).map(e => Number(e.data.record.seq.value))")
    return found


def bump_until_heard(portals: Portals, page: Page, name: str, seq: int) -> None:
    """Change the row until the page hears of one change: when it has subscribed cannot be seen from outside."""
    tried = [seq]

    def told() -> bool:
        if any(each >= seq for each in heard(page)):
            return True
        tried[0] += 1
        bump(portals, name, tried[0])
        return False

    assert until(told, PATIENCE_S)


CONTROLLERS = {
    "api.controller": "api.controller = function ($scope, spUtil) { var c = this; BODY };",
    "helpers around": "var twice = function (n) { return 2 * n; };\napi.controller = function () { var c = this; BODY };",
    "bare": "function ($scope, spUtil) { var c = this; BODY }",
    "bare with a comment": "/* the controller */ // of it\nfunction($scope) { var c = this; BODY }",
}


@pytest.mark.parametrize("form", CONTROLLERS)
def test_client_scripts_run_in_each_form(portals: Portals, visitor: Visitor, form: str) -> None:
    page = "form_" + re.sub(r"\W", "_", form)
    script = CONTROLLERS[form].replace("BODY", "c.shown = c.data.n + 1; c.opened = c.options.n;")
    portals.place(
        page,
        portals.widget(
            page,
            template='<b class="it">{{c.shown}} {{data.n}} {{c.opened}}</b>',
            client_script=script,
            script="data.n = 41;",
        ),
        instance={"widget_parameters": '{"n": 5}'},
    )

    visitor.visit(page, portal="tests")

    assert visitor.page.locator(".it").inner_text() == "42 41 5"


def test_a_widget_has_its_libraries_before_it_runs_and_its_css_to_itself(
    portals: Portals, visitor: Visitor
) -> None:
    widget = portals.widget(
        "library",
        template='<p class="mine">{{c.word}}</p>',
        client_script="api.controller = function () { this.word = window.second; };",
        css=".mine { width: 33px; } p { &.mine { height: 44px; } }",
        link="function link(scope, element, attributes, controller) { controller.linked = element[0].tagName; "
        "window.linked = controller.linked; }",
    )
    portals.depend(
        widget,
        [
            ("x_tests.first", "window.first = 'first';"),
            ("x_tests.second", "window.second = window.first + '!';"),
        ],
        css="p { color: rgb(1, 2, 3); }",
    )
    other = portals.widget("beside", template='<p class="mine beside">other</p>')
    portals.place("libraries", widget, other)

    visitor.visit("libraries", portal="tests")

    page = visitor.page
    mine = page.locator(f".v{widget} .mine")
    assert mine.inner_text() == "first!"
    box = mine.bounding_box()
    assert box is not None
    assert (box["width"], box["height"]) == (33, 44)
    beside = page.locator(".beside").bounding_box()
    assert beside is not None
    assert beside["width"] > 33
    assert page.evaluate("getComputedStyle(document.querySelector('.beside')).color") == "rgb(1, 2, 3)"
    assert page.evaluate("window.linked") == "SP-WIDGET"


def test_a_widget_holds_another_and_uses_an_angular_module_and_a_provider(
    portals: Portals, visitor: Visitor
) -> None:
    inner = portals.widget(
        "held",
        template='<b class="held">{{c.data.n}} {{c.data.n | doubled}} <shout></shout></b>',
        client_script="function () { var c = this; }",
        script="data.n = options.n * 2;",
    )
    filters = "angular.module('x.tests', []).filter('doubled', function () { return n => n * 2; });"
    portals.depend(inner, [("x_tests.module", filters)], module="x.tests")
    provider = portals.insert(
        "sp_angular_provider",
        name="shout",
        type="directive",
        script="function () { return {template: 'shouted'}; }",
    )
    portals.insert("m2m_sp_ng_pro_sp_widget", sp_widget=inner, sp_angular_provider=provider)
    holder = portals.widget(
        "holding",
        template='<sp-widget widget="data.inner"></sp-widget><sp-widget ng-if="c.later" widget="c.later"></sp-widget>',
        client_script="function (spUtil) { var c = this; "
        "spUtil.get('held', {}).then(function (model) { model.data.n = 7; c.later = model; }); }",
        script="data.inner = $sp.getWidget('held', {n: 3});",
    )
    portals.place("holders", holder)

    visitor.visit("holders", portal="tests")

    visitor.page.get_by_text("6 12 shouted").wait_for()
    visitor.page.get_by_text("7 14 shouted").wait_for()


def test_messages_and_the_rest_of_sputil(portals: Portals, visitor: Visitor) -> None:
    widget = portals.widget(
        "helping",
        template='<b class="ready">{{c.text}}</b>',
        client_script="""function ($scope, spUtil) {
            var c = this;
            spUtil.addInfoMessage('info <b>');
            spUtil.addErrorMessage('error');
            spUtil.addTrivialMessage('small');
            c.text = spUtil.format('{a} of {b}', {a: 1, b: spUtil.createUid().length}) + ' ' + spUtil.getHost();
        }""",
    )
    portals.place("helpers", widget)

    visitor.visit("helpers", portal="tests")
    notices = visitor.page.locator(".sp-notice")
    notices.nth(2).wait_for()

    assert [text.strip().split("\n")[0] for text in notices.all_inner_texts()] == [
        "info <b>",
        "error",
        "small",
    ]
    assert visitor.page.locator(".ready").inner_text() == "1 of 32 127.0.0.1"
    notices.first.get_by_role("button").click()
    visitor.page.get_by_text("info <b>").wait_for(state="detached")
    visitor.page.get_by_text("small").wait_for(state="detached")
    assert notices.count() == 1


def test_a_widget_calls_its_server_script(portals: Portals, visitor: Visitor) -> None:
    widget = portals.widget(
        "calling",
        template='<i class="n">{{c.data.n}}</i><i class="got">{{c.got}}</i>'
        '<button class="get" ng-click="c.get()">a</button><button class="update" ng-click="c.update()">b</button>'
        '<button class="refresh" ng-click="c.server.refresh()">c</button>',
        client_script="""api.controller = function () {
            var c = this;
            c.get = function () { c.server.get({add: 5}).then(function (r) { c.got = r.data.n; }); };
            c.update = function () { c.data.add = 10; c.server.update(); };
        };""",
        script="data.n = 100 + (input && input.add ? input.add : 0);",
    )
    portals.place("calls", widget)
    visitor.visit("calls", portal="tests")
    page = visitor.page

    page.locator(".get").click()
    page.wait_for_function("document.querySelector('.got').innerText === '105'")
    assert page.locator(".n").inner_text() == "100"  # what get brings is the caller's
    page.locator(".update").click()
    page.wait_for_function("document.querySelector('.n').innerText === '110'")
    page.locator(".refresh").click()
    page.wait_for_function("document.querySelector('.n').innerText === '100'")


def test_errors_of_scripts_are_shown_and_the_rest_of_the_page_lives(
    portals: Portals, visitor: Visitor
) -> None:
    server = portals.widget("bad_server", script="data.n = nothing.at.all;", template="<p>server</p>")
    client = portals.widget(
        "bad_client",
        client_script="api.controller = function () { nothing.at.all(); };",
        template="<p>client</p>",
    )
    fine = portals.widget("fine", template='<p class="fine">{{1 + 1}}</p>')
    portals.place("errors", server, client, fine)
    visitor.complaints.expect(re.compile("nothing is not defined"))

    visitor.visit("errors", portal="tests")
    visitor.page.locator(".fine").wait_for()
    notices = visitor.page.locator(".sp-notice-error")
    notices.nth(1).wait_for()

    texts = " ".join(notices.all_inner_texts())
    assert "Server JavaScript error in the widget bad_server" in texts
    assert "Error in the client script of the widget bad_client" in texts
    assert visitor.page.locator(".fine").inner_text() == "2"


def test_a_changed_row_is_told_in_the_documented_shape(portals: Portals, visitor: Visitor, news: str) -> None:
    visitor.visit(news, portal="tests")
    bump_until_heard(portals, visitor.page, "one", 100)

    event = visitor.page.evaluate("window.heard[0]")

    assert set(event) == {"channel", "data"}
    assert event["channel"] == "/rw/default/u_news/bmFtZT1vbmU-"  # name=one
    data = event["data"]
    assert (data["table_name"], data["operation"], data["changes"]) == ("u_news", "update", ["seq"])
    assert data["record"]["seq"]["value"] == data["record"]["seq"]["display_value"]
    assert "other" not in data["record"]
    assert visitor.page.evaluate("window.broadcast") >= 1


def test_several_watches_share_one_poll_and_end_with_their_widget(
    portals: Portals, visitor: Visitor, news: str
) -> None:
    waiting: set[Request] = set()
    most: list[int] = []
    messages: list[str] = []

    def began(request: Request) -> None:
        if request.url.endswith("/amb"):
            messages.append(request.post_data or "")
            if "/meta/connect" in messages[-1]:
                waiting.add(request)
                most.append(len(waiting))

    def ended(request: Request) -> None:
        waiting.discard(request)

    visitor.page.on("request", began)
    visitor.page.on("requestfinished", ended)
    visitor.page.on("requestfailed", ended)
    visitor.visit(news, portal="tests")
    bump_until_heard(portals, visitor.page, "one", 200)
    bump_until_heard(portals, visitor.page, "two", 300)
    visitor.page.evaluate("window.scopes[0].$destroy(); window.heard = []")

    assert max(most) == 1
    assert until(lambda: visitor.page.evaluate("1") and "unsubscribe" in "".join(messages), PATIENCE_S)
    bump(portals, "one", 999)
    bump_until_heard(portals, visitor.page, "two", 400)
    assert 999 not in heard(visitor.page)


def test_a_channel_that_is_left_and_entered_again_is_heard(
    portals: Portals, visitor: Visitor, news: str
) -> None:
    visitor.visit(news, portal="tests")
    bump_until_heard(portals, visitor.page, "one", 1100)

    visitor.page.evaluate("""() => {
        const util = angular.element(document.body).injector().get('spUtil');
        window.heard = [];
        window.scopes[0].$destroy();
        util.recordWatch(window.scopes[1], 'u_news', 'name=one', e => window.heard.push(e));
    }""")

    bump_until_heard(portals, visitor.page, "one", 1200)


def test_the_channel_comes_back_after_it_was_off(portals: Portals, visitor: Visitor, news: str) -> None:
    visitor.complaints.expect(AMB_OFF)
    visitor.visit(news, portal="tests")
    bump_until_heard(portals, visitor.page, "one", 500)
    off: list[int] = []
    visitor.page.on("response", lambda answer: off.append(1) if answer.status == 503 else None)

    portals.instance.faults(amb=False)
    try:
        visitor.page.wait_for_timeout(1)  # lets the page's news come in
        assert until(lambda: visitor.page.evaluate("1") and len(off) >= 3, PATIENCE_S)
    finally:
        portals.instance.faults(amb=True)

    bump_until_heard(portals, visitor.page, "one", 600)


def test_the_channel_comes_back_after_the_session_was_renewed(
    portals: Portals, visitor: Visitor, news: str
) -> None:
    visitor.complaints.expect(REFUSALS, UNREACHED)
    visitor.visit(news, portal="tests")
    bump_until_heard(portals, visitor.page, "one", 700)

    visitor.page.evaluate("fetch('/logout.do', {redirect: 'manual'})")
    bump(portals, "one", 800)  # ends the poll that waits; the next one is a stranger's
    tab = visitor.tab()
    tab.visit("nothing", portal="tests")
    tab.sign_in("admin", "admin")
    tab.page.wait_for_selector(".sp-header")

    bump_until_heard(portals, visitor.page, "one", 900)
    tab.page.close()


def test_whoever_signs_out_is_at_the_form_again(visitor: Visitor) -> None:
    visitor.visit("nothing", portal="tests")
    visitor.page.get_by_text("Sign out").click()

    visitor.visit("nothing", portal="tests")
    visitor.sign_in("admin", "admin")

    visitor.page.wait_for_selector(".sp-header")
    assert visitor.page.title() == "nothing - Tests"
