"""Scripted REST with its quirks. [c_ScriptableServiceRequest, c_ScriptableServiceResponseBuilder]"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import requests

from emulator.servicenow import Instance, Row

BASE = "/api/u_demo/things"
PASSWORD = "the visitor's"

Add = Callable[..., Callable[..., requests.Response]]


@pytest.fixture(scope="module")
def service(instance: Instance) -> Row:
    instance.create_user("visitor", PASSWORD)
    return instance.table("sys_ws_definition").insert(
        name="Things", namespace="u_demo", service_id="things", active="true", consumes="", produces=""
    )


@pytest.fixture(scope="module")
def add(instance: Instance, service: Row) -> Add:
    """Add a resource; returns a caller of it."""
    count = 0

    def make(
        script: str, method: str = "GET", path: str = "", **fields: str
    ) -> Callable[..., requests.Response]:
        nonlocal count
        count += 1
        path = path or f"/r{count}"
        instance.table("sys_ws_operation").insert(
            **{
                "name": f"r{count}",
                "web_service_definition": service["sys_id"],
                "http_method": method,
                "relative_path": path,
                "operation_script": f"(function process(request, response) {{ {script} }})(request, response);",
                "consumes": "",
                "produces": "",
            }
            | fields
        )

        def call(suffix: str = "", caller: Instance = instance, **options: Any) -> requests.Response:
            return caller.request(method, f"{BASE}{path if '{' not in path else ''}{suffix}", **options)

        return call

    return make


def result(answer: requests.Response) -> Any:
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def error(answer: requests.Response) -> tuple[int, str, str | None]:
    document = answer.json()
    assert document["status"] == "failure"
    return answer.status_code, document["error"]["message"], document["error"]["detail"]


# -- the request ---------------------------------------------------------------------------------------------


def test_query_parameters_are_lists(add: Add) -> None:
    call = add("return {q: request.queryParams, flag: request.queryParams.clear === 'true', "
               "text: request.queryString};")  # fmt: skip

    assert result(call("?clear=true&a=1&a=2&b")) == {
        "q": {"clear": ["true"], "a": ["1", "2"], "b": [""]},
        "flag": False,
        "text": "clear=true&a=1&a=2&b",
    }


def test_names_every_object_has_are_ordinary_names(add: Add) -> None:
    call = add("return request.queryParams;")

    assert result(call("?constructor=1&toString=2&hasOwnProperty=3")) == {
        "constructor": ["1"],
        "toString": ["2"],
        "hasOwnProperty": ["3"],
    }
    assert result(call("?__proto__=1&__parent__=2&a=3")) == {"a": ["3"]}


def test_lists_are_the_script_s_own_with_the_methods_of_es5_only(add: Add) -> None:
    call = add("return [request.queryParams.a instanceof Array, typeof request.queryParams.a.includes];")

    assert result(call("?a=1")) == [True, "undefined"]


def test_path_parameters_are_decoded_strings(add: Add) -> None:
    call = add("return request.pathParams;", path="/of/{owner}/{id}")

    assert result(call("/of/o'neil%20x/a+b%3Fc")) == {"owner": "o'neil x", "id": "a+b?c"}


@pytest.mark.parametrize("part", ["a%2Fb", "a%5Cb", "a%00"], ids=["slash", "backslash", "nul"])
def test_encoded_separators_never_reach_a_script(add: Add, part: str) -> None:
    call = add("return 'reached';", path=f"/sep{part[1:4].strip('%')}/{{id}}")

    assert call(f"/sep{part[1:4].strip('%')}/{part}").status_code == 400


def test_headers_uri_and_types(instance: Instance, add: Add) -> None:
    call = add("return [request.getHeader('X-Thing'), request.headers['x-thing'], request.uri, request.url, "
               "request.getSupportedResponseContentTypes(), request.getHeader('X-None')];", path="/about")  # fmt: skip

    found = result(call(headers={"X-Thing": "t", "Accept": "application/json, text/plain;q=0.5"}))

    types = ["application/json", "text/plain"]
    assert found == ["t", "t", f"{BASE}/about", f"{instance.url}{BASE}/about", types, None]


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("data", "dataString", [{"a": 1}, ""]),
        ("dataString", "data", ['{"a": 1}', None]),
        ("dataString", "dataString", ['{"a": 1}', ""]),
        ("dataStream", "dataString", ["[object InputStream]", ""]),
    ],
)
def test_a_body_is_read_once(add: Add, first: str, second: str, expected: list[Any]) -> None:
    call = add(
        f"var one = request.body.{first}; if ('{first}' === 'dataStream') {{ one = '' + one; }}"
        f"return [one, request.body.{second}];",
        "POST",
    )

    assert result(call(data='{"a": 1}')) == expected


def test_a_body_that_is_no_json_is_a_400_for_who_reads_data(add: Add) -> None:
    call = add("return request.body.data;", "POST")

    assert error(call(data="{"))[0] == 400


@pytest.mark.parametrize(
    "script",
    [
        "request.pathParams = {};",
        "request.other = 1;",
        "request.getRequestMethod();",
        "return request.body.text;",
        "request.body.data = 1;",
        "response.setCookie('a');",
    ],
    ids=["path", "new", "method", "body", "data", "response"],
)
def test_what_is_not_documented_is_not_there_and_nothing_can_be_set(add: Add, script: str) -> None:
    status, message, detail = error(add(script, "POST")())

    assert (status, message) == (500, "Script Evaluation Exception")
    assert "TypeError" in str(detail)
    assert "line 1" in str(detail)


def test_a_body_over_the_limit_is_400_unless_it_is_a_stream(instance: Instance, add: Add) -> None:
    rows = instance.table("sys_properties")
    limit = rows.rows("name=glide.rest.scripted.max_inbound_content_length_mb")[0]["sys_id"]
    rows.update(limit, value="1")
    read = add("return request.body.dataString.length;", "POST")
    stream = add("response.getStreamWriter().writeStream(request.body.dataStream);", "POST")

    fitting = read(data="x" * 1_048_576)
    over = read(data="x" * 1_048_577)
    streamed = stream(data="x" * 1_048_577)

    rows.update(limit, value="10")
    assert result(fitting) == 1_048_576
    assert over.status_code == 400
    assert len(streamed.content) == 1_048_577


# -- the response --------------------------------------------------------------------------------------------


def test_a_body_stands_under_result_with_status_and_headers(add: Add) -> None:
    call = add("response.setStatus(202); response.setHeader('X-A', 'a'); response.setHeaders({'X-B': 'b'});"
               "response.setLocation('/there'); response.setBody({a: [1, 'ä', null, true]});")  # fmt: skip

    answer = call()

    assert answer.status_code == 202
    assert answer.json() == {"result": {"a": [1, "ä", None, True]}}
    assert [answer.headers[name] for name in ("X-A", "X-B", "Location")] == ["a", "b", "/there"]
    assert answer.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize(
    ("script", "body"),
    [("return {a: 1};", {"result": {"a": 1}}), ("return 'x';", {"result": "x"}), ("", None)],
    ids=["object", "text", "nothing"],
)
def test_what_is_returned_is_the_body_when_none_is_set(add: Add, script: str, body: object) -> None:
    answer = add(script)()

    assert answer.status_code == 200
    assert (answer.json() if answer.content else None) == body


def test_a_status_that_is_no_number_becomes_0_which_cannot_be_sent(add: Add) -> None:
    status, message, _ = error(add("response.setStatus('201'); response.setBody({});")())

    assert (status, message) == (500, "Status 0 cannot be sent")


@pytest.mark.parametrize(
    "script",
    ["return request;", "return response;", "response.setBody({a: [request]});"],
    ids=["request", "response", "within"],
)
def test_request_and_response_cannot_be_sent(add: Add, script: str) -> None:
    assert error(add(script)())[:2] == (500, "Unable to serialize the body")


def test_a_stream_is_sent_as_it_is(add: Add) -> None:
    call = add("response.setContentType('text/plain'); response.setStatus(201);"
               "var w = response.getStreamWriter(); w.writeString('a\\n'); w.writeString('ü');")  # fmt: skip

    answer = call()

    assert (answer.status_code, answer.content) == (201, "a\nü".encode())
    assert answer.headers["Content-Type"] == "text/plain;charset=UTF-8"


def test_a_text_of_another_type_is_sent_without_result(add: Add) -> None:
    call = add("response.setContentType('text/csv'); response.setBody('a,b');")

    assert call().text == "a,b"


# -- errors --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("BadRequestError", 400),
        ("NotFoundError", 404),
        ("NotAcceptableError", 406),
        ("ConflictError", 409),
        ("UnsupportedMediaTypeError", 415),
    ],
)
@pytest.mark.parametrize("how", ["throw ", "response.setError("], ids=["thrown", "set"])
def test_the_platform_s_errors_have_their_status(add: Add, name: str, status: int, how: str) -> None:
    script = f"{how}new sn_ws_err.{name}('because'){')' if '(' in how else ''};"

    assert error(add(script)())[:2] == (status, "because")


def test_a_service_error_has_what_is_set(add: Add) -> None:
    call = add(
        "var e = new sn_ws_err.ServiceError(); e.setStatus(422); e.setMessage('m'); e.setDetail('d'); throw e;"
    )

    assert error(call()) == (422, "m", "d")


def test_another_error_is_500_with_script_and_line(instance: Instance, add: Add) -> None:
    status, message, detail = error(add("\n nothing.here();")())

    assert (status, message) == (500, "Script Evaluation Exception")
    assert "nothing" in str(detail)
    assert "line 2" in str(detail)
    assert any("nothing" in line for line in instance.log())


# -- routes --------------------------------------------------------------------------------------------------


def test_method_and_path_choose_the_resource_and_words_go_before_variables(add: Add) -> None:
    add("return 'variable';", path="/route/{id}")
    add("return 'word';", path="/route/fixed")
    add("return 'post';", "POST", path="/route/{id}")
    get = add("return 'deep';", path="/route/{id}/deep")

    assert result(get("/route/a")) == "variable"
    assert result(get("/route/fixed")) == "word"
    assert result(get("/route/fixed/deep")) == "deep"


def test_what_no_resource_takes_is_refused(instance: Instance, add: Add) -> None:
    add("return 1;", path="/only/get")

    nothing = instance.request("GET", f"{BASE}/nothing/here")
    method = instance.request("DELETE", f"{BASE}/only/get")
    service = instance.request("GET", "/api/u_demo/other")

    assert error(nothing)[:2] == (400, "Requested URI does not represent any resource")
    assert error(method)[0] == 405
    assert error(service)[0] == 404


@pytest.mark.parametrize("what", ["operation", "service"])
def test_what_is_inactive_is_not_there(instance: Instance, add: Add, service: Row, what: str) -> None:
    call = add("return 1;", path=f"/inactive/{what}")
    table = "sys_ws_operation" if what == "operation" else "sys_ws_definition"
    rows = instance.table(table)
    row = rows.rows(f"relative_path=/inactive/{what}")[0] if what == "operation" else service

    assert call().status_code == 200
    rows.update(row["sys_id"], active="false")
    missing = call()
    rows.update(row["sys_id"], active="true")

    assert missing.status_code in (400, 404)
    assert call().status_code == 200


# -- who may -------------------------------------------------------------------------------------------------


def test_a_resource_works_as_who_asks_and_needs_somebody(instance: Instance, add: Add) -> None:
    call = add("return [gs.getUserName(), gs.isInteractive(), gs.hasRole('admin')];")

    assert result(call()) == ["admin", False, True]
    assert result(call(caller=instance.signed_in("visitor", PASSWORD))) == ["visitor", False, False]
    stranger = call(auth=None)
    assert error(stranger)[0] == 401
    assert stranger.headers["WWW-Authenticate"].startswith("BASIC")


def test_a_public_resource_works_as_guest(add: Add) -> None:
    call = add("return [gs.getUserName(), gs.isLoggedIn()];", requires_authentication="false")

    assert result(call(auth=None)) == ["guest", False]


def test_an_endpoint_s_rule_is_enforced(instance: Instance, add: Add) -> None:
    acl = instance.script(
        """
        var acl = new GlideRecord('sys_security_acl');
        acl.initialize(); acl.setValue('name', 'things'); acl.setValue('type', 'REST_Endpoint');
        acl.setValue('operation', 'execute'); acl.setValue('active', true); var id = acl.insert();
        var role = new GlideRecord('sys_user_role'); role.get('name', 'itil');
        var link = new GlideRecord('sys_security_acl_role'); link.initialize();
        link.setValue('sys_security_acl', id); link.setValue('sys_user_role', role.getUniqueValue());
        link.insert(); id;
        """,
        elevated=True,
    )
    instance.create_user("desk", PASSWORD, ["itil"])
    closed = add("return 1;", enforce_acl=acl, requires_acl_authorization="true")
    open_ = add("return 1;", enforce_acl=acl, requires_acl_authorization="false")

    visitor = instance.signed_in("visitor", PASSWORD)
    refused = closed(caller=visitor)
    assert error(refused) == (403, "User Not Authorized", "Failed API level ACL Validation")
    assert result(closed(caller=instance.signed_in("desk", PASSWORD))) == 1
    assert result(closed()) == 1
    assert result(open_(caller=visitor)) == 1


def test_what_is_consumed_and_produced_is_checked(add: Add) -> None:
    call = add("return 1;", "POST", consumes="application/json", produces="application/json")

    json_ = {"Content-Type": "application/json;charset=utf-8"}
    assert result(call(data=json.dumps({}), headers=json_)) == 1
    assert call(data="a", headers={"Content-Type": "text/plain"}).status_code == 415
    assert call(data="{}", headers=json_ | {"Accept": "text/xml"}).status_code == 406
    assert call(data="{}", headers=json_ | {"Accept": "application/*"}).status_code == 200


def test_a_resource_of_an_application_runs_in_its_scope(instance: Instance, add: Add) -> None:
    instance.table("sys_app").insert(name="Demo", scope="x_demo")
    scope = instance.table("sys_app").rows("scope=x_demo")[0]["sys_id"]
    scoped = add("gs.log('a');", sys_scope=scope)
    unscoped = add("gs.log('a'); return 1;")

    assert error(scoped())[0] == 500
    assert result(unscoped()) == 1
